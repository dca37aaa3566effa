"""One text, or one remedy, to all members of an incident: each once, each where they are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.turn import Changed, Committed
from desk.errors import PageError
from desk.incidents.reaching import NOBODY_READS
from desk.staff import proposals
from desk.staff.advice import Found, turn_of
from desk.staff.offers import check_place
from recovery.business import Business
from recovery.case import Case, OfferNotOpenError
from recovery.dialogue.advice import NoAdviceError, advise
from recovery.dialogue.unwanted import DEPARTURE
from recovery.ids import fingerprint
from recovery.incidents.wording import filled
from recovery.orders.system import Order, Product
from recovery.remedy.catalogue import Remedy
from recovery.remedy.facts import FactsError
from recovery.remedy.policy import PolicyError
from recovery.remedy.wishes import BadWishError, as_wish
from recovery.roles import Act, may
from recovery.store import (
    cases,
    conversations,
    customers,
    fulfilments,
    incident_tellings,
    incidents,
    preferences,
    staff,
    streams,
)
from recovery.store.conversations import BOT, QUEUE, Conversation, owner_id, staff_owner
from recovery.store.incident_tellings import SKIPPED, TOLD, UNREACHABLE, Message, Telling
from recovery.store.incidents import Incident, Member

NOT_PRIVATE = "还没有进私聊，公开区里不说"
BY_VOICE = "电话或当面来的顾客，请同事告诉"
NO_PLACE = "没有能写给这位顾客的地方"
COLLEAGUE = "同事正在和这位顾客谈，补救由同事定"
HAS_OFFER = "已经有方案，没有再给一份"
NO_ORDER = "还没有核对订单"
NO_POLICY = "政策对这件事现在没有答案"
NOT_HERE = "已经不在这件事里"
NOT_ALLOWED = "提出的人现在没有这项权限"
_AFTER_FIRST_WORDS = timedelta(seconds=10)


@dataclass(frozen=True)
class Due:
    """What is to be asked of the order system before one telling.

    Attributes:
        number: Of the order; None where nothing has to be asked.
        urgent: It goes out at night as well.
    """

    business: str
    number: str | None
    urgent: bool


def asked_for(db: Connection, message_id: str, member_id: int) -> Due | None:
    """What a telling needs of the order system; None where there is no such telling."""
    message = incident_tellings.message(db, message_id)
    one = incidents.member(db, member_id)
    incident = incidents.load(db, message.incident_id) if message else None
    if message is None or one is None or incident is None:
        return None
    case = cases.load(db, one.case_id)
    number = case.order_number if message.kind == "offer" and case else None
    return Due(incident.business, number, incident.urgent)


def tell(
    db: Connection,
    context: Context,
    message_id: str,
    member_id: int,
    order: Order | None,
    product: Product | None,
    now: datetime,
) -> Committed:
    """Bring a message to one member, once.

    Args:
        db: A writing transaction.
        context: The desk.
        message_id: What.
        member_id: To whom.
        order: Of the member, where it is an offer and the order system knows it.
        product: What is recommended for it.
        now: The present moment.
    """
    one = incident_tellings.take(db, message_id, member_id)
    message = incident_tellings.message(db, message_id) if one else None
    member = incidents.member(db, member_id)
    incident = incidents.load(db, message.incident_id) if message else None
    business = context.directory.business(incident.business) if incident else None
    if one is None or message is None or member is None or incident is None or business is None:
        return Committed([])
    if member.state == incidents.WAITING and member.due_at is not None:
        # The first words come first: without them there is no place for these yet.
        first = max(now, datetime.fromisoformat(member.due_at))
        incident_tellings.put_off(db, one, first + _AFTER_FIRST_WORDS)
        return Committed([])
    if member.state not in incidents.IN:
        return _ends(db, one, SKIPPED, now, NOT_HERE)
    conversation = _private_of(db, member)
    if conversation is None:
        public = member.case_id and conversations.of_case(db, member.case_id, "public")
        state, why = (SKIPPED, NOT_PRIVATE) if public else (UNREACHABLE, NO_PLACE)
        return _ends(db, one, state, now, why)
    if conversation.channel in NOBODY_READS:
        return _ends(db, one, SKIPPED, now, BY_VOICE)
    conversation = conversations.load(db, conversation.id, lock=True) or conversation
    if message.kind == "offer":
        return _offer(
            db, context, business, incident, member, message, one, conversation, order, product, now
        )
    return _say(db, business, incident, member, message, one, conversation, now)


def _private_of(db: Connection, member: Member) -> Conversation | None:
    """Where a member reads us: the private conversation of the case, else that of first words."""
    found = conversations.of_case(db, member.case_id, "private") if member.case_id else None
    if found is None and member.conversation_id:
        found = conversations.load(db, member.conversation_id)
    return found if found is not None and found.private else None


def _ends(
    db: Connection, one: Telling, state: str, now: datetime, why: str | None = None
) -> Committed:
    incident_tellings.settle(db, one, state, now, why)
    return Committed([])


def _say(
    db: Connection,
    business: Business,
    incident: Incident,
    member: Member,
    message: Message,
    one: Telling,
    conversation: Conversation,
    now: datetime,
) -> Committed:
    text = filled(
        message.text,
        name=customers.load(db, conversation.customer_id).name,
        order=member.order_number,
        matter=incident.title,
    )
    event = {
        # The same conversation reads it once, whoever of the incident it belongs to.
        "id": f"{message.id}.t",
        "kind": "message",
        "author": "bot",
        "name": business.assistant,
        "text": text,
        "outside": True,
    }
    entry = streams.append(db, conversation.stream, event, now)
    incident_tellings.settle(db, one, TOLD, now)
    if member.state == incidents.UNREACHABLE:
        incidents.settle_member(db, member.id, state=incidents.JOINED, why=None)
    changed = (Changed(conversation.business, conversation.id),)
    return Committed([entry] if entry else [], changed=changed)


def _offer(
    db: Connection,
    context: Context,
    business: Business,
    incident: Incident,
    member: Member,
    message: Message,
    one: Telling,
    conversation: Conversation,
    order: Order | None,
    product: Product | None,
    now: datetime,
) -> Committed:
    """Offer what a supervisor has decided for all, with the authority of who decided it."""
    number = owner_id(message.by)
    who = staff.load(db, number) if number is not None else None
    if who is None or not may(who.role, Act.OVERSEE) or not who.sees(business.id):
        return _ends(db, one, SKIPPED, now, NOT_ALLOWED)
    case = cases.load(db, conversation.case_id)
    why = _no_offer(case, conversation, staff_owner(who.id), order, now)
    if why is not None or case is None or order is None:
        return _marked(db, one, member, now, why or NO_ORDER)
    turn = proposals.begin_turn(db, context, conversation, who)
    fulfilments.hold_order(db, business.id, order.number)
    offer_id = "o" + fingerprint(f"{message.id}:{member.id}")[:24]
    try:
        check_place(conversation, case)
        found = Found(business, case, order)
        wishes = _wishes(db, context, found, message, now)
        proposal = proposals.propose(db, context, found, who.role, wishes, now)
        verdict = proposal.verdict
        if verdict.refused is not None or not verdict.allowed:
            return _marked(db, one, member, now, verdict.refused or verdict.why)
        unwanted = preferences.unwanted_by(db, conversation.customer_id)
        if any(
            line["kind"] in unwanted and line.get("part") == "goodwill"
            for line in proposal.wished.remedies
        ):
            # What is decided for all is not decided against what one of them has said.
            return _marked(db, one, member, now, f"{DEPARTURE}，请同事单独定")
        if proposal.needs_reason and not message.reason:
            return _marked(db, one, member, now, "和政策给的不一样，没有写理由")
        proposals.offer(
            turn,
            proposal,
            who,
            offer_id=offer_id,
            reason=message.reason or "",
            product=product,
            agreed=False,
            more={"incident": incident.id},
        )
    except BadWishError as error:
        return _marked(db, one, member, now, error.sentence)
    except PageError as error:
        return _marked(db, one, member, now, error.sentence)
    except OfferNotOpenError:
        return _marked(db, one, member, now, HAS_OFFER)
    except (NoAdviceError, PolicyError, FactsError):
        return _marked(db, one, member, now, NO_POLICY)
    incident_tellings.settle(db, one, TOLD, now)
    incidents.settle_member(db, member.id, offer_id=offer_id, differs=None, why=None)
    return Committed(turn.entries, turn.promised, turn.changed, tuple(turn.notices))


def _wishes(
    db: Connection, context: Context, found: Found, message: Message, now: datetime
) -> list[Remedy] | None:
    """What one member is offered: what the policy gives, and what is added for all.

    Raises:
        NoAdviceError: The policy cannot be asked about this case.
    """
    if message.wishes is None:
        return None
    turn = turn_of(db, context, found.business, found.case, now)
    added = {one["kind"] for one in message.wishes}
    own = [as_wish(one) for one in advise(turn, found.case, found.order).remedies]
    return [*(one for one in own if one["kind"] not in added), *message.wishes]


def _no_offer(
    case: Case | None, conversation: Conversation, own: str, order: Order | None, now: datetime
) -> str | None:
    """Why a member is not offered what all are; None where they are."""
    if case is None or case.order_number is None or order is None:
        return NO_ORDER
    if conversation.owner not in (BOT, QUEUE, own):
        return COLLEAGUE
    if case.given or case.open_offer(now):
        return HAS_OFFER
    return None


def _marked(db: Connection, one: Telling, member: Member, now: datetime, why: str) -> Committed:
    """Leave a member out, and mark that what they have is not what the others got."""
    incident_tellings.settle(db, one, SKIPPED, now, why)
    incidents.settle_member(db, member.id, differs=[why[:120]])
    return Committed([])

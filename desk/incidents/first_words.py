"""The first words to a customer who has not complained: once, with the remedy, where they are."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.dealing import decided, keep_policy, show_offer, show_replaced
from desk.conversations.turn import Changed, Committed, Turn, save
from desk.incidents.deciding import Decided, decide_for, for_all, why_different
from desk.incidents.reaching import Place, begin, place_for
from recovery.business import Business
from recovery.case import Case, apply
from recovery.commands import Command, HandOver, Note, OpenCase, TriedProof
from recovery.failures import UNKNOWN
from recovery.ids import fingerprint
from recovery.incidents.events import OrderEvent
from recovery.incidents.wording import opening
from recovery.logs import log
from recovery.orders.system import Order, Product
from recovery.remedy.facts import Facts, FactsError
from recovery.remedy.policy import PolicyError
from recovery.store import (
    cases,
    clocks,
    conversations,
    customers,
    incidents,
    notices,
    order_events,
    persons,
)
from recovery.store.conversations import BOT, QUEUE
from recovery.store.customers import Customer
from recovery.store.database import stamp
from recovery.store.incidents import Incident, Member

NOT_KNOWN = "不知道是哪位顾客：订单没有在这里核对过，也没有登录过"
NO_CHANNEL = "没有能写给这位顾客的地方（网页、微信、其他渠道都没有）"
NO_ORDER = "订单系统里没有这个订单"
SAME_PERSON = "同一位顾客的另一个订单已经说过，这一个由同事看要不要另外补"
SERVED = "同事正在和这位顾客谈，已先告诉顾客，补救由同事定"
IN_ROOM = "同事正在公开区回这位顾客，请同事告诉"
ALREADY = "这个订单的事已经在补救，没有再给一份"
BY_PERSON = "要由同事定：已经告诉顾客什么时候有答复"


@dataclass(frozen=True)
class Asked:
    """What the order system said of a member, asked before the transaction.

    Attributes:
        order: The one order that it can be; None where there is none, or more than one.
        identity: As the host site signs its customer.
        product: What is recommended for it.
        customer: Id of the customer whose order it is, looked up beside: that may take long.
    """

    order: Order | None
    identity: str | None = None
    product: Product | None = None
    customer: str | None = None


@dataclass
class _Writing:
    """One customer who is being written to."""

    turn: Turn
    incident: Incident
    member: Member
    event: OrderEvent
    business: Business
    customer: Customer
    asked: Asked

    def say(self, style: str, time: str = "") -> None:
        turn, business, order = self.turn, self.business, self.asked.order
        text = opening(
            style,
            turn.source,
            self.event,
            name=self.customer.name,
            business=business.name,
            assistant=business.assistant,
            order_title=order.title if order else "",
            time=time,
        )
        event = {"kind": "message", "author": "bot", "name": business.assistant, "text": text}
        # It is news to the customer: outside of WeChat's window they are told that it waits.
        turn.show(turn.conversation.stream, f"{turn.source}.f", {**event, "outside": True})

    def fold(self, command: Command) -> None:
        turn = self.turn
        turn.case = apply(turn.case, command, turn.now)
        if isinstance(command, OpenCase):
            save(turn)
        if turn.case:
            cases.log(turn.db, turn.case.id, turn.source, command, turn.now)


def write_to(
    db: Connection, context: Context, member_id: int, asked: Asked, now: datetime
) -> Committed:
    """Write to one member of an incident, once.

    Args:
        db: A writing transaction.
        context: The desk.
        member_id: Who is due.
        asked: What the order system said.
        now: The present moment.

    Returns:
        What to publish; nothing where somebody else was faster.
    """
    known = incidents.member(db, member_id)
    # The incident first, as staff do who change it: nobody waits in a circle.
    incident = incidents.load(db, known.incident_id, lock=True) if known else None
    one = incidents.member(db, member_id, lock=True)
    if one is None or one.state != incidents.WAITING or one.due_at is None:
        return Committed([])
    business = context.directory.business(incident.business) if incident else None
    if incident is None or business is None:
        return Committed([])
    event = order_events.load(db, business.id, one.event_id)
    if event is None or incident.state in (incidents.CLOSED, incidents.DISMISSED):
        incidents.settle_member(db, one.id, state=incidents.LEFT, due_at=None)
        return Committed([])
    number = asked.order.number if asked.order else one.order_number
    customer = customers.load(db, asked.customer) if asked.customer else None
    if customer is None:
        unknown = NO_ORDER if asked.order is None and one.order_number else NOT_KNOWN
        return _unreachable(db, one, None, unknown)
    told = _same_person(db, incident, one, customer)
    if told is not None:
        incidents.settle_member(
            db,
            one.id,
            state=incidents.JOINED,
            due_at=None,
            customer_id=customer.id,
            case_id=None,
            conversation_id=told.conversation_id,
            why=SAME_PERSON,
        )
        return Committed([])
    place = place_for(db, customer, number, event.failure, now)
    if place is None:
        return _unreachable(db, one, customer.id, NO_CHANNEL)
    return _write(db, context, incident, one, event, business, place, asked, now)


def _unreachable(db: Connection, one: Member, customer: str | None, why: str) -> Committed:
    incidents.settle_member(
        db, one.id, state=incidents.UNREACHABLE, due_at=None, customer_id=customer, why=why[:120]
    )
    return Committed([])


def _same_person(
    db: Connection, incident: Incident, one: Member, customer: Customer
) -> Member | None:
    """Who of the incident was told already and is the same person; once is enough."""
    ids = {*persons.customers_of(db, customer.person), customer.id}
    return next(
        (
            other
            for other in incidents.members(db, incident.id)
            if other.id != one.id
            and other.customer_id in ids
            and other.state in (incidents.TOLD, incidents.JOINED)
        ),
        None,
    )


def _write(
    db: Connection,
    context: Context,
    incident: Incident,
    one: Member,
    event: OrderEvent,
    business: Business,
    place: Place,
    asked: Asked,
    now: datetime,
) -> Committed:
    source = "e" + fingerprint(f"{incident.id}:{one.id}")[:24]
    customer, conversation, case = place.customer, place.conversation, place.case
    if conversation is None or case is None:
        number = asked.order.number if asked.order else None
        opened = OpenCase("s" + source[1:], event.failure, order_number=number)
        case = apply(None, opened, now)
        if case is None:
            raise AssertionError("a case that is opened is there")
        cases.save(db, case, business.id, customer.id, now)
        cases.log(db, case.id, source, opened, now)
        conversation = begin(db, place, case.id, now)
    turn = Turn(db, context, conversation, source, now, case)
    writing = _Writing(turn, incident, one, event, business, customer, asked)
    if place.case is None:
        writing.fold(Note({"reported": incident.id}))
    why, offer, differs, told = _goes_on(writing, known=place.case)
    save(turn)
    incidents.settle_member(
        db,
        one.id,
        state=incidents.TOLD if conversation.private else incidents.JOINED,
        due_at=None,
        told_at=stamp(now) if conversation.private else None,
        order_number=asked.order.number if asked.order else one.order_number,
        order_customer=asked.order.customer if asked.order else None,
        customer_id=customer.id,
        case_id=turn.case.id if turn.case else None,
        conversation_id=conversation.id,
        offer_id=offer,
        differs=differs or None,
        why=why,
    )
    incidents.change(db, incident.id, now)
    log.info("told first", incident=incident.id, conversation=conversation.id, offer=bool(offer))
    changed = (Changed(conversation.business, conversation.id),)
    return Committed(turn.entries, turn.promised, changed, (*turn.notices, *told))


def _goes_on(
    writing: _Writing, known: Case | None
) -> tuple[str | None, str | None, list[str], tuple[notices.Notice, ...]]:
    """Say what happened and offer what the policy gives; why not, the offer, why it differs."""
    turn, asked = writing.turn, writing.asked
    conversation, case = turn.conversation, turn.case
    if known is not None and conversation.owner != BOT:
        if conversation.private:
            writing.say("aside")
        readers = [conversation.agent] if conversation.agent is not None else []
        what = "已先告诉顾客；要不要补救由您定" if conversation.private else "请您告诉顾客"
        text = f"订单系统报来同一件事，{what}"
        told = notices.add(turn.db, readers, "attention", conversation.id, text, turn.now)
        return SERVED if conversation.private else IN_ROOM, None, [], told
    if known is not None and known.offers:
        writing.say("already")
        return ALREADY, None, [], ()
    if known is not None and case is not None and case.order_number is None and asked.order:
        # The order system says whose it is; nobody has to prove it once more.
        writing.fold(TriedProof(asked.order.number, correct=True, vouched=True))
    case = turn.case
    decision: Decided | None = None
    if asked.order is not None and case is not None and case.failure not in (None, UNKNOWN):
        decision = decide_for(
            turn.db,
            turn.context,
            writing.business,
            case,
            asked.order,
            asked.product,
            writing.customer.id,
            turn.source,
            turn.now,
        )
    if decision is None or decision.offer is None:
        _to_a_person(writing, decision)
        return BY_PERSON, None, [], ()
    offer = decision.offer
    keep_policy(turn, offer.policy)
    writing.say("offer")
    writing.fold(offer)
    show_replaced(turn, offer.offer)
    decided(turn, offer)
    show_offer(turn, offer.offer, decision.buttons)
    return None, offer.offer, _beside_the_others(writing, decision), ()


def _to_a_person(writing: _Writing, decision: Decided | None) -> None:
    """Say by when a person answers, and bring one."""
    turn, business = writing.turn, writing.business
    by = business.person_by(turn.now)
    commands: tuple[Command, ...] = decision.commands if decision else ()
    if not any(isinstance(one, HandOver) for one in commands):
        reason = "no_order" if writing.asked.order is None else "unknown"
        commands = (HandOver(reason, by.isoformat()),)
    writing.say("person", business.due_words(by, turn.now))
    for command in commands:
        writing.fold(command)
    reason = next(one.reason for one in commands if isinstance(one, HandOver))
    save(turn)
    conversation = turn.conversation
    conversations.change_owner(
        turn.db, conversation, QUEUE, turn.now, expected=(BOT,), reason=reason
    )
    clocks.person_due(turn.db, conversation, business, turn.now)
    turn.context.metrics.handovers.labels(reason).inc()
    event = {"kind": "owner", "owner": "queue", "name": "", "text": "已请同事来看，您稍等"}
    turn.show(conversation.stream, f"{turn.source}.owner", event)


def _beside_the_others(writing: _Writing, decision: Decided) -> list[str]:
    """Why this customer's offer is not the incident's own set, which the first one settles."""
    turn, incident, offer = writing.turn, writing.incident, decision.offer
    if offer is None:
        return []
    try:
        facts = Facts.from_wire(offer.facts)
        common = incident.remedies
        if common is None:
            common = for_all(turn.context, writing.business, facts, turn.now)
            incidents.change(turn.db, incident.id, turn.now, remedies=common)
        if common.get("by") != "policy":
            return []
        return why_different(
            turn.context,
            writing.business,
            facts,
            offer.remedies,
            common,
            turn.now,
            offer.departure,
        )
    except (FactsError, PolicyError) as error:
        log.warning("not held beside the others", incident=incident.id, error=str(error))
        return []

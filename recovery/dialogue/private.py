"""The private talk: name the matter, ask only what is unknown, offer, carry on.

Every function returns a `Reply`; nothing here writes or speaks.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from recovery.anger import ANGRY
from recovery.case import MISSES_MOST, PROOF_TRIES_MOST, Case, Offer, apply
from recovery.clock import spoken_point
from recovery.commands import (
    AcceptOffer,
    CloseCase,
    Command,
    CountMiss,
    HandOver,
    MakeOffer,
    Note,
    OpenCase,
    RefuseOffer,
    TriedProof,
)
from recovery.dialogue.complaint import read_complaint
from recovery.dialogue.reply import Button, Reply, Say, Turn
from recovery.failures import FAILURES, UNKNOWN, owned, served_by
from recovery.orders.system import Item, Order, fold_order_number
from recovery.remedy.catalogue import Remedy, plain, steps
from recovery.remedy.policy import Decision, policy_for

SURE = 0.6
_ORDER_NUMBER = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[\s\-]?\d{8,18}(?!\d)|(?<!\d)\d{9,18}(?!\d)"
)
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_LAST4 = re.compile(r"(?<![\dA-Za-z])\d{4}(?!\d)")
_OFFER_BUTTONS = (
    Button("就这样办", "accept"),
    Button("还不够", "more"),
    Button("不接受", "refuse"),
)
_SMALLTALK = {
    "greet": "say_greet",
    "thank": "say_thanks",
    "praise": "say_thanks",
    "out_of_scope": "say_offtopic",
}


def opening_turn(turn: Turn) -> Reply:
    """The first words when the customer has entered the private chat."""
    case = turn.case
    if case is None or not case.has_matter:
        return Reply((Say("say_open_unknown", turn.level),))
    first = Say("say_open", turn.level, {"matter": case.matter})
    if case.stage == "person":
        name = "say_handover_safety" if case.safety else "say_waiting"
        return Reply((first, Say(name, turn.level, {"time": turn.person_by})))
    says = [first]
    if turn.level >= ANGRY and owned(case.failure):
        says.append(Say("say_apologise", turn.level, {"matter": case.matter}, optional=True))
    after = _next_step(turn, case)
    return Reply((*says, *after.says), after.commands, after.plain)


def private_turn(turn: Turn) -> Reply:
    """Answer one message of the private chat."""
    heard, case = turn.heard, turn.case
    if "safety" in heard.flags:
        return _hand_over(turn, "safety", "say_handover_safety", {})
    if turn.pressed is None:
        if "human" in heard.flags or (heard.intent == "ask_human" and heard.confidence >= SURE):
            return _hand_over(turn, "asked", "say_handover")
        if "escalation" in heard.flags:
            return _hand_over(turn, "escalation", "say_handover")
    if case is None or case.stage == "closed":
        complaint = read_complaint(heard, turn.business.industry)
        return (None if complaint else _small_talk(turn)) or _hearing(turn, _opened(turn))
    offer = case.open_offer(turn.now)
    if offer:
        return _offered(turn, case, offer)
    if case.stage == "agreed":
        return _agreed(turn, case)
    if case.stage == "person":
        return Reply((Say("say_waiting", turn.level, {"time": turn.person_by}),))
    return _hearing(turn, ())


def _small_talk(turn: Turn) -> Reply | None:
    """Answer what needs no case; None for everything else."""
    if turn.heard.confidence < SURE or turn.pressed:
        return None
    if turn.heard.intent == "ask_question":
        return Reply((Say("say_question", turn.level, {"help": turn.business.help}),))
    if turn.heard.intent == "goodbye":
        return Reply((Say("say_goodbye", turn.level),))
    if turn.heard.intent in _SMALLTALK:
        return Reply((Say(_SMALLTALK[turn.heard.intent], turn.level),))
    return None


def _hand_over(
    turn: Turn,
    reason: str,
    response: str,
    words: dict[str, str] | None = None,
    before: tuple[Command, ...] = (),
) -> Reply:
    """Say that a person goes on, by when, and queue the conversation."""
    by = turn.business.person_by(turn.now)
    words = {"time": turn.person_by} if words is None else words
    opened = () if turn.case or any(isinstance(c, OpenCase) for c in before) else _opened(turn)
    return Reply(
        (Say(response, turn.level, words),),
        (*opened, *before, HandOver(reason, by.isoformat())),
    )


def _opened(turn: Turn) -> tuple[Command, ...]:
    complaint = read_complaint(turn.heard, turn.business.industry)
    failure = complaint.failure if complaint else None
    keywords = complaint.keywords if complaint else None
    return (OpenCase(turn.case_id(), failure, keywords),)


# --- hearing: learn what is not known yet -------------------------------------------------


def _hearing(turn: Turn, before: tuple[Command, ...]) -> Reply:
    case = _folded(turn.case, before, turn.now)
    new = _new_facts(turn, case)
    commands = (*before, Note(new)) if new else before
    if case is None:
        raise AssertionError("a case is open here")
    told_now = "failure" in new or any(
        isinstance(command, OpenCase) and command.failure for command in before
    )
    case = _folded(case, (Note(new),) if new else (), turn.now) or case
    says: list[Say] = []
    if told_now and case.failure != UNKNOWN:
        apologise = turn.level >= ANGRY and owned(case.failure)
        first = "say_apologise" if apologise else "say_acknowledge"
        says.append(Say(first, turn.level, {"matter": case.matter}, optional=True))
    elif not new:
        beside = _beside(turn, case)
        if beside:
            return replace(beside, commands=(*commands, *beside.commands))
    after = _next_step(turn, case)
    return Reply((*says, *after.says), (*commands, *after.commands), after.plain)


def _folded(case: Case | None, commands: tuple[Command, ...], now: datetime) -> Case | None:
    for command in commands:
        case = apply(case, command, now)
    return case


def _new_facts(turn: Turn, case: Case | None) -> dict[str, str]:
    """What this message tells that the case does not know."""
    heard, facts = turn.heard, dict(case.facts) if case else {}
    new: dict[str, str] = {}
    complaint = read_complaint(heard, turn.business.industry)
    if complaint and facts.get("failure") in (None, UNKNOWN):
        if complaint.failure != UNKNOWN or facts.get("failure") is None:
            new["failure"] = complaint.failure
        if complaint.keywords and not facts.get("keywords"):
            new["keywords"] = complaint.keywords
    if turn.pressed and turn.pressed.value:
        if turn.pressed.act == "item":
            new["item"] = turn.pressed.value
        elif turn.pressed.act == "order":
            new["order_number"] = turn.pressed.value
        return new
    if case and case.order_number:
        item = _item_named(turn, case)
        if item:
            new["item"] = item
        return new
    text = _PHONE.sub(" ", heard.text)
    number = _ORDER_NUMBER.search(text)
    if number:
        new["order_number"] = fold_order_number(number.group())
        text = text.replace(number.group(), " ")
    phone, last4 = _PHONE.search(heard.text), _LAST4.search(text)
    if phone:
        new["phone_last4"] = phone.group()[-4:]
    elif last4 and (number or facts.get("order_number") or len(text.strip()) <= 12):
        new["phone_last4"] = last4.group()
    return {name: value for name, value in new.items() if facts.get(name) != value}


def _item_named(turn: Turn, case: Case) -> str | None:
    """Which article of the proved order the customer names, if one and only one."""
    order = turn.orders.order(turn.business.id, case.order_number or "")
    if order is None or case.facts.get("item"):
        return None
    named = [
        item.sku
        for item in order.items
        if item.name in turn.heard.text
        or any(value in item.name for key, value in turn.heard.entities if key == "product")
    ]
    return named[0] if len(named) == 1 else None


def _beside(turn: Turn, case: Case) -> Reply | None:
    """Answer a message that tells nothing new about the matter; None to go on with it."""
    heard = turn.heard
    sure = heard.confidence >= SURE
    if heard.intent == "ask_progress" and sure:
        return _with_step(turn, case, Say("say_progress_none", turn.level))
    if heard.intent == "ask_why" and sure:
        return _with_step(turn, case, Say("say_why_none", turn.level))
    small_talk = _small_talk(turn)
    if small_talk and heard.intent == "out_of_scope":
        return _missed(turn, case, small_talk.says[0])
    if small_talk:
        greeted = heard.intent == "greet"
        return _with_step(turn, case, small_talk.says[0]) if greeted else small_talk
    if not case.has_matter:
        return None
    if "complaint" in heard.flags or heard.anger >= ANGRY:
        return None
    if any(isinstance(one, MakeOffer) for one in _next_step(turn, case).commands):
        # Nothing is missing: the host site vouches for the customer, or an offer has expired.
        return None
    return _missed(turn, case, Say("say_not_understood", turn.level))


def _missed(turn: Turn, case: Case, say: Say) -> Reply:
    """Not understood: twice in a row brings a person."""
    if case.misses + 1 >= MISSES_MOST:
        return _hand_over(turn, "not_understood", "say_handover")
    return Reply((say,), (CountMiss(),))


def _with_step(turn: Turn, case: Case, say: Say) -> Reply:
    after = _next_step(turn, case)
    return Reply((say, *after.says), after.commands, after.plain)


def _next_step(turn: Turn, case: Case) -> Reply:
    """Ask for the next thing that is unknown, or offer when all is known."""
    if case.failure is None:
        if case.misses + 1 >= MISSES_MOST:
            return _hand_over(turn, "not_understood", "say_handover_unknown")
        return Reply((Say("say_ask_matter", turn.level),), (CountMiss(),))
    decision = _decision(turn, case, 0)
    if decision is None or decision.authority != "bot":
        reason = "unknown" if case.failure == UNKNOWN else "beyond_authority"
        return _hand_over(turn, reason, "say_handover_unknown")
    order, asked = _proved_order(turn, case)
    if asked:
        return asked
    if order is None:
        raise AssertionError("an order is proved here")
    proved: tuple[Command, ...] = ()
    if case.order_number != order.number:
        proved = (TriedProof(order.number, correct=True),)
    item, choose = _item(turn, case, order)
    if choose:
        return replace(choose, commands=(*proved, *choose.commands))
    offered = _offer(turn, decision, order, item, "say_offer")
    return replace(offered, commands=(*proved, *offered.commands))


def _decision(turn: Turn, case: Case, round_: int) -> Decision | None:
    if case.failure not in FAILURES:
        return None
    return policy_for(turn.business.industry).decide(case.failure, round_)


def _proved_order(turn: Turn, case: Case) -> tuple[Order | None, Reply | None]:
    """The order that is certainly this customer's, or the question that leads to it."""
    business = turn.business.id
    if case.order_number:
        return turn.orders.order(business, case.order_number), None
    claimed, last4 = case.facts.get("order_number"), case.facts.get("phone_last4")
    if turn.external_customer:
        orders = turn.orders.orders_of(business, turn.external_customer)
        chosen = [order for order in orders if order.number == claimed] if claimed else orders
        if len(chosen) == 1:
            return chosen[0], None
        if chosen or orders:
            buttons = tuple(Button(o.title, f"order:{o.number}") for o in (chosen or orders)[:5])
            return None, Reply((Say("say_ask_order_number", turn.level, buttons=buttons),))
    if claimed and last4:
        if case.proof_tries >= PROOF_TRIES_MOST:
            return None, _hand_over(turn, "proof_limit", "say_proof_limited")
        if turn.orders.matches(business, claimed, last4):
            return turn.orders.order(business, claimed), None
        failed: Command = TriedProof(claimed, correct=False)
        if case.proof_tries + 1 >= PROOF_TRIES_MOST:
            limited = _hand_over(turn, "proof_limit", "say_proof_limited", before=(failed,))
            return None, limited
        return None, Reply((Say("say_proof_failed", turn.level),), (failed,))
    if claimed:
        return None, Reply((Say("say_ask_phone", turn.level),))
    if last4:
        return None, Reply((Say("say_ask_order_number", turn.level),))
    return None, Reply((Say("say_ask_order", turn.level),))


def _item(turn: Turn, case: Case, order: Order) -> tuple[Item | None, Reply | None]:
    """The article the matter is about, or the question which one it is."""
    if not FAILURES[case.failure or ""].needs_item:
        return None, None
    chosen = case.facts.get("item")
    named = [item for item in order.items if item.sku == chosen]
    if named:
        return named[0], None
    if len(order.items) == 1:
        return order.items[0], None
    buttons = tuple(Button(item.name, f"item:{item.sku}") for item in order.items[:8])
    return None, Reply((Say("say_ask_item", turn.level, buttons=buttons),))


# --- offering -----------------------------------------------------------------------------


def _offer(turn: Turn, decision: Decision, order: Order, item: Item | None, response: str) -> Reply:
    remedies = [_filled(turn, one, order, item) for one in decision.remedies]
    expires = turn.now + timedelta(hours=turn.business.offer_hours)
    return Reply(
        (Say(response, turn.level, buttons=_OFFER_BUTTONS),),
        (
            MakeOffer(
                offer=turn.offer_id(),
                order_number=order.number,
                remedies=remedies,
                rules=[decision.rule],
                policy=decision.policy,
                facts=decision.facts,
                reason=decision.reason,
                round=decision.facts["round"],
                expires_at=expires.isoformat(),
            ),
        ),
        plain(remedies, decision.reason),
    )


def _filled(turn: Turn, remedy: Remedy, order: Order, item: Item | None) -> Remedy:
    """Put the article or the recommended product into a remedy."""
    if remedy["kind"] == "resend" and item:
        return {**remedy, "product": item.name, "sku": item.sku}
    if remedy["kind"] == "recommendation":
        product = turn.orders.recommend(turn.business.id, order.number)
        if product:
            return {**remedy, "product": product.name, "sku": product.sku}
    return remedy


def _until(turn: Turn, offer: Offer) -> str:
    moment = datetime.fromisoformat(offer.expires_at)
    return spoken_point(moment, turn.now, turn.business.zone)


def _next_words(remedies: list[Remedy]) -> str:
    return "，".join(steps(remedies)[:2])


def _offered(turn: Turn, case: Case, offer: Offer) -> Reply:
    heard = turn.heard
    act = _act(turn, case, offer)
    if act == "accept":
        words = {"next": _next_words(offer.remedies)}
        return Reply((Say("say_confirm", turn.level, words),), (AcceptOffer(offer.id),))
    if act == "refuse":
        refused = RefuseOffer(offer.id)
        return _hand_over(turn, "refused", "say_refused", before=(refused,))
    if act == "more":
        return _more(turn, case, offer)
    if act == "unsure":
        return Reply((Say("say_which", turn.level, buttons=_OFFER_BUTTONS),))
    sure = heard.confidence >= SURE
    until = {"until": _until(turn, offer)}
    if heard.intent == "think_over" and sure:
        return Reply((Say("say_think", turn.level, until),))
    if heard.intent == "ask_why" and sure:
        words = {"reason": offer.reason}
        return Reply((Say("say_why", turn.level, words, buttons=_OFFER_BUTTONS),))
    if heard.intent == "goodbye" and sure:
        return Reply((Say("say_think", turn.level, until), Say("say_goodbye", turn.level)))
    if heard.intent == "ask_question" and sure:
        return Reply((Say("say_question", turn.level, {"help": turn.business.help}),))
    says = [Say("say_offer_again", turn.level, until, buttons=_OFFER_BUTTONS)]
    if read_complaint(heard, turn.business.industry):
        matter = {"matter": case.matter}
        says.insert(0, Say("say_acknowledge", turn.level, matter, optional=True))
        return Reply(tuple(says))
    if heard.intent in ("nlu_fallback", "out_of_scope"):
        return _missed(turn, case, says[0])
    return Reply(tuple(says))


def _act(turn: Turn, case: Case, offer: Offer) -> str | None:
    """What the message does with the open offer: `accept`, `refuse`, `more`, `unsure` or None.

    A pressed button counts for the offer it was signed for. Free text needs a sure intent.
    """
    if turn.pressed:
        if turn.pressed.act in ("accept", "refuse", "more"):
            return turn.pressed.act if turn.pressed.offer == offer.id else "unsure"
        return None
    acts = {"accept": "accept", "refuse": "refuse", "ask_more": "more"}
    act = acts.get(turn.heard.intent)
    if act is None:
        return None
    return act if turn.heard.confidence >= SURE else "unsure"


def _more(turn: Turn, case: Case, offer: Offer) -> Reply:
    """Another round inside the bot's authority, else a person decides; the offer stands."""
    order = turn.orders.order(turn.business.id, offer.order_number)
    decision = _decision(turn, case, offer.round + 1)
    if decision is None or decision.authority != "bot" or order is None:
        return _hand_over(turn, "beyond_authority", "say_more_limit")
    item = next((one for one in order.items if one.sku == case.facts.get("item")), None)
    if item is None and len(order.items) == 1:
        item = order.items[0]
    return _offer(turn, decision, order, item, "say_offer_more")


# --- agreed -------------------------------------------------------------------------------


def _agreed(turn: Turn, case: Case) -> Reply:
    heard, offer = turn.heard, case.accepted_offer
    remedies = offer.remedies if offer else []
    following = {"next": _next_words(remedies)}
    sure = heard.confidence >= SURE
    if heard.intent in ("thank", "praise") or "closure" in heard.flags:
        return Reply((Say("say_close", turn.level),), (CloseCase("thanked"),))
    if heard.intent == "accept" or turn.pressed:
        return Reply((Say("say_already_agreed", turn.level, following),))
    if heard.intent == "goodbye" and sure:
        return Reply((Say("say_close", turn.level),))
    if heard.intent == "ask_why" and sure and offer:
        return Reply((Say("say_why", turn.level, {"reason": offer.reason}),))
    if heard.intent == "ask_question" and sure:
        return Reply((Say("say_question", turn.level, {"help": turn.business.help}),))
    if heard.intent in ("ask_progress", "ask_human", "nlu_fallback", "greet") or not sure:
        if read_complaint(heard, turn.business.industry) is None:
            words = {"progress": _next_words(remedies)}
            return Reply((Say("say_progress", turn.level, words),))
    if served_by(turn.business.industry, heard.intent) or read_complaint(
        heard, turn.business.industry
    ):
        return _hand_over(turn, "not_as_promised", "say_handover")
    if heard.intent in _SMALLTALK:
        return Reply((Say(_SMALLTALK[heard.intent], turn.level),))
    return Reply((Say("say_progress", turn.level, {"progress": _next_words(remedies)}),))

"""Learning what went wrong and whose order it is: asks only what is unknown, nothing twice."""

import re
from dataclasses import replace
from datetime import datetime

from recovery.anger import ANGRY, FURIOUS
from recovery.case import PROOF_TRIES_MOST, Case, apply
from recovery.commands import Command, HandOver, MakeOffer, Note, OpenCase, TriedProof
from recovery.dialogue.authority import DECLINED, PHOTO, Matter, item_of, settled_by_bot
from recovery.dialogue.complaint import read_matter
from recovery.dialogue.forms import read_choice
from recovery.dialogue.handing import hand_over, missed, only_points, small_talk, sure
from recovery.dialogue.harm import told_harm
from recovery.dialogue.numbers import read_numbers
from recovery.dialogue.offering import fairness, offer_or_ask, second_matter
from recovery.dialogue.reply import Button, Reply, Say, Turn
from recovery.failures import FAILURES, UNKNOWN, matter_words, owned
from recovery.orders.system import Item, Order, fold_order_number


def hearing_turn(turn: Turn, before: tuple[Command, ...] = ()) -> Reply:
    """Answer a message while something is still to be learned.

    Args:
        turn: The message.
        before: Commands that come first, such as opening the case.
    """
    case = _folded(turn.case, before, turn.now)
    if case is None:
        raise AssertionError("a case is open here")
    new = _new_facts(turn, case)
    commands = (*before, Note(new)) if new else before
    opened = next((one for one in before if isinstance(one, OpenCase)), None)
    told = new.get("also") or new.get("failure") or (opened.failure if opened else None)
    case = _folded(case, (Note(new),) if new else (), turn.now) or case
    if _furious_still(turn) and not {"order_number", "phone_last4", "item"} & new.keys():
        return hand_over(turn, "fury", "say_handover", commands)
    says: list[Say] = []
    if turn.picture:
        says.append(Say("say_photo_got", turn.level))
    if told and told != UNKNOWN:
        says.append(_acknowledged(turn, told))
    elif not new:
        beside = _beside(turn, case)
        if beside:
            return replace(beside, commands=(*commands, *beside.commands))
    after = next_step(turn, case)
    return Reply((*says, *after.says), (*commands, *after.commands), after.plain)


def _furious_still(turn: Turn) -> bool:
    """Whether the customer is furious for the second message in a row, and says so in words.

    One furious message is how people begin; who still answers with nothing but fury is not to be
    questioned any further by a program. Whoever names the order all the same wants it settled,
    and is served; where something is offered, refusing it brings a person anyway.
    """
    if turn.pressed or turn.picture or turn.case is None or turn.case.anger is None:
        return False
    anger = turn.case.anger
    # Steady at the top: the message before was as furious, and a short while ago.
    again = anger.now == FURIOUS and anger.trend == "steady"
    return again and turn.heard.anger == FURIOUS


def _acknowledged(turn: Turn, failure: str) -> Say:
    apologise = turn.level >= ANGRY and owned(failure)
    name = "say_apologise" if apologise else "say_acknowledge"
    return Say(name, turn.level, {"matter": matter_words(failure, None)}, optional=True)


def _folded(case: Case | None, commands: tuple[Command, ...], now: datetime) -> Case | None:
    for command in commands:
        case = apply(case, command, now)
    return case


def _new_facts(turn: Turn, case: Case) -> dict[str, str]:
    """What this message tells that the case does not know."""
    new = {
        **_matter_told(turn, case),
        **_order_told(turn, case),
        **_evidence_told(turn, case),
        **_wish_told(turn),
    }
    return {name: value for name, value in new.items() if case.facts.get(name) != value}


def _matter_told(turn: Turn, case: Case) -> dict[str, str]:
    complaint = read_matter(turn.heard, turn.business.industry)
    new: dict[str, str] = {}
    # What it did to the customer is often told beside the order number, without complaining.
    content = sure(turn, "praise", "thank", "ask_question")
    harm = told_harm(turn.heard.text, case.facts)
    if harm and (complaint or (case.has_matter and not turn.pressed and not content)):
        new["harm"] = harm
    if complaint is None:
        return new
    if case.failure in (None, UNKNOWN):
        if complaint.failure != UNKNOWN or case.failure is None:
            new["failure"] = complaint.failure
        if complaint.keywords and not case.facts.get("keywords"):
            new["keywords"] = complaint.keywords
    elif second_matter(complaint, case):
        new["also"] = complaint.failure
    return new


_NO_PICTURE = re.compile(
    r"(?:没|无|不)(?!问题|关系|急|好意思|客气|知道怎|会儿|错)[^，。！？、,.!? 问急忙]{0,5}?"
    r"(?:拍|照片|照相|图|相片)"
    r"|^没(?:有|了|得)?[呢啊呀的了]?[。！!]?$|(?:拍|照)不(?:了|到|着|成|清)"
    r"|忘(?:了|记)[^，。！？,.!? ]{0,2}拍"
    r"|(?:删|扔|丢|倒|收走|收拾|用完|吃完|修好|退|寄回去)(?:掉|完)?了"
)


def _evidence_told(turn: Turn, case: Case) -> dict[str, str]:
    """Whether there is a picture. One that came is not taken back by words."""
    known = case.facts.get("evidence")
    if turn.picture:
        return {"evidence": PHOTO}
    pressed = turn.pressed is not None and turn.pressed.act == "no_photo"
    told = known == "asked" and turn.pressed is None and bool(_NO_PICTURE.search(turn.heard.text))
    return {"evidence": DECLINED} if known != PHOTO and (pressed or told) else {}


def _wish_told(turn: Turn) -> dict[str, str]:
    """The form in which the customer wants it, told before anything is offered."""
    wish = read_choice(turn.heard.text) if sure(turn, "ask_other") else None
    return {"wish": wish} if wish else {}


def _order_told(turn: Turn, case: Case) -> dict[str, str]:
    if turn.pressed and turn.pressed.value:
        name = {"item": "item", "order": "order_number"}.get(turn.pressed.act)
        return {name: turn.pressed.value} if name else {}
    if case.order_number:
        item = _item_named(turn, case)
        return {"item": item} if item else {}
    named = read_numbers(turn.heard.text, order_known="order_number" in case.facts)
    new = {"order_number": named.order_number, "phone_last4": named.last4}
    return {name: value for name, value in new.items() if value}


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
    if sure(turn, "refuse") and case.has_matter and case.order_number is None:
        # Who will not name an order cannot be given anything by the bot.
        return hand_over(turn, "no_order", "say_handover")
    if case.settled and (sure(turn, "accept", "thank", "praise") or "closure" in heard.flags):
        return Reply((Say("say_close", turn.level),))
    if sure(turn, "ask_progress"):
        return _with_step(turn, case, Say("say_progress_none", turn.level))
    fair = fairness(turn)
    if fair:
        return _with_step(turn, case, fair.says[0])
    if sure(turn, "ask_why"):
        return _with_step(turn, case, Say("say_why_none", turn.level))
    talk = small_talk(turn)
    if talk and heard.intent == "out_of_scope":
        return missed(turn, case, talk)
    if talk:
        return _with_step(turn, case, talk.says[0]) if heard.intent == "greet" else talk
    if not case.has_matter or (only_points(turn) and not case.settled):
        return None
    step = next_step(turn, case)
    if any(isinstance(one, MakeOffer | HandOver) for one in step.commands) and not case.settled:
        # Nothing is missing: the host site vouches for the customer, or an offer has expired.
        return None
    if "complaint" in heard.flags or heard.anger >= ANGRY:
        # The same question once more is enough; then a person comes.
        return missed(turn, case, step)
    # What was asked for stays one press, or one number, away.
    buttons = step.says[-1].buttons if step.says else ()
    return missed(turn, case, Reply((Say("say_not_understood", turn.level, buttons=buttons),)))


def _with_step(turn: Turn, case: Case, say: Say) -> Reply:
    if case.settled:
        return Reply((say,))
    after = next_step(turn, case)
    return Reply((say, *after.says), after.commands, after.plain)


def next_step(turn: Turn, case: Case) -> Reply:
    """Ask for the next thing that is unknown, or offer when all is known."""
    if case.failure is None:
        question = Reply((Say("say_ask_matter", turn.level),))
        return missed(turn, case, question, "say_handover_unknown")
    if not settled_by_bot(turn, case.failure):
        reason = "unknown" if case.failure == UNKNOWN else "beyond_authority"
        return hand_over(turn, reason, "say_handover_unknown")
    order, asked = _proved_order(turn, case)
    if asked:
        return asked
    if order is None:
        # It was proved once and is gone: deleted, or the business has another system now.
        return hand_over(turn, "no_order", "say_handover")
    proved: tuple[Command, ...] = ()
    if case.order_number != order.number:
        proved = (TriedProof(order.number, correct=True, vouched=_vouched(turn, order)),)
    if turn.given_before(order.number, case.id):
        # One order, one remedy by the bot; whether there is more to it is for a person.
        return hand_over(turn, "repeated", "say_handover", proved)
    item, choose = _item(turn, case, order)
    if choose:
        return replace(choose, commands=(*proved, *choose.commands))
    # One that was turned down or taken back has not run out.
    ran_out = bool(case.offers) and case.offers[-1].state == "open"
    announced = "say_offer_expired" if ran_out else "say_offer"
    offered = offer_or_ask(turn, case, Matter(case.failure, order, item), announced)
    return replace(offered, commands=(*proved, *offered.commands))


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
        if orders and not claimed:
            buttons = tuple(Button(one.title, f"order:{one.number}") for one in orders[:5])
            return None, Reply((Say("say_ask_order_number", turn.level, buttons=buttons),))
    proved = _proved_before(turn, claimed)
    if proved:
        return proved
    if claimed and last4:
        return _tried(turn, case, claimed, last4)
    if claimed:
        return None, Reply((Say("say_ask_phone", turn.level),))
    if last4:
        return None, Reply((Say("say_ask_order_number", turn.level),))
    return None, Reply((Say("say_ask_order", turn.level),))


def _proved_before(turn: Turn, claimed: str | None) -> tuple[Order | None, Reply | None] | None:
    """What this person has proved under any name need not be proved again; None: nothing of it."""
    business = turn.business.id
    if claimed is not None:
        same = [
            one
            for one in turn.proved_orders
            if fold_order_number(one) == fold_order_number(claimed)
        ]
        found = turn.orders.order(business, same[0]) if same else None
        return (found, None) if found else None
    known = [turn.orders.order(business, one) for one in turn.proved_orders[:5]]
    buttons = tuple(Button(one.title, f"order:{one.number}") for one in known if one)
    if not buttons:
        return None
    return None, Reply((Say("say_ask_order_number", turn.level, buttons=buttons),))


def _tried(turn: Turn, case: Case, claimed: str, last4: str) -> tuple[Order | None, Reply | None]:
    if case.proof_tries >= PROOF_TRIES_MOST:
        return None, hand_over(turn, "proof_limit", "say_proof_limited")
    if turn.orders.matches(turn.business.id, claimed, last4):
        return turn.orders.order(turn.business.id, claimed), None
    failed: Command = TriedProof(claimed, correct=False)
    if case.proof_tries + 1 >= PROOF_TRIES_MOST:
        return None, hand_over(turn, "proof_limit", "say_proof_limited", (failed,))
    return None, Reply((Say("say_proof_failed", turn.level),), (failed,))


def _vouched(turn: Turn, order: Order) -> bool:
    """Whether the host site says that this customer and this order belong together."""
    if turn.external_customer is None:
        return False
    orders = turn.orders.orders_of(turn.business.id, turn.external_customer)
    return any(own.number == order.number for own in orders)


def _item(turn: Turn, case: Case, order: Order) -> tuple[Item | None, Reply | None]:
    """The article the matter is about, or the question which one it is."""
    if not FAILURES[case.failure or ""].needs_item:
        return None, None
    item = item_of(case, order)
    if item:
        return item, None
    buttons = tuple(Button(item.name, f"item:{item.sku}") for item in order.items[:8])
    return None, Reply((Say("say_ask_item", turn.level, buttons=buttons),))

"""The offer: made by policy, explained, taken, refused, improved, put into another form."""

from dataclasses import replace
from datetime import datetime, timedelta

from recovery.anger import ANGRY
from recovery.business import Business
from recovery.case import Case, Offer, apply
from recovery.clock import spoken_point
from recovery.commands import AcceptOffer, Command, HandOver, MakeOffer, Note, RefuseOffer
from recovery.dialogue.advice import advice_of, round_so_far
from recovery.dialogue.authority import DECLINED, PHOTO, Matter, by_bot, decide, item_of
from recovery.dialogue.complaint import SURE, Complaint, read_further_complaint
from recovery.dialogue.forms import FORM_WORDS, forms, in_form, read_choice
from recovery.dialogue.handing import hand_over, missed, sure
from recovery.dialogue.harm import told_harm
from recovery.dialogue.reply import Button, Reply, Say, Turn
from recovery.dialogue.unwanted import DEPARTURE, left_out, otherwise
from recovery.failures import FAILURES, UNKNOWN, matter_words
from recovery.orders.system import Item, Order, Product
from recovery.remedy.catalogue import Remedy, plain, steps
from recovery.remedy.facts import MOST_ROUNDS
from recovery.remedy.policy import MANAGER, Decision

_BUTTONS: tuple[Button, ...] = (
    Button("就这样办", "accept"),
    Button("还不够", "more"),
    Button("不接受", "refuse"),
)
RECOMMENDATION = "recommendation"
_WITH_FORM = (*_BUTTONS[:2], Button("换一种形式", "form"), *_BUTTONS[2:])
_HOLDS = {
    "refund": frozenset({"refund_full", "refund_part", "refund_now"}),
    "exchange": frozenset({"exchange"}),
    "resend": frozenset({"resend"}),
    "voucher": frozenset({"voucher"}),
    "points": frozenset({"points"}),
    "waiver": frozenset({"fee_waiver"}),
}
"""The kinds in which an offer already has a form."""
_ACTS = {"accept": "accept", "refuse": "refuse", "ask_more": "more", "ask_other": "form"}


def offer_or_ask(turn: Turn, case: Case, matter: Matter, response: str = "say_offer") -> Reply:
    """Offer what the policy gives, ask for the picture it needs, or bring who decides.

    Args:
        turn: The message that brought it about.
        case: The case as it will be after this message.
        matter: What it is about.
        response: The words that announce the offer.
    """
    round_ = round_so_far(case)
    decision = decide(turn, case, matter, round_)
    wish = form_so_far(case)
    wished = in_form(turn, case, matter, round_, wish) if wish else None
    if wished and wished.worth.fen == decision.worth.fen and wished.remedies != decision.remedies:
        decision = wished
    elif not wish:
        decision = otherwise(turn, case, matter, round_, decision) or decision
    if not decision.remedies and left_out(turn, decision):
        return _by_person(turn, decision, "beyond_authority")
    if not by_bot(decision) or decision.worth.fen < _best(case):
        # Less than before is never offered; whether it would be right, a person says.
        return _by_person(turn, decision, "beyond_authority")
    if decision.lacks_evidence:
        return _ask_for_picture(turn, case, decision)
    if not turn.affordable(matter.order.customer, decision.goodwill_worth.fen):
        return _by_person(turn, decision, "budget")
    return make_offer(turn, case, decision, matter, response)


def form_so_far(case: Case) -> str | None:
    """The form of the last offer, else the one wished for before there was any."""
    last = str(case.offers[-1].facts.get("choice", "")) if case.offers else ""
    return last or case.facts.get("wish")


def _best(case: Case) -> int:
    """The most that was offered in this case, in fen."""
    return max((_fen(offer) for offer in case.offers), default=0)


def _by_person(
    turn: Turn, decision: Decision, reason: str, response: str = "say_by_person"
) -> Reply:
    """Say who decides and by when; staff get what the policy would give, and why."""
    who = {"who": "经理" if decision.authority == MANAGER else "同事"}
    advice = Note({"advice": advice_of(decision)})
    return hand_over(
        turn, reason, response, (advice,), who if response == "say_by_person" else None
    )


def _ask_for_picture(turn: Turn, case: Case, decision: Decision) -> Reply:
    asked = case.facts.get("evidence")
    if asked == DECLINED:
        return _by_person(turn, decision, "no_evidence", "say_no_photo")
    ask = Say(
        "say_ask_photo",
        turn.level,
        {"matter": matter_words(case.failure, None)},
        buttons=(Button("没有照片", "no_photo"),),
    )
    return Reply((ask,), () if asked else (Note({"evidence": "asked"}),))


def make_offer(
    turn: Turn,
    case: Case,
    decision: Decision,
    matter: Matter,
    response: str,
    words: dict[str, str] | None = None,
) -> Reply:
    """Put a remedy before the customer.

    What is only alleged is offered in words of its own, and a person follows it up.

    Args:
        turn: The message that brought it about.
        case: The case as it will be after this message.
        decision: What the policy gives.
        matter: What it is about.
        response: The words that announce it.
        words: Variables of the text, beside the time by which a person answers.
    """
    remedies = [_filled(turn, one, matter.order, matter.item) for one in decision.remedies]
    expires = turn.now + timedelta(hours=turn.business.offer_hours)
    facts = decision.facts
    other = forms(turn, case, matter, facts.round, facts.choice)
    buttons = _WITH_FORM if other else _BUTTONS
    followed: tuple[Command, ...] = ()
    if decision.provisional:
        # All else than taking it is for the person who follows it up.
        buttons, response = _BUTTONS[:1], "say_offer_provisional"
        followed = (HandOver("alleged", turn.person_due.isoformat()),)
    return Reply(
        (Say(response, turn.level, {"time": turn.person_by, **(words or {})}, buttons=buttons),),
        (
            MakeOffer(
                offer=turn.offer_id(),
                order_number=matter.order.number,
                order_customer=matter.order.customer,
                remedies=remedies,
                rules=decision.rules,
                policy=decision.policy,
                day=decision.day,
                facts=facts.to_wire(),
                reason=decision.reason,
                why=decision.reasons,
                round=facts.round,
                expires_at=expires.isoformat(),
                floor_fen=decision.floor_worth.fen,
                goodwill_fen=decision.goodwill_worth.fen,
                provisional=decision.provisional,
                departure=DEPARTURE if left_out(turn, decision) else None,
            ),
            *followed,
        ),
        plain(remedies, decision.reason),
    )


def _filled(turn: Turn, remedy: Remedy, order: Order, item: Item | None) -> Remedy:
    product = None
    if remedy["kind"] == RECOMMENDATION:
        product = turn.orders.recommend(turn.business.id, order.number)
    return filled(remedy, turn.business, turn.now, item, product)


def filled(
    remedy: Remedy, business: Business, now: datetime, item: Item | None, product: Product | None
) -> Remedy:
    """Put the article, the recommended product and an honest time into a remedy.

    Args:
        remedy: As decided.
        business: Keeps the time that it names.
        now: From when times count.
        item: The article it is about.
        product: What the order system recommends, where the remedy is a recommendation.
    """
    if "minutes" in remedy:
        remedy = {**remedy, "by": business.done_by_words(now, remedy["minutes"])}
    if remedy["kind"] in ("resend", "exchange") and item:
        return {**remedy, "product": item.name, "sku": item.sku}
    if remedy["kind"] == RECOMMENDATION and product:
        return {**remedy, "product": product.name, "sku": product.sku}
    return remedy


def next_words(turn: Turn, remedies: list[Remedy]) -> str:
    """What happens next, in one clause, with times as they are now."""
    return next_steps(turn.business, turn.now, remedies)


def next_steps(business: Business, now: datetime, remedies: list[Remedy]) -> str:
    """The same, apart from a turn of the bot's."""
    timed = [
        {**one, "by": business.done_by_words(now, one["minutes"])} if "minutes" in one else one
        for one in remedies
    ]
    return "，".join(steps(timed)[:2])


def _until(turn: Turn, offer: Offer) -> dict[str, str]:
    moment = datetime.fromisoformat(offer.expires_at)
    return {"until": spoken_point(moment, turn.now, turn.business.zone)}


def offered_turn(turn: Turn, case: Case, offer: Offer) -> Reply:
    """Answer a message while an offer is open."""
    harm = None if turn.pressed else told_harm(turn.heard.text, case.facts)
    if harm is None:
        return _of_offer(turn, case, offer, worse=False)
    told = Note({"harm": harm})
    reply = _of_offer(turn, apply(case, told, turn.now) or case, offer, worse=True)
    return replace(reply, commands=(told, *reply.commands))


def _of_offer(turn: Turn, case: Case, offer: Offer, *, worse: bool) -> Reply:
    """Take, refuse, improve or talk over an offer; `worse` if more harm is told than was known."""
    act = _act(turn, offer)
    if act == "accept":
        return _accept(turn, case, offer)
    if act == "refuse":
        return hand_over(turn, "refused", "say_refused", (RefuseOffer(offer.id),))
    if act == "more":
        return _more(turn, case, offer)
    if act == "form":
        return _other_form(turn, case, offer)
    if act == "unsure":
        return Reply((Say("say_which", turn.level, buttons=_choices(turn, case, offer)),))
    complaint = read_further_complaint(turn.heard, turn.business.industry)
    if complaint and second_matter(complaint, case):
        noted = Note({"also": complaint.failure})
        return hand_over(turn, "second_matter", "say_handover", (noted,))
    return (
        _beside(turn, case, offer)
        or (_reconsidered(turn, case, offer) if worse else None)
        or _again(turn, case, offer, complaint)
    )


def second_matter(complaint: Complaint, case: Case) -> bool:
    """Whether a complaint is about something else than the case."""
    return complaint.failure not in (UNKNOWN, case.failure, case.facts.get("also"))


def _accept(turn: Turn, case: Case, offer: Offer) -> Reply:
    words = {"next": next_words(turn, offer.remedies)}
    # The calm words and those of no trade own nothing that is still being looked into.
    level = 0 if offer.provisional else turn.level
    confirmed = Say("say_confirm", level, words, trade=not offer.provisional)
    accepted = AcceptOffer(offer.id)
    # The offer settles the first matter only, and nothing that is still being looked into.
    open_end = "second_matter" if "also" in case.facts else "alleged" if offer.provisional else None
    if open_end is None:
        return Reply((confirmed,), (accepted,))
    by = turn.person_due.isoformat()
    person = Say("say_handover", turn.level, {"time": turn.person_by})
    return Reply((confirmed, person), (accepted, HandOver(open_end, by)))


def fairness(turn: Turn) -> Reply | None:
    """Tell who asks what others get; None for every other message."""
    return Reply((Say("say_fair", turn.level),)) if sure(turn, "ask_fair") else None


def _beside(turn: Turn, case: Case, offer: Offer) -> Reply | None:
    """Answer what neither takes the offer nor turns it down."""
    if turn.picture:
        again = _reminder(turn, case, offer)
        return Reply((Say("say_photo_got", turn.level), again), (Note({"evidence": PHOTO}),))
    if sure(turn, "think_over"):
        return Reply((Say("say_think", turn.level, _until(turn, offer)),))
    if sure(turn, "ask_why"):
        words = {"reason": why_words(offer)}
        return Reply((Say("say_why", turn.level, words, buttons=_choices(turn, case, offer)),))
    fair = fairness(turn)
    if fair:
        return fair
    if sure(turn, "goodbye"):
        later = Say("say_think", turn.level, _until(turn, offer))
        return Reply((later, Say("say_goodbye", turn.level)))
    if sure(turn, "ask_question"):
        return Reply((Say("say_question", turn.level, {"help": turn.business.help}),))
    return None


def why_words(offer: Offer) -> str:
    """All that spoke for an offer, as one clause."""
    return "；".join(offer.why) or offer.reason


def _again(turn: Turn, case: Case, offer: Offer, complaint: Complaint | None) -> Reply:
    """Remind of the offer; who only gets angrier over it gets a person."""
    again = _reminder(turn, case, offer)
    if complaint:
        heard = Say("say_acknowledge", turn.level, {"matter": case.matter}, optional=True)
        return missed(turn, case, Reply((heard, again)))
    if turn.heard.intent in ("nlu_fallback", "out_of_scope") or turn.heard.anger >= ANGRY:
        return missed(turn, case, Reply((again,)))
    return Reply((again,))


def _reminder(turn: Turn, case: Case, offer: Offer) -> Say:
    buttons = _choices(turn, case, offer)
    return Say("say_offer_again", turn.level, _until(turn, offer), buttons=buttons)


def _choices(turn: Turn, case: Case, offer: Offer) -> tuple[Button, ...]:
    """The quick replies of an offer's own card, in its order.

    Where they are typed as numbers, the card and the reminder stand one below the other: a number
    must not mean one thing above and another below.
    """
    if offer.by_staff:
        # As `desk.conversations.dealing` shows it.
        return (_BUTTONS[0], _BUTTONS[2])
    matter = _matter(turn, case, offer)
    if matter is None:
        return _BUTTONS
    present = str(offer.facts.get("choice", ""))
    return _WITH_FORM if forms(turn, case, matter, offer.round, present) else _BUTTONS


def _act(turn: Turn, offer: Offer) -> str | None:
    """What the message does with the open offer: a value of `_ACTS`, `unsure` or None.

    A pressed button counts for the offer it was signed for. Free text needs a sure intent, and
    an acceptance that still complains is asked about: nothing is carried out on sarcasm.
    """
    if turn.pressed:
        if turn.pressed.act in _ACTS.values():
            return turn.pressed.act if turn.pressed.offer == offer.id else "unsure"
        return None
    act = _ACTS.get(turn.heard.intent)
    if act is None:
        return None
    still_angry = turn.heard.anger >= ANGRY or "complaint" in turn.heard.flags
    if turn.heard.confidence < SURE or (act == "accept" and still_angry):
        return "unsure"
    return act


def _matter(turn: Turn, case: Case, offer: Offer) -> Matter | None:
    """What an offer is about; None when the order is gone."""
    order = turn.orders.order(turn.business.id, offer.order_number)
    if order is None or case.failure is None:
        return None
    failure = FAILURES.get(case.failure)
    # As when it was made: an article named by the way changes nothing where none is asked for.
    item = item_of(case, order) if failure and failure.needs_item else None
    return Matter(case.failure, order, item)


def _more(turn: Turn, case: Case, offer: Offer) -> Reply:
    """Another round inside the bot's authority, else a person decides; the offer stands."""
    matter = _matter(turn, case, offer)
    if matter is None:
        return hand_over(turn, "beyond_authority", "say_more_limit")
    form = str(offer.facts.get("choice", ""))
    if offer.round >= MOST_ROUNDS:
        present = decide(turn, case, matter, offer.round, form)
        return _by_person(turn, present, "beyond_authority", "say_more_limit")
    before = decide(turn, case, matter, offer.round, form)
    more = decide(turn, case, matter, offer.round + 1, form)
    if offer.by_staff:
        # What a person has offered, a person changes.
        return _by_person(turn, more, "beyond_authority", "say_more_limit")
    enough = more.worth.at_least(before.worth) and more.worth.fen >= _fen(offer)
    if (
        not by_bot(more)
        or not enough
        or more.worth == before.worth
        or not turn.affordable(matter.order.customer, more.goodwill_worth.fen)
    ):
        return _by_person(turn, more, "beyond_authority", "say_more_limit")
    last = more.facts.round == MOST_ROUNDS
    return make_offer(turn, case, more, matter, "say_offer_last" if last else "say_offer_more")


def _reconsidered(turn: Turn, case: Case, offer: Offer) -> Reply | None:
    """A better offer, since more harm is told; None where it makes no difference."""
    matter = _matter(turn, case, offer)
    if matter is None:
        return None
    better = decide(turn, case, matter, offer.round, str(offer.facts.get("choice", "")))
    if better.worth.fen <= _fen(offer) or better.lacks_evidence:
        return None
    if offer.by_staff or not by_bot(better):
        return _by_person(turn, better, "beyond_authority")
    if not turn.affordable(matter.order.customer, better.goodwill_worth.fen):
        return _by_person(turn, better, "budget")
    return make_offer(turn, case, better, matter, "say_offer_heavier")


def _fen(offer: Offer) -> int:
    return offer.floor_fen + offer.goodwill_fen


def _other_form(turn: Turn, case: Case, offer: Offer) -> Reply:
    """The same worth in the form asked for, or the forms there are."""
    matter = _matter(turn, case, offer)
    if matter is None:
        return hand_over(turn, "beyond_authority", "say_more_limit")
    present = str(offer.facts.get("choice", ""))
    possible = forms(turn, case, matter, offer.round, present)
    pressed = turn.pressed.value if turn.pressed else None
    choice = pressed or read_choice(turn.heard.text)
    kinds = _HOLDS.get(choice or "", frozenset())
    held = bool(choice) and (
        choice == present or any(one["kind"] in kinds for one in offer.remedies)
    )
    if offer.by_staff and not held:
        # Another form of the policy's would take the place of what a person has given.
        policy = decide(turn, case, matter, offer.round, present)
        return _by_person(turn, policy, "beyond_authority", "say_more_limit")
    if choice in possible and not offer.by_staff:
        other = possible[choice]
        if other.worth.fen < _fen(offer):
            return _by_person(turn, other, "beyond_authority", "say_more_limit")
        words = {"form": FORM_WORDS[choice]}
        return make_offer(turn, case, other, matter, "say_offer_other", words)
    if held:
        again = _reminder(turn, case, offer)
        return Reply((again,))
    if not possible:
        return Reply((Say("say_form_only", turn.level, buttons=_BUTTONS),))
    named = "、".join(FORM_WORDS[one] for one in possible)
    buttons = tuple(Button(f"换成{FORM_WORDS[one]}", f"form:{one}") for one in possible)
    response = "say_form_none" if choice else "say_form_which"
    say = Say(response, turn.level, {"forms": named}, buttons=(_BUTTONS[0], *buttons))
    return Reply((say,))

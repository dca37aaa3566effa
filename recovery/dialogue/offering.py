"""The offer: made by policy, explained, taken, refused, improved once."""

from datetime import datetime, timedelta

from recovery.anger import ANGRY
from recovery.case import Case, Offer
from recovery.clock import spoken_point
from recovery.commands import AcceptOffer, HandOver, MakeOffer, Note, RefuseOffer
from recovery.dialogue.authority import BOT, decide
from recovery.dialogue.complaint import SURE, Complaint, read_further_complaint
from recovery.dialogue.handing import hand_over, missed, sure
from recovery.dialogue.reply import Button, Reply, Say, Turn
from recovery.failures import UNKNOWN
from recovery.orders.system import Item, Order
from recovery.remedy.catalogue import Remedy, plain, steps
from recovery.remedy.policy import Decision

_BUTTONS = (
    Button("就这样办", "accept"),
    Button("还不够", "more"),
    Button("不接受", "refuse"),
)
_ACTS = {"accept": "accept", "refuse": "refuse", "ask_more": "more"}


def make_offer(
    turn: Turn, decision: Decision, order: Order, item: Item | None, response: str
) -> Reply:
    """Put a remedy before the customer.

    Args:
        turn: The message that brought it about.
        decision: What the policy gives.
        order: Proved to be the customer's.
        item: The article it is about, where that matters.
        response: The words that announce it.
    """
    remedies = [_filled(turn, one, order, item) for one in decision.remedies]
    expires = turn.now + timedelta(hours=turn.business.offer_hours)
    return Reply(
        (Say(response, turn.level, buttons=_BUTTONS),),
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
    """Put the article, the recommended product and an honest time into a remedy."""
    if "minutes" in remedy:
        remedy = {**remedy, "by": turn.business.done_by_words(turn.now, remedy["minutes"])}
    if remedy["kind"] == "resend" and item:
        return {**remedy, "product": item.name, "sku": item.sku}
    if remedy["kind"] == "recommendation":
        product = turn.orders.recommend(turn.business.id, order.number)
        if product:
            return {**remedy, "product": product.name, "sku": product.sku}
    return remedy


def next_words(turn: Turn, remedies: list[Remedy]) -> str:
    """What happens next, in one clause, with times as they are now."""
    timed = [
        {**one, "by": turn.business.done_by_words(turn.now, one["minutes"])}
        if "minutes" in one
        else one
        for one in remedies
    ]
    return "，".join(steps(timed)[:2])


def _until(turn: Turn, offer: Offer) -> dict[str, str]:
    moment = datetime.fromisoformat(offer.expires_at)
    return {"until": spoken_point(moment, turn.now, turn.business.zone)}


def offered_turn(turn: Turn, case: Case, offer: Offer) -> Reply:
    """Answer a message while an offer is open."""
    act = _act(turn, offer)
    if act == "accept":
        return _accept(turn, case, offer)
    if act == "refuse":
        return hand_over(turn, "refused", "say_refused", (RefuseOffer(offer.id),))
    if act == "more":
        return _more(turn, case, offer)
    if act == "unsure":
        return Reply((Say("say_which", turn.level, buttons=_BUTTONS),))
    complaint = read_further_complaint(turn.heard, turn.business.industry)
    if complaint and second_matter(complaint, case):
        noted = Note({"also": complaint.failure})
        return hand_over(turn, "second_matter", "say_handover", (noted,))
    return _beside(turn, offer) or _again(turn, case, offer, complaint)


def second_matter(complaint: Complaint, case: Case) -> bool:
    """Whether a complaint is about something else than the case."""
    return complaint.failure not in (UNKNOWN, case.failure, case.facts.get("also"))


def _accept(turn: Turn, case: Case, offer: Offer) -> Reply:
    words = {"next": next_words(turn, offer.remedies)}
    confirmed = Say("say_confirm", turn.level, words)
    accepted = AcceptOffer(offer.id)
    if "also" not in case.facts:
        return Reply((confirmed,), (accepted,))
    # The offer settles the first matter only; a person takes up the other.
    by = turn.business.person_by(turn.now).isoformat()
    person = Say("say_handover", turn.level, {"time": turn.person_by})
    return Reply((confirmed, person), (accepted, HandOver("second_matter", by)))


def _beside(turn: Turn, offer: Offer) -> Reply | None:
    """Answer what neither takes the offer nor turns it down."""
    if sure(turn, "think_over"):
        return Reply((Say("say_think", turn.level, _until(turn, offer)),))
    if sure(turn, "ask_why"):
        words = {"reason": offer.reason}
        return Reply((Say("say_why", turn.level, words, buttons=_BUTTONS),))
    if sure(turn, "goodbye"):
        later = Say("say_think", turn.level, _until(turn, offer))
        return Reply((later, Say("say_goodbye", turn.level)))
    if sure(turn, "ask_question"):
        return Reply((Say("say_question", turn.level, {"help": turn.business.help}),))
    return None


def _again(turn: Turn, case: Case, offer: Offer, complaint: Complaint | None) -> Reply:
    """Remind of the offer; who only gets angrier over it gets a person."""
    again = Say("say_offer_again", turn.level, _until(turn, offer), buttons=_BUTTONS)
    if complaint:
        heard = Say("say_acknowledge", turn.level, {"matter": case.matter}, optional=True)
        return missed(turn, case, Reply((heard, again)))
    if turn.heard.intent in ("nlu_fallback", "out_of_scope") or turn.heard.anger >= ANGRY:
        return missed(turn, case, Reply((again,)))
    return Reply((again,))


def _act(turn: Turn, offer: Offer) -> str | None:
    """What the message does with the open offer: `accept`, `refuse`, `more`, `unsure` or None.

    A pressed button counts for the offer it was signed for. Free text needs a sure intent, and
    an acceptance that still complains is asked about: nothing is carried out on sarcasm.
    """
    if turn.pressed:
        if turn.pressed.act in ("accept", "refuse", "more"):
            return turn.pressed.act if turn.pressed.offer == offer.id else "unsure"
        return None
    act = _ACTS.get(turn.heard.intent)
    if act is None:
        return None
    still_angry = turn.heard.anger >= ANGRY or "complaint" in turn.heard.flags
    if turn.heard.confidence < SURE or (act == "accept" and still_angry):
        return "unsure"
    return act


def _more(turn: Turn, case: Case, offer: Offer) -> Reply:
    """Another round inside the bot's authority, else a person decides; the offer stands."""
    order = turn.orders.order(turn.business.id, offer.order_number)
    decision = decide(turn.business.industry, case.failure, offer.round + 1)
    if decision is None or decision.authority != BOT or order is None:
        return hand_over(turn, "beyond_authority", "say_more_limit")
    item = next((one for one in order.items if one.sku == case.facts.get("item")), None)
    if item is None and len(order.items) == 1:
        item = order.items[0]
    return make_offer(turn, decision, order, item, "say_offer_more")


def round_so_far(case: Case) -> int:
    """The round of the best offer made; a new offer is never below it."""
    return max((offer.round for offer in case.offers), default=0)

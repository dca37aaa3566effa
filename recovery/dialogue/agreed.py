"""After acceptance: how far it is, from what was really done, and an open ear when it is not."""

from datetime import datetime

from recovery.anger import ANGRY
from recovery.case import Case
from recovery.commands import CloseCase, Note
from recovery.dialogue.complaint import read_further_complaint
from recovery.dialogue.handing import hand_over, small_talk, sure
from recovery.dialogue.offering import fairness, next_words, second_matter, why_words
from recovery.dialogue.reply import Reply, Say, Turn, Underway
from recovery.remedy.catalogue import done_words, kind_of


def agreed_turn(turn: Turn, case: Case) -> Reply:
    """Answer a message after an offer was accepted, also when the case is closed."""
    heard = turn.heard
    complaint = read_further_complaint(heard, turn.business.industry)
    if complaint and not turn.pressed:
        if second_matter(complaint, case):
            noted = Note({"also": complaint.failure})
            return hand_over(turn, "second_matter", "say_handover", (noted,))
        return hand_over(turn, "not_as_promised", "say_handover")
    if sure(turn, "refuse", "ask_more", "ask_other") and not turn.pressed:
        return hand_over(turn, "changed_mind", "say_handover")
    if turn.pressed or sure(turn, "accept"):
        offer = case.accepted_offer
        words = {"next": next_words(turn, offer.remedies if offer else [])}
        return Reply((Say("say_already_agreed", turn.level, words),))
    content = heard.anger < ANGRY and (sure(turn, "thank", "praise") or "closure" in heard.flags)
    if content:
        closing = () if case.stage == "closed" else (CloseCase("thanked"),)
        return Reply((Say("say_close", turn.level),), closing)
    if sure(turn, "goodbye"):
        return Reply((Say("say_close", turn.level),))
    if sure(turn, "ask_why") and case.accepted_offer:
        reason = why_words(case.accepted_offer)
        return Reply((Say("say_why", turn.level, {"reason": reason}),))
    fair = fairness(turn)
    if fair:
        return fair
    if turn.picture:
        return Reply((Say("say_photo_got", turn.level),))
    if sure(turn, "ask_question", "greet", "out_of_scope"):
        return small_talk(turn) or Reply()
    return _progress(turn, case)


def _progress(turn: Turn, case: Case) -> Reply:
    """Say how far it is; what is late goes to a person before the customer has to insist."""
    if any(_late(turn, one) for one in turn.underway):
        return hand_over(turn, "late", "say_handover")
    if turn.underway:
        progress = "，".join(_words(turn, one) for one in turn.underway[:3])
    else:
        offer = case.accepted_offer
        progress = next_words(turn, offer.remedies if offer else [])
    return Reply((Say("say_progress", turn.level, {"progress": progress}),))


def _due(turn: Turn, one: Underway) -> datetime | None:
    """By when it was promised, which is inside service hours; None where no time was named."""
    minutes = one.remedy.get("minutes")
    return turn.business.done_by(one.since, minutes) if minutes else None


def _late(turn: Turn, one: Underway) -> bool:
    due = _due(turn, one)
    return one.state != "done" and due is not None and due < turn.now


def _words(turn: Turn, one: Underway) -> str:
    kind = kind_of(one.remedy)
    if one.state == "done":
        return done_words(one.remedy, one.receipt or {})
    if one.state in ("refused", "failed"):
        # The order system could not do it: nothing goes on by itself any more.
        return f"“{kind.title(one.remedy)}”没能自动办成，同事在跟进"
    due = _due(turn, one)
    when = f"，{turn.business.due_words(due, turn.now)}办好" if due else ""
    return f"“{kind.title(one.remedy)}”正在办{when}"

"""After acceptance: how far it is, from what was really done, and an open ear when it is not."""

from recovery.anger import ANGRY
from recovery.case import Case
from recovery.commands import CloseCase, Note
from recovery.dialogue.complaint import read_further_complaint
from recovery.dialogue.handing import hand_over, small_talk, sure
from recovery.dialogue.offering import fairness, next_words, second_matter, why_words
from recovery.dialogue.progress import is_late, progress_words
from recovery.dialogue.reply import Reply, Say, Turn


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
    if any(is_late(turn.business, one, turn.now) for one in turn.underway):
        return hand_over(turn, "late", "say_handover")
    if turn.underway:
        progress = progress_words(turn.business, turn.underway, turn.now)
    else:
        offer = case.accepted_offer
        progress = next_words(turn, offer.remedies if offer else [])
    return Reply((Say("say_progress", turn.level, {"progress": progress}),))

"""The private talk: name the matter, ask only what is unknown, offer, carry on.

Every function returns a `Reply`; nothing here writes or speaks. By stage of the case:
`hearing`, `offering`, `agreed`; what all of them share is in `handing`.
"""

from dataclasses import replace

from recovery.anger import ANGRY
from recovery.case import Case
from recovery.commands import ClearMisses, CountMiss
from recovery.dialogue.agreed import agreed_turn
from recovery.dialogue.authority import settled_by_bot
from recovery.dialogue.complaint import SURE, Complaint, read_complaint
from recovery.dialogue.handing import hand_over, only_points, open_case, small_talk, sure
from recovery.dialogue.hearing import hearing_turn, next_step
from recovery.dialogue.offering import offered_turn
from recovery.dialogue.reply import Reply, Say, Turn
from recovery.failures import UNKNOWN, owned
from recovery.outcomes import OUTCOMES


def opening_turn(turn: Turn) -> Reply:
    """The first words when the customer has entered the private chat."""
    case = turn.case
    if case and case.stage == "person":
        name = "say_handover_safety" if case.safety else "say_handover"
        return Reply((_first_words(turn, case), Say(name, turn.level, {"time": turn.person_by})))
    if case and case.accepted_offer:
        # Come back through another invitation: what was agreed goes on, nothing is offered anew.
        return agreed_turn(turn, case)
    if case is None or not case.has_matter or case.stage == "closed":
        return Reply((_first_words(turn, None), Say("say_ask_matter", turn.level)))
    says = [_first_words(turn, case)]
    if turn.level >= ANGRY and owned(case.failure):
        placed = case.failure != UNKNOWN
        matter = {"matter": case.matter}
        says.append(Say("say_apologise", turn.level, matter, optional=True, trade=placed))
    after = next_step(turn, case)
    return Reply((*says, *after.says), after.commands, after.plain)


def _first_words(turn: Turn, case: Case | None) -> Say:
    """Name the matter; promise to settle it here only where that is not for a person."""
    if case is None or not case.has_matter:
        return Say("say_open_unknown", turn.level)
    waits = case.stage == "person" or not settled_by_bot(turn, case.failure)
    name = "say_open_person" if waits else "say_open"
    return Say(name, turn.level, {"matter": case.matter})


def private_turn(turn: Turn) -> Reply:
    """Answer one message of the private chat."""
    reply = _answer(turn)
    missed_before = turn.case is not None and turn.case.misses > 0
    if only_points(turn):
        # Neither understood nor missed: what was missed before is as it was.
        return reply
    if missed_before and not any(isinstance(one, CountMiss) for one in reply.commands):
        return replace(reply, commands=(*reply.commands, ClearMisses()))
    return reply


def _answer(turn: Turn) -> Reply:
    heard, case = turn.heard, turn.case
    if turn.picture is None and "safety" in heard.flags:
        return hand_over(turn, "safety", "say_handover_safety")
    if turn.pressed is None and turn.picture is None:
        if "human" in heard.flags or (heard.intent == "ask_human" and heard.confidence >= SURE):
            return hand_over(turn, "asked", "say_handover")
        if "escalation" in heard.flags:
            return hand_over(turn, "escalation", "say_handover")
    if case is None or case.stage == "closed":
        return _without_open_case(turn)
    offer = case.open_offer(turn.now)
    if offer:
        return offered_turn(turn, case, offer)
    if case.stage == "agreed":
        return agreed_turn(turn, case)
    if case.stage == "person":
        return Reply((Say("say_waiting", turn.level, {"time": turn.person_by}),))
    return hearing_turn(turn)


def _without_open_case(turn: Turn) -> Reply:
    """A first message, or one after the matter was settled."""
    complaint = read_complaint(turn.heard, turn.business.industry)
    if turn.case and turn.case.accepted_offer:
        same = complaint is None or complaint.failure in (UNKNOWN, turn.case.failure)
        if same:
            return agreed_turn(turn, turn.case)
    if complaint is None:
        talk = small_talk(turn)
        if talk:
            return talk
    if turn.case and turn.case.outcome in OUTCOMES:
        again = _closed_by_a_person(turn, turn.case, complaint)
        if again:
            return again
    return hearing_turn(turn, open_case(turn))


def _closed_by_a_person(turn: Turn, case: Case, complaint: Complaint | None) -> Reply | None:
    """Answer who comes back after a person has closed the matter; None for another matter."""
    if complaint is None and (sure(turn, "accept") or "closure" in turn.heard.flags):
        return Reply((Say("say_close", turn.level),))
    if complaint and complaint.failure in (UNKNOWN, case.failure):
        # What a person has called settled is not, and is not for the bot to settle again.
        return hand_over(turn, "not_as_promised", "say_handover")
    return None

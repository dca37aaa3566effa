"""A complaint that this person has made before goes on in the same case, wherever it is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from recovery.case import Case, gone_on, hear
from recovery.commands import Command, ContinueCase, HandOver
from recovery.dialogue.complaint import read_complaint
from recovery.dialogue.handing import hand_over
from recovery.dialogue.numbers import read_numbers
from recovery.dialogue.reply import Reply, Turn, Underway
from recovery.one_customer.same_matter import Earlier, Told, same_matter
from recovery.outcomes import OUTCOMES

Decide = Callable[[Turn], Reply]


@dataclass(frozen=True)
class Known:
    """What the store has of a case that a complaint may go on in."""

    earlier: Earlier
    case: Case
    underway: tuple[Underway, ...] = ()


def continued(
    turn: Turn, earlier: Callable[[], Sequence[Known]], decide: Decide, *, public: bool
) -> tuple[Case, Reply] | None:
    """Answer a complaint in the case that it goes on in.

    Args:
        turn: The message, with no open case, or one of which nothing is known yet.
        earlier: All cases of this person at this business; asked only where somebody complains.
        decide: Answers as if the message were one of that case.
        public: Whether everybody reads the answer.

    Returns:
        The case and the answer; None where nothing goes on: it is no complaint, a case is open
        here already, or it is another matter.
    """
    here = turn.case
    if turn.pressed or turn.picture or (here and here.stage != "closed" and not here.is_empty):
        return None
    complaint = read_complaint(turn.heard, turn.business.industry)
    if complaint is None:
        return None
    named = read_numbers(turn.heard.text, order_known=False).order_number
    if here and here.is_empty:
        named = named or here.order_number or here.facts.get("order_number")
    known = {one.case.id: one for one in earlier() if not one.case.is_empty}
    told = Told(complaint.failure, named)
    match = same_matter(told, [one.earlier for one in known.values()], turn.now)
    if match is None:
        return None
    found = known[match.case]
    if _answered_there(turn, found.case, public=public):
        return None
    by_a_person = found.case.stage == "closed" and found.case.outcome in OUTCOMES
    case = hear(gone_on(found.case, turn.now), turn.heard.anger, turn.now)
    command = ContinueCase(case.id, match.rule.rule)
    there = replace(turn, case=case, underway=found.underway)
    return case, _reply(there, command, decide, by_a_person=by_a_person, public=public)


def _answered_there(turn: Turn, case: Case, *, public: bool) -> bool:
    """Whether the talk about what was agreed or closed goes on anyway, in its own private chat."""
    here = turn.case is not None and turn.case.id == case.id and not public
    return here and (case.accepted_offer is not None or case.outcome in OUTCOMES)


def _reply(
    turn: Turn, command: Command, decide: Decide, *, by_a_person: bool, public: bool
) -> Reply:
    if by_a_person and not public and not (turn.case and turn.case.accepted_offer):
        # What a person has called settled is not, and is not for the bot to settle again.
        reply = hand_over(turn, "not_as_promised", "say_handover")
    else:
        reply = decide(turn)
    commands = (command, *reply.commands)
    handed = any(isinstance(one, HandOver) for one in commands)
    if by_a_person and public and not handed:
        commands = (*commands, HandOver("not_as_promised", turn.person_due.isoformat()))
    return replace(reply, commands=commands)

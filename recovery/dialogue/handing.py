"""What every part of the private talk falls back on: small talk, a person, a missed message."""

import re

from recovery.case import MISSES_MOST, Case
from recovery.commands import Command, CountMiss, HandOver, OpenCase
from recovery.dialogue.complaint import SURE, read_matter
from recovery.dialogue.harm import read_harm
from recovery.dialogue.reply import Reply, Say, Turn

_SMALLTALK = {
    "greet": "say_greet",
    "thank": "say_thanks",
    "praise": "say_thanks",
    "out_of_scope": "say_offtopic",
}
# What comes from WeChat without words of its own, as the desk writes it down.
_POINTER = re.compile(r"【(?:位置|链接|小程序|文件)】")


def sure(turn: Turn, *intents: str) -> bool:
    """Whether the message certainly has one of these intents."""
    return turn.heard.intent in intents and turn.heard.confidence >= SURE


def small_talk(turn: Turn) -> Reply | None:
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


def hand_over(
    turn: Turn,
    reason: str,
    response: str,
    before: tuple[Command, ...] = (),
    words: dict[str, str] | None = None,
) -> Reply:
    """Say that a person goes on, by when, and queue the conversation.

    Args:
        turn: The message.
        reason: See `recovery.commands.HandOver`.
        response: What is said; gets the time.
        before: Commands that come first.
        words: Variables of the text, beside the time.
    """
    by = turn.person_due
    is_open = turn.case or any(isinstance(one, OpenCase) for one in before)
    opened = () if is_open else open_case(turn)
    return Reply(
        (Say(response, turn.level, {"time": turn.person_by, **(words or {})}),),
        (*opened, *before, HandOver(reason, by.isoformat())),
    )


def open_case(turn: Turn) -> tuple[Command, ...]:
    """Open a case for what the message complains about, if it does.

    An order that was proved in this chat before need not be proved again.
    """
    complaint = read_matter(turn.heard, turn.business.industry)
    return (
        OpenCase(
            turn.case_id(),
            complaint.failure if complaint else None,
            complaint.keywords if complaint else None,
            order_number=turn.case.order_number if turn.case else None,
            harm=read_harm(turn.heard.text) if complaint else None,
        ),
    )


def only_points(turn: Turn) -> bool:
    """Whether a place or a link was sent, which is for whoever looks after it: it asks nothing."""
    return turn.heard.intent == "inform" and bool(_POINTER.match(turn.heard.text))


def missed(turn: Turn, case: Case, reply: Reply, instead: str = "say_handover") -> Reply:
    """Not understood, or nothing new said: twice in a row brings a person.

    Args:
        turn: The message.
        case: The case, this message's facts in it.
        reply: What is said the first time.
        instead: What is said as a person comes.
    """
    if only_points(turn):
        return reply
    if case.misses + 1 >= MISSES_MOST:
        return hand_over(turn, "not_understood", instead)
    return Reply(reply.says, (*reply.commands, CountMiss()), reply.plain)

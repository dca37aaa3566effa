"""Answers in a public room: the table "Public to private" of the design.

Public replies are substantive and at most two a case; after that only reminders that the
customer alone sees. Praise gets no apology, chatter gets no answer.
"""

from recovery.anger import ANGRY, DISSATISFIED
from recovery.case import PUBLIC_REPLIES_MOST
from recovery.commands import Command, CountPublicReply, HandOver, Invite, Note, OpenCase
from recovery.dialogue.complaint import Complaint, read_complaint
from recovery.dialogue.reply import Reply, Say, Turn
from recovery.failures import UNKNOWN, matter_words, owned
from recovery.privacy import mask

_THANKS = frozenset({"praise", "thank"})
_SURE = 0.5
# Thanks or a greeting to everybody in a room needs more certainty than an answer in private:
# a wrong word of thanks to a complaint is worse than silence.
_SURE_SMALLTALK = 0.6


def public_turn(turn: Turn) -> Reply:
    """Answer one post of a public room.

    Args:
        turn: The post.

    Returns:
        At most two public sentences, what only the customer sees, and the commands.
    """
    reply = _answer(turn)
    if not mask(turn.heard.text).found:
        return reply
    hidden = Say("say_public_masked", turn.heard.anger, own=True)
    commands = reply.commands
    if not any(isinstance(command, Invite) for command in commands):
        commands = (*commands, Invite())
    return Reply((*reply.says, hidden), commands)


def _answer(turn: Turn) -> Reply:
    heard = turn.heard
    complaint = read_complaint(heard, turn.business.industry)
    if "safety" in heard.flags:
        return _safety(turn, complaint)
    if complaint:
        return _complaint(turn, complaint)
    if heard.anger >= ANGRY or (heard.intent == "insult" and heard.confidence >= _SURE):
        return _insult(turn)
    if turn.case and turn.case.stage != "closed" and not turn.case.has_matter:
        # The case was opened without a matter; nothing new was said about it.
        return _of_case(turn)
    if heard.intent == "refuse_private" and turn.case and heard.confidence >= _SURE:
        return _within_limit(turn, (Say("say_public_stay", turn.level),), ())
    if heard.intent == "ask_human" and heard.confidence >= _SURE:
        return _wants_person(turn)
    if heard.intent in _THANKS and heard.confidence >= _SURE_SMALLTALK:
        return Reply((Say("say_public_thanks"),))
    if heard.intent == "ask_question" and heard.confidence >= _SURE:
        return Reply((Say("say_public_question", words={"help": turn.business.help}),))
    if heard.intent == "greet" and heard.confidence >= _SURE_SMALLTALK:
        return Reply((Say("say_public_greet", optional=True),))
    if mask(heard.text).found:
        return Reply((Say("say_public_private_data"),), (Invite(),))
    return _of_case(turn)


def _open(turn: Turn, complaint: Complaint | None, *, safety: bool = False) -> tuple[Command, ...]:
    """Open a case, or add what is new to the open one."""
    failure = complaint.failure if complaint else None
    keywords = complaint.keywords if complaint else None
    if turn.case is None or turn.case.stage == "closed":
        return (OpenCase(turn.case_id(), failure, keywords, safety),)
    if failure and turn.case.failure in (None, UNKNOWN):
        keywords = keywords or turn.case.facts.get("keywords")
        return (Note({"failure": failure, "keywords": keywords}),)
    return ()


def _within_limit(turn: Turn, says: tuple[Say, ...], commands: tuple[Command, ...]) -> Reply:
    """Say it in public while the case has public replies left, else remind the customer alone."""
    replies = turn.case.public_replies if turn.case and turn.case.stage != "closed" else 0
    if replies < PUBLIC_REPLIES_MOST:
        return Reply(says, (*commands, CountPublicReply(), Invite(reminder=replies > 0)))
    reminder = Say("say_public_reminder", turn.level, own=True)
    return Reply((reminder,), (*commands, Invite(reminder=True)))


def _complaint(turn: Turn, complaint: Complaint) -> Reply:
    known = turn.case if turn.case and turn.case.stage != "closed" else None
    if known and known.failure not in (None, UNKNOWN) and complaint.failure == UNKNOWN:
        matter = known.matter
    else:
        matter = matter_words(complaint.failure, complaint.keywords)
    level = turn.heard.anger
    if level >= ANGRY and owned(complaint.failure):
        first = Say("say_public_apologise", level, {"matter": matter})
    else:
        first = Say("say_public_acknowledge", min(level, DISSATISFIED), {"matter": matter})
    says = (first, Say("say_public_invite", level))
    return _within_limit(turn, says, _open(turn, complaint))


def _insult(turn: Turn) -> Reply:
    level = max(turn.heard.anger, ANGRY)
    return _within_limit(turn, (Say("say_public_insult", level),), _open(turn, None))


def _safety(turn: Turn, complaint: Complaint | None) -> Reply:
    by = turn.business.person_by(turn.now).isoformat()
    return Reply(
        (Say("say_public_safety", turn.heard.anger),),
        (
            *_open(turn, complaint, safety=True),
            CountPublicReply(),
            Invite(),
            HandOver("safety", by),
        ),
    )


def _wants_person(turn: Turn) -> Reply:
    by = turn.business.person_by(turn.now).isoformat()
    says = (Say("say_public_invite", turn.heard.anger),)
    return _within_limit(turn, says, (*_open(turn, None), HandOver("asked", by)))


def _of_case(turn: Turn) -> Reply:
    """Nothing to answer by itself: who was invited is reminded, others are left alone."""
    if turn.case and turn.case.invited and turn.case.stage == "hearing" and turn.heard.anger:
        return Reply((Say("say_public_reminder", turn.level, own=True),), (Invite(reminder=True),))
    return Reply()

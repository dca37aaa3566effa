"""Answers in a public room: the table "Public to private" of the design.

Public replies are substantive and at most two a case; after that only reminders that the
customer alone sees. Praise gets no apology, chatter gets no answer.
"""

from recovery.anger import ANGRY, DISSATISFIED
from recovery.case import PUBLIC_REPLIES_MOST
from recovery.commands import Command, CountPublicReply, HandOver, Invite, Note, OpenCase
from recovery.dialogue.authority import settled_by_bot
from recovery.dialogue.complaint import Complaint, read_complaint
from recovery.dialogue.harm import told_harm
from recovery.dialogue.numbers import read_numbers
from recovery.dialogue.reply import Reply, Say, Turn
from recovery.failures import UNKNOWN, matter_words, owned
from recovery.privacy import mask
from recovery.understood import Understood

_THANKS = frozenset({"praise", "thank"})
# What these intents say is not said by somebody who is angry.
_AMIABLE = _THANKS | {"accept", "ask_question", "goodbye", "greet", "think_over"}
# Said in public, these ask about a matter that goes on in private.
_ABOUT_THE_CASE = frozenset(
    {
        *("ask_progress", "ask_why", "ask_more", "ask_other", "ask_fair"),
        *("refuse", "accept", "inform"),
    }
)
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
    if complaint and not _bare_insult(heard, complaint):
        return _complaint(turn, complaint)
    if _insulting(heard):
        return _insult(turn)
    if heard.intent == "refuse_private" and turn.case and heard.confidence >= _SURE:
        stays = (Note({"stays_public": "yes"}),)
        return _within_limit(turn, (Say("say_public_stay", turn.level),), stays)
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


def _bare_insult(heard: Understood, complaint: Complaint) -> bool:
    """Whether the complaint is nothing but the insult: no failure, no words to name it by."""
    nameless = complaint.failure == UNKNOWN and complaint.keywords is None
    return nameless and heard.intent == "insult" and heard.confidence >= _SURE


def _insulting(heard: Understood) -> bool:
    """Whether a post without a matter is angry at us; many exclamation marks may be joy."""
    sure = heard.confidence >= _SURE
    if sure and heard.intent in _AMIABLE:
        return False
    return heard.anger >= ANGRY or (sure and heard.intent == "insult")


def _open(turn: Turn, complaint: Complaint | None, *, safety: bool = False) -> tuple[Command, ...]:
    """Open a case, or add what is new to the open one; private asks nothing that was said here."""
    failure = complaint.failure if complaint else None
    keywords = complaint.keywords if complaint else None
    named = read_numbers(turn.heard.text, order_known=False)
    facts = {"order_number": named.order_number, "phone_last4": named.last4}
    case = turn.case if turn.case and turn.case.stage != "closed" else None
    opened: tuple[Command, ...] = ()
    if case is None:
        opened = (OpenCase(turn.case_id(), failure, keywords, safety),)
    elif failure and case.failure in (None, UNKNOWN):
        facts |= {"failure": failure, "keywords": keywords or case.facts.get("keywords")}
    elif failure not in (None, UNKNOWN, case.failure):
        facts["also"] = failure
    if complaint:
        facts["harm"] = told_harm(turn.heard.text, case.facts if case else {})
    known = {name: value for name, value in facts.items() if value}
    return (*opened, Note(known)) if known else opened


def _within_limit(turn: Turn, says: tuple[Say, ...], commands: tuple[Command, ...]) -> Reply:
    """Say it in public while the case has public replies left, else remind the customer alone."""
    replies = turn.case.public_replies if turn.case and turn.case.stage != "closed" else 0
    if replies < PUBLIC_REPLIES_MOST:
        return Reply(says, (*commands, CountPublicReply(), Invite(reminder=replies > 0)))
    reminder = Say("say_public_reminder", turn.level, own=True)
    # Staff see that the customer goes on in public and may answer there.
    return Reply((reminder,), (*commands, Note({"stays_public": "yes"}), Invite(reminder=True)))


def _complaint(turn: Turn, complaint: Complaint) -> Reply:
    known = turn.case if turn.case and turn.case.stage != "closed" else None
    failure = complaint.failure
    if known and known.failure not in (None, UNKNOWN) and failure == UNKNOWN:
        failure, matter = known.failure, known.matter
    else:
        matter = matter_words(failure, complaint.keywords)
    level = turn.heard.anger
    placed = failure != UNKNOWN
    if level >= ANGRY and owned(failure):
        first = Say("say_public_apologise", level, {"matter": matter}, trade=placed)
    else:
        first = Say("say_public_acknowledge", min(level, DISSATISFIED), {"matter": matter})
    by_bot = settled_by_bot(turn, failure)
    invite = Say("say_public_invite" if by_bot else "say_public_invite_person", level)
    return _within_limit(turn, (first, invite), _open(turn, complaint))


def _insult(turn: Turn) -> Reply:
    level = max(turn.heard.anger, ANGRY)
    return _within_limit(turn, (Say("say_public_insult", level),), _open(turn, None))


def _safety(turn: Turn, complaint: Complaint | None) -> Reply:
    by = turn.person_due.isoformat()
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
    by = turn.person_due.isoformat()
    says = (Say("say_public_invite_person", turn.heard.anger),)
    return _within_limit(turn, says, (*_open(turn, None), HandOver("asked", by)))


def _of_case(turn: Turn) -> Reply:
    """Nothing to answer in public: who was invited is reminded, others are left alone."""
    case, heard = turn.case, turn.heard
    if case is None or not case.invited or case.stage == "closed":
        return Reply()
    about_it = heard.intent in _ABOUT_THE_CASE and heard.confidence >= _SURE
    if not about_it and not (case.stage == "hearing" and heard.anger):
        return Reply()
    return Reply((Say("say_public_reminder", turn.level, own=True),), (Invite(reminder=True),))

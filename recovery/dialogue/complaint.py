"""Whether a message complains, and about what. Never presses a complaint into a wrong failure."""

import re
from dataclasses import dataclass

from recovery.anger import ANGRY
from recovery.failures import COMPLAINT_PREFIX, UNKNOWN, served_by
from recovery.keywords import safe_keywords
from recovery.trades import of_another_trade
from recovery.understood import Understood

# An intent below this is no ground to name a failure to an angry customer.
SURE_FAILURE = 0.55
# Above this a named failure alone makes a complaint, if the recogniser does not deny it outright.
SURE_COMPLAINT = 0.75
DENIED = 0.25
# Praise that is this sure is contradicted by a complaint only that is surer still: who praises
# tells of the trouble that was overcome.
SURE_PRAISE = 0.85
BEYOND_DOUBT = 0.85
_PRAISE = frozenset({"praise", "thank"})
# What a customer asks or says about a remedy that was proposed or is under way.
_OF_THE_TALK = frozenset(
    {
        *("ask_progress", "ask_why", "ask_fair", "ask_other", "ask_question"),
        *("think_over", "greet", "thank", "goodbye"),
    }
)
# An intent below this is asked about, not acted on.
SURE = 0.6
_UNNAMED = f"{COMPLAINT_PREFIX}other"
# Faces as WeChat writes them ("[怒]"), and all that is no letter and no digit.
_WORDLESS = re.compile(r"\[[^\[\]\s]{1,6}\]|[\W_]+")
# That one complains, and not of what.
_BARE = re.compile(
    r"(?:(?:我们?)?(?:就|现在)?(?:想|要|来|得|必须)*投诉(?:你们|一下)?[了啊呢吧]?"
    r"|(?:必须)?给(?:我们?)?一?个(?:说法|交代|解释))*"
)


@dataclass(frozen=True)
class Complaint:
    """A complaint as read from one message.

    Attributes:
        failure: A name in `recovery.failures`, or `unknown`.
        keywords: The customer's own safe words, where the failure is unknown.
    """

    failure: str
    keywords: str | None = None


def complains(heard: Understood) -> bool:
    """Whether the message reports a problem or dissatisfaction."""
    likely = heard.signals.get("complaint", 0.0)
    if heard.intent in _PRAISE and heard.confidence >= SURE_PRAISE and likely < BEYOND_DOUBT:
        return False
    # `complain_other` names no failure: whatever speaks of phones and networks looks like it.
    named = heard.intent.startswith(COMPLAINT_PREFIX) and heard.intent != _UNNAMED
    return "complaint" in heard.flags or (
        named and heard.confidence >= SURE_COMPLAINT and likely >= DENIED
    )


def read_complaint(heard: Understood, industry: str) -> Complaint | None:
    """Read what a message complains about.

    Args:
        heard: The message.
        industry: Industry of the business; another trade's failure stays unknown.

    Returns:
        The complaint, or None where the message does not complain.
    """
    if not complains(heard):
        return None
    failure = served_by(industry, heard.intent)
    sure = heard.confidence >= SURE_FAILURE and not of_another_trade(heard.text, industry)
    if failure and sure:
        return Complaint(failure.name)
    return Complaint(UNKNOWN, safe_keywords(heard.text))


def read_matter(heard: Understood, industry: str) -> Complaint | None:
    """Read what a message complains about, where the customer can be asked what it is.

    Returns:
        As `read_complaint`; None too for one that only says that there is something ("？？？",
        "我要投诉"): one question comes before a person does.
    """
    complaint = read_complaint(heard, industry)
    bare = _BARE.fullmatch(_WORDLESS.sub("", heard.text))
    return None if complaint and complaint.failure == UNKNOWN and bare else complaint


def read_further_complaint(heard: Understood, industry: str) -> Complaint | None:
    """Read a complaint from a message that comes when a remedy is on the table or under way.

    Questions about the remedy sound like complaints ("how far is it?"); whoever surely asks one,
    without anger, gets the answer and not a person.

    Args:
        heard: The message.
        industry: Industry of the business.

    Returns:
        The complaint, or None where the message belongs to the talk about the remedy.
    """
    asks = heard.intent in _OF_THE_TALK and heard.confidence >= SURE
    if asks and heard.anger < ANGRY and heard.signals.get("complaint", 0.0) < BEYOND_DOUBT:
        return None
    return read_complaint(heard, industry)

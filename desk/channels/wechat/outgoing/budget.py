"""How many messages may go to a contact now. WeChat counts; this counts at least as strictly.

Five within 48 hours after a message of the customer, three within a minute after a follow, a scan
or a click on a menu. Which of the two rights WeChat takes a message from is not documented, so
every message counts against both. Passive replies count against none.
"""

from datetime import datetime, timedelta

from recovery.store.wechat.contacts import Contact

PER_MESSAGE = 5
PER_ACT = 3
SCARCE = 2
"""With so many left, what is only a notice waits for something heavier."""

# WeChat's clock and ours differ, and a call takes its time.
_AFTER_MESSAGE = timedelta(hours=48) - timedelta(seconds=60)
_AFTER_ACT = timedelta(seconds=60) - timedelta(seconds=3)


def left(contact: Contact, now: datetime) -> int:
    """How many messages may be sent now.

    Args:
        contact: As stored.
        now: The present moment.
    """
    rights = [0]
    if _open(contact.wrote_at, _AFTER_MESSAGE, now):
        rights.append(PER_MESSAGE - contact.sent_since_wrote)
    if _open(contact.acted_at, _AFTER_ACT, now):
        rights.append(PER_ACT - contact.sent_since_acted)
    return max(rights)


def until(contact: Contact, now: datetime) -> datetime | None:
    """When the last right of which something is left ends; None where none is."""
    ends = []
    if _open(contact.wrote_at, _AFTER_MESSAGE, now) and contact.sent_since_wrote < PER_MESSAGE:
        ends.append(_end(contact.wrote_at, _AFTER_MESSAGE))
    if _open(contact.acted_at, _AFTER_ACT, now) and contact.sent_since_acted < PER_ACT:
        ends.append(_end(contact.acted_at, _AFTER_ACT))
    return max((end for end in ends if end), default=None)


def blocked(contact: Contact, now: datetime) -> datetime | None:
    """Until when WeChat has said to send nothing; None where it has not."""
    if contact.blocked_until is None:
        return None
    end = datetime.fromisoformat(contact.blocked_until)
    return end if end > now else None


def _end(since: str | None, span: timedelta) -> datetime | None:
    return datetime.fromisoformat(since) + span if since else None


def _open(since: str | None, span: timedelta, now: datetime) -> bool:
    end = _end(since, span)
    return end is not None and now < end

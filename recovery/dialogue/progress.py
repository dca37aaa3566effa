"""“到哪一步了”: how far each promised remedy is, from what was really done and said."""

from collections.abc import Sequence
from datetime import datetime

from recovery.business import Business
from recovery.dialogue.reply import Underway
from recovery.promises.words import ended_words, sent_on_words, title_of
from recovery.remedy.catalogue import done_words

_MOST = 3


def due_of(business: Business, one: Underway) -> datetime | None:
    """By when it was promised; None where no time was named to the customer."""
    if one.due is not None and ("minutes" in one.remedy or one.stage in ("late", "sent_on")):
        return one.due
    minutes = one.remedy.get("minutes")
    return business.done_by(one.since, minutes) if minutes else None


def is_late(business: Business, one: Underway, now: datetime) -> bool:
    """Whether the time that was named last is over and it is not done."""
    due = due_of(business, one)
    return not _is_done(one) and due is not None and due < now


def progress_words(business: Business, underway: Sequence[Underway], now: datetime) -> str:
    """How far what was promised is, in one clause: what is not done first, three at most."""
    ordered = sorted(underway, key=_is_done)
    return "，".join(_words(business, one, now) for one in ordered[:_MOST])


def _is_done(one: Underway) -> bool:
    return one.state == "done" and one.stage in (None, "done")


def _words(business: Business, one: Underway, now: datetime) -> str:
    title, receipt = title_of(one.remedy), one.receipt or {}
    if _is_done(one):
        return ended_words(one.remedy) if one.sent_on else done_words(one.remedy, receipt)
    if one.state in ("refused", "failed"):
        # The order system could not do it: nothing goes on by itself any more.
        return f"“{title}”没能自动办成，同事在跟进"
    due = due_of(business, one)
    time = business.due_words(due, now) if due and due >= now else ""
    if one.stage == "late":
        return f"“{title}”还在办，新的时间是{time}" if time else f"“{title}”晚了，还在办"
    if one.stage == "sent_on":
        return sent_on_words(one.remedy, receipt, time)
    return f"“{title}”正在办，{time}办好" if time else f"“{title}”正在办"

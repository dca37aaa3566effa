"""When a promise is due, when its customer has to hear that it will be late, and until when then.

Nothing here knows the present moment but by an argument. What staff do is counted in service time,
what machines and carriers do by the clock.
"""

from datetime import datetime, timedelta

from recovery.business import Business
from recovery.promises.table import PromiseTable
from recovery.remedy.catalogue import Remedy, whole

_SOONEST_DAY_END = timedelta(hours=2)
_JUST_NOW = timedelta(hours=1)
_FULL_SHARE = 10_000


def due_of(table: PromiseTable, business: Business, remedy: Remedy, since: datetime) -> datetime:
    """When a remedy is due: as its own words say, else by the table.

    Args:
        table: Of promised times.
        business: Keeps the promise.
        remedy: As it was accepted.
        since: When it was accepted.
    """
    minutes = whole(remedy.get("minutes"))
    if minutes is not None:
        return business.done_by(since, minutes)
    row = table.due(str(remedy.get("kind")), business.industry)
    if row.minutes is not None:
        return business.done_by(since, row.minutes)
    if row.hours is not None:
        return since + timedelta(hours=row.hours)
    return _day_end(business, since, row.days or 0)


def due_after_sending(
    table: PromiseTable, business: Business, remedy: Remedy, due: datetime, now: datetime
) -> datetime:
    """When a remedy is due that was sent on a moment ago: what was said stands, if it is later."""
    if whole(remedy.get("minutes")) is not None:
        return due
    row = table.due(str(remedy.get("kind")), business.industry)
    if row.then_days is None:
        return due
    return max(due, _day_end(business, now, row.then_days))


def warn_at(table: PromiseTable, promised: datetime, due: datetime) -> datetime:
    """From when on a promise that is not kept yet is spoken of."""
    span = max(due - promised, timedelta(0))
    share = span * table.warn.share_bp / _FULL_SHARE
    least = min(timedelta(minutes=table.warn.least_minutes), span / 2)
    return due - min(max(share, least), timedelta(minutes=table.warn.most_minutes))


def new_due(
    table: PromiseTable, business: Business, promised: datetime, due: datetime, now: datetime
) -> datetime:
    """Until when it takes instead: in service time, from when it was due or from now."""
    span = max(1, int((due - promised).total_seconds()) // 60)
    row = table.extend(span)
    more = min(max(span * row.share_bp // _FULL_SHARE, row.least_minutes), row.most_minutes)
    return business.done_by(max(due, now), more)


def speak_at(business: Business, due: datetime, now: datetime) -> datetime:
    """When a customer is told that a promise will be late, or is.

    In service hours at once. At night it waits until the business opens, unless the promise ends
    before that: then it is told before it is missed. What was missed within the last hour is told
    at once as well; what was missed earlier in the night, while no desk ran, waits for the morning.
    """
    if business.service.open_at(now):
        return now
    opens = business.service.after(now, 0)
    if now <= due < opens or timedelta(0) <= now - due <= _JUST_NOW:
        return now
    return opens


def _day_end(business: Business, since: datetime, days: int) -> datetime:
    """The last minute of a day; shortly before midnight there are two hours at least."""
    local = since.astimezone(business.zone) + timedelta(days=days)
    end = local.replace(hour=23, minute=59, second=0, microsecond=0)
    return max(end, since + _SOONEST_DAY_END)

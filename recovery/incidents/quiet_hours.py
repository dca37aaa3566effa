"""When customers are not written to unasked: at night, and while the business is closed."""

from datetime import UTC, date, datetime, time, timedelta

from recovery.business import Business

NIGHT_BEGINS = time(21)
NIGHT_ENDS = time(8)
_DAY = timedelta(days=1)


def may_write_at(business: Business, now: datetime, *, urgent: bool) -> datetime:
    """When what is due now may go out: at once, or in the morning.

    Args:
        business: Whose customers they are.
        now: The present moment, aware.
        urgent: It cannot wait for the morning.

    Returns:
        `now`, or the earliest later moment that is neither night nor out of service hours.
    """
    if urgent:
        return now
    moment = now
    # Each step goes to a beginning: of the day, or of the service. Who serves at night only is
    # written to when the night is over all the same.
    for _ in range(4):
        if _at_night(business, moment):
            moment = _morning(business, moment)
        elif not business.service.open_at(moment):
            opens = business.service.after(moment, 0)
            if _at_night(business, opens):
                return moment
            moment = opens
        else:
            break
    return moment


def is_quiet(business: Business, now: datetime) -> bool:
    """Whether nothing goes out now that can wait."""
    return may_write_at(business, now, urgent=False) > now


def _at_night(business: Business, moment: datetime) -> bool:
    local = moment.astimezone(business.zone).time()
    return local >= NIGHT_BEGINS or local < NIGHT_ENDS


def _morning(business: Business, moment: datetime) -> datetime:
    """The next end of a night."""
    local = moment.astimezone(business.zone)
    day: date = local.date() if local.time() < NIGHT_ENDS else local.date() + _DAY
    return datetime.combine(day, NIGHT_ENDS, business.zone).astimezone(UTC)

"""Who takes the next conversation of the queue."""

from collections.abc import Iterable

from recovery.queue.people import BUSY, ONLINE, Colleague

# A manager decides for others and is never handed a conversation by the desk itself.
ASSIGNED_ROLES = ("agent", "supervisor")


def there(people: Iterable[Colleague], business: str, industry: str) -> list[Colleague]:
    """Who is there for a queue: can be handed a conversation now, or when one is done.

    Args:
        people: All who handle conversations.
        business: Whose conversations.
        industry: Of the business.
    """
    return [
        one
        for one in people
        if one.presence in (ONLINE, BUSY)
        and one.role in ASSIGNED_ROLES
        and one.serves(business, industry)
    ]


def eligible(people: Iterable[Colleague], business: str, industry: str) -> list[Colleague]:
    """Who can be handed a conversation now. Arguments as of `there`."""
    found = there(people, business, industry)
    return [one for one in found if one.presence == ONLINE and not one.full]


def choose(found: Iterable[Colleague], last_agent: int | None) -> Colleague | None:
    """Choose one of those who are eligible.

    Who served this customer last, else who has the least to do for what they can take, else who
    waits longest for something new.
    """
    return min(
        found,
        key=lambda one: (
            one.id != last_agent,
            one.open / one.capacity,
            one.assigned_at,
            one.id,
        ),
        default=None,
    )

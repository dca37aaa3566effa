"""What a person wishes and does not wish, kept by person and not by session."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from recovery.aftercare.wishes import unwanted_kinds
from recovery.store import persons
from recovery.store.database import hold, stamp
from recovery.store.tables import preferences

MOST_WISHES = 20
"""Wishes kept of one person; with one more the oldest is forgotten."""
LONGEST_WISH = 200


@dataclass(frozen=True)
class Wish:
    """One wish as it was heard.

    Attributes:
        text: In the customer's words, or in those of staff.
        at: When, as stored.
        by: `customer`, or `staff:<id>`.
        kind: What the desk acts on by itself: as in `recovery.aftercare.wishes`; empty: staff read
            it.
    """

    text: str
    at: str
    by: str
    kind: str = ""


@dataclass(frozen=True)
class Preferences:
    """What is known of one person.

    Attributes:
        no_follow_up: Never ask again how it went.
        no_marketing: Recommend nothing, for good.
        wishes: Oldest first.
        notice_at: When the notice about personal data was shown, as stored.
        notice: Which text of it.
    """

    no_follow_up: bool = False
    no_marketing: bool = False
    wishes: tuple[Wish, ...] = ()
    notice_at: str | None = None
    notice: str | None = None

    def has(self, kind: str) -> bool:
        """Whether a wish of this kind stands."""
        return any(wish.kind == kind for wish in self.wishes)


NONE = Preferences()
"""Of somebody who has said nothing yet."""


def of(db: Connection, person: str) -> Preferences:
    """What a person wishes; nothing where nothing was said."""
    row = db.execute(
        select(
            preferences.c.no_follow_up,
            preferences.c.no_marketing,
            preferences.c.wishes,
            preferences.c.notice_at,
            preferences.c.notice,
        ).where(preferences.c.person == person)
    ).first()
    if row is None:
        return NONE
    wishes = tuple(
        Wish(one["text"], one["at"], one["by"], one.get("kind", "")) for one in row.wishes
    )
    return Preferences(
        bool(row.no_follow_up), bool(row.no_marketing), wishes, row.notice_at, row.notice
    )


def unwanted_by(db: Connection, customer_id: str) -> frozenset[str]:
    """The kinds of remedy that a customer's person does not want as goodwill."""
    wishes = of(db, persons.person_of(db, customer_id)).wishes
    return unwanted_kinds(frozenset(one.kind for one in wishes))


def refuse_follow_up(db: Connection, person: str, now: datetime, *, on: bool = True) -> None:
    """Keep that a person is not to be asked how it went; `on=False` takes it back."""
    _keep(db, person, now, no_follow_up=on)


def refuse_marketing(db: Connection, person: str, now: datetime, *, on: bool = True) -> None:
    """Keep that nothing is recommended to a person; `on=False` takes it back."""
    _keep(db, person, now, no_marketing=on)


def add_wish(
    db: Connection, person: str, text: str, by: str, now: datetime, *, kind: str = ""
) -> bool:
    """Keep a wish.

    Args:
        db: A writing transaction.
        person: Whose.
        text: In words; what is longer than `LONGEST_WISH` is cut.
        by: `customer`, or `staff:<id>`.
        now: The present moment.
        kind: As of `Wish`; one of a kind stands, the latest.

    Returns:
        Whether it is new.
    """
    held = _held(db, person)
    text = text[:LONGEST_WISH]
    if any(one.kind == kind and one.text == text for one in held.wishes):
        return False
    left = [one for one in held.wishes if not kind or one.kind != kind]
    kept = [*left, Wish(text, stamp(now), by, kind)][-MOST_WISHES:]
    _keep(db, person, now, wishes=[vars(one) for one in kept])
    return True


def drop_wish(db: Connection, person: str, text: str, now: datetime) -> bool:
    """Forget a wish that does not stand any more; returns whether there was one."""
    held = _held(db, person)
    kept = [one for one in held.wishes if one.text != text]
    if len(kept) == len(held.wishes):
        return False
    _keep(db, person, now, wishes=[vars(one) for one in kept])
    return True


def show_notice(db: Connection, person: str, notice: str, now: datetime) -> bool:
    """Keep that a text of the notice about personal data was shown to a person.

    Args:
        db: A writing transaction.
        person: To whom.
        notice: Which text, as `recovery.aftercare.notice.version` names it.
        now: The present moment.

    Returns:
        Whether it had not been shown before: then it is to be shown now.
    """
    if of(db, person).notice == notice or _held(db, person).notice == notice:
        return False
    _keep(db, person, now, notice=notice, notice_at=stamp(now))
    return True


def join(db: Connection, kept: str, joined: str, now: datetime) -> None:
    """Let one person have what two had: the stricter wish stands.

    Args:
        db: A writing transaction.
        kept: The person that stands.
        joined: The person that went into it; what is stored of it stays, for undoing.
        now: The present moment.
    """
    first, second = sorted((kept, joined))
    hold(db, _name(first))
    hold(db, _name(second))
    one, other = of(db, kept), of(db, joined)
    if other == NONE:
        return
    latest = {(wish.kind or wish.text): wish for wish in _by_time(one.wishes + other.wishes)}
    _keep(
        db,
        kept,
        now,
        no_follow_up=one.no_follow_up or other.no_follow_up,
        no_marketing=one.no_marketing or other.no_marketing,
        wishes=[vars(wish) for wish in _by_time(tuple(latest.values()))[-MOST_WISHES:]],
        notice=one.notice or other.notice,
        notice_at=one.notice_at or other.notice_at,
    )


def _by_time(wishes: tuple[Wish, ...]) -> list[Wish]:
    return sorted(wishes, key=lambda wish: wish.at)


def _name(person: str) -> str:
    return f"preferences {person}"


def _held(db: Connection, person: str) -> Preferences:
    """What a person wishes, with the others kept out who would change it."""
    hold(db, _name(person))
    return of(db, person)


def _keep(db: Connection, person: str, now: datetime, **values: Any) -> None:  # noqa: ANN401 - columns
    hold(db, _name(person))
    values["updated_at"] = stamp(now)
    changed = db.execute(
        update(preferences).where(preferences.c.person == person).values(**values)
    ).rowcount
    if not changed:
        db.execute(insert(preferences).values(person=person, **values))

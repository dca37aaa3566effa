"""Which streams are carried to sources, and up to where that was done."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from recovery.store.tables import streams, webhook_contacts, webhook_threads


@dataclass(frozen=True)
class Behind:
    """A stream of which something is not on its way yet.

    Attributes:
        stream: Its name.
        contact_id: To whom it is carried; None for a room, to whom it answers.
        planned: Number up to which sends were made.
        last: The number of the latest event.
    """

    stream: str
    contact_id: str | None
    planned: int
    last: int


_NEW = streams.c.last > webhook_threads.c.planned
_OF_SOURCES = or_(
    webhook_threads.c.contact_id.is_(None),
    webhook_contacts.c.source.in_(bindparam("sources", expanding=True)),
)
_BIND = {
    dialect: begin(webhook_threads)
    .values(stream=bindparam("stream"), contact_id=bindparam("contact"), planned=bindparam("seq"))
    .on_conflict_do_nothing(index_elements=[webhook_threads.c.stream])
    for dialect, begin in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_MOVED = (
    update(webhook_threads)
    .where(webhook_threads.c.stream == bindparam("this"))
    .values(planned=bindparam("seq"))
)


def bind(db: Connection, stream: str, contact_id: str | None, *, planned: int) -> None:
    """Carry a stream from now on; one that is carried already goes on as it does.

    Args:
        db: A writing transaction.
        stream: `private:`, `own:` or `room:`.
        contact_id: To whom; None for a room.
        planned: Number up to which nothing is sent, 0 for all of it.
    """
    db.execute(_BIND[db.dialect.name], {"stream": stream, "contact": contact_id, "seq": planned})


def carried_to(db: Connection, stream: str) -> str | None:
    """The contact to whom a stream is carried; None where it is carried to nobody alone."""
    query = select(webhook_threads.c.contact_id).where(webhook_threads.c.stream == stream)
    found: str | None = db.execute(query).scalar()
    return found


def behind(
    db: Connection,
    sources: Collection[str],
    these: Collection[str] | None = None,
    most: int = 200,
) -> list[Behind]:
    """The streams of which something is to be sent, kept from other desks meanwhile.

    Args:
        db: A writing transaction.
        sources: Only to contacts of these.
        these: Only these streams; None: any.
        most: How many at most.
    """
    query = _behind(
        select(
            webhook_threads.c.stream,
            webhook_threads.c.contact_id,
            webhook_threads.c.planned,
            streams.c.last,
        )
    )
    if these is not None:
        query = query.where(webhook_threads.c.stream.in_(list(these)))
    # A desk beside this one has these under its hands: it sends them.
    query = query.order_by(webhook_threads.c.stream).limit(most)
    query = query.with_for_update(of=webhook_threads, skip_locked=True)
    return [Behind(*row) for row in db.execute(query, {"sources": list(sources)})]


def any_behind(db: Connection, sources: Collection[str]) -> bool:
    """Whether there is a stream of which something is to be sent."""
    query = _behind(select(webhook_threads.c.stream)).limit(1)
    return db.execute(query, {"sources": list(sources)}).first() is not None


def moved(db: Connection, numbers: Mapping[str, int]) -> None:
    """Say up to which number sends were made, by stream."""
    if numbers:
        db.execute(_MOVED, [{"this": stream, "seq": seq} for stream, seq in numbers.items()])


def _behind(query: Select[Any]) -> Select[Any]:
    return (
        query.select_from(webhook_threads)
        .join(streams, streams.c.name == webhook_threads.c.stream)
        .outerjoin(webhook_contacts, webhook_contacts.c.id == webhook_threads.c.contact_id)
        .where(_NEW, _OF_SOURCES)
    )

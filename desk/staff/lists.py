"""The rows of conversations on the staff page: whole for some, masked for others."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, literal, or_, select

from desk.channels.socket import text_of
from desk.context import Context
from desk.conversations.queueing import place_of
from desk.conversations.veil import Veil
from desk.staff.masking import masked_row, sees_whole
from recovery.case import Case
from recovery.clocks import due_first
from recovery.store import clocks, labels, staff
from recovery.store.conversations import BOT, owner_id
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import cases as cases_table
from recovery.store.tables import conversations as table
from recovery.store.tables import customers as customers_table
from recovery.store.tables import outbox

LONGEST_LIST = 2000
# Closed ones stay in the lists for the rest of the day, wherever the day begins.
_CLOSED_SHOWN = timedelta(days=1)
# As many as one query may name at once on every SQLite.
_PORTION = 500

# Where the customer's own messages stand.
_SHOWN_IN = case(
    (table.c.kind == "private", literal("private:") + table.c.id),
    else_=literal("room:") + table.c.room,
)
_UNREAD = (
    select(func.count())
    .where(
        outbox.c.stream == _SHOWN_IN,
        outbox.c.customer == table.c.customer_id,
        outbox.c.seq > table.c.seen_by_staff,
    )
    .correlate(table)
    .scalar_subquery()
)
ROWS = (
    select(
        table.c.id,
        table.c.business,
        table.c.channel,
        table.c.kind,
        table.c.case_id,
        table.c.owner,
        table.c.reason,
        table.c.waiting_since,
        table.c.awaiting_since,
        table.c.front,
        table.c.snoozed_until,
        table.c.last_at,
        table.c.last_text,
        customers_table.c.name,
        cases_table.c.state,
        cases_table.c.closed_at,
        _UNREAD.label("unread"),
    )
    .join(customers_table, customers_table.c.id == table.c.customer_id)
    .outerjoin(cases_table, cases_table.c.id == table.c.case_id)
)


@dataclass(frozen=True)
class ListedRow:
    """One row of the lists.

    Attributes:
        whole: As who sees everything is shown it.
        business: Whose it is.
        listed: Whether it stands in the lists at all; else it is only found by searching.
    """

    whole: dict[str, Any]
    veil: Veil
    business: str
    listed: bool

    @cached_property
    def masked(self) -> dict[str, Any]:
        """As who must not know the customer is shown it."""
        return masked_row(self.whole, self.veil)

    @cached_property
    def _whole_text(self) -> str:
        return text_of(self.whole)

    @cached_property
    def _masked_text(self) -> str:
        return text_of(self.masked)

    def shown_to(self, who: Staff) -> dict[str, Any]:
        """The row as one member of staff sees it."""
        return self.whole if sees_whole(who, self.whole["owner"]) else self.masked

    def text_for(self, who: Staff) -> str:
        """The same as it is sent: written once, however many pages are told."""
        return self._whole_text if sees_whole(who, self.whole["owner"]) else self._masked_text


def all_lists(db: Connection, context: Context, who: Staff) -> dict[str, Any]:
    """All conversations that are open, or were closed within a day.

    Args:
        db: A transaction.
        context: The desk.
        who: Who looks.

    Returns:
        `Lists` of docs/staff-api.md: those that people look after first, then the latest; of one
        business only, where the account belongs to one.
    """
    now = context.clock()
    query = ROWS.where(_open(now)).order_by(table.c.owner == BOT, table.c.last_at.desc())
    if who.business is not None:
        query = query.where(table.c.business == who.business)
    found = list(_listed(db, context, query.limit(LONGEST_LIST + 1), now))
    rows = [row.shown_to(who) for row in found[:LONGEST_LIST]]
    return {"rows": rows, "truncated": len(found) > LONGEST_LIST}


def some_rows(db: Connection, context: Context, ids: Collection[str]) -> list[ListedRow]:
    """The rows of these conversations, for whoever sees them; unknown ones are left out."""
    wanted, now = list(ids), context.clock()
    found: list[ListedRow] = []
    for begin in range(0, len(wanted), _PORTION):
        query = ROWS.where(table.c.id.in_(wanted[begin : begin + _PORTION]))
        found += _listed(db, context, query, now)
    return found


def one_row(
    db: Connection, context: Context, conversation_id: str, who: Staff
) -> dict[str, Any] | None:
    """The whole row of one conversation; None where this account may not know of it.

    What the reader must not see is masked together with the rest of what it stands in.
    """
    found = some_rows(db, context, [conversation_id])
    return found[0].whole if found and who.sees(found[0].business) else None


def _open(now: datetime) -> Any:  # noqa: ANN401 - SQLAlchemy's condition
    """What stands in the lists: with people whatever it is, with the bot what has a matter."""
    with_matter = or_(table.c.kind == "private", table.c.case_id.is_not(None))
    closed = cases_table.c.closed_at
    recent = or_(closed.is_(None), closed > stamp(now - _CLOSED_SHOWN))
    return or_(table.c.owner != BOT, and_(with_matter, recent))


def _listed(
    db: Connection, context: Context, query: Select[*tuple[Any, ...]], now: datetime
) -> Iterator[ListedRow]:
    rows = db.execute(query).all()
    ids = [row.id for row in rows]
    names = staff.names(db)
    worn = labels.of_conversations(db, ids)
    running = clocks.of_conversations(db, ids)
    for row in rows:
        state = Case.from_state(row.state) if row.state else None
        whole = _row(context, row, state, names, now)
        whole["labels"] = worn.get(row.id, [])
        first = due_first(running.get(row.id, ()))
        whole["clock"] = first.to_wire() if first else None
        closed_long_ago = row.closed_at is not None and row.closed_at <= stamp(now - _CLOSED_SHOWN)
        with_matter = row.kind == "private" or row.case_id is not None
        listed = row.owner != BOT or (with_matter and not closed_long_ago)
        veil = Veil(row.name, state.order_number if state else None)
        yield ListedRow(whole, veil, row.business, listed)


def _row(
    context: Context,
    row: Any,  # noqa: ANN401 - a row of `ROWS`
    state: Case | None,
    names: dict[int, str],
    now: datetime,
) -> dict[str, Any]:
    """A row of `ROWS` as the page shows it, for who sees everything."""
    business = context.directory.business(row.business)
    anger = state.anger if state else None
    place = place_of(
        context,
        business,
        state,
        now,
        since=row.awaiting_since or row.waiting_since,
        reason=row.reason,
        front=bool(row.front),
    )
    safety = row.reason == "safety" or bool(state and state.safety)
    agent = owner_id(row.owner)
    return {
        "id": row.id,
        "business": business.name if business else row.business,
        "business_id": row.business,
        "industry": business.industry if business else "",
        "channel": row.channel,
        "customer": row.name,
        "visibility": row.kind,
        "matter": state.matter if state and state.has_matter else "",
        "case": row.case_id,
        "stage": state.stage if state else "",
        "anger": state.level if state else 0,
        "peak": anger.peak if anger else 0,
        "trend": anger.trend if anger else "steady",
        "safety": safety,
        "priority": place.points,
        "why": place.why,
        "owner": row.owner,
        "owner_name": names.get(agent, "")
        if agent is not None
        else (business.assistant if business and row.owner == BOT else ""),
        "reason": row.reason,
        "waiting_since": row.waiting_since,
        "awaiting_since": row.awaiting_since,
        "front": bool(row.front),
        "snoozed_until": row.snoozed_until,
        "closed_at": row.closed_at,
        "last": row.last_text,
        "last_at": row.last_at,
        "unread": row.unread,
        "masked": False,
    }

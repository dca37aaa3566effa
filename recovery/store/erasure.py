"""Takes a person out of every table, by `recovery.personal_data.treatment`; the ledger stays."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, cast, delete, select, update
from sqlalchemy import Text as TEXT_TYPE

from recovery.personal_data import bare
from recovery.personal_data.treatment import (
    BARED,
    CLEANED,
    PSEUDONYMS,
    REMOVED,
    RENAMED,
    WRITTEN,
)
from recovery.store.conversations import BOT
from recovery.store.database import hold, stamp
from recovery.store.personal_scope import Scope, Whose, rows_of
from recovery.store.tables import (
    audit_log,
    cases,
    clocks,
    conversations,
    decisions,
    follow_ups,
    gestures,
    inbox,
    incident_members,
    incident_tellings,
    invitations,
    metadata,
    order_events,
    pictures,
    promises,
    purchases,
    remedy_requests,
    surveys,
    wechat_comments,
)

Where = ColumnElement[bool]
Counts = dict[str, int]
_MADE_UP = "gone-"
MARK = "erased"
"""The one field of the detail of an audit entry that was scrubbed: the entry that says so."""


def hold_person(db: Connection, scope: Scope) -> None:
    """Let nobody write in the conversations of a person until the transaction ends."""
    if db.dialect.name == "postgresql":
        # Whole logs are looked through; it is rare, and is not to fail for ever.
        db.exec_driver_sql("SET LOCAL statement_timeout = '60s'")
    hold(db, f"persons of {scope.business}")
    rows = select(conversations.c.id).where(conversations.c.id.in_(scope.conversations))
    db.execute(rows.order_by(conversations.c.id).with_for_update()).all()


def erase(db: Connection, scope: Scope, act: int, now: datetime) -> tuple[Counts, list[str]]:
    """Take a person out of every table.

    Args:
        db: A writing transaction in which `hold_person` was called.
        scope: The person, read in it.
        act: Id of the entry of the audit log that stands for this.
        now: The present moment.

    Returns:
        How many rows of each table it came to, and the names of picture files that nothing needs
        any more: they are removed once this is committed.
    """
    whose = rows_of(scope)
    files = _files(db, whose[pictures])
    counts: Counter[str] = Counter()
    # What is said of them by the others is read before it is known by nothing any more.
    for name, columns in CLEANED.items():
        counts[name] += _clean(db, metadata.tables[name], columns, whose, scope)
    counts["audit_log"] += scrub_audit(db, whose[audit_log], act)
    _rest(db, scope, whose, now)
    whose[purchases] = _only_theirs(whose[purchases], scope)
    counts.update(treat(db, whose))
    return {name: number for name, number in counts.items() if number}, files


def treat(db: Connection, whose: Whose) -> Counts:
    """Treat rows of tables as an erasure does; gives how many of each.

    Args:
        db: A writing transaction.
        whose: Which rows; tables that are missing are left alone.
    """
    here = {table.name: table for table in whose}
    counts: Counter[str] = Counter()
    for name, table in here.items():
        mine = whose[table]
        for column, left in BARED.get(name, {}).items():
            counts[name] += _change(db, table, mine, column, left)
        _rename_in_ledger(db, table, PSEUDONYMS.get(name, ()), mine)
        if WRITTEN.get(name):
            counts[name] = db.execute(update(table).where(mine).values(WRITTEN[name])).rowcount
        if name in RENAMED:
            fresh = {column: "gone:" + table.c.id for column in RENAMED[name]}
            db.execute(update(table).where(mine).values(fresh))
    for name in _in_order(one for one in REMOVED if one in here):
        counts[name] = db.execute(delete(here[name]).where(whose[here[name]])).rowcount
    return {name: number for name, number in counts.items() if number}


def _in_order(names: Iterable[str]) -> list[str]:
    """The order in which tables are emptied: who somebody is on a channel goes last."""
    last = ("webhook_contacts", "wechat_contacts")
    return sorted(names, key=lambda one: one in last)


def _only_theirs(mine: Where, scope: Scope) -> Where:
    """Later orders stay where somebody else has proved one of the same customer as well."""
    others = select(decisions.c.order_customer).where(
        decisions.c.business == scope.business,
        decisions.c.order_customer != "",
        decisions.c.case_id.not_in(scope.cases),
    )
    return mine & purchases.c.order_customer.not_in(others)


def _files(db: Connection, mine: Where) -> list[str]:
    """Names of files that only these pictures need."""
    names = select(pictures.c.sha256).where(mine)
    others = select(pictures.c.sha256).where(~mine)
    return sorted(set(db.execute(names).scalars()) - set(db.execute(others).scalars()))


def _key(table: Table) -> list[Any]:
    return list(table.primary_key.columns)


def _change(
    db: Connection, table: Table, mine: Where, column: str, changed: Callable[[Any], Any]
) -> int:
    """Work a column over, row by row; gives how many rows have changed."""
    key, number = _key(table), 0
    for row in db.execute(select(*key, table.c[column].label("given")).where(mine)).all():
        fresh = None if row.given is None else changed(row.given)
        if fresh == row.given:
            continue
        this = [one == row._mapping[one.name] for one in key]
        db.execute(update(table).where(*this).values({column: fresh}))
        number += 1
    return number


def _clean(
    db: Connection,
    table: Table,
    columns: Iterable[str],
    whose: Whose,
    scope: Scope,
) -> int:
    """Take what names a person out of words about many; events forget their order altogether."""
    listed = {*scope.orders, *scope.identities}

    def changed(given: Any) -> Any:  # noqa: ANN401 - stored JSON
        if table is order_events and isinstance(given, dict):
            given = {
                **given,
                **{
                    name: [one for one in given.get(name) or () if one not in listed]
                    for name in ("orders", "customers")
                },
            }
        if isinstance(given, str):
            return bare.without(given, scope.named)
        # Customers choose their names: one that is called like a code must spoil no code.
        return bare.without(given, {one for one in scope.named if not one.isascii()} | scope.sure)

    return sum(_change(db, table, whose[table], column, changed) for column in columns)


def _rename_in_ledger(db: Connection, table: Table, columns: Iterable[str], mine: Where) -> None:
    """Put made up names in place of true ones, the same for the same."""
    for column in columns:
        named = select(table.c[column]).where(mine, table.c[column] != "")
        for name in sorted(set(db.execute(named).scalars())):
            if not name.startswith(_MADE_UP):
                fresh = {column: f"{_MADE_UP}{token_hex(8)}"}
                db.execute(update(table).where(mine, table.c[column] == name).values(fresh))


def _rest(db: Connection, scope: Scope, whose: Whose, now: datetime) -> None:
    """Bring everything under way to an end: nobody waits, nothing is sent, no link opens."""
    at = stamp(now)
    open_cases = whose[cases] & cases.c.closed_at.is_(None)
    db.execute(update(cases).where(open_cases).values(closed_at=at, outcome="withdrawn"))
    db.execute(update(cases).where(whose[cases]).values(stage="closed"))
    quiet: dict[str, Any] = {
        "owner": BOT,
        "owner_since": None,
        "reason": None,
        "waiting_since": None,
    }
    quiet |= {"awaiting_since": None, "front": False, "snoozed_until": None, "turns": 0}
    db.execute(update(conversations).where(whose[conversations]).values(quiet))
    running = clocks.c.conversation_id.in_(scope.conversations) & clocks.c.due_at.is_not(None)
    db.execute(delete(clocks).where(running))
    for table, values, going in (
        (inbox, {"state": "done"}, inbox.c.state == "new"),
        (promises, {"look_at": None}, promises.c.look_at.is_not(None)),
        (
            follow_ups,
            {"state": "cancelled", "due_at": None, "why": MARK},
            follow_ups.c.due_at.is_not(None),
        ),
        (surveys, {"expires_at": at}, surveys.c.answered_at.is_(None)),
        (invitations, {"expires_at": at}, invitations.c.used_at.is_(None)),
        (gestures, {"state": "declined", "settled_at": at}, gestures.c.state == "offered"),
        (remedy_requests, {"state": "withdrawn"}, remedy_requests.c.state == "open"),
        (decisions, {"state": "replaced"}, decisions.c.state == "open"),
        (wechat_comments, {"state": "skipped"}, wechat_comments.c.state.in_(("new", "sending"))),
        (
            incident_members,
            {"state": "left", "due_at": None},
            incident_members.c.due_at.is_not(None),
        ),
    ):
        db.execute(update(table).where(whose[table], going).values(values))
    member = select(incident_members.c.id).where(whose[incident_members])
    waiting = incident_tellings.c.member_id.in_(member) & incident_tellings.c.due_at.is_not(None)
    ended = {"state": "skipped", "due_at": None, "why": MARK}
    db.execute(update(incident_tellings).where(waiting).values(ended))


def scrub_audit(db: Connection, which: Where, act: int) -> int:
    """Replace the details of entries of the audit log by the entry that stands for it.

    The database lets nothing else through (migration 0009): what was done, by whom, when and to
    what stays, and each entry itself says that it was scrubbed, and by which act.

    Args:
        db: A writing transaction.
        which: Entries; those after `act` and those scrubbed before are left alone.
        act: Id of an entry `erase_data` or `retention`.

    Returns:
        How many were.
    """
    bare_already = cast(audit_log.c.detail, TEXT_TYPE).in_(("{}", "null"))
    scrubbed = cast(audit_log.c.detail, TEXT_TYPE).like(f'{{"{MARK}": %')
    theirs = which & (audit_log.c.id < act) & ~bare_already & ~scrubbed
    changed = update(audit_log).where(theirs).values(detail={MARK: act})
    return db.execute(changed).rowcount

"""What was asked about somebody's data, and what was done: counts only, nothing of the person."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import Connection, insert, or_, select, update

from recovery.ids import fingerprint, new_id, new_secret
from recovery.store.database import hold, stamp
from recovery.store.tables import data_requests

Kind = Literal["export", "erase", "retain"]
OPEN, READY, CLEARING, DONE, REFUSED = "open", "ready", "clearing", "done", "refused"
DUE_AFTER = timedelta(days=15)
"""Within which an answer is due."""
DESK = "desk"


@dataclass(frozen=True)
class DataRequest:
    """One request, or what retention did on one day.

    Attributes:
        asked_by: `customer:<id>`, `staff:<id>`, `desk`.
        state: `open`; `ready`: an export that waits behind its link; `clearing`: erased, but files
            and trackers are still to go; `done`, `refused`.
        result: Counts by table; while it is `ready` or `clearing` also what that needs.
    """

    id: str
    business: str
    person: str
    kind: str
    asked_by: str
    state: str
    reason: str | None
    asked_at: str
    due_at: str
    decided_by: int | None
    settled_at: str | None
    result: dict[str, Any] | None


_COLUMNS = tuple(data_requests.c[name] for name in DataRequest.__dataclass_fields__)
_THIS_LINK = data_requests.c.result["link"].as_string()


def ask(
    db: Connection, business: str, person: str, kind: Kind, asked_by: str, now: datetime
) -> DataRequest:
    """Enter a request; one of the same kind that is still open stands for it.

    Args:
        db: A writing transaction.
        business: Whose customer it is.
        person: Whose data.
        kind: What is asked for.
        asked_by: By whom.
        now: The present moment.
    """
    hold(db, f"data of {person}")
    known = open_of(db, person, kind)
    if known is not None:
        return known
    made = DataRequest(
        id=new_id("d"),
        business=business,
        person=person,
        kind=kind,
        asked_by=asked_by,
        state=OPEN,
        reason=None,
        asked_at=stamp(now),
        due_at=stamp(now + DUE_AFTER),
        decided_by=None,
        settled_at=None,
        result=None,
    )
    db.execute(insert(data_requests).values(**vars(made)))
    return made


def open_of(db: Connection, person: str, kind: Kind) -> DataRequest | None:
    """The open request of a person."""
    row = db.execute(
        select(*_COLUMNS).where(
            data_requests.c.person == person,
            data_requests.c.kind == kind,
            data_requests.c.state == OPEN,
        )
    ).first()
    return DataRequest(*row) if row else None


def load(db: Connection, request_id: str) -> DataRequest | None:
    """One request."""
    row = db.execute(select(*_COLUMNS).where(data_requests.c.id == request_id)).first()
    return DataRequest(*row) if row else None


def take(db: Connection, request_id: str, states: Collection[str]) -> DataRequest | None:
    """Take a request to work at it in this transaction; None where somebody else does or did."""
    query = select(*_COLUMNS).where(
        data_requests.c.id == request_id, data_requests.c.state.in_(states)
    )
    row = db.execute(query.with_for_update(skip_locked=True)).first()
    return DataRequest(*row) if row else None


def asked_before(db: Connection, businesses: Collection[str], moment: datetime) -> list[str]:
    """Ids of erasures that were asked for before a moment and are still open, oldest first."""
    query = select(data_requests.c.id).where(
        data_requests.c.kind == "erase",
        data_requests.c.state == OPEN,
        data_requests.c.asked_at <= stamp(moment),
        data_requests.c.business.in_(businesses),
    )
    return list(db.execute(query.order_by(data_requests.c.asked_at)).scalars())


def clearing(db: Connection, businesses: Collection[str]) -> list[DataRequest]:
    """Those of which files and trackers are still to go."""
    query = select(*_COLUMNS).where(
        data_requests.c.state == CLEARING, data_requests.c.business.in_(businesses)
    )
    return [DataRequest(*row) for row in db.execute(query.order_by(data_requests.c.asked_at))]


def listed(db: Connection, businesses: Collection[str], most: int) -> list[DataRequest]:
    """What pages show: what waits first, then the latest."""
    waits = or_(data_requests.c.state == OPEN, data_requests.c.state == CLEARING)
    query = (
        select(*_COLUMNS)
        .where(data_requests.c.business.in_(businesses))
        .order_by(waits.desc(), data_requests.c.asked_at.desc(), data_requests.c.id)
        .limit(most)
    )
    return [DataRequest(*row) for row in db.execute(query)]


def settle(
    db: Connection,
    request_id: str,
    state: str,
    now: datetime,
    *,
    result: Mapping[str, Any] | None = None,
    reason: str | None = None,
    decided_by: int | None = None,
) -> None:
    """Write down how a request stands.

    Args:
        db: A writing transaction in which it was taken.
        request_id: Which one.
        state: From now on.
        now: The present moment.
        result: Counts, and what the state needs.
        reason: Of staff, for refusing it.
        decided_by: Who of staff; None leaves it.
    """
    values: dict[str, Any] = {"state": state, "result": dict(result) if result else None}
    values |= {"settled_at": stamp(now) if state in (DONE, REFUSED) else None}
    values |= {"reason": reason} if reason is not None else {}
    values |= {"decided_by": decided_by} if decided_by is not None else {}
    db.execute(update(data_requests).where(data_requests.c.id == request_id).values(values))


def make_link(db: Connection, request: DataRequest, lasts: timedelta, now: datetime) -> str:
    """Make the secret of a link that opens an export once.

    Args:
        db: A writing transaction.
        request: An export.
        lasts: For how long it opens.
        now: The present moment.
    """
    secret = new_secret()
    link = {"link": fingerprint(secret), "until": stamp(now + lasts)}
    settle(db, request.id, READY, now, result=link)
    return secret


def use_link(db: Connection, secret: str, now: datetime) -> DataRequest | None:
    """Use the link of an export, once; None for one that opens nothing (any more)."""
    query = select(*_COLUMNS).where(
        data_requests.c.kind == "export",
        data_requests.c.state == READY,
        _THIS_LINK == fingerprint(secret),
    )
    row = db.execute(query.with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    found = DataRequest(*row)
    settle(db, found.id, DONE, now)
    return found if (found.result or {}).get("until", "") >= stamp(now) else None


def note_retention(
    db: Connection,
    business: str,
    counts: Mapping[str, int],
    now: datetime,
    *,
    files: Collection[str] = (),
    trackers: Collection[str] = (),
) -> None:
    """Add to what retention did on this day.

    Args:
        db: A writing transaction.
        business: Of which business; empty for what belongs to none.
        counts: Rows by table.
        now: The present moment.
        files: Pictures whose files are to go.
        trackers: Conversations that Rasa is to forget.
    """
    day = stamp(now)[:10]
    request_id = "r" + sha256(f"{business} {day}".encode()).hexdigest()[:24]
    hold(db, f"retention {business}")
    known = load(db, request_id)
    before = (known.result or {}) if known else {}
    result = {
        "counts": dict(Counter(before.get("counts", {})) + Counter(counts)),
        "files": sorted({*before.get("files", ()), *files}),
        "trackers": sorted({*before.get("trackers", ()), *trackers}),
    }
    waits = bool(result["files"] or result["trackers"])
    if known is None:
        empty = {"reason": None, "decided_by": None, "settled_at": None, "result": None}
        at = {"asked_at": stamp(now), "due_at": stamp(now), "asked_by": DESK, "kind": "retain"}
        whose = {"id": request_id, "business": business, "person": "", "state": OPEN}
        db.execute(insert(data_requests).values(**whose, **at, **empty))
    settle(db, request_id, CLEARING if waits else DONE, now, result=result)

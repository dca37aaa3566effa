"""Requests about somebody's data: entered, taken back, refused; each stands in the audit log."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from recovery.store import audit_log, data_requests
from recovery.store.customers import Customer
from recovery.store.data_requests import OPEN, REFUSED, DataRequest
from recovery.store.personal_scope import scope_of, unfinished
from recovery.store.staff import Staff

PATH = "/api/data/"
LINK_LASTS = timedelta(minutes=30)
TAKEN_BACK = "顾客改了主意"


def ask_to_erase(
    db: Connection, customer: Customer, by: str, now: datetime, who: Staff | None = None
) -> list[str]:
    """Enter that somebody is to be erased.

    Args:
        db: A writing transaction.
        customer: One of the person's identities.
        by: `customer:<id>`, `staff:<id>`.
        now: The present moment.
        who: Who of staff, for the log.

    Returns:
        Keys of the remedies for which it has to wait.
    """
    person = customer.person or customer.id
    request = data_requests.ask(db, customer.business, person, "erase", by, now)
    detail = {"request": request.id, "kind": "erase"}
    where = {"business": customer.business, "target": customer.id}
    audit_log.note(db, who, "data_asked", now, **where, detail=detail)
    scope = scope_of(db, person)
    return unfinished(db, scope) if scope else []


def take_back(db: Connection, person: str, now: datetime) -> bool:
    """Take an erasure back that has not been carried out; gives whether there was one."""
    known = data_requests.open_of(db, person, "erase")
    if known is None or data_requests.take(db, known.id, (OPEN,)) is None:
        return False
    data_requests.settle(db, known.id, REFUSED, now, reason=TAKEN_BACK)
    return True


def export_link(db: Connection, customer: Customer, by: str, now: datetime) -> str:
    """Make the path under which a person's data can be fetched once.

    Args:
        db: A writing transaction.
        customer: One of the person's identities.
        by: `customer:<id>`.
        now: The present moment.
    """
    person = customer.person or customer.id
    request = data_requests.ask(db, customer.business, person, "export", by, now)
    return PATH + data_requests.make_link(db, request, LINK_LASTS, now)


def refuse(db: Connection, request: DataRequest, reason: str, who: Staff, now: datetime) -> None:
    """Refuse an open request.

    Args:
        db: A writing transaction in which it was taken.
        request: Which one.
        reason: Why, as the customer reads it.
        who: Who of staff decides.
        now: The present moment.
    """
    data_requests.settle(db, request.id, REFUSED, now, reason=reason, decided_by=who.id)
    audit_log.note(db, who, "refuse_data", now, business=request.business, target=request.id)

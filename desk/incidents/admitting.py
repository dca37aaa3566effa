"""From what an order system reports to the incident and the customers whom it concerns."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from recovery.business import Business
from recovery.incidents.events import OrderEvent
from recovery.incidents.quiet_hours import may_write_at
from recovery.incidents.wording import incident_title
from recovery.store import incidents, notices, order_events
from recovery.store.database import stamp
from recovery.store.incidents import LIVING, OPEN, SINGLE, Incident
from recovery.store.notices import Notice

DESK = "desk"


def admit(
    db: Connection, context: Context, business_id: str, event_id: str, now: datetime
) -> tuple[Notice, ...]:
    """Work off one event: write down whom it concerns and when each is written to.

    Args:
        db: A writing transaction.
        context: The desk.
        business_id: Whose order system reported it.
        event_id: The event; one that somebody else works off is left alone.
        now: The present moment.

    Returns:
        What supervisors are told of an incident of several customers.
    """
    business = context.directory.business(business_id)
    event = order_events.take(db, business_id, event_id) if business else None
    if business is None or event is None:
        return ()
    incident = _incident(db, business, event, now)
    before = incidents.members(db, incident.id)
    when = may_write_at(business, now, urgent=event.urgent)
    orders = {one.order_number for one in before if one.order_number}
    known = {one.identity for one in before if one.identity}
    added = [{"order_number": one} for one in event.orders if one not in orders]
    added += [{"order_number": "", "identity": one} for one in event.customers if one not in known]
    for one in added:
        incidents.add_member(
            db,
            incident.id,
            incidents.WAITING,
            DESK,
            now,
            event_id=event.id,
            due_at=stamp(when),
            **one,
        )
    several = len(before) + len(added) > 1 or not (event.orders or event.customers)
    changes: dict[str, Any] = {"urgent": incident.urgent or event.urgent}
    news = several and (incident.state == SINGLE or not before)
    if several and incident.state == SINGLE:
        changes["state"] = OPEN
    incidents.change(db, incident.id, now, **changes)
    order_events.done(db, business.id, event.id, incident.id, now)
    if not news:
        return ()
    number = len(before) + len(added)
    who = f"涉及{number}位顾客" if number else "涉及哪些顾客还不知道"
    text = f"同类事件“{incident.title}”，{who}"
    return notices.add(db, notices.overseers(db, business.id), "attention", None, text, now)


def _incident(db: Connection, business: Business, event: OrderEvent, now: datetime) -> Incident:
    """The incident of an event: that of its name where it lives, else a new one."""
    key = f"orders:{event.incident or event.id}"[:100]
    incidents.hold_key(db, business.id, key)
    number = 0
    known = incidents.of_key(db, business.id, key)
    while known is not None and known.state not in LIVING:
        # The same name for another occurrence, after the former one was closed.
        number += 1
        known = incidents.of_key(db, business.id, f"{key}#{number}")
    if known is not None:
        return known
    return incidents.begin(
        db,
        business.id,
        business.industry,
        event.failure,
        incident_title(event),
        now,
        source="order_system",
        state=SINGLE,
        opened_by=DESK,
        key=f"{key}#{number}" if number else key,
        place=event.place or None,
        urgent=event.urgent,
    )

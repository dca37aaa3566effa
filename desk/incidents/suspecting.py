"""The bot proposes that several cases have one cause; staff say whether it is so."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.aside import aside
from desk.context import Context
from desk.conversations.turn import Committed
from recovery.business import Business
from recovery.case import Case
from recovery.incidents.proposing import (
    Proposed,
    Suspect,
    failures_asked,
    longest_window,
    place_of,
    propose,
    rules,
)
from recovery.logs import log
from recovery.orders.system import Order, OrderSystemError
from recovery.store import conversations, incidents, notices, whose_orders
from recovery.store.notices import Notice

BOT_BY = "bot"
_EVERY = timedelta(seconds=30)
_ORDER_SECONDS = 3.0
_MOST_KEPT = 2000
# Whoever complained so long before the order system noticed was the first to say it.
_BEFORE = timedelta(hours=24)
_STATE = "proposed"


class Suspicion:
    """Looks at the cases of late, now and then."""

    def __init__(self, context: Context) -> None:
        """Prepare; nothing is asked yet."""
        self._context = context
        self._looked_at: datetime | None = None
        self._orders: dict[tuple[str, str], Order | None] = {}
        # Businesses whose order system did not answer in this look.
        self._away: set[str] = set()

    async def look(self, now: datetime) -> list[Committed]:
        """Look, unless that was done a moment ago; gives what to publish."""
        if self._looked_at is not None and timedelta(0) <= now - self._looked_at < _EVERY:
            return []
        self._looked_at = now
        self._away.clear()
        storage, told = self._context.storage, []
        for business in self._context.directory:
            suspects = await self._suspects(business, now)
            if not suspects:
                continue
            at_places = await storage.read(_at_places, business, suspects)
            if at_places:
                await storage.write(_add_all, at_places, now)
            found = propose(suspects, business.industry, now, business.zone)
            if found:
                left = await storage.write(keep, self._context, business, found, now)
                told.append(Committed([], notices=left))
        return told

    async def _suspects(self, business: Business, now: datetime) -> list[Suspect]:
        """The cases of late that the rules of a trade ask about, with their orders."""
        asked = failures_asked(business.industry)
        if not asked:
            return []
        since = now - longest_window(business.industry)
        opened = await self._context.storage.read(
            whose_orders.opened_since, business.id, asked, since
        )
        return [
            Suspect(
                case.id,
                str(case.failure),
                datetime.fromisoformat(at),
                await self._order(business.id, case),
                case.facts.get("item"),
            )
            for case, at in opened
        ]

    async def _order(self, business: str, case: Case) -> Order | None:
        number = case.order_number
        if number is None or business in self._away:
            return None
        key = (business, number)
        if key not in self._orders:
            try:
                async with asyncio.timeout(_ORDER_SECONDS):
                    order = await aside(self._context.orders.order, business, number)
            except (OrderSystemError, TimeoutError) as error:
                # It is looked at again; a case of which nothing is known proposes nothing.
                log.warning("order system away", business=business, error=str(error))
                self._away.add(business)
                return None
            if len(self._orders) >= _MOST_KEPT:
                self._orders.clear()
            self._orders[key] = order
        return self._orders[key]


def _at_places(
    db: Connection, business: Business, suspects: Iterable[Suspect]
) -> list[tuple[str, str]]:
    """Incident and case where an order system reported a place and the case is about that place."""
    living = [
        one
        for one, _ in incidents.listed(db, business.id, incidents.LIVING)
        if one.place and one.source == "order_system"
    ]
    found = [
        (incident.id, one.case)
        for incident in living
        for one in suspects
        if one.failure == incident.failure
        and one.order is not None
        and place_of(one.order) == incident.place
        and one.opened_at >= datetime.fromisoformat(incident.opened_at) - _BEFORE
    ]
    known = incidents.in_any(db, [case for _, case in found])
    return [(incident, case) for incident, case in found if (incident, case) not in known]


def _add_all(db: Connection, found: Iterable[tuple[str, str]], now: datetime) -> None:
    """Propose these cases for these incidents, each once."""
    for incident_id, case_id in found:
        incident = incidents.load(db, incident_id, lock=True)
        if incident is None or incident.state not in incidents.LIVING:
            continue
        if (incident_id, case_id) in incidents.in_any(db, [case_id]):
            continue
        _add(db, incident_id, case_id, now)
        state = incidents.OPEN if incident.state == incidents.SINGLE else incident.state
        incidents.change(db, incident_id, now, state=state)


def keep(
    db: Connection,
    context: Context,
    business: Business,
    found: Iterable[Proposed],
    now: datetime,
) -> tuple[Notice, ...]:
    """Write proposals down, each case once; supervisors hear of a new one."""
    told: tuple[Notice, ...] = ()
    for one in found:
        incidents.hold_key(db, business.id, one.key)
        new = [case for case in one.cases if case not in incidents.in_an_incident(db, [*one.cases])]
        rule = next(row for row in rules() if row.rule == one.rule)
        known = incidents.lately_of_key(
            db, business.id, one.key[:100], now - timedelta(hours=rule.hours)
        )
        if not new or (known is not None and known.state not in incidents.LIVING):
            # Staff have said what they think of it.
            continue
        if known is None:
            if len(new) < rule.least:
                continue
            day = now.astimezone(business.zone).date().isoformat()
            known = incidents.begin(
                db,
                business.id,
                business.industry,
                one.failure,
                one.title,
                now,
                source="bot",
                state=incidents.PROPOSED,
                opened_by=BOT_BY,
                key=f"{one.key[:100]}|{day}",
                place=one.place,
                rule=one.rule,
            )
            text = f"可能是同一件事：{one.title}，{one.reason}，请看是不是"
            readers = notices.overseers(db, business.id)
            told += notices.add(db, readers, "attention", None, text, now)
        for case_id in new:
            _add(db, known.id, case_id, now)
        incidents.change(db, known.id, now)
    return told


def _add(db: Connection, incident_id: str, case_id: str, now: datetime) -> None:
    private = conversations.of_case(db, case_id, "private")
    public = conversations.of_case(db, case_id, "public")
    part = private or public
    incidents.add_member(
        db,
        incident_id,
        _STATE,
        BOT_BY,
        now,
        case_id=case_id,
        customer_id=part.customer_id if part else None,
        conversation_id=private.id if private else None,
    )

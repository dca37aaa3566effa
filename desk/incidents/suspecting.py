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
_STATE = "proposed"


class Suspicion:
    """Looks at the cases of late, now and then."""

    def __init__(self, context: Context) -> None:
        """Prepare; nothing is asked yet."""
        self._context = context
        self._looked_at: datetime | None = None
        self._orders: dict[tuple[str, str], Order | None] = {}

    async def look(self, now: datetime) -> list[Committed]:
        """Look, unless that was done a moment ago; gives what to publish."""
        if self._looked_at is not None and timedelta(0) <= now - self._looked_at < _EVERY:
            return []
        self._looked_at = now
        told = []
        for business in self._context.directory:
            found = await self.propose(business, now)
            if found:
                storage = self._context.storage
                left = await storage.write(keep, self._context, business, found, now)
                told.append(Committed([], notices=left))
        return told

    async def propose(self, business: Business, now: datetime) -> list[Proposed]:
        """What the rules find at a business."""
        asked = failures_asked(business.industry)
        if not asked:
            return []
        since = now - longest_window(business.industry)
        opened = await self._context.storage.read(
            whose_orders.opened_since, business.id, asked, since
        )
        if len(opened) < min(row.least for row in rules()):
            return []
        suspects = [
            Suspect(
                case.id,
                str(case.failure),
                datetime.fromisoformat(at),
                await self._order(business.id, case),
                case.facts.get("item"),
            )
            for case, at in opened
        ]
        return propose(suspects, business.industry, now, business.zone)

    async def _order(self, business: str, case: Case) -> Order | None:
        number = case.order_number
        if number is None:
            return None
        key = (business, number)
        if key not in self._orders:
            try:
                async with asyncio.timeout(_ORDER_SECONDS):
                    order = await aside(self._context.orders.order, business, number)
            except (OrderSystemError, TimeoutError) as error:
                # It is looked at again; a case of which nothing is known proposes nothing.
                log.warning("order system away", business=business, error=str(error))
                return None
            if len(self._orders) >= _MOST_KEPT:
                self._orders.clear()
            self._orders[key] = order
        return self._orders[key]


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

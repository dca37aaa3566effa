"""Carries accepted remedies out against the order system, each once, and tells the customer."""

import asyncio
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import phrases
from desk.conversations.commit import Committed
from desk.conversations.router import Router
from recovery import faults
from recovery.case import apply
from recovery.commands import HandOver
from recovery.logs import log
from recovery.orders.system import OrderSystemError, RemedyRefusedError
from recovery.remedy.catalogue import KINDS
from recovery.store import cases, conversations, fulfilments, streams
from recovery.store.conversations import BOT, QUEUE
from recovery.store.fulfilments import Fulfilment

_IDLE_SECONDS = 2.0


class FulfilmentWorker:
    """Works off what is promised. Several may run: the order system's key makes it once."""

    def __init__(self, context: Context, router: Router) -> None:
        """Prepare.

        Args:
            context: The desk.
            router: Wakes the worker when an offer was accepted, and publishes.
        """
        self._context = context
        self._router = router

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            worked = await self.work_once()
            if worked:
                continue
            try:
                await asyncio.wait_for(self._router.remedies_wait.wait(), _IDLE_SECONDS)
            except TimeoutError:
                continue
            self._router.remedies_wait.clear()

    async def work_once(self) -> int:
        """Carry out what is due; returns how many remedies were tried."""
        context = self._context
        due = await context.storage.read(fulfilments.due, context.clock())
        for item in due:
            try:
                await self._carry_out(item)
            except Exception as error:
                # A defect, ours or the order system's, in whatever form it comes: it must not
                # keep the remedies behind it waiting. This one is tried again later.
                log.error("remedy failed", key=item.key, exc_info=error)
                await context.storage.write(fulfilments.postpone, item, context.clock())
        return len(due)

    async def _carry_out(self, item: Fulfilment) -> None:
        context = self._context
        faults.reach("fulfilment-taken")
        try:
            receipt = await asyncio.to_thread(
                context.orders.carry_out,
                item.key,
                item.business,
                item.order_number,
                item.remedy,
            )
        except OrderSystemError as error:
            log.warning("order system away", key=item.key, error=str(error))
            await context.storage.write(fulfilments.postpone, item, context.clock())
            faults.reach("fulfilment-postponed")
            return
        except RemedyRefusedError as error:
            log.warning("remedy refused", key=item.key, error=str(error))
            faults.reach("fulfilment-refused")
            committed = await context.storage.write(_refused, context, item, context.clock())
            faults.reach("refusal-settled")
            self._router.publish(committed)
            context.metrics.remedies.labels(item.remedy["kind"], "refused").inc()
            return
        faults.reach("fulfilment-carried-out")
        committed = await context.storage.write(_done, item, receipt, context.clock())
        faults.reach("fulfilment-settled")
        self._router.publish(committed)
        context.metrics.remedies.labels(item.remedy["kind"], "done").inc()


def _done(db: Connection, item: Fulfilment, receipt: dict[str, Any], now: datetime) -> Committed:
    if not fulfilments.settle(db, item.key, "done", receipt):
        return Committed([])
    kind = KINDS[item.remedy["kind"]]
    entry = streams.append(
        db,
        f"private:{item.conversation_id}",
        {
            "id": f"{item.key}.done",
            "kind": "progress",
            "title": kind.title(item.remedy),
            "text": kind.done(item.remedy, receipt),
            "state": "done",
        },
        now,
    )
    return Committed([entry] if entry else [], changed=(item.conversation_id,))


def _refused(db: Connection, context: Context, item: Fulfilment, now: datetime) -> Committed:
    """Bring a person, and say so: nothing that was promised is dropped in silence."""
    conversation = conversations.load(db, item.conversation_id, lock=True)
    if conversation is None or not fulfilments.settle(db, item.key, "refused", None):
        return Committed([])
    business = context.business(item.business)
    title = KINDS[item.remedy["kind"]].title(item.remedy)
    case = cases.load(db, item.case_id)
    if case:
        by = business.person_by(now).isoformat()
        handed = apply(case, HandOver("remedy_refused", by), now)
        if handed:
            cases.save(db, handed, item.business, conversation.customer_id, now)
    if conversation.owner == BOT:
        conversations.change_owner(
            db, conversation, QUEUE, now, expected=(BOT,), reason="remedy_refused"
        )
    entry = streams.append(
        db,
        conversation.stream,
        {
            "id": f"{item.key}.refused",
            "kind": "progress",
            "title": title,
            "text": phrases.remedy_refused(item.key, title, business.person_by_words(now)),
            "state": "late",
        },
        now,
    )
    return Committed([entry] if entry else [], changed=(conversation.id,))

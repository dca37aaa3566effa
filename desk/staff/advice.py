"""What the policy would give in a case, for the members of staff who decide it."""

import asyncio
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import Connection

from desk.aside import aside
from desk.context import Context
from recovery.business import Business
from recovery.case import Case
from recovery.dialogue.advice import NoAdviceError, advice_of, advise
from recovery.dialogue.reply import Past, Turn
from recovery.logs import log
from recovery.orders.system import Order, OrderSystemError
from recovery.remedy.facts import FactsError
from recovery.remedy.policy import PolicyError
from recovery.remedy.wishes import as_wish
from recovery.store import cases, conversations, decisions
from recovery.understood import Understood

_PATIENCE_SECONDS = 2.0
_KEPT_SECONDS = 60.0
_MOST_KEPT = 500
_SAID_NOTHING = Understood("", "", 0.0)

_Key = tuple[str, str]


class Found(NamedTuple):
    """What the policy is asked about."""

    business: Business
    case: Case
    order: Order


class _Asked(NamedTuple):
    call: asyncio.Future[Order | None]
    since: float


class Advisor:
    """Asks the policy with the facts as they stand.

    A page asks at every change of a conversation. An order is therefore kept for a minute, and
    an order system that does not answer keeps nobody waiting twice.
    """

    def __init__(self, context: Context, patience: float = _PATIENCE_SECONDS) -> None:
        """Prepare; nothing is asked yet.

        Args:
            context: The desk.
            patience: How long a page waits for the order system, in seconds.
        """
        self._context = context
        self._patience = patience
        self._calls: dict[_Key, _Asked] = {}
        self._kept: dict[_Key, tuple[Order | None, float]] = {}

    async def advice(self, conversation_id: str) -> dict[str, Any]:
        """What the policy gives in the case of a conversation.

        Returns:
            `{"advice": as of advice_of, with the `wish` of each item as a page would send
            it, "no_advice": None}`, or no advice and why: `no_case`,
            `no_order` (none is proved), `order_gone`, `orders_away`, `no_matter`, `no_item`,
            `no_policy`.
        """
        context = self._context
        try:
            found = await self.found(conversation_id)
        except NoAdviceError as error:
            return _none(error.lacks)
        try:
            made = await context.storage.read(_advise, context, found)
        except NoAdviceError as error:
            return _none(error.lacks)
        except (PolicyError, FactsError) as error:
            log.error("policy gives no advice", conversation=conversation_id, error=str(error))
            return _none("no_policy")
        return {"advice": made, "no_advice": None}

    async def found(self, conversation_id: str) -> Found:
        """The case of a conversation and its order.

        Raises:
            NoAdviceError: There is none, or it cannot be read now; lacks as in `advice`.
        """
        context = self._context
        business, case = await context.storage.read(_case_of, context, conversation_id)
        if case is None:
            raise NoAdviceError("no_case")
        if case.order_number is None:
            raise NoAdviceError("no_order")
        if business is None:
            raise NoAdviceError("no_policy")
        try:
            order = await self._order(business.id, case.order_number)
        except (OrderSystemError, TimeoutError) as error:
            log.warning("order system away", conversation=conversation_id, error=str(error))
            raise NoAdviceError("orders_away") from error
        except Exception as error:
            # A defect of the order system's: the conversation has to open all the same.
            log.error("order not read", conversation=conversation_id, exc_info=error)
            raise NoAdviceError("orders_away") from error
        if order is None:
            raise NoAdviceError("order_gone")
        return Found(business, case, order)

    async def order(self, conversation_id: str) -> Order | None:
        """The order that the case of a conversation is about; None where it cannot be shown now."""
        try:
            return (await self.found(conversation_id)).order
        except NoAdviceError:
            return None

    async def _order(self, business: str, number: str) -> Order | None:
        """Find an order.

        Raises:
            TimeoutError: No answer yet; the call goes on, and its answer is kept.
        """
        key = (business, number)
        order, until = self._kept.get(key, (None, 0.0))
        if monotonic() < until:
            return order
        asked = self._calls.get(key)
        if asked is None:
            call = aside(self._context.orders.order, business, number)
            asked = self._calls[key] = _Asked(call, monotonic())
            call.add_done_callback(partial(self._answered, key))
        left = asked.since + self._patience - monotonic()
        done, _ = await asyncio.wait({asked.call}, timeout=max(0.0, left))
        if not done:
            raise TimeoutError("the order system does not answer")
        return asked.call.result()

    def _answered(self, key: _Key, call: asyncio.Future[Order | None]) -> None:
        self._calls.pop(key, None)
        if call.cancelled() or call.exception() is not None:
            return
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[key] = (call.result(), monotonic() + _KEPT_SECONDS)


def _none(why: str) -> dict[str, Any]:
    return {"advice": None, "no_advice": why}


def _case_of(
    db: Connection, context: Context, conversation_id: str
) -> tuple[Business | None, Case | None]:
    conversation = conversations.load(db, conversation_id)
    if conversation is None:
        return None, None
    business = context.directory.business(conversation.business)
    return business, cases.load(db, conversation.case_id)


def turn_of(
    db: Connection, context: Context, business: Business, case: Case, now: datetime
) -> Turn:
    """All that the policy is asked with, when nobody has said anything."""

    def past(order_customer: str, failure: str, case_id: str) -> Past:
        had = decisions.history(db, business.id, order_customer, failure, case_id, now)
        return Past(had.claims, had.recurrence)

    return Turn(
        message="",
        heard=_SAID_NOTHING,
        business=business,
        case=case,
        now=now,
        orders=context.orders,
        policy=context.policy.on(business.industry, now.astimezone(business.zone).date()),
        past=past,
    )


def _advise(db: Connection, context: Context, found: Found) -> dict[str, Any]:
    turn = turn_of(db, context, found.business, found.case, context.clock())
    decision = advise(turn, found.case, found.order)
    made = advice_of(decision)
    lines = zip(made["items"], decision.remedies, strict=True)
    return {**made, "items": [{**line, "wish": as_wish(one)} for line, one in lines]}

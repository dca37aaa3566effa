"""What the policy would give in a case, for the members of staff who decide it."""

import asyncio
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
from recovery.store import cases, conversations, decisions
from recovery.understood import Understood

_PATIENCE_SECONDS = 2.0
_KEPT_SECONDS = 60.0
_MOST_KEPT = 500
_SAID_NOTHING = Understood("", "", 0.0)

_Key = tuple[str, str]


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
            `{"advice": as of advice_of, "no_advice": None}`, or no advice and why: `no_case`,
            `no_order` (none is proved), `order_gone`, `orders_away`, `no_matter`, `no_item`,
            `no_policy`.
        """
        context = self._context
        business, case = await context.storage.read(_case_of, context, conversation_id)
        if case is None:
            return _none("no_case")
        if case.order_number is None:
            return _none("no_order")
        if business is None:
            return _none("no_policy")
        try:
            order = await self._order(business.id, case.order_number)
        except (OrderSystemError, TimeoutError) as error:
            log.warning("order system away", conversation=conversation_id, error=str(error))
            return _none("orders_away")
        except Exception as error:
            # A defect of the order system's: the conversation has to open all the same.
            log.error("order not read", conversation=conversation_id, exc_info=error)
            return _none("orders_away")
        if order is None:
            return _none("order_gone")
        try:
            made = await context.storage.read(_advise, context, business, case, order)
        except NoAdviceError as error:
            return _none(error.lacks)
        except (PolicyError, FactsError) as error:
            log.error("policy gives no advice", conversation=conversation_id, error=str(error))
            return _none("no_policy")
        return {"advice": made, "no_advice": None}

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


def _advise(
    db: Connection, context: Context, business: Business, case: Case, order: Order
) -> dict[str, Any]:
    now = context.clock()

    def past(order_customer: str, failure: str, case_id: str) -> Past:
        had = decisions.history(db, business.id, order_customer, failure, case_id, now)
        return Past(had.claims, had.recurrence)

    turn = Turn(
        message="",
        heard=_SAID_NOTHING,
        business=business,
        case=case,
        now=now,
        orders=context.orders,
        policy=context.policy.on(business.industry, now.astimezone(business.zone).date()),
        past=past,
    )
    return advice_of(advise(turn, case, order))

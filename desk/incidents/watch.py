"""Works off what order systems reported and what is to be told to all; several desks may run."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection

from desk.aside import aside
from desk.context import Context
from desk.conversations.router import Router
from desk.conversations.turn import Committed
from desk.incidents.admitting import admit
from desk.incidents.first_words import Asked, write_to
from desk.incidents.reaching import whose
from desk.incidents.suspecting import Suspicion
from desk.incidents.telling import asked_for, tell
from recovery import faults
from recovery.business import Business
from recovery.incidents.quiet_hours import may_write_at
from recovery.logs import log
from recovery.orders.system import Order, OrderSystemError, Product
from recovery.store import incident_tellings, incidents, order_events
from recovery.store.database import is_away
from recovery.store.incidents import Member

_EVERY_SECONDS = 2.0
_ORDER_SECONDS = 5.0
_AT_ONCE = 6
_FIRST_WAIT = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(minutes=10)
MOST_TRIES = 12
_AWAY = "订单系统没有答复，还在试"
_GIVEN_UP = "订单系统一直没有答复，请同事联系顾客"
_DEFECT = "这一位出了差错，请同事看"

T = TypeVar("T")


class IncidentWatch:
    """Looks for what is due, for as long as the desk runs."""

    def __init__(self, context: Context, router: Router) -> None:
        """Prepare.

        Args:
            context: The desk.
            router: Shows what was said.
        """
        self._context = context
        self._router = router
        self._suspicion = Suspicion(context)

    async def run(self) -> None:
        """Look again and again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_again_and_again(self.work_off))
            # Nobody who is to be told waits for an order system that is asked about others.
            tasks.create_task(_again_and_again(self.suspect))

    async def look_once(self) -> int:
        """Do all that is due; returns how much it was."""
        done = await self.work_off()
        await self.suspect()
        return done

    async def suspect(self) -> None:
        """Let the bot propose incidents."""
        for one in await self._suspicion.look(self._context.clock()):
            self._router.publish(one)

    async def work_off(self) -> int:
        """Tell all who are to be told; returns how much it was."""
        storage, clock = self._context.storage, self._context.clock
        served = [business.id for business in self._context.directory]
        events = await storage.read(order_events.new, served, clock())
        for business, event in events:
            try:
                told = await storage.write(admit, self._context, business, event, clock())
            except Exception as error:
                if is_away(error):
                    raise
                # A defect about one event must not keep those behind it from being told.
                log.error("event not worked off", business=business, id=event, exc_info=error)
                later = clock() + _LONGEST_WAIT
                await storage.write(order_events.postpone, business, event, later)
                continue
            faults.reach("order-event-admitted")
            self._router.publish(Committed([], notices=told))
        due = await storage.read(incidents.due, clock())
        await _several(due, self._first)
        tellings = await storage.read(incident_tellings.due, clock())
        await _several(tellings, self._tell)
        return len(events) + len(due) + len(tellings)

    async def _first(self, member_id: int) -> None:
        """Write to one customer who does not know yet."""
        storage, clock = self._context.storage, self._context.clock
        found = await storage.read(self._of_member, member_id)
        if found is None:
            return
        member, business, urgent = found
        now = clock()
        when = may_write_at(business, now, urgent=urgent)
        if when > now:
            # It was due while nobody worked it off; by now it is night.
            await storage.write(incidents.put_off, member_id, when)
            return
        try:
            asked = await self._asked(business, member)
            number = asked.order.number if asked.order else member.order_number
            identity = asked.identity or member.identity
            # Who proved an order is looked for in all cases: nobody else waits for that.
            customer = await storage.read_at_length(whose, business.id, number, identity, now)
            asked = replace(asked, customer=customer.id if customer else None)
            committed = await storage.write(write_to, self._context, member_id, asked, clock())
        except (OrderSystemError, TimeoutError) as error:
            log.warning("order system away", business=business.id, error=str(error))
            await self._later(member, _AWAY, _GIVEN_UP)
            return
        # One customer's defect must not keep all the others from being told.
        except Exception as error:
            if is_away(error):
                raise
            log.error("not told first", member=member_id, error=repr(error), exc_info=error)
            await self._later(member, _DEFECT, _DEFECT)
            return
        faults.reach("told-first")
        self._router.publish(committed)

    def _of_member(self, db: Connection, member_id: int) -> tuple[Member, Business, bool] | None:
        member = incidents.member(db, member_id)
        incident = incidents.load(db, member.incident_id) if member else None
        business = self._context.directory.business(incident.business) if incident else None
        if member is None or incident is None or business is None:
            return None
        event = order_events.load(db, business.id, member.event_id)
        return member, business, incident.urgent or bool(event and event.urgent)

    async def _later(self, member: Member, why: str, given_up: str) -> None:
        storage, now = self._context.storage, self._context.clock()
        if member.attempts + 1 >= MOST_TRIES:
            await storage.write(incidents.give_up, member.id, given_up)
            return
        await storage.write(incidents.postpone_member, member, _wait(member.attempts), now, why)

    async def _asked(self, business: Business, member: Member) -> Asked:
        """Ask the order system about a member.

        Raises:
            OrderSystemError: It does not answer now.
            TimeoutError: Likewise.
        """
        orders = self._context.orders
        if member.order_number:
            order = await _in_time(orders.order, business.id, member.order_number)
            if order is None:
                return Asked(None)
            identity = order.identity
            if identity is None:
                own = await _in_time(orders.orders_of, business.id, order.customer)
                # The host site signs with the same ids only where this order is one of theirs.
                mine = any(one.number == order.number for one in own)
                identity = order.customer if mine else None
            return Asked(order, identity, await self._product(business, order))
        if not member.identity:
            return Asked(None)
        found = await _in_time(orders.orders_of, business.id, member.identity)
        if len(found) != 1:
            # Which one it is, a person finds out: none is taken at random.
            return Asked(None, member.identity)
        return Asked(found[0], member.identity, await self._product(business, found[0]))

    async def _product(self, business: Business, order: Order) -> Product | None:
        try:
            return await _in_time(self._context.orders.recommend, business.id, order.number)
        except (OrderSystemError, TimeoutError):
            # Without it the offer names none.
            return None

    async def _tell(self, due: tuple[str, int]) -> None:
        """Bring one message to one member."""
        storage, clock = self._context.storage, self._context.clock
        message_id, member_id = due
        needs = await storage.read(asked_for, message_id, member_id)
        if needs is None:
            return
        order = product = None
        business = self._context.directory.business(needs.business)
        now = clock()
        when = may_write_at(business, now, urgent=needs.urgent) if business else now
        if when > now:
            # It was due while nobody worked it off; by now it is night.
            await storage.write(_telling_waits, message_id, member_id, when)
            return
        try:
            if needs.number and business:
                order = await _in_time(self._context.orders.order, needs.business, needs.number)
                product = await self._product(business, order) if order else None
            committed = await storage.write(
                tell, self._context, message_id, member_id, order, product, clock()
            )
        except (OrderSystemError, TimeoutError) as error:
            log.warning("order system away", business=needs.business, error=str(error))
            await storage.write(_telling_later, message_id, member_id, _AWAY, clock())
            return
        # One customer's defect must not keep all the others from being told.
        except Exception as error:
            if is_away(error):
                raise
            log.error("not told", member=member_id, error=repr(error), exc_info=error)
            await storage.write(_telling_later, message_id, member_id, _DEFECT, clock())
            return
        self._router.publish(committed)


async def _again_and_again(work: Callable[[], Awaitable[object]]) -> None:
    while True:
        await work()
        await asyncio.sleep(_EVERY_SECONDS)


def _telling_waits(db: Connection, message_id: str, member_id: int, until: datetime) -> None:
    one = incident_tellings.take(db, message_id, member_id)
    if one is not None:
        incident_tellings.put_off(db, one, until)


def _telling_later(
    db: Connection, message_id: str, member_id: int, why: str, now: datetime
) -> None:
    one = incident_tellings.take(db, message_id, member_id)
    if one is None:
        return
    if one.attempts + 1 >= MOST_TRIES:
        incident_tellings.settle(db, one, incident_tellings.SKIPPED, now, why)
    else:
        incident_tellings.postpone(db, one, _wait(one.attempts), now, why)


def _wait(attempts: int) -> timedelta:
    return min(_LONGEST_WAIT, _FIRST_WAIT * (1 << attempts))


async def _in_time(work: Callable[..., T], *args: object) -> T:
    """Ask the order system; a call that hangs goes on alone."""
    async with asyncio.timeout(_ORDER_SECONDS):
        return await aside(work, *args)


async def _several(due: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Do things side by side, a few at once; one that fails ends it when all have ended."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(what: T) -> None:
        async with slots:
            await work(what)

    results = await asyncio.gather(*(one(what) for what in due), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result

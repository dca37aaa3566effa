"""The order system of a business, over HTTP as in `docs/orders.openapi.yaml`.

It is somebody else's program on the other side of a network: it may be slow, away, or wrong. A
question is asked once more at most, since a customer waits. A remedy is asked for again with the
same key, which cannot do it twice. What comes back is believed only as far as it is well-formed.

Nobody waits longer than was said, whatever the network does: an answer that trickles, or a name
that is looked up for ever, is left to a thread of its own.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from queue import Empty, SimpleQueue
from random import SystemRandom
from typing import Any, TypeVar, cast
from urllib.parse import quote

import httpx

from recovery import faults
from recovery.orders.system import (
    REFUNDS,
    Order,
    OrderSystemError,
    Product,
    RemedyRefusedError,
    amount_of,
    check_remedy,
    fold_order_number,
    most_of,
    read_order,
    read_product,
    read_receipt,
    usable_digits,
    usable_number,
)
from recovery.remedy.catalogue import Remedy

MOST_BYTES = 1_000_000
_CONNECT_SECONDS = 1.0
# All tries of a question together, and all questions of a turn: an action has three seconds.
_QUERY_SECONDS = 2.5
# A remedy at each try, and all its tries together: the desk waits for 20 seconds.
_CARRY_OUT_SECONDS = 15.0
_CARRY_OUT_IN_ALL = 18.0
# Less is left for what ends in time by itself, so that seldom a thread has to be left alone.
_MARGIN_SECONDS = 0.1
# With less time left a call is not begun.
_SHORTEST_SECONDS = 0.05
_QUERY_TRIES = 2
_CARRY_OUT_TRIES = 3
_PAUSE_SECONDS = 0.3
_MOST_ORDERS = 200
_CONNECTIONS = 32
_REASON_LENGTH = 200

# The connection was refused, or broke before the answer was there. It may have been an idle one
# that the other side had closed, so that asking once more is all it takes.
_BROKEN = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ConnectTimeout)

_turn_ends: ContextVar[float | None] = ContextVar("turn_ends", default=None)


@contextmanager
def within(seconds: float = _QUERY_SECONDS) -> Iterator[None]:
    """Let all questions that are asked in the block, by this thread, take this long together."""
    token = _turn_ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _turn_ends.reset(token)


T = TypeVar("T")


class _AwayError(OrderSystemError):
    """No usable answer; `quick` where asking again at once may well help."""

    def __init__(self, message: str, *, quick: bool = False) -> None:
        super().__init__(message)
        self.quick = quick


class RemoteOrders:
    """`OrderSystem` over HTTP. Safe for several threads."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        query_seconds: float = _QUERY_SECONDS,
        carry_out_seconds: float = _CARRY_OUT_SECONDS,
        carry_out_in_all: float = _CARRY_OUT_IN_ALL,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            url: Where the paths of the document begin, without a slash at the end.
            token: Sent as bearer token.
            query_seconds: How long a question may take, all its tries together.
            carry_out_seconds: How long the answer to a remedy may take, at each try.
            carry_out_in_all: How long a remedy may take, all its tries and pauses together.
            pause: Waits between the tries of a remedy.
        """
        self._url = url
        self._query_seconds = query_seconds
        self._carry_out_seconds = carry_out_seconds
        self._carry_out_in_all = carry_out_in_all
        self._pause = pause
        self._chance = SystemRandom()
        self._client = httpx.Client(
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                # A small body could otherwise unfold into any size.
                "Accept-Encoding": "identity",
                "User-Agent": "huixin",
            },
            limits=httpx.Limits(max_connections=_CONNECTIONS),
            # A redirect would take token and order to an address that nobody has configured.
            follow_redirects=False,
            # No proxy and no password from the surroundings of the process.
            trust_env=False,
            # One client serves many customers: nothing is kept from one call to the next.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def matches(self, business: str, number: str, last4: str) -> bool:
        """Whether the order exists and its phone ends in these four digits."""
        number = fold_order_number(number)
        if not usable_number(number) or not usable_digits(last4):
            return False
        path = self._order_path(business, number) + "/proof"
        _, answer = self._ask("POST", path, {"last4": last4})
        found = answer.get("matches") if isinstance(answer, dict) else None
        if not isinstance(found, bool):
            raise OrderSystemError("matches: neither true nor false")
        return found

    def order(self, business: str, number: str) -> Order | None:
        """Find an order."""
        number = fold_order_number(number)
        if not usable_number(number):
            return None
        status, answer = self._ask("GET", self._order_path(business, number), may_miss=True)
        if status == 404:
            return None
        order = _own(read_order(answer), business)
        if fold_order_number(order.number) != number:
            raise OrderSystemError("number: of another order than was asked for")
        return order

    def orders_of(self, business: str, external_customer: str) -> list[Order]:
        """Orders of a customer whom the host site has identified, latest first."""
        try:
            customer = quote(external_customer, safe="")
        except UnicodeEncodeError:
            return []
        path = f"/v1/businesses/{quote(business, safe='')}/orders?customer={customer}"
        status, answer = self._ask("GET", path, may_miss=True)
        if status == 404:
            return []
        lines = answer.get("orders") if isinstance(answer, dict) else None
        if not isinstance(lines, list) or len(lines) > _MOST_ORDERS:
            raise OrderSystemError(f"orders: no list of at most {_MOST_ORDERS}")
        orders = [_own(read_order(line), business) for line in lines]
        # Sorting is stable: of one day, the order of the answer stands.
        return sorted(orders, key=lambda order: order.placed_on, reverse=True)

    def recommend(self, business: str, number: str) -> Product | None:
        """A product that fits what the customer of this order bought before."""
        number = fold_order_number(number)
        if not usable_number(number):
            return None
        path = self._order_path(business, number) + "/recommendation"
        status, answer = self._ask("GET", path, may_miss=True)
        return None if status == 404 else read_product(answer)

    def carry_out(self, key: str, business: str, number: str, remedy: Remedy) -> dict[str, Any]:
        """Carry one remedy out, once for each key. See `OrderSystem.carry_out`."""
        check_remedy(remedy)
        if not usable_number(number):
            raise RemedyRefusedError("no such order")
        path = self._order_path(business, number) + "/remedies"
        ends = time.monotonic() + self._carry_out_in_all
        for tries_left in reversed(range(_CARRY_OUT_TRIES)):
            try:
                return self._carried_out(key, path, remedy, ends)
            except _AwayError:
                # Whoever is away is not met again by all at the same moment.
                doubled = _PAUSE_SECONDS * 2 ** (_CARRY_OUT_TRIES - 1 - tries_left)
                pause = doubled * self._chance.uniform(0.5, 1.5)
                if not tries_left or time.monotonic() + pause + _SHORTEST_SECONDS > ends:
                    raise
                self._pause(pause)
        raise AssertionError("the last try returns or raises")

    def _carried_out(self, key: str, path: str, remedy: Remedy, ends: float) -> dict[str, Any]:
        faults.reach("remote-before")
        status, answer = self._call(
            "POST",
            path,
            _asked_for(remedy),
            ends=min(ends, time.monotonic() + self._carry_out_seconds),
            key=key,
            taken=(200, 201, 409, 422),
        )
        faults.reach("remote-after")
        if status in (409, 422):
            raise RemedyRefusedError(_reason(answer))
        receipt = read_receipt(remedy["kind"], answer)
        wanted = _amount(remedy)
        if wanted is not None and receipt["fen"] != wanted:
            raise OrderSystemError("fen: another amount than was asked for")
        most = most_of(remedy)
        if most is not None and receipt["fen"] > most:
            raise OrderSystemError("fen: more than was asked for")
        return receipt

    def _ask(
        self, method: str, path: str, body: object = None, *, may_miss: bool = False
    ) -> tuple[int, Any]:
        """Ask a question, once more where the connection broke or the server failed."""
        taken = (200, 404) if may_miss else (200,)
        ends = time.monotonic() + self._query_seconds
        turn_ends = _turn_ends.get()
        if turn_ends is not None:
            ends = min(ends, turn_ends)
        for tries_left in reversed(range(_QUERY_TRIES)):
            try:
                return self._call(method, path, body, ends=ends, taken=taken)
            except _AwayError as error:
                late = time.monotonic() + _SHORTEST_SECONDS > ends
                if not tries_left or not error.quick or late:
                    raise
        raise AssertionError("the last try returns or raises")

    def _call(
        self,
        method: str,
        path: str,
        body: object,
        *,
        ends: float,
        taken: tuple[int, ...],
        key: str | None = None,
    ) -> tuple[int, Any]:
        """One call; gives status and JSON, None instead where nothing was found.

        Raises:
            _AwayError: No answer in time, a failure of the server, or an answer cut short.
            OrderSystemError: An answer that asking again will not mend.
        """
        left = ends - time.monotonic()
        if left < _SHORTEST_SECONDS:
            raise _AwayError("the order system is slow: no time is left to ask it")
        margin = min(_MARGIN_SECONDS, left / 5)
        return _in_time(left, lambda: self._called(method, path, body, ends - margin, taken, key))

    def _called(
        self,
        method: str,
        path: str,
        body: object,
        deadline: float,
        taken: tuple[int, ...],
        key: str | None,
    ) -> tuple[int, Any]:
        content, headers = None, {}
        if body is not None:
            content = _written(body)
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        left = max(0.001, deadline - time.monotonic())
        brief = min(left, _CONNECT_SECONDS)
        timeout = httpx.Timeout(left, connect=brief, pool=brief)
        with _failures_named():
            request = self._client.build_request(
                method, self._url + path, content=content, headers=headers, timeout=timeout
            )
            response = self._client.send(request, stream=True)
            try:
                status = response.status_code
                if status >= 500 or status == 429:
                    raise _AwayError(f"the order system answers {status}", quick=status >= 500)
                if status not in taken:
                    raise OrderSystemError(f"the order system answers {status}")
                if status == 404:
                    return status, None
                raw = _bounded(response, deadline)
            finally:
                response.close()
        return status, _plain(raw)

    def _order_path(self, business: str, number: str) -> str:
        return f"/v1/businesses/{quote(business, safe='')}/orders/{quote(number, safe='')}"


def _in_time(seconds: float, work: Callable[[], T]) -> T:
    """Do something in a thread of its own, and wait no longer than said.

    The timeouts of httpx are for each piece: of headers that trickle, of the addresses of a name,
    and the look-up of the name has none at all. A thread that is late ends when the other side
    does, or with the process.

    Raises:
        _AwayError: It is late.
    """
    ended: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            ended.put((work(), None))
        # Whatever it is, it belongs to whoever waits.
        except BaseException as error:
            ended.put((None, error))

    threading.Thread(target=run, name="order-system", daemon=True).start()
    try:
        result, error = ended.get(timeout=seconds)
    except Empty:
        raise _AwayError("the order system is slow: no answer in time") from None
    if error is not None:
        raise error
    return cast(T, result)


@contextmanager
def _failures_named() -> Iterator[None]:
    """Turn what httpx raises into an error of ours. Texts hold neither URL, token nor order."""
    try:
        yield
    except _BROKEN as error:
        raise _AwayError(f"the order system is away: {type(error).__name__}", quick=True) from error
    except httpx.TimeoutException as error:
        raise _AwayError(f"the order system is slow: {type(error).__name__}") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
        raise OrderSystemError(f"the order system cannot be asked: {type(error).__name__}") from (
            error
        )


def _bounded(response: httpx.Response, deadline: float) -> bytes:
    """The body, as long as it is neither too large nor trickles in for ever."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise OrderSystemError("the order system compresses unasked")
    raw = bytearray()
    for chunk in response.iter_raw():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise OrderSystemError(f"the order system sends more than {MOST_BYTES} bytes")
        if time.monotonic() > deadline:
            # The timeout of httpx is one for each piece.
            raise _AwayError("the order system is slow: a trickle")
    return bytes(raw)


def _plain(raw: bytes) -> Any:  # noqa: ANN401 - JSON
    def no_number(text: str) -> None:
        raise ValueError(text)

    try:
        return json.loads(raw, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise OrderSystemError("the order system sends no JSON") from error


def _written(body: object) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise OrderSystemError("this cannot be said in JSON") from error


def _own(order: Order, business: str) -> Order:
    if order.business != business:
        raise OrderSystemError("business: of another one than was asked for")
    return order


def _asked_for(remedy: Remedy) -> Remedy:
    """The remedy as the other side gets it: money as one amount that needs no working out."""
    asked = {name: value for name, value in remedy.items() if name != "worth"}
    amount = _amount(remedy)
    amount = most_of(remedy) if amount is None else amount
    return asked if amount is None else {**asked, "fen": amount}


def _amount(remedy: Remedy) -> int | None:
    """What has to be paid by this remedy; None where it pays nothing or the other side knows."""
    pays = remedy["kind"] in REFUNDS or remedy["kind"] == "damages"
    return amount_of(remedy) if pays else None


def _reason(answer: Any) -> str:  # noqa: ANN401 - JSON
    """Why it was refused, in the words of the other side, fit for one line of a log."""
    error = answer.get("error") if isinstance(answer, dict) else None
    reason = error.get("reason") if isinstance(error, dict) else None
    if not isinstance(reason, str):
        return "refused without a reason"
    shown = "".join(character if character.isprintable() else " " for character in reason)
    return shown[:_REASON_LENGTH].strip() or "refused without a reason"

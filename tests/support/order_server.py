"""A reference order system over real HTTP: the demo orders behind `docs/orders.openapi.yaml`.

Requests are routed by the document itself, and requests as well as answers are held against its
schemas; what does not fit is kept in `OrderServer.wrong`. It can be told to fail in the ways in
which other people's servers fail. By hand: `python -m tests.support.order_server FOLDER [PORT]`.
"""

import json
import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from recovery.orders.demo import fill
from recovery.orders.system import OrderSystem, OrderSystemError, RemedyRefusedError
from tests.support.openapi import Call, Document

DOCUMENT = Path(__file__).parents[2] / "docs" / "orders.openapi.yaml"
BASE = "/shop-api"
TOKEN = "an-invented-token"

Answer = tuple[int, Any]


@dataclass(frozen=True)
class Fault:
    """How one request fails.

    Attributes:
        before: Nothing is done; otherwise the order system has done it when the failure comes.
        drop: The connection is closed without an answer.
        status: Instead of the true one.
        change: What becomes of the true answer.
        raw: The body, instead of the answer.
        headers: Beside the usual ones.
        seconds: How long the answer takes to begin.
        trickle: Seconds between the bytes of the body.
        short: The connection is closed before the last byte of the body.
    """

    before: bool = False
    drop: bool = False
    status: int | None = None
    change: Callable[[Any], Any] | None = None
    raw: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    trickle: float = 0.0
    short: bool = False


def floats(value: Any) -> Any:  # noqa: ANN401 - JSON
    """All whole numbers as floats, as many a program writes its money."""
    if isinstance(value, dict):
        return {name: floats(one) for name, one in value.items()}
    if isinstance(value, list):
        return [floats(one) for one in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


REFUSED = Fault(before=True, drop=True)
DROPPED = Fault(drop=True)
CUT = Fault(short=True)
BROKEN = Fault(before=True, status=500)
BROKEN_AFTER = Fault(status=500)
MALFORMED = Fault(raw=b'{"number": "QH20')
FLOATS = Fault(change=floats)
HUGE = Fault(raw=b'"' + b"x" * 1_100_000 + b'"')


def _error(status: int, code: str, reason: str) -> Answer:
    return status, {"error": {"code": code, "reason": reason}}


_MISSING = _error(404, "not_found", "没有找到")


def _proof(orders: OrderSystem, call: Call) -> Answer:
    at = call.parameters
    return 200, {"matches": orders.matches(at["business"], at["number"], call.body["last4"])}


def _order(orders: OrderSystem, call: Call) -> Answer:
    found = orders.order(call.parameters["business"], call.parameters["number"])
    return (200, asdict(found)) if found else _MISSING


def _orders_of(orders: OrderSystem, call: Call) -> Answer:
    found = orders.orders_of(call.parameters["business"], call.parameters["customer"])
    return 200, {"orders": [asdict(one) for one in found]}


def _recommend(orders: OrderSystem, call: Call) -> Answer:
    found = orders.recommend(call.parameters["business"], call.parameters["number"])
    return (200, asdict(found)) if found else _MISSING


def _carry_out(orders: OrderSystem, call: Call) -> Answer:
    at = call.parameters
    try:
        done = orders.carry_out(at["Idempotency-Key"], at["business"], at["number"], call.body)
    except RemedyRefusedError as error:
        return _error(422, "refused", str(error))
    return 200, done


HANDLERS: dict[str, Callable[[OrderSystem, Call], Answer]] = {
    "proof": _proof,
    "order": _order,
    "ordersOf": _orders_of,
    "recommend": _recommend,
    "carryOut": _carry_out,
}


class OrderServer:
    """Serves an order system while the block of `with` lasts.

    Attributes:
        url: Where the paths of the document begin.
        asked: Operation and address of each request, in their order.
        wrong: What did not fit the document, in requests and in answers without a fault.
    """

    def __init__(self, orders: OrderSystem, port: int = 0, token: str = TOKEN) -> None:
        """Listen.

        Args:
            orders: What stands behind it.
            port: 0 for any that is free.
            token: What callers have to bring.
        """
        self.orders = orders
        self.token = token
        self.document = Document(DOCUMENT)
        self.asked: list[tuple[str, str]] = []
        self.wrong: list[str] = []
        self.faults: deque[Fault] = deque()
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}{BASE}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fail(self, *faults: Fault) -> None:
        """Let the next requests fail, one after the other."""
        self.faults.extend(faults)

    def next_fault(self) -> Fault | None:
        with self._lock:
            return self.faults.popleft() if self.faults else None

    def answer(self, call: Call) -> Answer:
        """The true answer, held against the document."""
        wrong = self.document.wrong_in_call(call)
        if wrong:
            self.wrong += wrong
            return _error(422, "bad_request", "；".join(wrong))
        try:
            status, answer = HANDLERS[call.operation.id](self.orders, call)
        except OrderSystemError as error:
            status, answer = _error(500, "away", str(error))
        # As the caller will see it: tuples are lists.
        answer = json.loads(json.dumps(answer))
        self.wrong += self.document.wrong_in_answer(call.operation, status, answer)
        return status, answer


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as there
        """A caller that has gone is no error of the server; all else is one of the test."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(server: OrderServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self._serve()

        do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            content = self.rfile.read(size) if size else b""
            fault = server.next_fault() or Fault()
            if fault.before:
                status, answer = _error(500, "failed", "told to fail")
            else:
                status, answer = self._answered(content)
            server.ended.wait(fault.seconds) if fault.seconds else None
            if fault.drop:
                self._hang_up()
                return
            if fault.change:
                answer = fault.change(answer)
            body = fault.raw if fault.raw is not None else json.dumps(answer).encode()
            self._send(fault, fault.status or status, body)

        def _answered(self, content: bytes) -> Answer:
            target = self.path.removeprefix(BASE)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(content) if content else None
            call = server.document.find(self.command, target, headers, body)
            if call is None:
                server.wrong.append(f"{self.command} {self.path}: no such call")
                return _error(404, "no_call", "没有这个接口")
            server.asked.append((call.operation.id, self.path))
            token = f"Bearer {server.token}".encode()
            if not compare_digest(headers.get("authorization", "").encode(), token):
                return _error(401, "token", "令牌不对")
            return server.answer(call)

        def _send(self, fault: Fault, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in fault.headers:
                self.send_header(name, value)
            self.end_headers()
            if fault.short:
                self.wfile.write(body[:-1])
                self._hang_up()
            elif fault.trickle:
                for place in range(len(body)):
                    if server.ended.wait(fault.trickle):
                        return
                    self.wfile.write(body[place : place + 1])
            else:
                self.wfile.write(body)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 - as there
            """Tests print nothing."""

    return Handler


def main() -> None:
    """Serve the demo orders until stopped; the token is that of HUIXIN_ORDERS_TOKEN."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 9100
    token = os.environ.get("HUIXIN_ORDERS_TOKEN", TOKEN)
    with OrderServer(fill(folder / "orders.sqlite3"), port, token) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()

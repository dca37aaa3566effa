"""The order system of a business over real HTTP: what comes back when the other side fails.

What it must do when all goes well stands in test_orders.py, for every order system.
"""

import gzip
import json
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from desk.__main__ import main as desk_command
from desk.conversations import fulfilment
from recovery.orders import remote as remote_orders
from recovery.orders.demo import fill
from recovery.orders.embedded import EmbeddedOrders
from recovery.orders.remote import RemoteOrders, within
from recovery.orders.several import SeveralOrders, close_orders, open_orders
from recovery.orders.system import Order, OrderSystemError, Product, RemedyRefusedError
from recovery.settings import Settings, SettingsError, load_settings
from tests.desk.people import PATIENCE
from tests.support import order_server
from tests.support.order_server import (
    BROKEN,
    BROKEN_AFTER,
    CUT,
    DROPPED,
    FLOATS,
    HANDLERS,
    HUGE,
    MALFORMED,
    REFUSED,
    TOKEN,
    Fault,
    OrderServer,
)
from tests.support.stack import ROOT, free_port

SHOP, ORDER, LAST4, BUYER = "qinghe", "QH202611150108", "6621", "buyer-2001"
REFUND: dict[str, Any] = {"kind": "refund_part", "fen": 1000}
THREADS = 16
# On which the demo takes place, whenever the tests run.
DAY = date(2026, 11, 22)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orders.sqlite3"


@pytest.fixture
def server(file: Path) -> Iterator[OrderServer]:
    with OrderServer(fill(file, DAY)) as server:
        yield server
    assert server.wrong == [], "requests and answers fit the document"


@pytest.fixture
def pauses() -> list[float]:
    """How long the client wanted to wait; it does not."""
    return []


@pytest.fixture
def remote(server: OrderServer, pauses: list[float]) -> Iterator[RemoteOrders]:
    remote = RemoteOrders(server.url, TOKEN, pause=pauses.append)
    yield remote
    remote.close()


def effects(file: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute("SELECT key, kind FROM effects ORDER BY key").fetchall()


def asked(server: OrderServer) -> list[str]:
    return [operation for operation, _ in server.asked]


# --- the document -----------------------------------------------------------------------------

QUESTIONS: dict[str, Callable[[RemoteOrders], Any]] = {
    "proof": lambda remote: remote.matches(SHOP, ORDER, LAST4),
    "order": lambda remote: remote.order(SHOP, ORDER),
    "ordersOf": lambda remote: remote.orders_of(SHOP, BUYER),
    "recommend": lambda remote: remote.recommend(SHOP, ORDER),
}
CALLS = {
    **QUESTIONS,
    "carryOut": lambda remote: remote.carry_out("o1:0", SHOP, ORDER, REFUND),
}


def test_document_server_and_client_have_the_same_calls(
    server: OrderServer, remote: RemoteOrders
) -> None:
    in_document = [operation.id for operation in server.document.operations]
    assert len(set(in_document)) == len(in_document)
    assert set(in_document) == set(HANDLERS) == set(CALLS)
    for call in CALLS.values():
        assert call(remote)
    assert asked(server) == list(CALLS)


def test_every_path_of_the_document_is_served_and_no_other(server: OrderServer) -> None:
    values = {"business": SHOP, "number": ORDER}
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "o1:0"}
    bodies = {"proof": {"last4": LAST4}, "carryOut": REFUND}
    with httpx.Client(headers=headers, trust_env=False, timeout=PATIENCE) as http:
        for template, methods in server.document.content["paths"].items():
            url = server.url + template.format(**values)
            for method in ("get", "post", "put", "delete", "patch"):
                name = methods.get(method, {}).get("operationId")
                answer = http.request(
                    method,
                    url,
                    params={"customer": BUYER} if name == "ordersOf" else None,
                    json=bodies.get(name),
                )
                assert answer.status_code == (200 if name else 404), (method, template)
        for path in ("/", "/v1", "/v1/businesses/qinghe", "/v2/businesses/qinghe/orders/QH1"):
            assert http.get(server.url + path).status_code == 404
    served = len(server.document.operations)
    assert [name for name, _ in server.asked] == [one.id for one in server.document.operations]
    assert all("no such call" in one for one in server.wrong)
    assert len(server.wrong) == 5 * len(server.document.content["paths"]) - served + 4
    server.wrong.clear()


def test_document_is_in_two_languages_and_explains_every_answer(server: OrderServer) -> None:
    content = server.document.content
    assert content["openapi"].startswith("3.1")
    for operation in server.document.operations:
        assert re.search(r"[\u4e00-\u9fff]", operation.content["summary"])
        assert {"200", "401", "429", "500"} <= set(operation.content["responses"])
        assert set(operation.names) <= {
            one["name"] for one in server.document.parameters(operation)
        }
    for word in ("Idempotency-Key", "幂等", "fen"):
        assert word in content["info"]["description"]


def test_the_judge_of_the_document_judges(server: OrderServer) -> None:
    """A judge that finds nothing wrong would make all the others worthless."""
    schema = {"$ref": "#/components/schemas/Order"}
    right = json.loads(json.dumps(order_server._order(server.orders, _call(server))[1]))
    assert server.document.wrong(schema, right) == []
    for name, value in (
        ("paid", 68.5),
        ("paid", True),
        ("paid", -1),
        ("tier", "platinum"),
        ("received_on", "yesterday"),
        ("items", [{"sku": "x"}]),
        ("title", ""),
    ):
        assert server.document.wrong(schema, {**right, name: value}), name
    del right["first_time"]
    assert server.document.wrong(schema, right) == ["body.first_time: missing"]


def _call(server: OrderServer) -> Any:  # noqa: ANN401 - the support's own
    call = server.document.find("GET", f"/v1/businesses/{SHOP}/orders/{ORDER}", {}, None)
    assert call is not None
    return call


# --- what goes over the wire -------------------------------------------------------------------


def test_digits_stand_in_no_address(server: OrderServer, remote: RemoteOrders) -> None:
    assert remote.matches(SHOP, ORDER, LAST4)
    ((_, address),) = server.asked
    assert LAST4 not in address


@pytest.mark.parametrize("number", ["../admin", "A/B", "A?B", "A#B", "A%2FB", "订单1", "A B&C=D;E"])
def test_a_number_stays_one_segment_of_the_path(
    server: OrderServer, remote: RemoteOrders, number: str
) -> None:
    assert remote.order(SHOP, number) is None
    assert remote.matches(SHOP, number, LAST4) is False
    assert asked(server) == ["order", "proof"]
    for _, address in server.asked:
        assert address.isascii()
        assert address.partition("/orders/")[2].removesuffix("/proof").count("/") == 0


@pytest.mark.parametrize("number", ["", "  ", ".", "..", "A\x00", "A\x07B", "\ud800", "9" * 65])
def test_what_can_be_no_number_is_not_even_asked_for(
    server: OrderServer, remote: RemoteOrders, number: str
) -> None:
    assert remote.order(SHOP, number) is None
    assert remote.matches(SHOP, number, LAST4) is False
    assert remote.recommend(SHOP, number) is None
    with pytest.raises(RemedyRefusedError):
        remote.carry_out("o1:0", SHOP, number, REFUND)
    assert server.asked == []


def test_other_side_gets_one_amount_and_what_the_customer_was_told(
    server: OrderServer, remote: RemoteOrders, file: Path
) -> None:
    remedy = {"kind": "damages", "times": 3, "fen": 50_000, "worth": 60_000, "by": "今天18点前"}
    assert remote.carry_out("o1:0", SHOP, ORDER, remedy)["fen"] == 60_000
    with closing(sqlite3.connect(file)) as db:
        (stored,) = db.execute("SELECT remedy FROM effects").fetchone()
    assert json.loads(stored) == {"kind": "damages", "times": 3, "fen": 60_000, "by": "今天18点前"}


# --- failures of questions ----------------------------------------------------------------------


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("fault", [REFUSED, DROPPED, CUT, BROKEN, Fault(status=503)])
def test_a_question_is_asked_once_more(
    server: OrderServer, remote: RemoteOrders, pauses: list[float], fault: Fault, name: str
) -> None:
    expected = QUESTIONS[name](remote)
    server.fail(fault)
    assert QUESTIONS[name](remote) == expected
    server.fail(fault, fault)
    with pytest.raises(OrderSystemError):
        QUESTIONS[name](remote)
    assert not server.faults, "and not oftener"
    assert QUESTIONS[name](remote) == expected
    assert pauses == []


UNUSABLE = {
    "cut off": MALFORMED,
    "empty": Fault(raw=b""),
    "a page": Fault(raw=b"<html>sign in</html>"),
    "no text": Fault(raw=b"\xff\xfe\x00"),
    "too deep": Fault(raw=b"[" * 100_000),
    "no number": Fault(raw=b'{"matches": NaN}'),
    "endless number": Fault(raw=b'{"matches": ' + b"9" * 10_000 + b"}"),
    "null": Fault(raw=b"null"),
    "list": Fault(raw=b"[]"),
    "empty object": Fault(raw=b"{}"),
    "text": Fault(raw=b'"yes"'),
    "huge": HUGE,
    "compressed": Fault(raw=gzip.compress(b"{}"), headers=(("Content-Encoding", "gzip"),)),
    "redirect": Fault(status=302, headers=(("Location", "http://127.0.0.1:9/elsewhere"),)),
    "redirect for ever": Fault(status=308, headers=(("Location", "/"),)),
    "created": Fault(status=204, raw=b""),
    "forbidden": Fault(status=403),
    "gone": Fault(status=410),
    "teapot": Fault(status=418),
    "refused": Fault(status=422),
}


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("kind", UNUSABLE)
def test_an_unusable_answer_is_no_answer_and_asking_again_no_use(
    server: OrderServer, remote: RemoteOrders, kind: str, name: str
) -> None:
    server.fail(UNUSABLE[kind])
    with pytest.raises(OrderSystemError) as error:
        QUESTIONS[name](remote)
    assert len(server.asked) == 1
    told = str(error.value)
    assert not any(secret in told for secret in (TOKEN, ORDER, LAST4, BUYER, "127.0.0.1"))


@pytest.mark.parametrize("name", ["order", "ordersOf"])
def test_money_as_floats_is_refused(server: OrderServer, remote: RemoteOrders, name: str) -> None:
    server.fail(FLOATS)
    with pytest.raises(OrderSystemError, match=r"^paid: no whole number"):
        QUESTIONS[name](remote)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("proof", {"matches": 1}),
        ("proof", {"matches": "true"}),
        ("order", {"number": "QH202611160231"}),
        ("order", {"business": "lanting"}),
        ("order", {"paid": "6800"}),
        ("order", {"tier": "platinum"}),
        ("order", {"first_time": None}),
        ("recommend", {"sku": 7}),
        ("recommend", {"name": "\x00"}),
        ("ordersOf", {"orders": {}}),
        ("ordersOf", {"orders": [{}]}),
        ("ordersOf", {"orders": [{}] * 201}),
    ],
)
def test_wrong_fields_are_refused(
    server: OrderServer, remote: RemoteOrders, name: str, wrong: dict[str, Any]
) -> None:
    """Also the order of somebody else, that a mistaken server gives away."""
    server.fail(Fault(change=lambda answer: {**answer, **wrong}))
    with pytest.raises(OrderSystemError):
        QUESTIONS[name](remote)


def test_an_order_of_another_business_in_a_list_is_refused(
    server: OrderServer, remote: RemoteOrders
) -> None:
    def another(answer: Any) -> Any:  # noqa: ANN401 - JSON
        return {"orders": [{**one, "business": "lanting"} for one in answer["orders"]]}

    server.fail(Fault(change=another))
    with pytest.raises(OrderSystemError, match="business"):
        remote.orders_of(SHOP, BUYER)


def test_a_list_in_disorder_is_put_in_order(server: OrderServer, remote: RemoteOrders) -> None:
    right = remote.orders_of(SHOP, BUYER)
    server.fail(Fault(change=lambda answer: {"orders": answer["orders"][::-1]}))
    assert remote.orders_of(SHOP, BUYER) == right
    assert len(right) == 2


def test_a_slow_server_is_not_waited_for_twice(server: OrderServer) -> None:
    remote = RemoteOrders(server.url, TOKEN, query_seconds=0.2)
    for fault in (Fault(seconds=20), Fault(before=True, seconds=20)):
        server.fail(fault)
        begun = time.monotonic()
        with pytest.raises(OrderSystemError, match="slow"):
            remote.order(SHOP, ORDER)
        assert time.monotonic() - begun < 2
        assert not server.faults
    remote.close()


def test_a_server_that_trickles_is_not_waited_for_for_ever(
    server: OrderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recovery.orders.remote._CONNECT_SECONDS", 0.2)
    remote = RemoteOrders(server.url, TOKEN, query_seconds=0.3)
    server.fail(Fault(trickle=0.05))
    begun = time.monotonic()
    with pytest.raises(OrderSystemError, match="trickle"):
        remote.order(SHOP, ORDER)
    assert time.monotonic() - begun < 3
    remote.close()


def test_nobody_there(pauses: list[float]) -> None:
    remote = RemoteOrders(f"http://127.0.0.1:{free_port()}", TOKEN, pause=pauses.append)
    for call in CALLS.values():
        with pytest.raises(OrderSystemError, match="away"):
            call(remote)
    remote.close()
    assert len(pauses) == 2


def test_somebody_who_takes_the_call_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        remote = RemoteOrders(f"http://127.0.0.1:{deaf.getsockname()[1]}", TOKEN, query_seconds=0.2)
        with pytest.raises(OrderSystemError, match="slow"):
            remote.order(SHOP, ORDER)
        remote.close()


def test_somebody_who_speaks_another_language() -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def speak() -> None:
            for _ in range(2):
                connection, _ = odd.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"220 mail.example ESMTP\r\n")

        speaker = threading.Thread(target=speak)
        speaker.start()
        remote = RemoteOrders(f"http://127.0.0.1:{odd.getsockname()[1]}", TOKEN)
        with pytest.raises(OrderSystemError):
            remote.order(SHOP, ORDER)
        speaker.join(10)
        remote.close()


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_token_is_an_error_and_nothing_is_done(
    server: OrderServer, file: Path, name: str
) -> None:
    remote = RemoteOrders(server.url, "another-token")
    with pytest.raises(OrderSystemError, match="401") as error:
        CALLS[name](remote)
    assert "another-token" not in f"{error.value!r}{error.value.__cause__!r}{remote!r}"
    assert len(server.asked) == 1
    assert effects(file) == []
    remote.close()


def test_cookies_of_one_call_are_not_sent_with_the_next(
    server: OrderServer, remote: RemoteOrders
) -> None:
    server.fail(Fault(headers=(("Set-Cookie", "session=of-somebody; Path=/"),)))
    assert remote.order(SHOP, ORDER)
    assert list(remote._client.cookies.jar) == []


# --- nobody waits longer than was said ----------------------------------------------------------


def took(call: Callable[[], object]) -> float:
    """How long a call takes that finds the other side too slow."""
    begun = time.monotonic()
    with pytest.raises(OrderSystemError, match="slow"):
        call()
    return time.monotonic() - begun


@pytest.mark.parametrize("name", QUESTIONS)
def test_both_tries_of_a_question_share_its_time(server: OrderServer, name: str) -> None:
    # On a busy machine all takes longer, but nothing so long that each try had its own time.
    with closing(RemoteOrders(server.url, TOKEN, query_seconds=3.0)) as remote:
        server.fail(Fault(seconds=2.0, drop=True), Fault(seconds=20))
        assert 2.0 < took(lambda: QUESTIONS[name](remote)) < 4.8
        assert len(server.asked) == 2


@pytest.mark.parametrize("part", ["status", "headers", "body"])
@pytest.mark.parametrize("name", CALLS)
def test_an_answer_that_trickles_keeps_nobody(part: str, name: str) -> None:
    """Byte by byte each comes in time; all of it never does."""
    whole = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 4000 + b"\r\nContent-Length: 900\r\n\r\n{"
    at_once = {"status": 0, "headers": 30, "body": whole.index(b"{")}[part]
    ended = threading.Event()

    def trickle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(whole[:at_once])
            for byte in whole[at_once:] + b" " * 900:
                if ended.wait(0.02):
                    return
                connection.sendall(bytes((byte,)))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = slow.accept()
                threading.Thread(target=trickle, args=(connection,)).start()

    with socket.create_server(("127.0.0.1", 0)) as slow:
        threading.Thread(target=serve, daemon=True).start()
        remote = RemoteOrders(
            f"http://127.0.0.1:{slow.getsockname()[1]}",
            TOKEN,
            query_seconds=0.5,
            carry_out_seconds=0.4,
            carry_out_in_all=0.7,
        )
        try:
            assert took(lambda: CALLS[name](remote)) < 1.0
        finally:
            ended.set()
            slow.shutdown(socket.SHUT_RDWR)
            remote.close()


def test_a_name_that_is_looked_up_for_ever_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(30) and [])
    with closing(RemoteOrders("https://orders.example", TOKEN, query_seconds=0.3)) as remote:
        assert took(lambda: remote.order(SHOP, ORDER)) < 0.8
        ended.set()


def test_the_questions_of_a_turn_share_its_time(server: OrderServer) -> None:
    with closing(RemoteOrders(server.url, TOKEN)) as remote:
        server.fail(*[Fault(seconds=0.3)] * 4)

        def ask_on() -> None:
            for _ in range(4):
                remote.order(SHOP, ORDER)

        with within(0.8):
            assert 0.6 < took(ask_on) < 1.1
            begun = time.monotonic()
            with pytest.raises(OrderSystemError, match="slow: no time is left"):
                remote.order(SHOP, ORDER)
            assert time.monotonic() - begun < 0.2
        # The next turn has its own time, and a remedy is none of a turn's questions.
        server.faults.clear()
        with within(0.0):
            assert remote.carry_out("o1:0", SHOP, ORDER, REFUND)["fen"] == 1000
        assert remote.order(SHOP, ORDER)


def test_all_tries_of_a_remedy_share_its_time(server: OrderServer, file: Path) -> None:
    with closing(
        RemoteOrders(server.url, TOKEN, carry_out_seconds=0.5, carry_out_in_all=1.4)
    ) as remote:
        server.fail(*[Fault(seconds=20)] * 3)
        assert 0.5 < took(lambda: remote.carry_out("o1:0", SHOP, ORDER, REFUND)) < 1.7
        assert 1 < len(server.asked) <= 3
        server.faults.clear()
        assert remote.carry_out("o1:0", SHOP, ORDER, REFUND)["fen"] == 1000
        assert effects(file) == [("o1:0", "refund_part")]


def test_who_waits_waits_longer() -> None:
    """An action has three seconds, the desk waits for twenty."""
    assert remote_orders._QUERY_SECONDS <= 2.5
    assert 2 * remote_orders._CONNECT_SECONDS < remote_orders._QUERY_SECONDS
    assert remote_orders._CARRY_OUT_IN_ALL <= 18 < fulfilment._CALL_SECONDS


def test_closing_all_closes_what_is_open_and_nothing_else(
    server: OrderServer, remote: RemoteOrders
) -> None:
    several = SeveralOrders({"qinghe": remote, "yuanxing": remote, "lanting": Named("lanting")})
    assert several.order(SHOP, ORDER)
    close_orders(several)
    assert remote._client.is_closed
    close_orders(several)
    close_orders(Named("lanting"))


# --- failures of remedies -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refund_part", "voucher", "resend"])
@pytest.mark.parametrize("fault", [DROPPED, BROKEN_AFTER, CUT, REFUSED, BROKEN])
@pytest.mark.parametrize("times", [1, 2])
def test_a_remedy_is_done_once_whenever_the_connection_breaks(
    server: OrderServer,
    remote: RemoteOrders,
    file: Path,
    pauses: list[float],
    fault: Fault,
    kind: str,
    times: int,
) -> None:
    server.fail(*[fault] * times)
    receipt = remote.carry_out("o1:0", SHOP, ORDER, {"kind": kind, "fen": 1000})
    assert effects(file) == [("o1:0", kind)]
    assert remote.carry_out("o1:0", SHOP, ORDER, {"kind": kind, "fen": 1000}) == receipt
    assert len(pauses) == times
    assert all(0 < pause < 2 for pause in pauses)


def test_tries_are_bounded_and_the_next_call_gets_the_same_receipt(
    server: OrderServer, remote: RemoteOrders, file: Path, pauses: list[float]
) -> None:
    server.fail(*[DROPPED] * 3)
    with pytest.raises(OrderSystemError):
        remote.carry_out("o1:0", SHOP, ORDER, REFUND)
    assert asked(server) == ["carryOut"] * 3
    assert len(pauses) == 2
    assert effects(file) == [("o1:0", "refund_part")], "it was done, and nobody has heard of it"
    assert remote.carry_out("o1:0", SHOP, ORDER, REFUND)["fen"] == 1000
    assert effects(file) == [("o1:0", "refund_part")]


def test_pauses_grow_and_differ(server: OrderServer, pauses: list[float]) -> None:
    remote = RemoteOrders(server.url, TOKEN, pause=pauses.append)
    for n in range(20):
        server.fail(BROKEN, BROKEN)
        remote.carry_out(f"o{n}:0", SHOP, ORDER, {"kind": "apology"})
    first, second = pauses[::2], pauses[1::2]
    assert sum(second) > sum(first)
    assert len(set(pauses)) == len(pauses)
    remote.close()


def test_a_slow_remedy_is_asked_for_again_with_its_key(server: OrderServer, file: Path) -> None:
    remote = RemoteOrders(server.url, TOKEN, carry_out_seconds=0.3, pause=lambda _: None)
    server.fail(Fault(seconds=20))
    assert remote.carry_out("o1:0", SHOP, ORDER, REFUND)["fen"] == 1000
    assert len(server.asked) == 2
    assert effects(file) == [("o1:0", "refund_part")]
    remote.close()


@pytest.mark.parametrize("fault", [None, DROPPED])
def test_one_key_from_many_threads_and_clients_is_one_effect(
    server: OrderServer, file: Path, fault: Fault | None
) -> None:
    remotes = [RemoteOrders(server.url, TOKEN, pause=lambda _: None) for _ in range(2)]
    if fault:
        server.fail(*[fault] * (THREADS // 2))
    barrier = threading.Barrier(THREADS)

    def carry_out(n: int) -> dict[str, Any]:
        barrier.wait(30)
        for _ in range(THREADS):
            try:
                return remotes[n % 2].carry_out("o1:0", SHOP, ORDER, {"kind": "refund_full"})
            except OrderSystemError:
                continue
        raise AssertionError("never answered")

    with ThreadPoolExecutor(THREADS) as pool:
        receipts = list(pool.map(carry_out, range(THREADS)))
    assert receipts == [{"refund": receipts[0]["refund"], "fen": 6800}] * THREADS
    assert effects(file) == [("o1:0", "refund_full")]
    for remote in remotes:
        remote.close()


@pytest.mark.parametrize("status", [409, 422])
def test_a_refusal_comes_with_its_reason_and_is_not_repeated(
    server: OrderServer, remote: RemoteOrders, status: int
) -> None:
    reason = "仓库里没有\n这件货了\x00" + "长" * 500
    answer = json.dumps({"error": {"code": "no_stock", "reason": reason}}).encode()
    server.fail(Fault(before=True, status=status, raw=answer))
    with pytest.raises(RemedyRefusedError, match="仓库里没有 这件货了") as error:
        remote.carry_out("o1:0", SHOP, ORDER, {"kind": "resend"})
    assert len(str(error.value)) <= 200
    assert not server.asked, "not asked again"


@pytest.mark.parametrize("answer", [b"{}", b"[]", b'{"error": "no"}', b'{"error": {"reason": 5}}'])
def test_a_refusal_without_a_reason_is_still_one(
    server: OrderServer, remote: RemoteOrders, answer: bytes
) -> None:
    server.fail(Fault(status=409, raw=answer))
    with pytest.raises(RemedyRefusedError, match="without a reason"):
        remote.carry_out("o1:0", SHOP, ORDER, {"kind": "resend"})


@pytest.mark.parametrize("status", [400, 404, 405, 410, 301, 307])
def test_other_statuses_are_no_refusal(
    server: OrderServer, remote: RemoteOrders, status: int
) -> None:
    """A wrong address in the settings must not make every promise void."""
    server.fail(Fault(before=True, status=status, headers=(("Location", "/"),)))
    with pytest.raises(OrderSystemError, match=str(status)):
        remote.carry_out("o1:0", SHOP, ORDER, REFUND)
    assert not server.faults


@pytest.mark.parametrize(
    "receipt",
    [
        b'{"refund": "TK1", "fen": 1000.0}',
        b'{"refund": "TK1", "fen": "1000"}',
        b'{"refund": "TK1", "fen": true}',
        b'{"refund": "TK1", "fen": 999}',
        b'{"refund": "TK1"}',
        b'{"refund": 1, "fen": 1000}',
        b'{"coupon": "Q1"}',
        b"null",
        *(UNUSABLE[kind].raw or b"" for kind in ("cut off", "empty", "a page", "huge")),
    ],
    ids=lambda raw: str(raw[:40]),
)
def test_a_wrong_receipt_is_an_error_and_the_right_one_comes_later(
    server: OrderServer, remote: RemoteOrders, file: Path, receipt: bytes
) -> None:
    server.fail(Fault(raw=receipt))
    with pytest.raises(OrderSystemError):
        remote.carry_out("o1:0", SHOP, ORDER, REFUND)
    assert remote.carry_out("o1:0", SHOP, ORDER, REFUND)["fen"] == 1000
    assert effects(file) == [("o1:0", "refund_part")]


def test_an_amount_that_is_no_whole_number_is_never_sent(
    server: OrderServer, remote: RemoteOrders
) -> None:
    for fen in (100.0, "100", True, None, -1, float("inf")):
        with pytest.raises(RemedyRefusedError):
            remote.carry_out("o1:0", SHOP, ORDER, {"kind": "refund_part", "fen": fen})
    assert server.asked == []


def test_what_cannot_be_said_is_an_error_and_not_sent(
    server: OrderServer, remote: RemoteOrders
) -> None:
    for key, more in (("o1:0", float("nan")), ("o1:0", {1}), ("o1\r\nX: y", 1), ("键", 1)):
        with pytest.raises(OrderSystemError):
            remote.carry_out(key, SHOP, ORDER, {"kind": "resend", "more": more})
    assert server.asked == []


# --- the systems of several businesses -----------------------------------------------------------


class Named:
    """An order system that tells its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def matches(self, business: str, number: str, last4: str) -> bool:
        return self.name == business

    def order(self, business: str, number: str) -> Order | None:
        return None

    def orders_of(self, business: str, external_customer: str) -> list[Order]:
        return []

    def recommend(self, business: str, number: str) -> Product | None:
        return Product(self.name, number)

    def carry_out(
        self, key: str, business: str, number: str, remedy: dict[str, Any]
    ) -> dict[str, Any]:
        return {"coupon": f"{self.name} {key} {business} {number} {remedy['kind']}"}


def test_each_call_goes_to_whom_it_belongs() -> None:
    several = SeveralOrders({"lanting": Named("lanting"), "qinghe": Named("qinghe")})
    for business in ("lanting", "qinghe"):
        assert several.matches(business, "1", "1234")
        assert several.recommend(business, "1") == Product(business, "1")
        assert several.orders_of(business, "c") == []
        assert several.order(business, "1") is None
        receipt = several.carry_out("k", business, "1", {"kind": "voucher"})
        assert receipt == {"coupon": f"{business} k {business} 1 voucher"}
    calls: list[Callable[[], Any]] = [
        lambda: several.matches("closed", "1", "1234"),
        lambda: several.order("closed", "1"),
        lambda: several.orders_of("closed", "c"),
        lambda: several.recommend("closed", "1"),
        lambda: several.carry_out("k", "closed", "1", {"kind": "voucher"}),
    ]
    for call in calls:
        with pytest.raises(OrderSystemError, match="closed"):
            call()


def settings_with(folder: Path, orders: dict[str, Any]) -> Settings:
    """The shipped settings, with other order systems, read from a file."""
    content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8")) | {"data": "var"}
    for business in content["businesses"]:
        business |= {"orders": orders[business["id"]]} if business["id"] in orders else {}
    path = folder / "huixin.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return load_settings(path)


def over_http(url: str) -> dict[str, str]:
    return {"kind": "http", "url": url, "token_env": "QINGHE_ORDERS_TOKEN"}


def test_the_settings_say_where_orders_are(
    tmp_path: Path, server: OrderServer, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QINGHE_ORDERS_TOKEN", f" {TOKEN}\n")
    settings = settings_with(tmp_path, {"qinghe": over_http(server.url)})
    orders = open_orders(settings)
    remote, embedded = orders.of("qinghe"), orders.of("lanting")
    assert isinstance(remote, RemoteOrders)
    assert isinstance(embedded, EmbeddedOrders)
    assert orders.of("yuanxing") is embedded
    assert orders.matches("lanting", "LT202611180012", "4417")
    assert server.asked == []
    assert orders.carry_out("o1:0", SHOP, ORDER, REFUND)["fen"] == 1000
    assert effects(file) == [("o1:0", "refund_part")]
    assert effects(settings.orders_file) == []
    remote.close()


def test_no_file_is_made_where_all_orders_are_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QINGHE_ORDERS_TOKEN", TOKEN)
    away = over_http("https://orders.example")
    settings = settings_with(tmp_path, {})
    settings = settings_with(tmp_path, dict.fromkeys((one.id for one in settings.businesses), away))
    open_orders(settings)
    assert not settings.orders_file.exists()


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (None, "QINGHE_ORDERS_TOKEN is not set"),
        ("", "QINGHE_ORDERS_TOKEN is not set"),
        (" \n", "QINGHE_ORDERS_TOKEN is not set"),
        ("two words", "what QINGHE_ORDERS_TOKEN holds cannot be a token"),
        ("令牌", "what QINGHE_ORDERS_TOKEN holds cannot be a token"),
        ("a\r\nX-Evil: 1", "what QINGHE_ORDERS_TOKEN holds cannot be a token"),
    ],
)
def test_a_missing_token_stops_the_start_and_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    token: str | None,
    told: str,
) -> None:
    if token is None:
        monkeypatch.delenv("QINGHE_ORDERS_TOKEN", raising=False)
    else:
        monkeypatch.setenv("QINGHE_ORDERS_TOKEN", token)
    settings = settings_with(tmp_path, {"qinghe": over_http("https://orders.example")})
    with pytest.raises(SettingsError) as error:
        open_orders(settings)
    assert str(error.value).startswith("businesses.1.orders.http.token_env: ")
    assert told in str(error.value)
    monkeypatch.setenv("HUIXIN_SETTINGS", str(tmp_path / "huixin.yml"))
    assert desk_command(["migrate"]) == 2
    shown = capsys.readouterr().err
    assert told in shown
    assert "Traceback" not in shown
    assert token is None or not token.strip() or token not in shown

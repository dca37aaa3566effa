"""The benchmark's own parts: its arithmetic, its script, its clients, its verdicts."""

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import websockets

from bench import __main__ as program
from bench import decisions, figures, machine, measure, report, script, stock
from bench.figures import Sample
from bench.loads import Connection, PageTalk, RestTalk, UnansweredError
from bench.machine import Memory
from bench.measure import Growth, Invitations
from bench.recognition import Costs
from recovery.failures import TRADES
from recovery.orders.embedded import EmbeddedOrders
from tools.places import Places, here

MEGABYTE = 1024**2


# --- arithmetic ---------------------------------------------------------------------------


def test_median_of_odd_and_even_numbers() -> None:
    assert figures.median([3.0, 1.0, 2.0]) == 2.0
    assert figures.median([4.0, 1.0, 3.0, 2.0]) == 2.5


@pytest.mark.parametrize(("share", "value"), [(0.95, 95), (0.5, 50), (1.0, 100), (0.001, 1)])
def test_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert figures.percentile(list(range(100, 0, -1)), share) == value


@pytest.mark.parametrize("function", [figures.median, lambda none: figures.percentile(none, 0.5)])
def test_nothing_measured_is_no_figure(function: Callable[[list[float]], float]) -> None:
    with pytest.raises(ValueError, match="no values"):
        function([])


def test_a_sample_gives_milliseconds_and_messages_a_second() -> None:
    sample = Sample(tuple(n / 1000 for n in range(1, 101)), 4.0, 0, {"rasa": 1.5})

    assert sample.median == pytest.approx(50.5)
    assert sample.p95 == pytest.approx(95)
    assert sample.rate == pytest.approx(25)
    assert sample.processor_of("rasa") == pytest.approx(15)
    assert sample.processor_of("desk") == 0


def test_rounds_are_pooled() -> None:
    one = Sample((0.1, 0.2), 1.0, 1, {"rasa": 0.5, "desk": 0.1})
    other = Sample((0.3,), 2.0, 0, {"rasa": 0.25})

    both = figures.pooled([one, other])

    assert both == Sample((0.1, 0.2, 0.3), 3.0, 1, {"rasa": 0.75, "desk": 0.1})


def test_a_window_begins_with_its_message() -> None:
    latencies = [number / 1000 for number in range(1, 31)]

    assert figures.window(latencies, 5, 20) == pytest.approx(14.5)
    with pytest.raises(ValueError, match="no messages 12 to 31"):
        figures.window(latencies, 12, 20)


# --- what is said -------------------------------------------------------------------------


def test_early_and_late_windows_hold_the_same_words() -> None:
    claim = next(script.claims())

    def words(first: int) -> list[str]:
        return sorted(
            script.undecided(number, claim) for number in range(first, first + measure.WINDOW)
        )

    assert words(5) == words(500) == words(100)


def test_the_story_names_the_order_once_and_has_an_end() -> None:
    claim = script.Claim("QH202500000007", "0007")

    told = [script.story(number, claim) for number in range(1, script.STORY + 1)]

    assert [text for text in told if "QH202500000007" in text and "0007" in text] == [told[1]]
    assert not any("{" in text for text in told)
    assert len(told) == 20


def test_the_orders_of_all_claims_are_in_the_directory(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite3"
    script.fill_orders(path)
    orders = EmbeddedOrders(path)
    claims = list(script.claims())

    assert len({claim.number for claim in claims}) == script.ORDERS
    for claim in (claims[0], claims[-1]):
        assert orders.matches(script.BUSINESS, claim.number, claim.last4)
        found = orders.order(script.BUSINESS, claim.number)
        assert found is not None and len(found.items) == 1


# --- the command line ---------------------------------------------------------------------


def test_a_full_run_is_written_to_the_docs() -> None:
    options = program.arguments([])

    assert options.roads == "abc"
    assert not options.quick
    assert options.output == here().root / "docs" / "bench.md"


@pytest.mark.parametrize("given", [["--quick"], ["--roads", "ac"]])
def test_a_partial_run_is_only_printed(given: list[str]) -> None:
    assert program.arguments(given).output is None


def test_roads_are_named_by_their_letters(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.arguments(["--roads", "cac"]).roads == "ac"
    with pytest.raises(SystemExit):
        program.arguments(["--roads", "abd"])
    assert "name some of a, b and c" in capsys.readouterr().err


def test_one_part_alone_starts_no_road() -> None:
    options = program.arguments(["--only", "decisions", "--quick"])

    assert (options.only, options.roads, options.costs, options.output) == (
        *("decisions", "", False),
        None,
    )


@pytest.mark.parametrize("part", ["decisions", "desk", "page", "wechat"])
def test_one_part_alone_is_written_to_the_docs(part: str) -> None:
    options = program.arguments(["--only", part])

    assert (options.only, options.roads, options.costs) == (part, "", False)
    assert options.output == here().root / "docs" / "bench.md"


# --- decisions of the remedy policy -------------------------------------------------------


def test_decisions_are_measured_in_a_process_of_their_own() -> None:
    found = decisions.measured(here(), 300)

    assert found.count == 300
    assert 0 < found.median_ms <= found.p95_ms
    assert found.rate > 0


def test_decisions_are_of_every_trade_and_the_same_in_every_run() -> None:
    runs = [list(decisions._varied(400, random.Random(decisions.SEED))) for _ in range(2)]

    assert runs[0] == runs[1]
    assert {trade for trade, _ in runs[0]} == set(TRADES)
    assert len({str(known) for _, known in runs[0]}) == 400


def test_decisions_alone_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--only", "decisions", "--quick"]) == 0

    shown = capsys.readouterr().out
    assert "## Decisions of the remedy policy" in shown
    assert "## Conversations at once" not in shown
    assert re.search(r"at most 1 ms, median, one core \| 0\.\d{3} ms \| reached", shown)


# --- stock Rasa's model -------------------------------------------------------------------


def a_project(root: Path) -> Places:
    for folder in ("data", "requirements"):
        (root / folder).mkdir(parents=True)
    (root / "data" / "nlu.yml").write_text("version: '3.1'\n", "utf-8")
    (root / "domain.yml").write_text("version: '3.1'\n", "utf-8")
    (root / "requirements" / "nlu.txt").write_text("rasa==3.6.21\n", "utf-8")
    return Places(root)


def test_the_stock_model_is_kept_by_what_it_is_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "project" / "config.yml"
    places = a_project(tmp_path / "project")
    config.write_text("pipeline: []\n", "utf-8")
    monkeypatch.setattr(stock, "CONFIG", config)
    first = stock.model_path(places)

    assert stock.model_path(places) == first
    assert re.fullmatch(r"stock-[0-9a-f]{16}\.tar\.gz", first.name)
    assert first.parent != places.models
    for file in (config, places.root / "domain.yml", places.root / "data" / "nlu.yml"):
        file.write_text(file.read_text("utf-8") + "# changed\n", "utf-8")
        assert stock.model_path(places) != first
        first = stock.model_path(places)


def test_a_model_that_is_there_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "project" / "config.yml"
    places = a_project(tmp_path / "project")
    config.write_text("pipeline: []\n", "utf-8")
    monkeypatch.setattr(stock, "CONFIG", config)
    path = stock.model_path(places)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"trained")

    assert stock.ensure(places) == path


# --- clients ------------------------------------------------------------------------------


@asynccontextmanager
async def http_server(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives these answers in order, and what it was sent."""
    taken: list[bytes] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            taken.append(head + await reader.readexactly(length))
            writer.write(left.pop(0))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", taken


def http(status: str, content: object) -> bytes:
    body = json.dumps(content).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_a_rest_talk_waits_for_words() -> None:
    answers = (http("200 OK", [{"text": "您好"}]), http("200 OK", [{"custom": {}}]))
    async with http_server(*answers) as (url, taken):
        talk = RestTalk(url, "someone")

        assert await talk.say("你好") > 0
        with pytest.raises(UnansweredError, match="nothing was said"):
            await talk.say("还在吗")
        await talk.close()

    assert taken[0].startswith(b"POST /webhooks/rest/webhook HTTP/1.1\r\n")
    assert json.loads(taken[0].split(b"\r\n\r\n")[1]) == {"sender": "someone", "message": "你好"}


async def test_an_error_is_no_answer() -> None:
    async with http_server(http("500 Internal Server Error", {})) as (url, _):
        connection = Connection(url)

        with pytest.raises(UnansweredError, match="500"):
            await connection.post("/", {})
        await connection.close()


async def test_a_server_that_hangs_up_is_no_answer() -> None:
    async with http_server(b"") as (url, _):
        connection = Connection(url)

        with pytest.raises(UnansweredError, match="IncompleteReadError"):
            await connection.post("/", {})


def event(**values: object) -> str:
    return json.dumps({"type": "event", "stream": "private:k", "seq": 1, "event": values})


@asynccontextmanager
async def page_server(*frames: str) -> AsyncIterator[str]:
    """A desk that answers the first message with these frames; MINE is the message's own id."""

    async def serve(socket: websockets.ServerConnection) -> None:
        said = json.loads(await socket.recv())
        for frame in frames:
            await socket.send(frame.replace("MINE", said.get("id", "")))
        await socket.wait_closed()

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}"


OWN = event(id="m2", kind="message", author="customer", client_id="MINE", text="你好")
ANSWER = event(id="m2.r0", kind="message", author="bot", text="您好")
EARLIER = event(id="m1.r1", kind="message", author="bot", text="前一条")


async def test_a_page_talk_takes_the_answer_to_its_own_message() -> None:
    frames = (EARLIER, json.dumps({"type": "ack", "id": "MINE"}), OWN, EARLIER, ANSWER)
    async with page_server(*frames) as url, await PageTalk.open(url, "/ws", "") as page:
        assert await page.say("你好") > 0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await page.event()


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (event(id="m2.owner", kind="owner", owner="queue"), "handed the conversation over"),
        (json.dumps({"type": "refused", "id": "MINE", "code": "too_fast"}), "too_fast"),
    ],
)
async def test_a_page_talk_knows_when_the_bot_will_not_answer(frame: str, why: str) -> None:
    async with page_server(OWN, frame) as url, await PageTalk.open(url, "/ws", "") as page:
        with pytest.raises(UnansweredError, match=why):
            await page.say("你好")


async def test_a_page_settles_when_what_was_before_has_come() -> None:
    frames = (EARLIER, json.dumps({"type": "pong"}), ANSWER)
    async with page_server(*frames) as url, await PageTalk.open(url, "/ws", "") as page:
        await page.settled()

        assert (await page.event())["id"] == "m2.r0"


# --- the machine --------------------------------------------------------------------------


def test_memory_and_time_of_a_process_and_its_children() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        end = time.monotonic() + 30
        while len(family := machine.family(process.pid)) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        both = machine.memory_of(process.pid)
        child = machine.memory_of(family[-1])
        process.communicate(b"\n")

    assert family[0] == process.pid
    assert 0 < child.now < both.now <= both.peak
    assert machine.family(process.pid) == []
    assert machine.memory_of(process.pid) == Memory(0, 0)


def test_processor_time_grows_with_work() -> None:
    before = machine.processor_of(os.getpid())
    while time.process_time() < before + 0.1:
        sum(range(10_000))

    assert machine.processor_of(os.getpid()) >= before + 0.05


def test_the_machine_is_named() -> None:
    assert machine._cpu_model("processor\t: 0\nmodel name\t: Some CPU 3000\n") == "Some CPU 3000"
    assert machine._total_memory("MemTotal:       2097152 kB\n") == 2.0
    assert f"{os.cpu_count()} cores" in machine.describe()


def test_versions_are_those_locked() -> None:
    named = machine.versions(here(), ("rasa", "sanic"))

    assert re.fullmatch(r"service: sanic 25\.\S+; nlu: rasa 3\.6\.21, sanic 21\.\S+", named)


# --- the verdicts -------------------------------------------------------------------------


def results(*, stock_rate: float, late: float, desk: int, reply: float) -> report.Results:
    one = report.Results(datetime(2026, 11, 22, tzinfo=UTC), {"a": "stock", "b": "b", "c": "ours"})
    for key, level, latency, seconds in (
        ("a", 8, 0.5, 100 / stock_rate),
        ("c", 8, 0.1, 1.0),
        ("b", 1, 0.020, 1.0),
        ("c", 1, 0.028, 1.0),
    ):
        one.samples[key, level] = Sample((latency,) * 100, seconds, 0, {"rasa": 0.5})
    one.growth["c"] = Growth(5, 500, 20.0, late, 3)
    one.memory["c"] = {
        "rasa": Memory(700 * MEGABYTE, 800 * MEGABYTE),
        "desk": Memory(90 * MEGABYTE, desk * MEGABYTE),
    }
    one.invitations = Invitations([reply / 2] * 3, [reply] * 3)
    one.costs = Costs(2.0, 15.5, 30 * MEGABYTE, 200 * MEGABYTE, 239.0)
    one.parts = {"decisions": "## Decisions of the remedy policy\n\n4,321 a second"}
    return one


def test_reached_targets() -> None:
    found = report.verdicts(results(stock_rate=40.0, late=30.0, desk=149, reply=0.1))

    assert [one.measured for one in found] == [
        *("2.50 times", "+8.0 ms", "1.50 times", "0.100 s", "800 MB", "149 MB"),
        *("2.00 ms", "15.5 ms", "4.0 minutes", "30 MB", "200 MB"),
    ]
    assert [one.target for one in found if not one.reached] == [
        "the whole NLU of that message: at most 15 ms, median, one core"
    ]


def test_missed_targets_are_marked() -> None:
    found = report.verdicts(results(stock_rate=41.0, late=31.0, desk=150, reply=2.0))

    assert [one.reached for one in found] == [
        False,
        True,
        False,
        False,
        True,
        False,
        True,
        False,
    ] + [True] * 3
    assert found[0].word == "**NOT REACHED**"


def test_what_was_not_measured_is_no_success() -> None:
    found = report.verdicts(report.Results(datetime(2026, 11, 22, tzinfo=UTC)))

    assert {one.word for one in found} == {"not measured"}


def test_the_report_shows_it_all() -> None:
    one = results(stock_rate=41.0, late=30.0, desk=149, reply=0.1)
    one.notes = ["Machine: some CPU", "Versions: some"]

    text = report.render(one)

    assert "Measured on 2026-11-22 00:00 UTC." in text
    assert "- Machine: some CPU" in text
    assert "| 8 | a: stock | 500.0 | 500.0 | 41.0 | 100 | 0 | rasa 5.0 |" in text
    assert "| c: ours | 20.0 (message 5) | 30.0 (message 500) | 1.50 | 3 |" in text
    assert "| c: ours | desk | 90 | 149 |" in text
    assert "| invitation | 0.100 | 0.100 | 3 |" in text
    assert text.index("4,321 a second") < text.index("## How it is measured")
    assert "2.44 times | **NOT REACHED** |" in text

"""WeChat under load, against its double: every message answered, once and within the quota."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Timer
from time import monotonic, sleep
from typing import IO, Any

from sqlalchemy import Connection, select

from bench.machine import Memory, memory_of, processor_of
from bench.script import fill_orders
from bench.wechat_crowd import Heard, Plan
from recovery.settings import load_settings
from recovery.store.database import Database
from recovery.store.tables import conversations, inbox, outbox, wechat_contacts, wechat_sends
from tools import model
from tools.console import ToolError, say
from tools.places import Places
from tools.stack import Stack, started, variables
from tools.steps import bound

_STARTING_SECONDS = 60.0
_ENDING_SECONDS = 60.0


@dataclass(frozen=True)
class Outage:
    """When Rasa is away.

    Attributes:
        after: Seconds from the start until it is ended.
        seconds: Until it is started again; loading its model then takes its own time.
    """

    after: float
    seconds: float


@dataclass(frozen=True)
class Size:
    """How much is going on: once with everything up, once with Rasa away in the middle."""

    load: Plan
    outage_load: Plan
    outage: Outage


@dataclass
class Answered:
    """What the desk's own database says afterwards.

    Attributes:
        messages: Of customers, stored.
        unanswered: Stored and not answered by anything that customers have seen.
        latencies: Seconds from the arrival of a message to its first words at the customer.
        sends: Parts of answers, by state and road.
        astray: Customers who have not seen exactly what was sent to them, in the order in which it
            was said: something twice, missing, or swapped.
        with_people: Conversations that ended with people.
    """

    messages: int = 0
    unanswered: int = 0
    latencies: list[float] = field(default_factory=list)
    sends: dict[str, int] = field(default_factory=dict)
    astray: list[str] = field(default_factory=list)
    with_people: int = 0


@dataclass(frozen=True)
class Run:
    """One run: what WeChat saw, what the desk kept."""

    plan: Plan
    heard: Heard
    answered: Answered
    memory: Memory
    processor_s: float


@dataclass(frozen=True)
class OnWeChat:
    """What was measured."""

    load: Run
    outage: Run
    away: Outage


def measured(folder: Path, places: Places, size: Size) -> OnWeChat:
    """Measure at desks of their own, with the trained model in Rasa.

    Args:
        folder: For data, settings and logs; made here.
        places: The checkout.
        size: How much is going on.

    Raises:
        ToolError: The crowd failed, or there is no model.
    """
    folder.mkdir()
    trained = model.ensure(places)
    say(f"{size.load.customers} customers on WeChat")
    load = _run(folder / "load", places, trained, size.load, None)
    say(f"{size.outage_load.customers} customers on WeChat, Rasa away in the middle")
    outage = _run(folder / "outage", places, trained, size.outage_load, size.outage)
    return OnWeChat(load, outage, size.outage)


def _run(folder: Path, places: Places, trained: Path, plan: Plan, outage: Outage | None) -> Run:
    folder.mkdir()
    plan_file, output = folder / "plan.json", folder / "heard.json"
    plan_file.write_text(json.dumps(asdict(plan)), "utf-8")
    with _crowd(places, plan_file, output) as (crowd, entry):
        with variables(entry["environ"]):
            stack = Stack(folder, trained, bind=True, wechat=[entry["settings"]])
            fill_orders(stack.data / "orders.sqlite3")
            with started(stack):
                pid = stack.processes["desk"].pid
                before = processor_of(pid)
                _stdin(crowd).write(f"{stack.url}\n")
                _stdin(crowd).flush()
                timers = _timers(stack, outage)
                try:
                    limit = plan.seconds + plan.drain_seconds + _ENDING_SECONDS
                    if crowd.wait(limit) != 0:
                        raise ToolError("the crowd on WeChat failed (see above)")
                finally:
                    for timer in timers:
                        timer.cancel()
                        timer.join()
                _wait_for_the_desk(stack, plan.drain_seconds)
                used, memory = processor_of(pid) - before, memory_of(pid)
            heard = Heard(**json.loads(output.read_text("utf-8")))
            return Run(plan, heard, _answered(stack, heard), memory, used)


@contextmanager
def _crowd(
    places: Places, plan: Path, output: Path
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start WeChat; gives its process, and the account it has made."""
    process = subprocess.Popen(  # noqa: S603 - ours
        bound([sys.executable, "-m", "bench.wechat_crowd", plan, output]),
        cwd=places.root,
        env={**os.environ, "PYTHONPATH": str(places.root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise ToolError("the crowd on WeChat did not start (see above)")
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(_STARTING_SECONDS)


def _stdin(process: "subprocess.Popen[str]") -> IO[str]:
    if process.stdin is None:
        raise ToolError("the crowd on WeChat cannot be told where the desk is")
    return process.stdin


def _wait_for_the_desk(stack: Stack, seconds: float) -> None:
    """Wait until nothing waits for an answer any more.

    What a quota holds back is answered where no customer sees it, so the crowd cannot tell.
    """
    end = monotonic() + seconds
    database = Database(load_settings(stack.settings_file).database_url)
    try:
        while monotonic() < end:
            with database.read() as db:
                left = db.execute(select(inbox.c.id).where(inbox.c.state == "new").limit(1)).first()
            if left is None:
                return
            sleep(1.0)
    finally:
        database.close()


def _timers(stack: Stack, outage: Outage | None) -> list[Timer]:
    if outage is None:
        return []
    timers = [
        Timer(outage.after, stack.kill, ("rasa",)),
        Timer(outage.after + outage.seconds, stack.start, ("rasa",), {"wait": False}),
    ]
    for timer in timers:
        timer.start()
    return timers


def _answered(stack: Stack, heard: Heard) -> Answered:
    """Read the desk's database after it has ended."""
    database = Database(load_settings(stack.settings_file).database_url)
    try:
        with database.read() as db:
            return _counted(db, heard)
    finally:
        database.close()


def _counted(db: Connection, heard: Heard) -> Answered:
    found = Answered()
    contacts = {row.id: row.openid for row in db.execute(select(wechat_contacts))}
    on_wechat = select(conversations.c.id).where(conversations.c.channel == "wechat")
    found.with_people = len(db.execute(on_wechat.where(conversations.c.owner != "bot")).all())
    first: dict[str, str] = {}
    told: dict[str, list[str]] = {openid: [] for openid in contacts.values()}
    for row in db.execute(select(wechat_sends).order_by(wechat_sends.c.id)):
        key = f"{row.state} {row.via or ''}".strip()
        found.sends[key] = found.sends.get(key, 0) + 1
        if row.state != "sent":
            continue
        if row.weight == "say" and not row.content.get("passing") and not row.content.get("role"):
            told[contacts[row.contact_id]].append(str(row.content.get("text", "")))
        message = row.event_id.partition(".")[0]
        if row.event_id != f"{message}.hold":
            first.setdefault(message, row.settled_at)
    spoken = set(db.execute(select(outbox.c.id)).scalars())
    for row in db.execute(
        select(inbox.c.id, inbox.c.state, inbox.c.received_at).where(
            inbox.c.conversation_id.in_(on_wechat)
        )
    ):
        found.messages += 1
        at = first.get(row.id)
        if at is None:
            # What was said to it may have gone along with something else; then it was spoken.
            answered = any(f"{row.id}.{kind}" in spoken for kind in ("r0", "i", "offer", "owner"))
            found.unanswered += row.state != "done" or not answered
            continue
        took = datetime.fromisoformat(at) - datetime.fromisoformat(row.received_at)
        found.latencies.append(took.total_seconds())
    for openid, parts in told.items():
        if not _same(parts, heard.texts.get(openid, [])):
            found.astray.append(openid)
    return found


def _same(sent: list[str], seen: list[str]) -> bool:
    """Whether a customer has seen each part once and in order.

    Parts that waited together are one message, and options stand below the words. Notices are not
    looked for: what the words beside them say already is left out of them.
    """
    rest = "\n".join(seen)
    for part in sent:
        place = rest.find(part)
        if place < 0:
            return False
        between, rest = rest[:place], rest[place + len(part) :]
        if any(other and other in between for other in sent):
            return False
    return not any(part and part in rest for part in sent)

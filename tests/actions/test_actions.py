"""Custom actions: they read, decide and say; the desk does. Same message, same answer."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher
from sqlalchemy import text

from actions.context import Context, current
from actions.turns import ActionOpen, ActionPrivate, ActionPublic
from recovery.case import apply
from recovery.commands import from_wire
from recovery.orders.embedded import EmbeddedOrders
from recovery.orders.several import SeveralOrders
from recovery.orders.system import OrderSystemError
from recovery.store import cases, conversations, customers
from recovery.store.tables import metadata as tables
from tests.support.stack import ROOT, Stack

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ORDER, LAST4 = "LT202611180012", "4417"

Answer = dict[str, Any]


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """What the action server reads from, empty but for the demo orders."""
    settings = tmp_path / "huixin.yml"
    settings.write_text((ROOT / "huixin.yml").read_text("utf-8"), "utf-8")
    monkeypatch.setenv("HUIXIN_SETTINGS", str(settings))
    current.cache_clear()
    yield current()
    current().database.close()
    current.cache_clear()


def parse(
    said: str, intent: str, *, anger: int = 0, flags: tuple[str, ...] = (), confidence: float = 0.95
) -> dict[str, Any]:
    """A latest message as Rasa's NLU gives it."""
    return {
        "text": said,
        "message_id": "r1",
        "intent": {"name": intent, "confidence": confidence},
        "entities": [],
        "emotion": {
            "anger": anger,
            "score": float(anger > 1),
            "signals": dict.fromkeys(flags, 0.99),
            "flags": list(flags),
        },
    }


def run(action: Any, tracker: Tracker) -> Answer:  # noqa: ANN401 - rasa-sdk has no types
    """Run an action; gives its responses by name, its commands and the stage it sets."""
    dispatcher = CollectingDispatcher()
    events = asyncio.run(action.run(dispatcher, tracker, {}))
    payloads = [one["custom"] for one in dispatcher.messages if one.get("custom")]
    assert len(payloads) == 1, "one custom payload a turn"
    return {
        "said": [one["response"] for one in dispatcher.messages if one.get("response")],
        "messages": dispatcher.messages,
        "commands": payloads[0]["commands"],
        "own": payloads[0]["own"],
        "stage": next((event["value"] for event in events if event["name"] == "stage"), None),
    }


def a_tracker(
    message: dict[str, Any], about: dict[str, Any] | None = None, events: Iterable[Answer] = ()
) -> Tracker:
    latest = {**message, "metadata": about or {}}
    return Tracker("k1:0", {}, latest, list(events), False, None, {}, "action_listen")


@dataclass
class Shell:
    """`rasa shell`: no desk; what was said and ordered stands in the tracker alone."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def say(self, action: Any, message: dict[str, Any]) -> Answer:  # noqa: ANN401
        message = {**message, "message_id": f"r{len(self.events)}"}
        answer = run(action, a_tracker(message, events=self.events))
        for one in answer["messages"]:
            self.events.append({"event": "bot", "data": {"custom": one.get("custom")}})
        return answer


def from_desk(message: str, **more: object) -> dict[str, Any]:
    """The metadata that the desk sends."""
    return {
        "visibility": "private",
        "business": "lanting",
        "conversation": "k1",
        "message": message,
        "customer": None,
        "case": None,
        "button": None,
        **more,
    }


CLEAN = parse("房间根本没打扫", "complain_room_not_clean", anger=2, flags=("complaint",))
PROOF = parse(f"订单号{ORDER}，手机后四位{LAST4}", "inform")


# --- names ----------------------------------------------------------------------------------


def test_every_action_of_the_domain_is_served_and_no_other() -> None:
    executor = ActionExecutor()
    executor.register_package("actions")
    domain = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
    assert sorted(executor.actions) == sorted(domain["actions"])


def test_every_response_that_the_code_names_has_words() -> None:
    known = set()
    for path in (ROOT / "data" / "responses").glob("*.yml"):
        known |= set(yaml.safe_load(path.read_text("utf-8"))["responses"])
    named = set()
    for path in [*(ROOT / "recovery").rglob("*.py"), *(ROOT / "actions").rglob("*.py")]:
        named |= set(re.findall(r'"((?:say|utter)_[a-z_]+)"', path.read_text("utf-8")))
    assert named
    assert named <= known, named - known


# --- without the desk -----------------------------------------------------------------------


def test_the_hotel_story_in_rasa_shell(context: Context) -> None:
    shell = Shell()
    opened = shell.say(ActionPrivate(), CLEAN)
    assert opened["commands"][0]["do"] == "open_case"
    assert opened["stage"] == "hearing"
    offered = shell.say(ActionPrivate(), PROOF)
    assert [one["do"] for one in offered["commands"]][-1] == "make_offer"
    assert offered["stage"] == "offered"
    plain = [one["text"] for one in offered["messages"] if one.get("text")]
    assert any("1." in one for one in plain), "a console has no cards, so the offer is told"
    accepted = shell.say(ActionPrivate(), parse("好的，就这么办", "accept"))
    assert [one["do"] for one in accepted["commands"]] == ["accept_offer"]
    assert accepted["stage"] == "agreed"


def test_a_damaged_tracker_is_passed_over(context: Context) -> None:
    shell = Shell()
    shell.say(ActionPrivate(), CLEAN)
    shell.events += [
        {"event": "bot", "data": {"custom": {"commands": [{"do": "steal"}, 7, {"do": "note"}]}}},
        {"event": "bot", "data": {"custom": {"commands": [{"do": "accept_offer", "offer": "o"}]}}},
        {"event": "bot", "data": None},
        {"event": "user"},
    ]
    assert shell.say(ActionPrivate(), PROOF)["stage"] == "offered"


# --- with the desk --------------------------------------------------------------------------


def a_private_case(context: Context, message: str = "m" + "0" * 24) -> dict[str, Any]:
    """A case that the desk knows; gives the metadata of a message about it."""
    first = run(ActionPublic(), a_tracker(CLEAN, from_desk(message, visibility="public")))
    case = None
    for one in first["commands"]:
        case = apply(case, from_wire(one), NOW)
    assert case is not None
    with context.database.write() as db:
        customer, _ = customers.begin_session(db, None, "lanting", "阿明", None, NOW)
        cases.save(db, case, "lanting", customer.id, NOW)
        begun = conversations.begin(db, "lanting", customer.id, NOW, case_id=case.id)
    return from_desk(
        "m" + "1" * 24, conversation=begun.id, case=case.id, customer=customer.id, stage="hearing"
    )


def everything(context: Context) -> list[object]:
    """All rows of the desk's database and of the order directory."""
    with context.database.read() as db:
        rows = [
            tuple(row)
            for table in tables.sorted_tables
            for row in db.execute(table.select().order_by(text("1")))
        ]
    assert isinstance(context.orders, SeveralOrders)
    orders = context.orders.of("lanting")
    assert isinstance(orders, EmbeddedOrders)
    for name in ("orders", "rooms", "effects"):
        rows += [tuple(row) for row in orders._rows(f"SELECT * FROM {name} ORDER BY 1, 2")]  # noqa: S608
    return rows


def test_a_public_post_gets_words_and_commands_and_no_stage(context: Context) -> None:
    about = from_desk("m" + "0" * 24, visibility="public")
    answer = run(ActionPublic(), a_tracker(CLEAN, about))
    assert [one["do"] for one in answer["commands"]] == [
        "open_case",
        "count_public_reply",
        "invite",
    ]
    assert answer["commands"][0]["case"] == "s" + "0" * 24, "named after the message"
    assert answer["stage"] is None, "the stage of a room is always public"
    for one in answer["messages"]:
        if one.get("response"):
            assert one["anger"] in range(4)
            assert (one["business"], one["assistant"]) == ("岚庭酒店", "小岚")


@pytest.mark.parametrize("action", [ActionPublic(), ActionOpen(), ActionPrivate()])
def test_an_action_changes_nothing(context: Context, action: Any) -> None:  # noqa: ANN401
    about = a_private_case(context)
    if isinstance(action, ActionPublic):
        about["visibility"] = "public"
    before = everything(context)
    answer = run(action, a_tracker(PROOF, about))
    assert answer["commands"] or answer["said"]
    assert everything(context) == before


def test_the_same_message_again_gets_the_same_answer(context: Context) -> None:
    """Else a retry after a crash would make a second offer."""
    about = a_private_case(context)
    first = run(ActionPrivate(), a_tracker(PROOF, about))
    again = run(ActionPrivate(), a_tracker(PROOF, about))
    for one in (*first["commands"], *again["commands"]):
        one.pop("expires_at", None)
    assert first["commands"] == again["commands"]
    assert (first["said"], first["stage"]) == (again["said"], again["stage"])
    (offer,) = [one for one in first["commands"] if one["do"] == "make_offer"]
    assert offer["offer"] == "o" + "1" * 24


def test_the_case_store_counts_and_not_the_tracker(context: Context) -> None:
    about = a_private_case(context)
    stale = [
        {"event": "bot", "data": {"custom": {"commands": [{"do": "close_case", "outcome": "x"}]}}}
    ]
    answer = run(ActionPrivate(), a_tracker(PROOF, about, stale))
    assert answer["stage"] == "offered"


def test_opening_names_the_matter(context: Context) -> None:
    answer = run(ActionOpen(), a_tracker(parse("", "entered"), a_private_case(context)))
    assert answer["said"][0] == "say_open"
    opening = next(one for one in answer["messages"] if one.get("response") == "say_open")
    assert "房间没有打扫干净" in opening["matter"]


# --- when something is away -----------------------------------------------------------------


class Away:
    """An order system that does not answer."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method
        def fail(*_: object) -> None:
            raise OrderSystemError(f"no answer to {name}")

        return fail


def without_orders(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    away = replace(context, orders=Away())  # type: ignore[arg-type]
    monkeypatch.setattr("actions.turns.current", lambda: away)


def test_without_the_order_system_a_person_is_promised_in_private(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = a_private_case(context)
    without_orders(context, monkeypatch)
    answer = run(ActionPrivate(), a_tracker(PROOF, about))
    assert answer["said"] == ["say_handover"]
    (handed,) = answer["commands"]
    assert (handed["do"], handed["reason"]) == ("hand_over", "error")
    assert handed["by"]
    (words,) = [one for one in answer["messages"] if one.get("response")]
    assert words["time"], "with an honest time"


def test_a_post_needs_no_order_system(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    without_orders(context, monkeypatch)
    about = from_desk("m" + "0" * 24, visibility="public")
    assert run(ActionPublic(), a_tracker(CLEAN, about))["commands"]


def test_an_unknown_customer_is_a_person_and_no_crash(context: Context) -> None:
    about = {**a_private_case(context), "customer": "unobody"}
    assert run(ActionPrivate(), a_tracker(PROOF, about))["said"] == ["say_handover"]


# --- the server -----------------------------------------------------------------------------


@pytest.mark.parametrize("process", ["actions", "desk"])
def test_wrong_settings_end_the_process_with_the_setting_named(
    tmp_path: Path, process: str
) -> None:
    path = tmp_path / "huixin.yml"
    path.write_text("desk: {host: x, port: -1}\n", "utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", process],
        cwd=ROOT,
        env={**os.environ, "HUIXIN_SETTINGS": str(path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert f"{path}: " in ended.stderr.decode()
    assert "desk.port" in ended.stderr.decode()
    assert "Traceback" not in ended.stderr.decode()


def test_the_server_answers_rasas_call(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.start("actions")
    try:
        base = f"http://127.0.0.1:{stack.ports['actions']}"
        call = {
            "next_action": "action_public",
            "sender_id": "k1:0",
            "tracker": {
                "sender_id": "k1:0",
                "slots": {},
                "latest_message": {**CLEAN, "metadata": from_desk("m1", visibility="public")},
                "events": [],
                "paused": False,
                "followup_action": None,
                "active_loop": {},
                "latest_action_name": "action_listen",
            },
            "domain": {},
            "version": "3.6.21",
        }
        with httpx.Client(base_url=base, trust_env=False, timeout=30) as http:
            assert http.get("/healthz").json() == {"status": "up"}
            assert http.get("/readyz").json() == {"status": "ready"}
            answer = http.post("/webhook", json=call)
            assert answer.status_code == 200
            names = [one.get("response") for one in answer.json()["responses"]]
            assert "say_public_apologise" in names
            unknown = http.post("/webhook", json={**call, "next_action": "action_steal"})
            assert unknown.status_code == 404
            assert http.post("/webhook", content=b"{").status_code >= 400
            assert http.get("/healthz").status_code == 200
    finally:
        stack.stop()
    assert "房间根本没打扫" not in stack.log("actions")

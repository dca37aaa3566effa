"""A desk whose orders are in another program that may die as well, with scripted words."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from recovery.orders.demo import fill
from recovery.remedy.book import load_book
from recovery.remedy.running import BUILT_IN
from recovery.settings import load_settings
from tests.crash.scene import Scene
from tests.desk.scripted_rasa import Body, opens_a_case, says, scripted_rasa
from tests.support.order_server import BASE, TOKEN
from tests.support.stack import ROOT, Stack, free_port, wait_until

VARIABLE = "QINGHE_ORDERS_TOKEN"
_ORDER = re.compile(r"QH\d+")


class FarOrders:
    """The reference order system as a process of its own."""

    def __init__(self, folder: Path, data: Path) -> None:
        """Prepare.

        Args:
            folder: For its log and the order to die.
            data: Where its orders are.
        """
        self._port = free_port()
        self._folder = folder
        self._data = data
        self._order = folder / "fault-orders"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}{BASE}"

    def start(self) -> None:
        """Start it, if it does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        self._order.unlink(missing_ok=True)
        log = self._folder / "order_server.log"
        log.write_bytes(b"")
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.support.order_server"),
                    *(str(self._data), str(self._port)),
                ],
                cwd=ROOT,
                env={
                    **os.environ,
                    "HUIXIN_ORDERS_TOKEN": TOKEN,
                    "HUIXIN_FAULT": f"@{self._order}",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until(lambda: log.read_bytes().startswith(b"http"), "the order system")

    def arm(self, point: str, nth: int = 1) -> None:
        """Let it die the nth time that it reaches a point."""
        draft = self._order.with_suffix(".draft")
        draft.write_text(point if nth == 1 else f"{point}:{nth}", "ascii")
        draft.replace(self._order)

    def wait_dead(self) -> None:
        """Wait until it has died where it was told to."""
        assert self._process is not None
        assert self._process.wait(60) == -signal.SIGKILL

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)


class FarScene(Scene):
    """A scene with the orders beside it."""

    def __init__(self, stack: Stack, orders: FarOrders) -> None:
        """Prepare.

        Args:
            stack: Of which only the desk runs.
            orders: Where the shop's orders are.
        """
        super().__init__(stack)
        self.orders = orders


@contextmanager
def far_scene(folder: Path) -> Iterator[FarScene]:
    """Desk and order system, for the length of the block."""
    data = folder / "var"
    orders = FarOrders(folder, data)
    businesses = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))["businesses"]
    for business in businesses:
        if business["id"] == "qinghe":
            business["orders"] = {"kind": "http", "url": orders.url, "token_env": VARIABLE}
    with pytest.MonkeyPatch.context() as patch, scripted_rasa() as rasa:
        patch.setenv(VARIABLE, TOKEN)
        stack = Stack(folder, rasa=[rasa.url], businesses=businesses)
        policy = load_settings(stack.settings_file).policy or BUILT_IN
        rasa.script = partial(to_an_offer, load_book(policy).name)
        fill(stack.data / "orders.sqlite3")
        scene = FarScene(stack, orders)
        try:
            orders.start()
            scene.start("desk")
            stack.wait_ready()
            yield scene
        finally:
            stack.stop()
            orders.stop()


def to_an_offer(policy: str, path: str, body: Body) -> Body | int:
    """Rasa as it would be on the road to a remedy: who names an order gets an offer."""
    number = _ORDER.search(body.get("text", ""))
    metadata = body.get("metadata", {})
    if path != "/desk/messages" or metadata.get("visibility") == "public":
        return opens_a_case(path, body)
    if body["intent"] == "accept":
        offer = metadata["button"]["offer"]
        return says("好的，这就办。", commands=[{"do": "accept_offer", "offer": offer}])
    if number is None:
        return says("我来帮您看，请告诉我订单号。")
    answer = says(
        "这样补救您看行吗？", commands=offered(policy, metadata["message"], number.group())
    )
    answer["messages"][0]["buttons"] = [{"title": "就这样办", "payload": "accept"}]
    return answer


def offered(policy: str, message: str, number: str) -> list[dict[str, Any]]:
    """The commands that prove an order and make an offer for it."""
    return [
        {"do": "tried_proof", "order_number": number, "correct": True},
        {
            "do": "make_offer",
            "offer": "o" + message[1:],
            "order_number": number,
            "order_customer": f"crash-{number}",
            "remedies": [{"kind": "refund_part", "fen": 500}, {"kind": "voucher", "fen": 1000}],
            "rules": ["R-1"],
            "policy": policy,
            "day": "2026-11-22",
            "facts": {"failure": "room_not_clean"},
            "reason": "杯子碎了",
            "round": 0,
            "expires_at": "2099-01-01T00:00:00+00:00",
            "floor_fen": 500,
            "goodwill_fen": 1000,
        },
    ]

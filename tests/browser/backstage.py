"""A desk for the staff's pages: people of every role, and a Rasa that the tests speak for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import expect

from tests.browser.party import Party
from tests.browser.visitors import HOTEL, Agent, Guest
from tests.desk.orders import AnOrder
from tests.desk.scripted_rasa import Body, opens_a_case, says
from tests.desk.staff_scene import PASSWORD, Scene, a_scene
from tests.support.stack import ROOT
from tools.stack import midday

ADMIN = "gu"
_ORDER = re.compile(r"订单号(\w+)")


def by_hand() -> list[dict[str, Any]]:
    """Give the businesses; colleagues take from their queues, so that tests say who has what."""
    settings = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    businesses: list[dict[str, Any]] = settings["businesses"]
    for business in businesses:
        business |= {"timezone": midday(), "assignment": "manual", "silent_minutes": 24 * 60}
        business |= {"goodwill_per_day": 10**11, "goodwill_per_customer": 10**11}
    return businesses


def listens(path: str, body: Body) -> Body:
    """Answer as `opens_a_case` does; fetch a person and prove an order where that is asked for."""
    if path == "/desk/spoken":
        return {}
    private = path == "/desk/messages" and body["metadata"]["visibility"] == "private"
    if private and "人工" in body["text"]:
        return says("好的，已转给同事。", commands=[{"do": "hand_over", "reason": "asked"}])
    if private and (order := _ORDER.search(body["text"])):
        proof = {"do": "tried_proof", "order_number": order[1], "correct": True}
        return says("查到了。", commands=[proof])
    return opens_a_case(path, body)


@contextmanager
def backstage(folder: Path, **changes: Any) -> Iterator[Scene]:  # noqa: ANN401 - settings
    """The desk with its staff, for the length of the block.

    Args:
        folder: For its data.
        **changes: Settings that differ from huixin.yml.
    """
    with a_scene(folder, businesses=by_hand(), **changes) as scene:
        scene.rasa.script = listens
        scene.stack.add_staff(ADMIN, "顾管理", PASSWORD, "admin")
        yield scene


def on_duty(party: Party, login: str, **options: Any) -> Agent:  # noqa: ANN401 - of new_context
    """A member of staff who has logged in on a browser of their own."""
    agent = party.agent(**options)
    agent.witness.allow(r"401.*/api/staff/me")
    agent.go("/staff").fill_login(login, PASSWORD)
    expect(agent.page.get_by_test_id("staff-login-submit")).to_have_count(0)
    return agent


def wants_a_person(guest: Guest, order: AnOrder | None = None) -> str:
    """Bring a customer from the room into private and into the queue.

    Args:
        guest: With a browser.
        order: To be proved in between.

    Returns:
        The path of the conversation on the staff's pages.
    """
    guest.enter_room(HOTEL).complain("房间没打扫").enter_private()
    if order is not None:
        guest.say(f"订单号{order.number}")
        expect(guest.line("查到了。")).to_have_count(1)
    guest.say("给我转人工")
    expect(guest.page.get_by_test_id("owner-line")).to_contain_text("人工客服")
    return "/staff/" + guest.page.url.rsplit("/", 1)[1]


def takes(agent: Agent, path: str) -> None:
    """Open a conversation and take it."""
    agent.go(path)
    agent.page.get_by_test_id("take").click()
    expect(agent.owner).to_have_text("您负责这段会话")

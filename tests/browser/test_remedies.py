"""The card of an offer and the facts that staff set, with a Rasa that the test speaks for."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from recovery.commands import HandOver, MakeOffer, Note, TriedProof, to_wire
from recovery.remedy.policy import Decision
from recovery.remedy.running import BUILT_IN, RunningPolicy
from recovery.settings import load_settings
from tests.browser.party import Party
from tests.browser.visitors import PHONE, SHOP, Agent, Guest, unique
from tests.desk.scripted_rasa import Body, ScriptedRasa, opens_a_case, says, scripted_rasa
from tests.support.stack import BY_HAND, Stack, running

PASSWORD = "an honest password"
ORDER = "QH202611170305"
PAID = 16_800
# As long as the name of an article can be, and without a place to break it.
LONG_PRODUCT = "武夷岩茶礼盒" + "Donaudampfschifffahrtsgesellschaft" * 2
BUTTONS = (("就这样办", "accept"), ("还不够", "more"), ("换一种形式", "form"), ("不接受", "refuse"))


@pytest.fixture(scope="module")
def rasa() -> Iterator[ScriptedRasa]:
    with scripted_rasa() as server:
        yield server


@pytest.fixture(scope="module")
def house(rasa: ScriptedRasa, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The desk alone: what Rasa would say is told by the test."""
    folder = tmp_path_factory.mktemp("remedies")
    with running(folder, "desk", rasa=[rasa.url], each_business=BY_HAND) as stack:
        yield stack


@pytest.fixture(autouse=True)
def anew(rasa: ScriptedRasa) -> None:
    rasa.again()


def decided(house: Stack, **facts: Any) -> Decision:  # noqa: ANN401 - of FACTS
    """What the policy that the desk runs gives."""
    running = RunningPolicy(load_settings(house.settings_file).policy or BUILT_IN)
    policy = running.on("shop", datetime.now(UTC).date())
    return policy.decide(policy.facts("wrong_item", PAID, **facts))


def offering(decision: Decision, *more: Body) -> Any:  # noqa: ANN401 - a script
    """What Rasa says in private: the offer of a decision, with all its buttons, and more."""

    def script(path: str, body: Body) -> Body:
        if path == "/desk/overheard" or body["metadata"]["visibility"] == "public":
            return opens_a_case(path, body)
        if body["text"] != "请处理":
            return says("您好，请说")
        remedies = [
            {**one, "product": LONG_PRODUCT} if one["kind"] in ("resend", "exchange") else one
            for one in decision.remedies
        ]
        make = MakeOffer(
            offer="o" + body["message_id"][1:],
            order_number=ORDER,
            order_customer="shop-3",
            remedies=remedies,
            rules=decision.rules,
            policy=decision.policy,
            day=decision.day,
            facts=decision.facts.to_wire(),
            reason=decision.reason,
            round=decision.facts.round,
            expires_at=(datetime.now(UTC) + timedelta(hours=48)).isoformat(),
            floor_fen=decision.floor_worth.fen,
            goodwill_fen=decision.goodwill_worth.fen,
            provisional=decision.provisional,
        )
        known = Note({"failure": "wrong_item", "evidence": "declined", "wish": "refund"})
        proof = TriedProof(ORDER, correct=True)
        commands = [to_wire(one) for one in (known, proof, make)]
        answer = says("这是给您的方案", commands=[*commands, *more])
        answer["messages"][0]["buttons"] = [
            {"title": title, "payload": payload} for title, payload in BUTTONS
        ]
        return answer

    return script


def with_offer(guest: Guest) -> Guest:
    guest.enter_room(SHOP).complain().enter_private()
    guest.say("请处理")
    expect(guest.offers.last).to_be_visible()
    return guest


def fits(page: Page) -> bool:
    """Whether nothing stands out to the side."""
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
    )


def within(card: Locator) -> bool:
    """Whether everything in a card stays inside it."""
    return bool(
        card.evaluate(
            """card => {
                const edge = card.getBoundingClientRect();
                return [...card.querySelectorAll('*')].every((one) => {
                    const box = one.getBoundingClientRect();
                    return !box.width || (box.left >= edge.left - 1 && box.right <= edge.right + 1);
                });
            }"""
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_owed_stands_apart_from_goodwill_on_a_phone(
    party: Party, rasa: ScriptedRasa, house: Stack, scheme: str
) -> None:
    rasa.script = offering(decided(house, fault="ours", harm="plans"))
    guest = with_offer(party.guest(viewport=PHONE, color_scheme=scheme))
    card = guest.offers.last
    expect(card.get_by_test_id("offer-part")).to_have_text(["应给您的", "另外的心意"])
    for label in ("应给您的", "另外的心意"):
        expect(card.get_by_role("list", name=label)).to_be_visible()
    expect(card.get_by_role("list", name="应给您的")).to_contain_text(LONG_PRODUCT)
    expect(card.get_by_test_id("offer-provisional")).to_have_count(0)
    buttons = card.get_by_test_id("quick-reply")
    expect(buttons).to_have_text([title for title, _ in BUTTONS])
    for button in buttons.all():
        box = button.bounding_box()
        assert box and box["height"] >= 44, "as large as a thumb"
    assert within(card)
    assert fits(guest.page)


def test_an_offer_that_is_not_final_says_so_and_a_replaced_one_is_quiet(
    party: Party, rasa: ScriptedRasa, house: Stack
) -> None:
    rasa.script = offering(decided(house, fault="ours"))
    guest = with_offer(party.guest())
    rasa.script = offering(decided(house, fault="ours", finding="alleged"))
    guest.say("请处理")
    expect(guest.offers).to_have_count(2)
    before, after = guest.offers.first, guest.offers.last
    expect(before).to_have_attribute("data-state", "replaced")
    expect(before).to_contain_text("已换成新的方案")
    expect(before.get_by_test_id("quick-reply")).to_have_count(0)
    expect(before).to_contain_text(LONG_PRODUCT)
    expect(after.get_by_test_id("offer-provisional")).to_have_text(
        "这不是最后的处理，同事会接着跟进"
    )


def taken(party: Party, house: Stack, guest: Guest) -> Agent:
    login = unique("he")
    house.add_staff(login, "小何", PASSWORD)
    agent = party.agent().log_in(login, PASSWORD)
    agent.row(guest.name).click()
    return agent


def test_staff_set_a_fact_and_see_what_the_policy_makes_of_it(
    party: Party, rasa: ScriptedRasa, house: Stack
) -> None:
    rasa.script = offering(decided(house, fault="ours"), to_wire(HandOver("no_evidence")))
    guest = with_offer(party.guest("陆小满"))
    agent = taken(party, house, guest)
    side = agent.page.get_by_role("complementary")
    expect(side).to_contain_text("要看照片，顾客没有提供")
    expect(side).to_contain_text("顾客说没有")
    # Who does not own it only reads.
    expect(side.get_by_role("combobox")).to_have_count(0)
    expect(side.get_by_test_id("fact-fault")).to_contain_text("还没有记（按“我们的责任”算）")
    expect(side.get_by_test_id("authority")).to_be_visible()
    expect(side.get_by_test_id("given-offer")).to_contain_text("应给的")
    assert "{" not in side.inner_text()

    agent.page.get_by_role("button", name="接手").click()
    expect(agent.composer).to_be_focused()
    harm = side.get_by_label("影响")
    sums = side.get_by_test_id("advice").locator(".goodwill .sum")
    expect(sums).to_be_visible()
    before = sums.inner_text()
    harm.focus()
    # By keyboard, as fast as one types: what is passed on the way is not saved.
    agent.page.keyboard.press("ArrowDown")
    agent.page.keyboard.press("ArrowDown")
    expect(side.get_by_test_id("fact-state")).to_have_text(re.compile("^已记下：影响「.+」$"))
    expect(harm).to_be_focused()
    expect(sums).not_to_have_text(before)
    said = guest.log.get_by_role("article").count()

    side.get_by_label("认定").select_option("confirmed")
    expect(side.get_by_test_id("fact-state")).to_have_text("已记下：认定「已经查实」")
    agent.page.reload()
    side = agent.page.get_by_role("complementary")
    expect(side.get_by_label("认定")).to_have_value("confirmed")
    assert guest.log.get_by_role("article").count() == said, "the customer is told nothing"

    agent.page.set_viewport_size(PHONE)
    agent.page.get_by_role("button", name="看案情").click()
    fault = side.get_by_label("责任")
    fault.scroll_into_view_if_needed()
    box = fault.bounding_box()
    assert box and box["height"] >= 44 and box["x"] + box["width"] <= PHONE["width"]
    fault.select_option("customer")
    expect(side.get_by_test_id("fact-state")).to_have_text("已记下：责任「顾客的责任」")
    assert fits(agent.page)
    facts = json.dumps(
        agent.context.request.get(
            f"{party.base}/api/staff/conversations/{agent.page.url.rsplit('/', 1)[1]}"
        ).json()["case"]["facts"]
    )
    assert '"fault": "customer"' in facts

"""Twins: the same failure, order and answers, told calmly and in fury. Fury buys nothing.

Through the real processes: recogniser, dialogue, policy, desk.
"""

from contextlib import closing
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from recovery.remedy.running import RunningPolicy
from recovery.settings import load_settings
from recovery.store import cases, conversations
from recovery.store.tables import decisions
from tests.desk.orders import an_order
from tests.desk.people import Guest, database, guest, offers, the_button
from tests.support.stack import Stack

ROUNDS = 3
# First in public, then in private; what follows is the same for both.
TOLD = {
    "lanting": {
        "calm": ("你好，房间没有打扫干净，床单上有头发，麻烦处理一下。", "麻烦你们看一下，谢谢。"),
        "furious": (
            "房间没打扫干净，床单上还有头发，太恶心了，气死我了！！",
            "气死我了！！你们太过分了，简直是垃圾！",
        ),
    },
    "qinghe": {
        "calm": (
            "你好，收到的商品发错货了，不是我买的那个，麻烦处理一下。",
            "麻烦你们看一下，谢谢。",
        ),
        "furious": (
            "你们给我发错货了！我要的根本不是这个，太气人了，赶紧给我处理！！",
            "气死我了！！你们太过分了，简直是垃圾！",
        ),
    },
}


@pytest.mark.parametrize("business", TOLD)
async def test_the_furious_gets_what_the_calm_gets_and_no_more(stack: Stack, business: str) -> None:
    calm, furious = [
        await _bargained(stack, business, *TOLD[business][manner]) for manner in ("calm", "furious")
    ]
    assert len(calm.made) == len(furious.made) == ROUNDS
    worth = []
    for place, (one, other) in enumerate(zip(calm.made, furious.made, strict=True)):
        assert one["facts"]["round"] == place
        for name in ("remedies", "rules", "floor_fen", "goodwill_fen", "facts", "failure", "day"):
            assert one[name] == other[name], (place, name)
        assert one["policy"] == other["policy"]
        worth.append(other["floor_fen"] + other["goodwill_fen"])
    assert worth == sorted(worth) and worth[-1] > worth[0], "more is more, for both"
    # Who is furious was heard: the words answer to it, and staff see it.
    assert max(one["anger"] for one in calm.made) < max(one["anger"] for one in furious.made)
    assert calm.cards == furious.cards
    assert calm.words != furious.words
    # The third "more" brings a person to both.
    assert calm.end == furious.end == ("person", "beyond_authority")


class _Bargain:
    """What one of the twins got."""

    def __init__(self, made: list[dict[str, Any]], cards: list[Any], words: set[str]) -> None:
        self.made = made
        self.cards = cards
        self.words = words
        self.end: tuple[str, str] = ("", "")


async def _bargained(stack: Stack, business: str, public: str, private: str) -> _Bargain:
    """Complain, prove, ask for more until nothing more is offered."""
    order = an_order(stack, business)
    async with guest(stack, business) as one:
        await one.post(public)
        said = await one.enter()
        said += await one.tell(private)
        proved = await one.tell(f"订单号{order.number}，手机后四位{order.last4}")
        said += proved
        cards = []
        for _ in range(ROUNDS):
            (card,) = [event for event in offers(proved) if event["state"] == "open"]
            cards.append([item["title"] for item in card["items"]])
            proved = await one.tell("还不够", the_button(proved, "还不够"))
            said += proved
        assert [event for event in offers(proved) if event["state"] == "open"] == []
        words = {event["text"] for event in said if event.get("author") == "bot"}
        found = _Bargain(_decided(stack, one, business), cards, words)
        with closing(database(stack)) as store, store.read() as db:
            chat = conversations.load(db, one.conversation)
            case = cases.load(db, chat.case_id if chat else None)
        assert case is not None
        found.end = (case.stage, str(case.reason))
        return found


def _decided(stack: Stack, one: Guest, business: str) -> list[dict[str, Any]]:
    """What was decided for a customer, without what may differ: manner, and times of day."""
    settings = load_settings(stack.settings_file)
    assert settings.policy is not None
    trade = next(found.industry for found in settings.businesses if found.id == business)
    with closing(database(stack)) as store, store.read() as db:
        asked = select(decisions).where(decisions.c.customer_id == one.id)
        rows = [dict(row._mapping) for row in db.execute(asked.order_by(decisions.c.made_at))]
    for row in rows:
        policy = RunningPolicy(settings.policy).on(trade, date.fromisoformat(row["day"]))
        manner = {line.rule for line in policy.tables["manner"].rows}
        row["rules"] = [rule for rule in row["rules"] if rule not in manner]
        row["facts"] = {
            name: value
            for name, value in row["facts"].items()
            if name not in ("anger", "escalation")
        }
        row["remedies"] = [
            {name: value for name, value in remedy.items() if name != "by"}
            for remedy in row["remedies"]
        ]
    return rows

"""The two full conversations of each trade, through the real processes.

They stand in `tests/stories/` (stories named 全程), where Rasa checks what is understood and who
answers. There the stage that an action brings is written into the story; here the same texts go
through desk, Rasa and actions, and the stages must come out as written.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import select

from recovery.store import cases, decisions, fulfilments
from recovery.store.database import Database
from recovery.store.tables import conversations
from tests.desk.images import encoded
from tests.desk.people import Guest, guest, offers, settled, until, words
from tests.support.stack import ROOT, Stack

PLAYED = re.compile(r"全程")
BUSINESSES = {
    "hotel": "lanting",
    "shop": "qinghe",
    "restaurant": "xiaoguan",
    "retail": "hengji",
    "property": "wutong",
    "travel": "yuanxing",
}
_MARKED = re.compile(r"\[([^\]]+)\]\(\w+\)")


@dataclass
class Story:
    """One full conversation: what is said, and the stage of the case after it."""

    name: str
    business: str
    texts: list[str | None] = field(default_factory=list)  # None: a picture
    stages: list[str | None] = field(default_factory=list)


def read(path: Path) -> list[Story]:
    trade = path.stem.removeprefix("test_")
    found = []
    for story in yaml.safe_load(path.read_text("utf-8"))["stories"]:
        if not PLAYED.search(story["story"]):
            continue
        one = Story(story["story"], BUSINESSES[trade])
        for step in story["steps"]:
            if "action" in step:
                continue
            if "slot_was_set" in step:
                if one.texts:
                    one.stages[-1] = step["slot_was_set"][0]["stage"]
                continue
            one.texts.append(_MARKED.sub(r"\1", step["user"]) if "user" in step else None)
            one.stages.append(None)
        found.append(one)
    return found


STORIES = [
    story
    for path in sorted((ROOT / "tests" / "stories").glob("test_*.yml"))
    for story in read(path)
]


def stage(store: Database, conversation: str) -> str:
    with store.read() as db:
        case_id = db.execute(
            select(conversations.c.case_id).where(conversations.c.id == conversation)
        ).scalar()
        case = cases.load(db, case_id)
    assert case is not None
    return case.stage


async def show_picture(one: Guest) -> None:
    """Send a picture as the page does, and wait until the desk has done with it."""
    answer: httpx.Response = await one.customer.http.post(
        f"/api/conversations/{one.conversation}/pictures",
        params={"client_id": "picture-of-it"},
        content=encoded("JPEG"),
    )
    assert answer.status_code in (200, 201), answer.text
    mine = await one.chat.event(client_id="picture-of-it")
    await settled(one.store, mine["id"])
    await one.chat_up_to_date()


async def play(one: Guest, story: Story) -> list[str]:
    """Say it all; gives the stage after each message."""
    first, *others = story.texts
    assert first is not None
    await one.post(first)
    await one.enter()
    stages = [stage(one.store, one.conversation)]
    for text in others:
        if text is None:
            await show_picture(one)
        else:
            await one.tell(text)
        stages.append(stage(one.store, one.conversation))
    return stages


@pytest.mark.parametrize("trade", BUSINESSES)
def test_each_trade_has_two(trade: str) -> None:
    assert sum(story.business == BUSINESSES[trade] for story in STORIES) == 2


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_the_whole_conversation(stack: Stack, story: Story) -> None:
    async with guest(stack, story.business, "阿宁") as one:
        came = await play(one, story)
        # The last step of a story needs no stage, since nothing branches on it any more.
        written = [mine or theirs for mine, theirs in zip(story.stages, came, strict=True)]
        assert came == written
        await _kept(one, came)


async def _kept(one: Guest, came: list[str]) -> None:
    """What was promised is done, and what was decided can be read."""
    with one.store.read() as db:
        case_id = db.execute(
            select(conversations.c.case_id).where(conversations.c.id == one.conversation)
        ).scalar_one()
        made = [row for row in decisions.all_of(db, one.business) if row["case_id"] == case_id]
    shown = {event["offer"] for event in offers(one.chat.events)}
    assert {row["id"] for row in made} == shown
    taken = [row for row in made if row["state"] == "accepted"]
    assert len(taken) == ("agreed" in came)
    if taken:

        def carried_out() -> list[dict[str, Any]]:
            with one.store.read() as db:
                rows = fulfilments.of_case(db, case_id)
            return rows if all(row["state"] == "done" for row in rows) else []

        rows = await until(carried_out)
        given = [{**remedy} for remedy in taken[0]["remedies"]]
        assert [row["remedy"] for row in rows] == given
    else:
        assert came[-1] == "person"
        assert "同事" in words(one.chat.events)

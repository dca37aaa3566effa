"""What open staff pages are told without asking: rows, who looks on, presence, notices."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import websockets

from tests.desk.people import PATIENCE, Agent, Guest, complain, guest
from tests.desk.staffed import Staffed, staffed_desk
from tests.support.customer import Frame


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staffed]:
    with staffed_desk(tmp_path_factory.mktemp("live")) as desk:
        yield desk


class OpenPage:
    """An open staff page, and all that it was told."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket
        self.frames: list[Frame] = []

    async def send(self, **frame: object) -> None:
        await self._socket.send(json.dumps(frame))

    async def told(self, **values: object) -> Frame:
        """Wait for a frame; those that came before count as well."""
        place = 0
        async with asyncio.timeout(PATIENCE):
            while True:
                for frame in self.frames[place:]:
                    if all(frame.get(name) == value for name, value in values.items()):
                        return frame
                place = len(self.frames)
                self.frames.append(json.loads(await self._socket.recv()))

    async def row(self, conversation: str, **values: object) -> Frame:
        """Wait for a row of a conversation with these values."""
        place = 0
        async with asyncio.timeout(PATIENCE):
            while True:
                for frame in self.frames[place:]:
                    for row in frame.get("rows", ()):
                        same = all(row.get(name) == value for name, value in values.items())
                        if row["id"] == conversation and same:
                            found: Frame = row
                            return found
                place = len(self.frames)
                self.frames.append(json.loads(await self._socket.recv()))


@asynccontextmanager
async def page(agent: Agent) -> AsyncIterator[OpenPage]:
    async with agent.socket() as socket:
        opened = OpenPage(socket)
        await opened.told(type="welcome")
        yield opened


async def presence(agent: Agent, chosen: object) -> Frame:
    answer = await agent.http.put("/api/staff/me/presence", json={"presence": chosen})
    content: Frame = answer.json()
    return content if answer.status_code == 200 else {"status": answer.status_code, **content}


async def test_rows_come_by_themselves_whole_or_masked(staffed: Staffed) -> None:
    async with (
        staffed.agent("lin") as lin,
        staffed.agent("wu") as wu,
        staffed.agent("qing") as qing,
        page(lin) as lins,
        page(wu) as wus,
        page(qing) as qings,
        guest(staffed.stack, name="欧阳明") as one,
    ):
        await complain(one)
        await lin.done(one.conversation, "take")
        mine = await lins.row(one.conversation, owner=lin.owner)
        assert (mine["customer"], mine["masked"]) == ("欧阳明", False)
        theirs = await wus.row(one.conversation, owner=lin.owner)
        assert (theirs["customer"], theirs["masked"]) == ("欧**", True)
        await one.send("我的电话是13912345678")
        assert "13912345678" in (await lins.row(one.conversation, unread=1))["last"]
        last = (await wus.row(one.conversation, unread=1))["last"]
        assert "13912345678" not in last
        assert one.conversation not in json.dumps(qings.frames), "another business hears nothing"


async def test_what_stands_on_the_owners_open_page_is_read(staffed: Staffed) -> None:
    async with (
        staffed.agent("lin") as lin,
        page(lin) as lins,
        guest(staffed.stack) as one,
    ):
        await complain(one)
        await lin.done(one.conversation, "take")
        await lins.send(type="watch", conversation=one.conversation, after=0)
        await one.send("有人在吗")
        await lins.told(type="detail", conversation=one.conversation)
        await lins.row(one.conversation, unread=0, last="有人在吗")
        said = [frame["event"].get("text") for frame in lins.frames if frame["type"] == "event"]
        assert said.count("有人在吗") == 1
        # In public as well, and nothing of others in the room.
        async with guest(staffed.stack, name="旁人") as other:
            await other.post("今天天气不错")
            await one.post("我在私聊里等着呢")
            while "我在私聊里等着呢" not in said:
                lins.frames.append(json.loads(await lins._socket.recv()))
                said = [f["event"].get("text") for f in lins.frames if f["type"] == "event"]
            assert "今天天气不错" not in said


async def test_colleagues_see_who_looks_on_and_who_types(staffed: Staffed) -> None:
    async with (
        staffed.agent("lin") as lin,
        staffed.agent("wu") as wu,
        page(lin) as lins,
        guest(staffed.stack) as one,
    ):
        await complain(one)
        await lins.send(type="watch", conversation=one.conversation, after=0)
        await lins.told(type="looking", who=[])
        me = {"id": wu.login.id, "name": wu.name}
        async with page(wu) as wus:
            await wus.send(type="watch", conversation=one.conversation, after=0)
            await lins.told(type="looking", who=[{**me, "typing": False}])
            await wus.send(type="typing")
            await lins.told(type="looking", who=[{**me, "typing": True}])
            shown = await lin.whole(one.conversation)
            assert [who["id"] for who in shown["looking"]] == [wu.login.id]
        lins.frames.clear()
        await lins.told(type="looking", who=[])


async def test_a_memo_reaches_the_colleague_and_no_customer(staffed: Staffed) -> None:
    async with (
        staffed.agent("lin") as lin,
        staffed.agent("wu") as wu,
        page(wu) as wus,
        guest(staffed.stack) as one,
    ):
        await presence(wu, "online")
        await wus.told(type="presence", presence="online")
        await complain(one)
        await lin.done(one.conversation, "take")
        for body, code in (
            ({"to": wu.login.id, "memo": ""}, "no_memo"),
            ({"to": "nobody", "memo": "请接手"}, "bad_request"),
            ({"to": True, "memo": "请接手"}, "bad_request"),
            ({"to": 99_999, "memo": "请接手"}, "bad_colleague"),
            ({"to": wu.login.id, "memo": "长" * 501}, "too_long"),
        ):
            refused = await lin.act(one.conversation, "transfer", **body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
        handed = await lin.done(
            one.conversation, "transfer", to=wu.login.id, memo="老顾客，语气软一点"
        )
        assert handed == {"owner": wu.owner}
        notice = (await wus.told(type="notice"))["notice"]
        assert (notice["kind"], notice["conversation"]) == ("transfer", one.conversation)
        await one.chat.event(kind="owner", owner="staff", name=wu.name)
        assert "语气软一点" not in json.dumps(one.chat.events, ensure_ascii=False)
        client = uuid.uuid4().hex
        late = await lin.act(one.conversation, "answer", id=client, text="我再补充一下")
        assert (late.status_code, late.json()["error"]["code"]) == (409, "taken")
        whole = await wu.whole(one.conversation)
        assert [note["kind"] for note in whole["notes"]] == ["transfer"]
        await presence(wu, "offline")
        again = await wu.act(one.conversation, "transfer", to=lin.login.id, memo="还给你")
        assert again.status_code == 200, "his conversations stay his to hand on"


async def test_who_oversees_steps_in_and_who_does_not_cannot(staffed: Staffed) -> None:
    async with (
        staffed.agent("lin") as lin,
        staffed.agent("wu") as wu,
        staffed.agent("fang") as fang,
        guest(staffed.stack) as one,
    ):
        await complain(one)
        await lin.done(one.conversation, "take")
        assert (await wu.act(one.conversation, "step_in")).status_code == 403
        assert await fang.done(one.conversation, "step_in") == {"owner": fang.owner}
        how = {"note": "谈妥了", "at": "hearing", "force": True}
        back = await fang.done(one.conversation, "give_back", **how)
        assert back == {"owner": "bot"}
        await fang.done(one.conversation, "take")
        for at in ("nowhere", 7):
            wrong = await fang.act(one.conversation, "give_back", note="", at=at)
            assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "bad_stage")


async def test_putting_aside(staffed: Staffed) -> None:
    async with staffed.agent("lin") as lin, guest(staffed.stack) as one:
        await complain(one)
        await lin.done(one.conversation, "take")
        for until in ("soon", "2020-01-01T00:00:00+00:00", "2026-12-01T00:00:00", 7):
            refused = await lin.act(one.conversation, "snooze", until=until)
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_time")
        until = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
        put = await lin.done(one.conversation, "snooze", until=until, note="等仓库")
        assert (await lin.row(one.conversation))[1]["snoozed_until"] == put["snoozed_until"]
        await one.send("我想起来一件事")
        assert (await lin.row(one.conversation))[1]["snoozed_until"] is None


async def test_presence_is_chosen_and_colleagues_know(staffed: Staffed) -> None:
    async with staffed.agent("wu") as wu, staffed.agent("qing") as qing, page(wu) as wus:
        assert (await presence(wu, "dancing"))["error"]["code"] == "bad_presence"
        assert await presence(wu, "busy") == {"presence": "busy"}
        await wus.told(type="presence", presence="busy")
        answer = await wu.http.get("/api/staff/colleagues")
        found = {one["id"]: one for one in answer.json()["colleagues"]}
        assert found[wu.login.id]["presence"] == "busy"
        assert qing.login.id not in found, "of another business"
        assert await presence(wu, "offline") == {"presence": "offline"}


async def test_who_waits_is_told_where_they_stand_when_they_come_back(staffed: Staffed) -> None:
    async with staffed.agent("lin") as lin, staffed.agent("wu") as wu:
        for agent in (lin, wu):
            await presence(agent, "offline")
    async with staffed.agent("lin") as lin, guest(staffed.stack) as one:
        await complain(one)
        await lin.done(one.conversation, "take")
        await lin.done(one.conversation, "transfer", to="queue", memo="换个人办")
        await presence(lin, "offline")
        stands = await frame_of(one, "queue")
        assert stands["position"] >= 1
        assert stands["minutes"] is None or stands["minutes"] >= 1
        await one.chat.disconnect()
        one.chat.frames.clear()
        await one.chat.connect()
        assert (await frame_of(one, "queue"))["position"] >= 1


async def frame_of(one: Guest, kind: str) -> Frame:
    await one.chat.until(lambda seen: any(f["type"] == kind for f in seen.frames), PATIENCE)
    found: Frame = next(frame for frame in one.chat.frames if frame["type"] == kind)
    return found

"""A case has two parts with owners of their own: who has one of them sees no more than that."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import websockets
from sqlalchemy import Connection, update

from desk.conversations import ownership, passing
from desk.conversations.attendance import Attendance
from desk.errors import PageError
from desk.staff import live
from recovery.case import Case
from recovery.ids import new_id
from recovery.pictures import COPY_MIME
from recovery.store import (
    cases,
    conversations,
    customers,
    notices,
    pictures,
    presence,
    staff,
    streams,
)
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from recovery.store.staff import Staff
from recovery.store.tables import staff as staff_table
from tests.desk.serving import NOON, Clock, Desk, a_context, serving

PASSWORD = "an honest password"
NAME, PHONE, ORDER = "欧阳小花", "13812345678", "A102"
SECRET = f"我是{NAME}，电话{PHONE}，订单{ORDER}"
PEOPLE = (
    ("lin", "小林", "agent"),
    ("wu", "老吴", "agent"),
    ("fang", "方姐", "supervisor"),
    ("tao", "小陶", "trainer"),
    ("root", "管理员", "admin"),
)
PATIENCE = 20.0


@dataclass
class Member:
    """One of staff with a browser."""

    who: Staff
    http: httpx.AsyncClient

    async def done(self, chat: str, act: str, **body: object) -> Any:  # noqa: ANN401 - JSON
        answer = await self.http.post(f"/api/staff/conversations/{chat}/{act}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def whole(self, chat: str) -> Any:  # noqa: ANN401 - JSON
        answer = await self.http.get(f"/api/staff/conversations/{chat}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def notices(self) -> Any:  # noqa: ANN401 - JSON
        return (await self.http.get("/api/staff/me/notices")).json()


@dataclass
class House:
    """A desk that serves, everybody logged in, one case with both parts."""

    desk: Desk
    clock: Clock
    public: Conversation
    private: Conversation
    people: dict[str, Member] = field(default_factory=dict)

    def __getitem__(self, login: str) -> Member:
        return self.people[login]

    def write(self, work: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - any store function
        with self.desk.context.storage.database.write() as db:
            return work(db, *args, **more)

    def says(self, part: Conversation, text: str) -> None:
        """The customer says something, and open pages hear of it."""
        event = {"id": new_id("m"), "kind": "message", "author": "customer", "text": text}
        event |= {"customer": part.customer_id, "name": NAME}
        entry = self.write(streams.append, part.shown_in, event, self.clock())
        self.desk.context.hub.publish([entry])

    def present(self, part: Conversation) -> Conversation:
        found = self.write(conversations.load, part.id)
        assert isinstance(found, Conversation)
        return found

    @asynccontextmanager
    async def page(self, login: str) -> AsyncIterator["Page"]:
        cookie = self[login].http.cookies["huixin_staff"]
        address = self.desk.url.replace("http", "ws", 1) + "/ws/staff"
        headers = {"Cookie": f"huixin_staff={cookie}"}
        async with websockets.connect(address, additional_headers=headers, proxy=None) as socket:
            yield Page(socket)


@dataclass
class Page:
    """An open page of staff."""

    socket: websockets.ClientConnection

    async def watch(self, chat: str) -> None:
        await self.socket.send(json.dumps({"type": "watch", "conversation": chat, "after": 0}))

    async def hears(self, **values: object) -> Any:  # noqa: ANN401 - JSON
        """The next frame with these values."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = json.loads(await self.socket.recv())
                if all(frame.get(name) == value for name, value in values.items()):
                    return frame

    async def words(self) -> str:
        """What is said next."""
        while True:
            event = (await self.hears(type="event"))["event"]
            if event["kind"] == "message":
                return str(event["text"])

    async def ends(self) -> int | None:
        """The code with which the desk closes the page."""
        async with asyncio.timeout(PATIENCE):
            await self.socket.wait_closed()
        return self.socket.close_code


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = Clock()
    context = a_context(tmp_path, clock)
    case = Case("s1", facts={"failure": "room_not_clean"}, order_number=ORDER)
    members = {}
    with context.storage.database.write() as db:
        for login, name, role in PEOPLE:
            business = None if role == "admin" else "lanting"
            members[login] = staff.add(db, login, name, role, PASSWORD, NOON, business)
        customer, _ = customers.begin_session(db, None, "lanting", NAME, None, NOON)
        cases.save(db, case, "lanting", customer.id, NOON)
        public = conversations.begin(
            db, "lanting", customer.id, NOON, room="lanting-lobby", case_id=case.id
        )
        private = conversations.begin(db, "lanting", customer.id, NOON, case_id=case.id)
    async with serving(context) as desk:
        house = House(desk, clock, public, private)
        house.says(public, "房间没打扫")
        house.says(private, SECRET)
        for login, who in members.items():
            http = httpx.AsyncClient(base_url=desk.url, trust_env=False, timeout=PATIENCE)
            answer = await http.post(
                "/api/staff/login", json={"login": login, "password": PASSWORD}
            )
            http.headers["X-CSRF"] = answer.json()["csrf"]
            house.people[login] = Member(who, http)
        yield house
        for member in house.people.values():
            await member.http.aclose()


def hidden(value: object) -> bool:
    """Whether nothing of the customer stands in it."""
    text = json.dumps(value, ensure_ascii=False)
    return not any(one in text for one in (NAME, PHONE, ORDER))


async def test_the_thread_in_the_room_does_not_open_a_colleagues_chat(house: House) -> None:
    lin, wu, fang = house["lin"], house["wu"], house["fang"]
    await wu.done(house.private.id, "take")
    await fang.done(house.private.id, "whisper", id=new_id("x"), text="只给老吴看")
    await wu.done(house.private.id, "notes", id=new_id("x"), text=f"{NAME}很急", mentions=[])
    await lin.done(house.public.id, "take")
    shown = await lin.whole(house.public.id)
    assert not shown["conversation"]["masked"], "the thread itself is lin's"
    for part in ("private", "case", "customer", "summary", "order", "earlier", "notes"):
        assert hidden(shown[part]), part
    assert [one["text"] for one in shown["public"] if one["kind"] == "message"] == ["房间没打扫"]
    assert [one["kind"] for one in shown["notes"]] == ["note"], "a whisper is not for lin"
    whole = await wu.whole(house.private.id)
    assert SECRET in [one.get("text") for one in whole["private"]]
    assert (whole["customer"]["name"], whole["case"]["order_number"]) == (NAME, ORDER)
    assert {one["kind"] for one in whole["notes"]} == {"note", "whisper"}
    assert {one["text"] for one in whole["notes"]} == {"只给老吴看", f"{NAME}很急"}
    for chat in (house.public.id, house.private.id):
        assert SECRET in [one.get("text") for one in (await fang.whole(chat))["private"]]


async def test_pictures_go_with_their_part(house: House) -> None:
    lin, wu = house["lin"], house["wu"]
    await wu.done(house.private.id, "take")
    await lin.done(house.public.id, "take")
    sha = house.desk.app.ctx.album.keep(b"as sent", b"the copy")
    made = house.write(pictures.add, house.private, sha, COPY_MIME, (1, 1), 1, house.clock())
    seen = {}
    for member, chat in ((lin, house.public.id), (lin, house.private.id), (wu, house.private.id)):
        found = await member.http.get(f"/api/staff/conversations/{chat}/pictures/{made.id}")
        seen[member.who.login, chat] = found.status_code
    assert list(seen.values()) == [404, 404, 200]


async def test_what_is_said_live_goes_with_its_part(house: House) -> None:
    lin, wu = house["lin"], house["wu"]
    await wu.done(house.private.id, "take")
    await lin.done(house.public.id, "take")
    async with house.page("lin") as lins, house.page("wu") as wus:
        await lins.watch(house.public.id)
        assert await lins.words() == "房间没打扫"
        assert hidden(await lins.words())
        await wus.watch(house.private.id)
        assert SECRET == await wus.words()
        house.says(house.private, f"再说一遍，{SECRET}")
        assert hidden(await lins.words())


async def test_who_has_lost_it_reads_no_further(house: House) -> None:
    lin = house["lin"]
    await lin.done(house.private.id, "take")
    async with house.page("lin") as lins:
        await lins.watch(house.private.id)
        assert SECRET == await lins.words()
        context = house.desk.context
        committed = house.write(
            passing.step_in, context, house.private.id, house["fang"].who, house.clock()
        )
        # Said before anything else tells the page that it is not lin's any more.
        context.hub.publish(committed.entries)
        house.says(house.private, SECRET)
        assert hidden(await lins.words())
        await lin.done(house.public.id, "take")
        await house["fang"].done(house.private.id, "transfer", to=QUEUE, memo="请小林接手")
        await lin.done(house.private.id, "take")
        await lins.hears(type="detail")
        async with asyncio.timeout(PATIENCE):
            while True:
                house.says(house.private, SECRET)
                if await lins.words() == SECRET:
                    break


async def test_an_order_that_is_proved_while_one_looks_is_hidden(house: House) -> None:
    case = house.write(cases.load, "s1")
    house.write(cases.save, replace(case, order_number=None), "lanting", "c", house.clock())
    async with house.page("tao") as taos:
        await taos.watch(house.private.id)
        await taos.words()
        house.write(cases.save, case, "lanting", "c", house.clock())
        house.desk.context.hub.changed("lanting", house.private.id)
        await taos.hears(type="detail")
        house.says(house.private, f"就是{ORDER}这一单")
        assert ORDER not in await taos.words()


async def test_looking_elsewhere_loses_no_change(house: House) -> None:
    hub = house.desk.context.hub
    async with house.page("fang") as fangs:
        await fangs.watch(house.public.id)
        await fangs.hears(type="looking", conversation=house.public.id)
        hub.changed("lanting", house.public.id)
        await fangs.hears(type="detail", conversation=house.public.id)
        hub.changed("lanting", house.public.id)
        await fangs.hears(type="rows")
        await fangs.watch(house.private.id)
        await fangs.hears(type="looking", conversation=house.private.id)
        hub.changed("lanting", house.private.id)
        await fangs.hears(type="detail", conversation=house.private.id)


# --- the open page ----------------------------------------------------------------------------


async def test_a_silent_page_is_closed_when_its_login_ends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_CHECKED_EVERY_SECONDS", 0.1)
    async with house.page("fang") as fangs, house.page("lin") as lins:
        await fangs.hears(type="welcome")
        await lins.hears(type="welcome")
        # As another desk, or a command, would do it: this desk is not told.
        house.write(staff.end_sessions, house["fang"].who.id)
        assert await fangs.ends() == 4401
        assert lins.socket.close_code is None


async def test_a_page_without_a_sign_of_life_is_closed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_CHECKED_EVERY_SECONDS", 0.1)
    monkeypatch.setattr(live, "_SILENT_SECONDS", 0.3)
    async with house.page("fang") as fangs:
        assert await fangs.ends() == 4408


async def test_odd_conversations_are_not_watched(house: House) -> None:
    async with house.page("fang") as fangs:
        for odd in ("k\0", "k" * 5000, "客", ""):
            await fangs.watch(odd)
        await fangs.watch(house.private.id)
        await fangs.hears(type="event")


# --- notices and notes ------------------------------------------------------------------------


async def test_notices_hold_nothing_of_the_customer(house: House) -> None:
    lin, wu, fang, tao = (house[one] for one in ("lin", "wu", "fang", "tao"))
    memo = f"{NAME}，订单{ORDER}，电话{PHONE}，要全退"
    await lin.done(house.private.id, "take")
    await lin.done(
        house.private.id, "notes", id=new_id("x"), text=memo, mentions=[tao.who.id, wu.who.id]
    )
    await fang.done(house.private.id, "whisper", id=new_id("x"), text=memo)
    house.write(presence.choose, wu.who.id, "online")
    house.write(presence.sign_of_life, wu.who.id, house.clock())
    await lin.done(house.private.id, "transfer", to=wu.who.id, memo=memo)
    for member, kinds in ((tao, ["mention"]), (lin, ["whisper"]), (wu, ["transfer", "mention"])):
        told = (await member.notices())["notices"]
        assert [one["kind"] for one in told] == kinds
        assert hidden(told), told
        assert all("全退" in one["text"] for one in told)


@pytest.mark.parametrize(
    ("role", "business", "left"),
    [
        ("agent", "lanting", ["assigned", "mention"]),
        ("trainer", "lanting", ["mention"]),
        ("agent", "qinghe", []),
        ("admin", "lanting", []),
    ],
)
async def test_who_is_moved_reads_what_is_still_theirs(
    house: House, role: str, business: str, left: list[str]
) -> None:
    wu = house["wu"].who
    for kind in ("mention", "assigned"):
        house.write(notices.add, [wu.id], kind, house.private.id, "请看看", house.clock())
    now = replace(wu, role=role, business=business)
    assert [one.kind for one in house.write(notices.latest, now)] == left
    assert house.write(notices.unread, now) == len(left)


async def test_a_number_to_call_back_is_for_who_has_the_case(house: House) -> None:
    made = await house["lin"].http.post(
        "/api/staff/cases",
        json={
            **{"id": new_id("x"), "business": "lanting", "channel": "phone", "name": "王先生"},
            **{"text": "房间没打扫", "phone": "8888 6666"},
        },
    )
    chat = made.json()["conversation"]
    noted = [(await house[one].whole(chat))["notes"][0]["text"] for one in ("lin", "wu", "tao")]
    assert noted[0] == "回电号码：8888 6666"
    assert not any("8888" in text or "6666" in text for text in noted[1:])


async def test_the_latest_words_never_end_within_a_number(house: House) -> None:
    for before in range(60, 81):
        text = "房" * before + f"电话{PHONE}，快点"
        house.write(conversations.note_message, house.private.id, text, house.clock())
        rows = (await house["tao"].http.get("/api/staff/conversations")).json()["rows"]
        [last] = [row["last"] for row in rows if row["id"] == house.private.id]
        assert not any(char.isdigit() for char in last), last


# --- an account that was changed meanwhile ----------------------------------------------------


async def test_who_was_disabled_meanwhile_neither_takes_nor_speaks(house: House) -> None:
    lin, context = house["lin"], house.desk.context
    await lin.done(house.private.id, "take")
    await lin.done(house.private.id, "answer", id=new_id("x"), text="在的", confirmed=True)
    # The call was let in; the account is disabled before its transaction begins.
    change = {"disabled": True}
    admin = house["root"]
    done = await admin.http.patch(f"/api/staff/accounts/{lin.who.id}", json=change)
    assert done.status_code == 200
    assert house.present(house.private).owner == QUEUE
    for part in (house.public, house.private):
        with pytest.raises(PageError) as refused:
            house.write(ownership.take, context, part.id, lin.who, house.clock())
        assert refused.value.status_code == 401
    assert house.present(house.public).owner == BOT


async def test_what_such_an_account_owns_all_the_same_comes_back(house: House) -> None:
    lin, wu, desk = house["lin"], house["wu"], house.desk
    await lin.done(house.private.id, "take")
    await wu.done(house.public.id, "take")
    house.write(_disable, lin.who.id)
    await Attendance(desk.context, desk.app.ctx.router).look_once()
    assert house.present(house.private).owner in (QUEUE, staff_owner(wu.who.id))
    assert house.present(house.public).owner == staff_owner(wu.who.id)
    told = house.write(streams.after, house.private.stream, 0)
    assert told[-1].event["kind"] == "owner"


async def test_one_answer_does_not_keep_the_desk_busy(house: House) -> None:
    lin = house["lin"]
    await lin.done(house.private.id, "take")
    chat = house.private.id
    for text in ("1" * 8000, "赔您" + "9," * 2500, "一" * 5000):
        body = {"id": new_id("x"), "text": text}
        answer = await lin.http.post(f"/api/staff/conversations/{chat}/answer", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "too_long")


def _disable(db: Connection, staff_id: int) -> None:
    db.execute(update(staff_table).where(staff_table.c.id == staff_id).values(disabled_at="2026"))

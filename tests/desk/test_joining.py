"""One customer on web page and WeChat: joined by proof, and then one history, one case."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from recovery.case import Case
from recovery.ids import new_id
from recovery.store import cases, customers, decisions, join_codes, persons, preferences
from recovery.store.database import Database
from recovery.store.join_codes import TooManyError
from recovery.store.tables import cases as cases_table
from recovery.store.tables import decisions as decisions_table
from recovery.store.tables import inbox, join_tries
from tests.desk.acting import acting
from tests.desk.people import PATIENCE
from tests.desk.postgres import new_database
from tests.desk.serving import NOON
from tests.desk.wechat.scene import BUSINESS, Scene, a_scene
from tests.support.customer import Customer

in_module = pytest.mark.asyncio(loop_scope="module")
ROOM, COMPLAINT = "lanting-lobby", "房间没打扫，床上还有头发"
ORDER, LAST4 = "LT202611180012", "4417"
WRONG = "这个码不对"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One desk for all tests of this file; everybody in them is somebody new."""
    limits = {"burst": 60, "per_second": 60, "sessions_per_minute": 100_000}
    folder, address = tmp_path_factory.mktemp("joining"), "https://desk.example"
    async with a_scene(folder, limits=limits, public_url=address) as made:
        made.desk.app.ctx.join_buckets.__init__(10_000, 1_000)
        with acting(made.desk.context) as script:
            made.rasa.script = script
            yield made


class Web:
    """Somebody with a web page open."""

    def __init__(self, customer: Customer, customer_id: str) -> None:
        self.customer = customer
        self.http: httpx.AsyncClient = customer.http
        self.id = customer_id

    async def code(self, business: str = BUSINESS) -> str:
        answer = await self.http.post("/api/my/codes", json={"business": business})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["code"])

    async def use(self, code: str, business: str = BUSINESS) -> httpx.Response:
        return await self.http.post("/api/my/codes/use", json={"business": business, "code": code})

    async def own(self) -> list[dict[str, Any]]:
        answer = await self.http.get("/api/my/conversations")
        found: list[dict[str, Any]] = answer.json()["conversations"]
        return found

    async def sees(self, conversation: str) -> bool:
        answer = await self.http.get(f"/api/conversations/{conversation}")
        return answer.status_code == 200


@asynccontextmanager
async def web(scene: Scene, name: str = "阿明", business: str = BUSINESS) -> AsyncIterator[Web]:
    async with Customer(scene.desk.url) as customer:
        me = await customer.begin(business, name)
        yield Web(customer, me["id"])


async def wechat(scene: Scene, text: str = "你好") -> str:
    """Somebody new who has written in WeChat; the openid."""
    openid = f"o-{new_id('w')}"
    await scene.double.write(openid, text)
    await scene.seen(openid, 1)
    return openid


async def asked_in_wechat(scene: Scene, openid: str) -> str:
    """The code that WeChat's customer reads."""
    await scene.double.write(openid, "合并账号")
    told = await scene.double.sees(openid, "您的合并码是")
    return str(told.text.partition("您的合并码是 ")[2][:9])


async def complained(one: Web, text: str = COMPLAINT) -> str:
    """Post in the room and enter; the private chat."""
    assert (await one.http.get(f"/api/rooms/{ROOM}")).status_code == 200
    async with one.customer.room(ROOM) as room:
        await room.say(text)
        token = (await room.event(kind="invitation"))["token"]
    return await one.customer.enter(token)


def person(scene: Scene, customer_id: str) -> str:
    with scene.store.read() as db:
        return persons.person_of(db, customer_id)


# --- proof ------------------------------------------------------------------------------------


@in_module
async def test_a_code_is_not_taken_where_others_would_read_it(scene: Scene) -> None:
    async with web(scene) as one, web(scene, "小红") as other:
        code = await other.code()
        assert (await one.http.get(f"/api/rooms/{ROOM}")).status_code == 200
        async with one.customer.room(ROOM) as room:
            frame = await room.answered(await room.say(f"绑定 {code}"))
        assert (frame["type"], frame["code"]) == ("refused", "join_code")
        with scene.store.read() as db:
            texts = db.execute(select(inbox.c.text)).scalars()
            assert not [text for text in texts if code in text]


@in_module
async def test_a_code_of_wechat_typed_on_the_page_joins_once(scene: Scene) -> None:
    openid = await wechat(scene)
    there = scene.conversation(openid)
    async with web(scene) as one, web(scene, "小红") as other:
        code = await asked_in_wechat(scene, openid)
        assert not await one.sees(there["id"])
        answer = await one.use(code.lower().replace("-", " "))
        assert (answer.status_code, answer.json()) == (200, {"channel": "微信", "new": True})
        # Sent again it is as it was; for anybody else the code is worth nothing.
        assert (await one.use(code)).json() == {"channel": "微信", "new": False}
        refused = await other.use(code)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "no_code")

        assert person(scene, one.id) == person(scene, there["customer_id"])
        assert await one.sees(there["id"]) and not await other.sees(there["id"])
        assert [(row["id"], row["channel"]) for row in await one.own()] == [(there["id"], "wechat")]
        shown = await one.http.get(f"/api/my/identities?business={BUSINESS}")
        assert shown.json() == {"channels": ["微信", "网页"]}
        # Nobody is joined without hearing of it.
        await scene.double.sees(openid, "如果不是您本人操作")
        # What was said in WeChat is shown on the page as the customer's own words.
        async with one.customer.private(there["id"]) as page:
            assert (await page.event(text="你好"))["mine"] is True
            await page.say("我在网页上接着说")
            await page.event(text="我在网页上接着说")


@in_module
async def test_a_code_of_the_page_typed_in_wechat_is_no_message(scene: Scene) -> None:
    for before in ("", "绑定 ", "合并账号："):
        openid = await wechat(scene)
        async with web(scene) as one:
            code = await one.code()
            await scene.double.write(openid, f"{before}{code}")
            await scene.double.sees(openid, "合到一起了")
            contact = scene.contact(openid)
            assert person(scene, one.id) == person(scene, contact["customer_id"])
            taken = scene.rows(inbox, inbox.c.conversation_id == contact["conversation_id"])
            assert not [row for row in taken if code in row["text"]], "a code is kept nowhere"


@in_module
async def test_wrong_old_and_own_codes_join_nobody(scene: Scene) -> None:
    openid = await wechat(scene)
    async with web(scene) as one, web(scene) as other:
        own = await one.code()
        assert (await one.use(own)).status_code == 404
        replaced, code = own, await one.code()
        await scene.double.write(openid, replaced)
        await scene.double.sees(openid, WRONG)
        scene.clock.wind(minutes=10, seconds=1)
        assert (await other.use(code)).status_code == 404
        for typed in ("", "   ", "x" * 41, None, 7, ["a"]):
            answer = await other.http.post(
                "/api/my/codes/use", json={"business": BUSINESS, "code": typed}
            )
            assert answer.status_code == 400, typed
        for typed in ("'; --", "𝟛𝟛𝟛𝟛-𝟛𝟛𝟛𝟛", "3" * 40):
            assert (await other.use(typed)).status_code in (400, 404), typed
        assert len({person(scene, one.id), person(scene, other.id)}) == 2
        nobody = httpx.AsyncClient(base_url=scene.desk.url, timeout=PATIENCE, trust_env=False)
        async with nobody:
            answer = await nobody.post("/api/my/codes", json={"business": BUSINESS})
            assert answer.status_code == 401


@in_module
async def test_guessing_ends_soon_and_a_right_code_counts_nothing_then(scene: Scene) -> None:
    async with web(scene) as one, web(scene) as guesser:
        code = await one.code()
        for _ in range(join_codes.WRONG_AN_HOUR):
            assert (await guesser.use("AAAA-AAAA")).status_code == 404
        answer = await guesser.use(code)
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many")
        assert person(scene, one.id) != person(scene, guesser.id)
        # The code itself is as good as before for who it was meant for.
        async with web(scene) as meant:
            assert (await meant.use(code)).status_code == 200
        for _ in range(join_codes.CODES_AN_HOUR - 1):
            await one.code()
        answer = await one.http.post("/api/my/codes", json={"business": BUSINESS})
        assert answer.status_code == 429
        assert len(scene.rows(join_tries, join_tries.c.customer_id == guesser.id)) == (
            join_codes.WRONG_AN_HOUR
        )


@in_module
async def test_a_code_is_of_one_business(scene: Scene) -> None:
    async with web(scene) as one, web(scene, business="qinghe") as there:
        code = await one.code()
        assert (await there.use(code, "qinghe")).status_code == 404
        assert (await there.use(code)).status_code == 401, "no session at that business"
        with scene.store.write() as db, pytest.raises(ValueError, match="different businesses"):
            persons.join(
                *(db, customers.load(db, one.id), customers.load(db, there.id)),
                *("code", "test", NOON),
            )


@in_module
async def test_the_same_name_and_order_prove_nothing(scene: Scene) -> None:
    openid = await wechat(scene, "我是阿明，房间没打扫")
    await scene.double.write(openid, f"订单号{ORDER}，手机后四位{LAST4}")
    await scene.until(
        lambda: scene.rows(
            cases_table, cases_table.c.customer_id == scene.contact(openid)["customer_id"]
        )
    )
    async with web(scene, "阿明") as one:
        assert (await one.http.get(f"/api/rooms/{ROOM}")).status_code == 200
        async with one.customer.room(ROOM) as room:
            await room.say(f"我是阿明，{COMPLAINT}")
            token = (await room.event(kind="invitation"))["token"]
        private = await one.customer.enter(token)
        async with one.customer.private(private) as page:
            await page.say(f"订单号{ORDER}，手机后四位{LAST4}")
            await page.event(kind="offer")
        assert person(scene, one.id) == one.id
        assert [row["id"] for row in await one.own()] == [private]


@in_module
async def test_who_scans_with_a_history_of_their_own_is_asked_first(scene: Scene) -> None:
    openid = await wechat(scene)
    theirs = scene.contact(openid)["customer_id"]
    async with web(scene) as one:
        private = await complained(one)
        answer = await one.http.post(f"/api/conversations/{private}/wechat", json={})
        assert answer.status_code == 200, answer.text
        url = list(scene.double.accounts["fuwu"].scenes)[-1]
        await scene.double.scan(openid, url)
        await scene.double.sees(openid, "回复“确认合并”")
        assert person(scene, one.id) != person(scene, theirs), "a scan alone joins nobody"
        await scene.double.write(openid, "确认合并")
        await scene.double.sees(openid, "合到一起了")
        assert person(scene, one.id) == person(scene, theirs)
        with scene.store.read() as db:
            [entry] = persons.joins_of(db, person(scene, one.id))
        assert (entry.how, entry.by) == ("wechat", f"customer:{theirs}")
        # Said once more it is as it was.
        await scene.double.write(openid, "确认合并")
        await scene.double.sees(openid, "本来就是合在一起的")


@in_module
async def test_who_opens_a_link_says_whether_they_were_here_before(scene: Scene) -> None:
    for same in (True, False):
        openid = await wechat(scene)
        theirs = scene.contact(openid)["customer_id"]
        async with web(scene) as one:
            private = await complained(one)
            await scene.double.write(openid, "网页")
            told = await scene.double.sees(openid, "https://desk.example/w/")
            secret = told.text.rpartition("/w/")[2].strip()
            looked = (await one.http.get(f"/api/wechat-links/{secret}")).json()
            assert looked["other"] is True
            body = {"join": True} if same else {}
            answer = await one.http.post(f"/api/wechat-links/{secret}", json=body)
            assert answer.status_code == 200, answer.text
            assert (person(scene, one.id) == person(scene, theirs)) is same
            # The browser is the customer of WeChat now; what was said before it sees if it is one.
            assert await one.sees(answer.json()["conversation"])
            assert await one.sees(private) is same


# --- what follows -----------------------------------------------------------------------------


@in_module
async def test_a_complaint_of_wechat_goes_on_in_the_room(scene: Scene) -> None:
    openid = await wechat(scene, COMPLAINT)
    await scene.double.sees(openid, "say_ask_order")
    await scene.double.write(openid, f"订单号{ORDER}，手机后四位{LAST4}")
    there = scene.conversation(openid)

    def proved() -> Case | None:
        with scene.store.read() as db:
            case = cases.load(db, there["case_id"] or scene.conversation(openid)["case_id"])
        return case if case and case.order_number == ORDER else None

    case = await scene.until(proved)
    private = scene.contact(openid)["conversation_id"]
    async with web(scene) as one:
        assert (await one.use(await asked_in_wechat(scene, openid))).status_code == 200
        assert (await one.http.get(f"/api/rooms/{ROOM}")).status_code == 200
        async with one.customer.room(ROOM) as room:
            await room.say("上次说的房间没打扫，到现在还是没打扫！")
            told = await room.event(author="system")
            assert "不用从头再讲" in told["text"]
            token = (await room.event(kind="invitation"))["token"]
        # The invitation leads to the chat that there was, and there is one case.
        assert await one.customer.enter(token) == private
        mine = {one.id, scene.contact(openid)["customer_id"]}
        assert [
            row["id"] for row in scene.rows(cases_table, cases_table.c.customer_id.in_(mine))
        ] == [case.id]
        assert [row["id"] for row in await one.own()] == [private]
        async with one.customer.private(private) as page:
            await page.until(lambda page: any(e["kind"] == "offer" for e in page.events))
            asked = [e for e in page.events if "say_ask_order" in str(e.get("text"))]
            assert len(asked) == 1, "the order is not asked for twice"


@in_module
async def test_a_complaint_of_the_page_goes_on_in_wechat_and_another_does_not(
    scene: Scene,
) -> None:
    async with web(scene) as one:
        private = await complained(one)
        async with one.customer.private(private) as page:
            await page.until(
                lambda page: any("say_ask_order" in str(e.get("text")) for e in page.events)
            )
            await page.say(f"订单号{ORDER}，手机后四位{LAST4}")
            await page.event(kind="offer")
        openid = await wechat(scene)
        await scene.double.write(openid, await one.code())
        await scene.double.sees(openid, "合到一起了")
        await scene.double.write(openid, "房间还是没打扫")
        await scene.double.sees(openid, "接着上次房间没有打扫干净")
        assert "say_ask_order" not in "".join(scene.double.words(openid))
        with scene.store.read() as db:
            [found] = persons.cases_of(db, person(scene, one.id))
            assert persons.went_on(db, found.id)[0][1] == "same-failure-open"
        assert scene.conversation(openid)["case_id"] == found.id
        # Two conversations of one case are one row.
        [row] = await one.own()
        assert {row["id"], *row["also"]} == {private, scene.contact(openid)["conversation_id"]}

        async with web(scene, "别人") as other:
            assert (await other.http.get(f"/api/rooms/{ROOM}")).status_code == 200
            async with other.customer.room(ROOM) as room:
                await room.say(COMPLAINT)
                await room.event(kind="invitation")
            with scene.store.read() as db:
                assert [c.id for c in persons.cases_of(db, person(scene, other.id))] != [found.id]


@in_module
async def test_who_looks_after_the_case_looks_after_where_it_goes_on(scene: Scene) -> None:
    clerk = await scene.staff(f"lin-{new_id('x')[:8]}")
    try:
        async with web(scene) as one:
            private = await complained(one)
            await clerk.act(private, "take")
            openid = await wechat(scene)
            await scene.double.write(openid, await one.code())
            await scene.double.sees(openid, "合到一起了")
            await scene.double.write(openid, "房间还是没打扫")
            await scene.double.sees(openid, "接着上次")
            there = scene.contact(openid)["conversation_id"]
            await scene.until(lambda: scene.conversation(openid)["owner"] == f"staff:{clerk.id}")
            assert scene.events(f"private:{there}")[-1]["kind"] == "owner"

            # What a person has closed is opened for a person, not settled by the bot once more.
            for place in (there, private):
                await clerk.act(place, "give_back", note="", force=True)
            await clerk.act(private, "take")
            await clerk.act(private, "close", outcome="explained", note="", force=True)
            await scene.double.write(openid, "又没打扫！")
            [row] = await scene.until(
                lambda: [
                    row
                    for row in scene.rows(cases_table, cases_table.c.customer_id == one.id)
                    if row["stage"] == "person"
                ]
            )
            assert scene.conversation(openid)["case_id"] == row["id"]
            assert scene.conversation(openid)["owner"] == "queue"

            # From another chat it is told that it goes on, and the place in the queue goes along.
            with scene.store.write() as db:
                cases.save(
                    db,
                    replace(cases.load(db, row["id"]) or Case("s0"), stage="closed"),
                    *(BUSINESS, one.id, scene.clock()),
                )
            third = await wechat(scene)
            await scene.double.write(third, await one.code())
            await scene.double.sees(third, "合到一起了")
            await scene.double.write(third, "房间还是没打扫")
            await scene.double.sees(third, "我们接着办")
            assert scene.conversation(third)["owner"] == "queue"
            assert scene.conversation(openid)["owner"] == "bot"
            [again] = scene.rows(cases_table, cases_table.c.id == row["id"])
            assert again["reopened_at"] and again["closed_at"] is None
    finally:
        await clerk.close()


@in_module
async def test_wishes_and_gifts_follow_the_person(scene: Scene) -> None:
    openid = await wechat(scene)
    theirs = scene.contact(openid)["customer_id"]
    async with web(scene) as one:
        with scene.store.write() as db:
            preferences.refuse_marketing(db, theirs, NOON)
            preferences.refuse_follow_up(db, one.id, NOON)
            _given(db, theirs)
        assert (await one.use(await asked_in_wechat(scene, openid))).status_code == 200
        with scene.store.read() as db:
            stands = preferences.of(db, person(scene, one.id))
            assert (stands.no_follow_up, stands.no_marketing) == (True, True)
            had = decisions.history(
                db, BUSINESS, "another name", "room_not_clean", "s0", NOON, customer_id=one.id
            )
            alone = decisions.history(db, BUSINESS, "another name", "room_not_clean", "s0", NOON)
        assert (had.claims, had.recurrence, had.goodwill) == (1, 1, 1200)
        assert (alone.claims, alone.recurrence, alone.goodwill) == (0, 0, 0)


def _given(db: Any, customer_id: str) -> None:  # noqa: ANN401 - a connection
    """A remedy that was accepted yesterday."""
    case = Case(id=new_id("s"), facts={"failure": "room_not_clean"})
    cases.save(db, case, BUSINESS, customer_id, NOON)
    moment = (NOON - timedelta(days=1)).isoformat(timespec="microseconds")
    db.execute(
        decisions_table.insert().values(
            id=new_id("o"),
            case_id=case.id,
            business=BUSINESS,
            customer_id=customer_id,
            order_customer="c-1",
            order_number=ORDER,
            failure="room_not_clean",
            channel="wechat",
            policy="p",
            day="2026-11-21",
            facts={},
            rules=[],
            remedies=[],
            floor_fen=0,
            goodwill_fen=1200,
            anger=1,
            decided_by="bot",
            state="accepted",
            made_at=moment,
            accepted_at=moment,
        )
    )


# --- two at once ------------------------------------------------------------------------------


@pytest.fixture
def shared(postgres: str) -> Iterator[Database]:
    made = Database(new_database(postgres, f"joining_{new_id('x')}"))
    made.migrate()
    with closing(made):
        yield made


def test_two_who_use_a_code_at_once_are_not_both_joined(shared: Database) -> None:
    key = "k" * 32
    with shared.write() as db:
        ids = [new_id("u") for _ in range(5)]
        for one in ids:
            customers.add(db, one, BUSINESS, "访客", NOON)
        code = join_codes.issue(db, BUSINESS, ids[0], key, NOON).code

    def use(customer: str) -> str | None:
        with shared.write() as db:
            asked = join_codes.redeem(db, BUSINESS, customer, code, key, NOON)
            if asked:
                mine, other = customers.load(db, customer), customers.load(db, asked)
                persons.join(db, mine, other, "code", f"customer:{customer}", NOON)
            return asked

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(use, ids[1:]))
    assert sorted(filter(None, found)) == [ids[0]]
    with shared.read() as db:
        assert len({persons.person_of(db, one) for one in ids}) == 4
        assert len(persons.customers_of(db, persons.person_of(db, ids[0]))) == 2
        rows = db.execute(select(join_tries.c.correct)).scalars().all()
    assert sorted(rows) == [False, False, False, True]


def test_persons_are_joined_in_one_order_whoever_comes_first(shared: Database) -> None:
    """Two pairs that share somebody, at once: all are one person at the end."""
    with shared.write() as db:
        ids = [new_id("u") for _ in range(4)]
        for place, one in enumerate(ids):
            customers.add(db, one, BUSINESS, "访客", NOON + timedelta(seconds=place))
    pairs = [(0, 1), (1, 2), (2, 3), (3, 0)]

    def join(pair: tuple[int, int]) -> None:
        with shared.write() as db:
            first, second = (customers.load(db, ids[place]) for place in pair)
            persons.join(db, first, second, "link", "test", NOON)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(join, pairs))
    with shared.read() as db:
        assert {persons.person_of(db, one) for one in ids} == {ids[0]}
        assert set(persons.customers_of(db, ids[0])) == set(ids)


def test_enough_codes_is_said_the_same_way_on_every_road(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    store.migrate()
    with closing(store), store.write() as db:
        customers.add(db, "u1", BUSINESS, "访客", NOON)
        for _ in range(join_codes.CODES_AN_HOUR):
            join_codes.issue(db, BUSINESS, "u1", "k", NOON)
        with pytest.raises(TooManyError):
            join_codes.issue(db, BUSINESS, "u1", "k", NOON)
        later = NOON + timedelta(hours=1, seconds=1)
        assert join_codes.looks_like(join_codes.issue(db, BUSINESS, "u1", "k", later).code)

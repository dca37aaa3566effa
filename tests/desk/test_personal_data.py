"""What customers and managers may rely on: asking, waiting, erasing, exporting, retention."""

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from desk.album import Album
from desk.context import Context
from desk.conversations.ingest import Incoming, RefusedError, take
from desk.conversations.rasa import Rasa
from desk.personal_data.keeping import GRACE, DataKeeper
from desk.personal_data.requesting import ask_to_erase
from desk.storage import Storage
from recovery.audit.stored import Archive
from recovery.case import Case, Offer
from recovery.ids import new_id
from recovery.insights.facts import Facts, facts
from recovery.personal_data import words
from recovery.personal_data.bare import GONE, GONE_NAME
from recovery.personal_data.retention import Retention
from recovery.pictures import examine
from recovery.store import (
    case_material,
    cases,
    conversations,
    customers,
    fulfilments,
    persons,
    staff,
    streams,
)
from recovery.store import pictures as picture_store
from recovery.store.conversations import Conversation
from recovery.store.customers import Customer
from recovery.store.database import Database, stamp
from recovery.store.tables import audit_log, data_requests, inbox, metadata, promises
from recovery.store.tables import cases as cases_table
from recovery.store.tables import customers as customers_table
from recovery.store.tables import fulfilments as fulfilments_table
from tests.desk.images import drawing, encoded
from tests.desk.people import PATIENCE
from tests.desk.postgres import AbsentError, cluster, new_database
from tests.desk.scripted_rasa import ScriptedRasa, scripted_rasa
from tests.desk.serving import NOON, Clock, Desk, a_context, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "an honest password"
ORDER = "LT202611180012"
S = "/api/staff"


@dataclass
class Guest:
    """A customer with a private chat, a case and a picture."""

    customer: Customer
    session: str
    conversation: Conversation
    case: str
    picture: str
    secret: str


class Scene:
    """A desk, the Rasa that the test speaks for, and accounts of staff."""

    def __init__(
        self, context: Context, album: Album, client: Rasa, rasa: ScriptedRasa, clock: Clock
    ) -> None:
        self.context, self.album, self.rasa, self.clock = context, album, rasa, clock
        self.store: Database = context.storage.database
        self.numbers = count(48)
        self.keeper = DataKeeper(context, album, client)
        self.served: Desk | None = None

    @property
    def desk(self) -> Desk:
        """Where it serves."""
        assert self.served is not None
        return self.served

    def guest(self, business: str = "lanting", secret: str = "") -> Guest:
        """A customer of whom everything holds one word that stands nowhere else."""
        number = next(self.numbers)
        secret = secret or f"秘密Zk{number}Q"
        content = encoded("PNG", drawing(64, number))
        sha256 = self.album.keep(content, examine(content).copy)
        with self.store.write() as db:
            customer, session = customers.begin_session(
                db, None, business, f"{secret}明", f"{secret}-account", self.clock()
            )
            case = a_case(secret)
            cases.save(db, case, business, customer.id, self.clock())
            placed = conversations.begin(db, business, customer.id, self.clock(), case_id=case.id)
            picture_store.add(db, placed, sha256, "image/png", (64, 48), 99, self.clock())
            conversations.note_message(db, placed.id, secret, self.clock())
        return Guest(customer, session, placed, case.id, sha256, secret)

    def promise(self, guest: Guest, state: str) -> None:
        with self.store.write() as db:
            case = cases.load(db, guest.case)
            assert case is not None
            fulfilments.promise(db, guest.conversation, case.id, case.offers[0], self.clock())
            mine = fulfilments_table.c.case_id == guest.case
            receipt = {"refund": guest.secret, "fen": 1200} if state == "done" else None
            values = {"state": state, "receipt": receipt}
            db.execute(update(fulfilments_table).where(mine).values(values))

    async def say(self, guest: Guest, text: str, button: str | None = None) -> dict[str, Any]:
        """Let the customer say something; gives what the desk answers."""
        incoming = Incoming(guest.conversation.id, new_id("c"), text, button, channel="web")
        taken = await self.context.storage.write(take, self.context, incoming, self.clock())
        self.desk.app.ctx.router.add(taken.message)

        async def answered() -> dict[str, Any]:
            async with asyncio.timeout(PATIENCE):
                while True:
                    found = await self.context.storage.read(
                        streams.event, guest.conversation.stream, f"{taken.message.id}.r0"
                    )
                    if found:
                        return found
                    await asyncio.sleep(0.02)

        return await answered()

    def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of SQLAlchemy
        with self.store.read() as db:
            return [dict(row._mapping) for row in db.execute(select(table).where(*where))]

    def requests(self, guest: Guest) -> list[dict[str, Any]]:
        """What was asked about a guest's data."""
        return self.rows(data_requests, data_requests.c.person == guest.customer.id)

    def name(self, guest: Guest) -> str:
        [row] = self.rows(customers_table, customers_table.c.id == guest.customer.id)
        return str(row["name"])

    async def done(self, guest: Guest) -> None:
        """Let the desk work until the latest request is settled; its own keeper may as well."""
        async with asyncio.timeout(PATIENCE):
            while {"open", "clearing"} & {one["state"] for one in self.requests(guest)}:
                await self.keeper.look_once()

    def everything(self) -> str:
        return "\n".join(
            f"{table.name}: {json.dumps(row, ensure_ascii=False, default=str)}"
            for table in metadata.sorted_tables
            for row in self.rows(table)
        )

    def wind(self, by: timedelta) -> None:
        self.clock.now += by

    @asynccontextmanager
    async def page(self, login: str) -> AsyncIterator[httpx.AsyncClient]:
        async with self.browser() as http:
            answer = await http.post(f"{S}/login", json={"login": login, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            http.headers["X-CSRF"] = answer.json()["csrf"]
            yield http

    def browser(self, guest: Guest | None = None) -> httpx.AsyncClient:
        cookies = {"huixin_session": guest.session} if guest else {}
        return httpx.AsyncClient(
            base_url=self.desk.url, trust_env=False, timeout=PATIENCE, cookies=cookies
        )


def a_case(secret: str) -> Case:
    offer = Offer(
        id=new_id("o"),
        order_number=f"{ORDER}{secret}",
        remedies=[{"kind": "refund_part", "fen": 1200, "part": "floor"}],
        rules=["H-1"],
        policy="hotel-0",
        facts={},
        reason=secret,
        round=0,
        expires_at=stamp(NOON),
        state="accepted",
    )
    return Case(
        id=new_id("s"),
        stage="agreed",
        facts={"failure": "noise", "keywords": secret},
        order_number=offer.order_number,
        offers=(offer,),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path_factory.mktemp("data")) as made:
        yield made


@asynccontextmanager
async def a_scene(folder: Path) -> AsyncIterator[Scene]:
    clock = Clock()
    with scripted_rasa() as rasa, pytest.MonkeyPatch.context() as patch:
        # What a hash costs stands in the hash; tests with many logins take cheap ones.
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(staff, "_hasher", cheap)
        context = a_context(folder, clock, rasa=[rasa.url])
        with context.storage.database.write() as db:
            for login, role, business in (
                ("ma", "manager", "lanting"),
                ("guan", "admin", "lanting"),
                ("qing", "manager", "qinghe"),
                ("lin", "agent", "lanting"),
            ):
                staff.add(db, login, f"同事{login}", role, PASSWORD, clock(), business)
        async with serving(context) as desk:
            app = desk.app.ctx
            made = Scene(context, app.album, app.rasa, rasa, clock)
            made.served = desk
            yield made


def token_of(event: dict[str, Any], title: str) -> str:
    [token] = [one["token"] for one in event["buttons"] if one["title"] == title]
    return str(token)


async def test_a_customer_is_told_what_it_means_and_is_erased_once_confirmed(
    scene: Scene,
) -> None:
    with capture_logs() as logs:
        guest, other = scene.guest(), scene.guest()
        scene.promise(guest, "done")
        await scene.say(guest, f"{guest.secret}，空调很吵")
        asked = await scene.say(guest, "请删除我的全部资料")
        assert "找不回来" in asked["text"]
        # Nothing is done before it is confirmed.
        assert not scene.requests(guest)
        kept = await scene.say(guest, "先不删", token_of(asked, "先不删"))
        assert kept["text"] == words.KEPT
        asked = await scene.say(guest, "删掉我的个人信息")
        said = await scene.say(guest, "确认删除", token_of(asked, "确认删除"))
        assert said["text"] == words.SOON
        # The last words have time to arrive; then it is carried out, once.
        await scene.keeper.look_once()
        assert scene.requests(guest)[0]["state"] == "open"
        scene.wind(GRACE)
        await scene.done(guest)
        await scene.keeper.look_once()

    assert guest.secret not in scene.everything()
    assert guest.secret not in json.dumps(logs, ensure_ascii=False, default=str)
    [request] = scene.requests(guest)
    assert set(request["result"]) == {"counts"}
    forgotten = [one["conversations"] for one in scene.rasa.messages("/desk/forget")]
    assert [guest.conversation.id] in forgotten
    album = scene.album
    assert album.copy_of(guest.picture) is None
    assert album.copy_of(other.picture) is not None
    for file in scene.context.settings.data.glob("desk.sqlite3*"):
        for way in (guest.secret.encode(), json.dumps(guest.secret)[1:-1].encode()):
            assert way not in file.read_bytes(), file.name
    # Who had the page open begins anew; who comes back is somebody new.
    with pytest.raises(RefusedError, match="已经删除"):
        await scene.say(guest, "还在吗")
    async with scene.browser(guest) as http:
        answer = await http.get("/api/my/data?business=lanting")
        assert answer.status_code == 401
        fresh = await http.post("/api/session", json={"business": "lanting"})
        assert fresh.json()["customer"]["id"] != guest.customer.id
    assert scene.name(guest) == GONE_NAME
    # The log of the business says what was done, and to which request; once.
    acts = scene.rows(audit_log, audit_log.c.act == "erase_data")
    assert [one["target"] for one in acts] == [request["id"]]
    async with scene.page("ma") as page:
        seen = await page.get(f"{S}/conversations/{guest.conversation.id}")
        assert seen.status_code == 200
        assert guest.secret not in json.dumps(seen.json(), ensure_ascii=False)


async def test_what_was_agreed_is_done_first_and_the_erasure_follows_by_itself(
    scene: Scene,
) -> None:
    guest = scene.guest()
    scene.promise(guest, "todo")
    body = {"business": "lanting"}
    async with scene.browser(guest) as http:
        answer = await http.post("/api/my/data/erase", json={**body, "confirm": "好"})
        assert answer.status_code == 400
        answer = await http.post("/api/my/data/erase", json={**body, "confirm": "删除"})
        assert answer.json()["waits"] is True
        scene.wind(GRACE * 2)
        await scene.keeper.look_once()
        # It may be taken back as long as it waits, and asked for again.
        kept = await http.post("/api/my/data/keep", json=body)
        assert kept.json()["asked_at"] is None
        await http.post("/api/my/data/erase", json={**body, "confirm": "删除"})
    assert sorted(one["state"] for one in scene.requests(guest)) == ["open", "refused"]
    async with scene.page("ma") as page:
        listed = (await page.get(f"{S}/privacy")).json()["requests"]
        first = listed[0]
        assert (first["state"], first["waits"]) == ("open", True)
        assert guest.secret not in json.dumps(listed, ensure_ascii=False)
        path = f"{S}/privacy/requests/{first['id']}/carry_out"
        refused = await page.post(path, json={"confirm": "删除"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "unfinished")
    mine = fulfilments_table.c.case_id == guest.case
    with scene.store.write() as db:
        db.execute(update(fulfilments_table).where(mine).values(state="done"))
        own = promises.c.case_id == guest.case
        db.execute(update(promises).where(own).values(stage="done"))
    scene.wind(GRACE)
    await scene.done(guest)
    [remedy] = scene.rows(fulfilments_table, mine)
    # The ledger: the amount stays, the order does not.
    assert remedy["remedy"]["fen"] == 1200
    assert remedy["order_number"].startswith("gone-")


async def test_files_and_trackers_go_even_if_that_broke_off_the_first_time(scene: Scene) -> None:
    guest = scene.guest()
    scene.rasa.ready = False
    scene.rasa.script = lambda *_: 503
    async with scene.page("ma") as page:
        path = f"{S}/privacy/conversations/{guest.conversation.id}/erase"
        wrong = await page.post(path, json={"confirm": "yes"})
        assert wrong.status_code == 400
        answer = await page.post(path, json={"confirm": "删除"})
        assert answer.json()["state"] == "clearing"
        assert answer.json()["counts"]["customers"] == 1
    scene.rasa.again()
    await scene.done(guest)
    forgotten = [one["conversations"] for one in scene.rasa.messages("/desk/forget")]
    assert [guest.conversation.id] in forgotten


async def test_an_export_is_whole_safe_to_open_and_fetched_once(scene: Scene) -> None:
    guest = scene.guest()
    await scene.say(guest, "<script>alert(1)</script>空调很吵")
    asked = await scene.say(guest, "导出我的资料")
    url = asked["link"]["url"]
    async with scene.browser() as http:
        page = await http.get(url)
        # A preview of the link does not use it up.
        assert page.status_code == 200 and 'method="post"' in page.text
        answer = await http.post(url)
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["cache-control"] == "no-store"
        with zipfile.ZipFile(BytesIO(answer.content)) as archive:
            names = archive.namelist()
            data = json.loads(archive.read("data.json"))
            html = archive.read("index.html").decode()
        assert {"index.html", "data.json"} < set(names)
        assert any(name.startswith("pictures/") for name in names)
        [conversation] = data["conversations"]
        assert "空调很吵" in conversation["lines"][0]["text"]
        assert data["cases"][0]["order_number"].endswith(guest.secret)
        assert data["identities"][0]["name"] == guest.customer.name
        assert "<script>" not in html and "&lt;script&gt;" in html
        again = await http.post(url)
        assert again.status_code == 410 and guest.secret not in again.text
    async with scene.browser(guest) as http:
        made = await http.post("/api/my/data/export", json={"business": "lanting"})
        scene.wind(timedelta(minutes=31))
        late = await http.post(made.json()["url"])
        assert late.status_code == 410
    async with scene.page("ma") as staff_page:
        path = f"{S}/privacy/conversations/{guest.conversation.id}"
        handed = await staff_page.post(f"{path}/export", json={})
        assert handed.content[:2] == b"PK"
        seen = (await staff_page.get(path)).json()
        assert seen["conversations"] == 1 and guest.secret not in json.dumps(seen)
    assert scene.rows(
        audit_log,
        audit_log.c.act == "export_data",
        audit_log.c.target == guest.conversation.id,
    )


async def test_others_are_left_out(scene: Scene) -> None:
    guest = scene.guest()
    path = f"{S}/privacy/conversations/{guest.conversation.id}"
    async with scene.page("qing") as page:
        for call in (page.get(path), page.post(f"{path}/erase", json={"confirm": "删除"})):
            assert (await call).status_code == 404
        assert (await page.post(f"{path}/export", json={})).status_code == 404
        assert (await page.get(f"{S}/privacy")).json()["requests"] == []
    async with scene.page("lin") as page:
        assert (await page.get(f"{S}/privacy")).status_code == 403
    async with scene.page("guan") as page:
        assert (await page.get(f"{S}/privacy")).status_code == 200
        # An admin reads no customer's words.
        assert (await page.post(f"{path}/export", json={})).status_code == 403


async def test_who_is_refused_reads_why(scene: Scene) -> None:
    guest = scene.guest()
    async with scene.browser(guest) as http:
        await http.post("/api/my/data/erase", json={"business": "lanting", "confirm": "删除"})
    [request] = scene.requests(guest)
    async with scene.page("ma") as page:
        path = f"{S}/privacy/requests/{request['id']}/refuse"
        assert (await page.post(path, json={"reason": ""})).status_code == 400
        assert (await page.post(path, json={"reason": "账还没有结清"})).status_code == 200
        assert (await page.post(path, json={"reason": "再一次"})).status_code == 409
    told = await scene.context.storage.read(
        streams.event, guest.conversation.stream, f"{request['id']}.refused"
    )
    assert told is not None and "账还没有结清" in told["text"]


async def test_one_person_on_two_channels_is_erased_as_one(scene: Scene) -> None:
    first, second, stranger = scene.guest(), scene.guest(), scene.guest()
    with scene.store.write() as db:
        persons.join(db, first.customer, second.customer, "code", "customer:x", NOON)
    async with scene.page("ma") as page:
        path = f"{S}/privacy/conversations/{second.conversation.id}/erase"
        await page.post(path, json={"confirm": "删除"})
    assert scene.name(first) == scene.name(second) == GONE_NAME
    assert scene.name(stranger) == stranger.customer.name


async def test_figures_and_their_files_name_nobody(scene: Scene) -> None:
    guest = scene.guest()
    await scene.say(guest, f"{guest.secret}，太吵了")
    await scene.desk.app.ctx.insights.look_once()
    asked = {"business": "lanting", "from": "2026-11-01", "to": "2026-12-31"}
    async with scene.page("ma") as page:
        behind = await page.get(f"{S}/insights/cases", params={**asked, "figure": "complaints"})
        assert guest.case in behind.text
        figures = await page.get(f"{S}/insights", params=asked)
        workbook = await page.get(f"{S}/insights/export.xlsx", params=asked)
        assert workbook.status_code == 200
    with zipfile.ZipFile(BytesIO(workbook.content)) as archive:
        members = "".join(archive.read(one).decode(errors="replace") for one in archive.namelist())
    for given in (behind.text, figures.text, members):
        for way in (guest.secret, json.dumps(guest.secret)[1:-1], guest.customer.name):
            assert way not in given


async def test_figures_of_a_case_are_the_same_without_the_person(scene: Scene) -> None:
    guest = scene.guest()
    scene.promise(guest, "done")
    await scene.say(guest, f"{guest.secret}，太吵了")
    closed = {"stage": "closed", "outcome": "solved", "closed_at": stamp(scene.clock())}
    with scene.store.write() as db:
        db.execute(update(promises).where(promises.c.case_id == guest.case).values(stage="done"))
        db.execute(update(cases_table).where(cases_table.c.id == guest.case).values(closed))
    business = scene.context.business("lanting")

    def derived() -> Facts:
        with scene.store.read() as db:
            [found], _ = case_material.read(db, [guest.case], Archive({}), scene.clock())
        return facts(found, business, scene.clock())

    before = derived()
    async with scene.page("ma") as page:
        path = f"{S}/privacy/conversations/{guest.conversation.id}/erase"
        await page.post(path, json={"confirm": "删除"})
    assert scene.name(guest) == GONE_NAME
    assert derived() == before
    assert before.row["failure"] == "noise"


async def test_time_alone_removes_what_is_past_its_time(scene: Scene) -> None:
    guest = scene.guest()
    await scene.say(guest, f"{guest.secret}，太吵了")
    begun = stamp(scene.clock())
    with scene.store.write() as db:
        mine = cases_table.c.id == guest.case
        db.execute(update(cases_table).where(mine).values(stage="closed", closed_at=begun))
    album = scene.album
    scene.wind(timedelta(days=300))
    await scene.keeper.retain_once()
    assert album.copy_of(guest.picture) is not None
    scene.wind(timedelta(days=100))
    await scene.keeper.retain_once()
    assert album.copy_of(guest.picture) is None
    assert guest.secret in scene.everything()
    scene.wind(timedelta(days=800))
    await scene.keeper.retain_once()
    assert guest.secret not in scene.everything()
    assert await scene.keeper.retain_once() == {}
    done = scene.rows(data_requests, data_requests.c.kind == "retain")
    assert done and all(set(one["result"]) <= {"counts", "files", "trackers"} for one in done)


async def test_old_words_of_somebody_who_is_still_there_go_and_the_new_ones_stay(
    scene: Scene,
) -> None:
    guest = scene.guest()
    await scene.say(guest, f"{guest.secret}，太吵了")
    scene.wind(timedelta(days=1100))
    await scene.say(guest, "新的话，还在")
    await scene.keeper.retain_once()
    with scene.store.read() as db:
        mine = inbox.c.conversation_id == guest.conversation.id
        said = list(
            db.execute(select(inbox.c.text).where(mine).order_by(inbox.c.position)).scalars()
        )
    assert said == [GONE, "新的话，还在"]
    assert scene.name(guest) == guest.customer.name
    await scene.keeper.retain_once()


async def test_retention_can_be_switched_off() -> None:
    assert Retention().before(0, NOON) is None
    assert Retention().before(1, NOON) == NOON - timedelta(days=1)


@contextmanager
def a_postgres() -> Iterator[str]:
    try:
        with cluster() as server:
            yield new_database(server, "data")
    except AbsentError as error:
        pytest.skip(str(error))


async def test_postgresql_erases_alike_and_two_desks_do_it_once(tmp_path: Path) -> None:
    clock = Clock()
    with a_postgres() as url, scripted_rasa() as rasa:
        context = a_context(tmp_path, clock, rasa=[rasa.url], database=url)
        album = Album(tmp_path / "pictures")
        client = Rasa((rasa.url,), "token", PATIENCE, context.metrics)
        scene = Scene(context, album, client, rasa, clock)
        with closing(context.storage), closing(Storage(Database(url))) as storage:
            guest, stays = scene.guest(), scene.guest()
            with scene.store.write() as db:
                ask_to_erase(db, guest.customer, f"customer:{guest.customer.id}", clock())
            scene.wind(GRACE)
            second = DataKeeper(replace(context, storage=storage), album, client)
            await asyncio.gather(scene.keeper.look_once(), second.look_once())
            await scene.done(guest)
            assert guest.secret not in scene.everything()
            assert stays.secret in scene.everything()
            assert len(scene.rows(audit_log, audit_log.c.act == "erase_data")) == 1
            with pytest.raises(DBAPIError), scene.store.write() as db:
                db.execute(text("UPDATE audit_log SET detail = '{}'"))
            with scene.store.write() as db:
                db.execute(update(cases_table).values(stage="closed", closed_at=stamp(NOON)))
            scene.wind(timedelta(days=2000))
            await scene.keeper.retain_once()
            assert stays.secret not in scene.everything()
            assert await scene.keeper.retain_once() == {}
        await client.close()

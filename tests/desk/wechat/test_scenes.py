"""From the web page into WeChat and back: one customer, one case, nothing asked twice."""

import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from recovery.clock import utc_now
from recovery.second_factor import qr_of
from recovery.store import conversations, customers
from recovery.store.database import Database
from recovery.store.tables import web_sessions, wechat_sends
from recovery.store.wechat import scenes
from tests.desk.people import PATIENCE
from tests.desk.wechat.scene import ACCOUNT, BUSINESS, Scene, a_scene
from tests.support.customer import Customer, Frame, Page

ROOM = "lanting-lobby"
COMPLAINT = "房间没打扫，床上还有头发"
PUBLIC_URL = "https://desk.example"


@dataclass
class Visitor:
    """Somebody with the web page open."""

    scene: Scene
    customer: Customer
    id: str
    token: str = ""

    @property
    def http(self) -> httpx.AsyncClient:
        return self.customer.http

    async def code(self, path: str) -> dict[str, Any]:
        """Press "go on in WeChat"; what the page gets."""
        answer = await self.http.post(f"/api/{path}/wechat", json={})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def invitation_code(self) -> dict[str, Any]:
        return await self.code(f"invitations/{self.token}")

    async def became(self, code: dict[str, Any]) -> tuple[str, str | None]:
        answer = await self.http.get(f"/api/crossings/{code['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()["state"], answer.json()["conversation"]


@asynccontextmanager
async def visiting(scene: Scene, name: str = "阿明") -> AsyncIterator[Visitor]:
    async with Customer(scene.desk.url) as customer:
        me = await customer.begin(BUSINESS, name)
        yield Visitor(scene, customer, me["id"])


@asynccontextmanager
async def invited(scene: Scene, name: str = "阿明") -> AsyncIterator[Visitor]:
    """Somebody whose complaint in the room has brought an invitation."""
    async with visiting(scene, name) as one:
        # The thread in the room begins with the first look at it.
        assert (await one.http.get(f"/api/rooms/{ROOM}")).status_code == 200
        async with one.customer.room(ROOM) as room:
            await room.say(COMPLAINT)
            one.token = (await room.event(kind="invitation"))["token"]
        yield one


def shown_code(scene: Scene, account: str = ACCOUNT) -> str:
    """The url in the QR code that WeChat has made last."""
    return list(scene.double.accounts[account].scenes)[-1]


def secret_of(scene: Scene, account: str = ACCOUNT) -> str:
    """What the desk has put into that code."""
    return scene.double.accounts[account].scenes[shown_code(scene, account)][0]


def entered(scene: Scene) -> list[Frame]:
    """How often the bot was told that somebody came into private."""
    return [body for _, body in scene.rasa.calls if body.get("intent") == "entered"]


def words(events: list[Frame]) -> str:
    return "\n".join(str(event.get("text", "")) for event in events)


async def has_all(scene: Scene, page: Page, conversation: str) -> list[Frame]:
    """Wait until a page shows all of a private conversation."""
    wanted = len(scene.events(f"private:{conversation}"))
    await page.until(lambda page: len(page.events) >= wanted)
    return page.events


# --- into WeChat --------------------------------------------------------------------------


async def test_who_was_invited_goes_on_in_wechat_and_on_the_page(scene_on_both: Scene) -> None:
    scene = scene_on_both
    async with invited(scene) as one:
        shown = (await one.http.get(f"/api/invitations/{one.token}")).json()
        name = scene.desk.context.wechat.get(ACCOUNT).settings.name  # type: ignore[union-attr]
        assert shown["wechat"] == {"name": name, "joined": False}
        code = await one.invitation_code()
        assert code["svg"] == qr_of(shown_code(scene)), "drawn here, of the address WeChat gave"
        assert await one.became(code) == ("open", None)

        await scene.double.scan("o-ming", shown_code(scene))
        await scene.double.sees("o-ming", "一对一服务")
        await scene.until(lambda: entered(scene))
        await scene.double.sees("o-ming", "好的：")
        state, private = await one.became(code)
        assert state == "used" and private
        contact = scene.contact("o-ming")
        assert (contact["conversation_id"], contact["customer_id"]) == (private, one.id)
        assert scene.conversation("o-ming")["channel"] == "wechat"
        assert scene.conversation("o-ming")["case_id"] is not None

        # The page opens the same chat, and the bot begins no second time.
        answer = await one.http.post(f"/api/invitations/{one.token}", json={})
        assert answer.json()["conversation"] == private
        async with one.customer.private(private) as page:
            await scene.double.write("o-ming", "我在微信里说")
            await page.event(text="我在微信里说")
            await scene.double.sees("o-ming", "好的：我在微信里说")
            await page.say("我在网页上说")
            await page.event(text="好的：我在网页上说")
        assert len(entered(scene)) == 1
        about = (await one.http.get(f"/api/conversations/{private}")).json()
        assert about["wechat"]["joined"] is True


async def test_a_code_works_once_and_tells_nobody_else_anything(scene: Scene) -> None:
    async with invited(scene) as one:
        await one.invitation_code()
        url = shown_code(scene)
        await scene.double.scan("o-ming", url)
        await scene.until(lambda: entered(scene))
        before = scene.stream("o-ming")
        await scene.double.scan("o-hong", url)
        await scene.seen("o-hong", 1)
        stranger = scene.contact("o-hong")
        assert stranger["customer_id"] != one.id
        assert stranger["conversation_id"] is None
        assert "打扫" not in "".join(scene.double.words("o-hong"))
        await scene.double.write("o-hong", "这是什么")
        await scene.double.sees("o-hong", "好的：这是什么")
        assert (
            scene.contact("o-hong")["conversation_id"] != scene.contact("o-ming")["conversation_id"]
        )
        after = scene.stream("o-ming")
        assert "这是什么" not in words(after)
        assert [event["id"] for event in after[: len(before)]] == [one["id"] for one in before]


async def test_who_scans_their_own_code_again_is_led_back(scene: Scene) -> None:
    async with invited(scene) as one:
        await one.invitation_code()
        url = shown_code(scene)
        await scene.double.scan("o-ming", url)
        await scene.until(lambda: entered(scene))
        led_to = scene.contact("o-ming")["conversation_id"]
        await scene.double.scan("o-ming", url)
        await scene.double.sees("o-ming", "还是刚才那段对话")
        assert scene.contact("o-ming")["conversation_id"] == led_to
        assert len(entered(scene)) == 1


async def test_a_code_is_worth_nothing_after_ten_minutes(scene: Scene) -> None:
    async with invited(scene) as one:
        code = await one.invitation_code()
        secret = secret_of(scene)
        scene.clock.wind(minutes=10, seconds=1)
        # WeChat itself would refuse it by now; the desk does not rely on that.
        await scene.double.scan("o-late", secret)
        await scene.seen("o-late", 1)
        assert await one.became(code) == ("expired", None)
        assert scene.contact("o-late")["customer_id"] != one.id
        assert scene.contact("o-late")["conversation_id"] is None


async def test_codes_belong_to_their_account_and_nonsense_to_none(tmp_path: Path) -> None:
    async with a_scene(tmp_path, accounts=({}, {"id": "ernst", "qrcode": False})) as scene:
        async with invited(scene) as one:
            code = await one.invitation_code()
            secret = secret_of(scene)
            await scene.double.scan("o-ming", secret, "ernst")
            for scene_value in ("x", "a" * 64, "' OR 1=1 --", "中文", secret.swapcase()):
                await scene.double.scan("o-odd", scene_value)
            await scene.until(lambda: len(scene.received()) >= 5)
            assert scene.contact("o-ming", "ernst")["conversation_id"] is None
            assert scene.contact("o-odd")["conversation_id"] is None
            assert await one.became(code) == ("open", None)
            await scene.double.scan("o-odd", secret)
            assert (await one.became(code))[0] == "used"


async def test_a_private_chat_goes_on_in_wechat_without_being_told_twice(scene: Scene) -> None:
    async with invited(scene) as one:
        private = await one.customer.enter(one.token)
        async with one.customer.private(private) as page:
            await page.say("网页上先说的")
            await page.event(text="好的：网页上先说的")
            code = await one.code(f"conversations/{private}")
            await scene.double.scan("o-ming", shown_code(scene))
            told = await scene.double.sees("o-ming", "这段对话接到微信了")
            assert "房间没有打扫干净" in told.text
            assert await one.became(code) == ("used", private)
            await page.until(lambda page: "这段对话接到微信了" in words(page.events))
            await scene.double.write("o-ming", "微信里接着说")
            await scene.double.sees("o-ming", "好的：微信里接着说")
        assert "网页上先说的" not in "".join(scene.double.words("o-ming"))
        assert len(entered(scene)) == 1


async def test_who_is_known_in_wechat_keeps_their_own_customer(scene: Scene) -> None:
    await scene.double.write("o-ming", "你好")
    await scene.double.sees("o-ming", "好的：你好")
    before = scene.contact("o-ming")
    async with invited(scene) as one:
        code = await one.invitation_code()
        await scene.double.scan("o-ming", shown_code(scene))
        _, private = await one.became(code)
        after = scene.contact("o-ming")
        assert (after["customer_id"], after["conversation_id"]) == (before["customer_id"], private)
        assert before["conversation_id"] != private
        with scene.store.read() as db:
            led = conversations.load(db, str(private))
            former = conversations.load(db, before["conversation_id"])
        assert led and former
        assert (led.customer_id, former.customer_id) == (one.id, before["customer_id"])


async def test_another_wechat_of_the_customer_takes_over(scene: Scene) -> None:
    async with invited(scene) as one:
        await one.invitation_code()
        await scene.double.scan("o-old", shown_code(scene))
        await scene.until(lambda: entered(scene))
        private = scene.contact("o-old")["conversation_id"]
        await one.code(f"conversations/{private}")
        await scene.double.scan("o-new", shown_code(scene))
        await scene.double.sees("o-new", "这段对话接到微信了")
        assert scene.contact("o-new")["conversation_id"] == private
        assert scene.contact("o-old")["conversation_id"] is None
        # The latest code of several is the one that counts; the others close with it.
        first = await one.code(f"conversations/{private}")
        other = secret_of(scene)
        await one.code(f"conversations/{private}")
        await scene.double.scan("o-new", shown_code(scene))
        assert (await one.became(first))[0] == "expired"
        await scene.double.scan("o-old", other)
        assert scene.contact("o-new")["conversation_id"] == private
        assert scene.contact("o-old")["conversation_id"] is None


async def test_only_the_session_that_it_is_for_gets_and_sees_a_code(scene: Scene) -> None:
    async with invited(scene) as one, visiting(scene, "旁人") as other:
        private = await one.customer.enter(one.token)
        code = await one.code(f"conversations/{private}")
        paths = [f"invitations/{one.token}", f"conversations/{private}", "conversations/k0"]
        async with httpx.AsyncClient(
            base_url=scene.desk.url, trust_env=False, timeout=PATIENCE
        ) as nobody:
            for http in (other.http, nobody):
                answers = [await http.post(f"/api/{path}/wechat", json={}) for path in paths]
                answers += [await http.get(f"/api/crossings/{code['id']}")]
                assert {answer.status_code for answer in answers} == {404}
                assert len({answer.text for answer in answers}) == 1
        # Public threads are no private chats.
        thread = (await one.http.get(f"/api/rooms/{ROOM}")).json()["conversation"]
        answer = await one.http.post(f"/api/conversations/{thread}/wechat", json={})
        assert answer.status_code == 404
        for nonsense in ("x", "%27", "a" * 300, secret_of(scene)):
            assert (await one.http.get(f"/api/crossings/{nonsense}")).status_code == 404


async def test_without_an_account_for_it_there_is_no_way_and_no_button(tmp_path: Path) -> None:
    async with a_scene(tmp_path, accounts=({"qrcode": False},)) as scene:
        async with invited(scene) as one:
            shown = (await one.http.get(f"/api/invitations/{one.token}")).json()
            assert shown["wechat"] is None
            answer = await one.http.post(f"/api/invitations/{one.token}/wechat", json={})
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_wechat")


async def test_the_web_way_stays_when_wechat_gives_no_code(scene: Scene) -> None:
    async with invited(scene) as one:
        path = f"/api/invitations/{one.token}/wechat"
        scene.double.fail("/cgi-bin/qrcode/create", 48001)
        away = await one.http.post(path, json={})
        assert (away.status_code, away.json()["error"]["code"]) == (503, "wechat_away")
        assert "网页" in away.json()["error"]["message"]
        scene.double.refuse_connections()
        assert (await one.http.post(path, json={})).status_code == 503
        scene.double.accept_connections()
        assert await one.customer.enter(one.token)


async def test_codes_are_not_made_without_end(scene: Scene) -> None:
    async with invited(scene) as one:
        answers = [
            await one.http.post(f"/api/invitations/{one.token}/wechat", json={}) for _ in range(7)
        ]
        assert [answer.status_code for answer in answers][:5] == [200] * 5
        assert answers[-1].status_code == 429
        assert answers[-1].json()["error"]["code"] == "too_fast"


async def test_an_invitation_that_has_run_out_leads_nowhere(scene: Scene) -> None:
    async with invited(scene) as one:
        scene.clock.wind(days=2)
        answer = await one.http.post(f"/api/invitations/{one.token}/wechat", json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "expired")


async def test_an_account_of_wecom_leads_there_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(
        "desk.channels.wechat.scenes.qr_of", lambda url: drawn.append(url) or qr_of(url)
    )
    async with a_scene(tmp_path, accounts=({"kind": "kf"},)) as scene, invited(scene) as one:
        code = await one.invitation_code()
        await scene.double.kf_enter("wm-ming", url=drawn[-1])
        await scene.until(lambda: entered(scene))
        # WeCom allows one welcome; the rest waits for the customer's first words.
        [welcome] = await scene.seen("wm-ming", 1)
        assert welcome.via == "event"
        state, private = await one.became(code)
        assert (state, scene.contact("wm-ming")["conversation_id"]) == ("used", private)
        await scene.double.kf_write("wm-ming", "在企业微信里说")
        await scene.double.sees("wm-ming", "好的：在企业微信里说")
        assert "一对一服务" in "".join(scene.double.words("wm-ming"))


# --- what staff see -----------------------------------------------------------------------


async def test_staff_see_what_wechat_still_takes_and_what_waits(scene: Scene) -> None:
    async with invited(scene) as one:
        private = await one.customer.enter(one.token)
        clerk = await scene.staff()
        await clerk.act(private, "take")
        page = await clerk.whole(private)
        assert page["quota"] is None
        assert page["held"] == page["undelivered"] == page["unsure"] == []

        await one.code(f"conversations/{private}")
        await scene.double.scan("o-ming", shown_code(scene))
        await scene.double.sees("o-ming", "这段对话接到微信了")
        ids = []
        for number in range(6):
            body = {"id": f"answer-{number}", "text": f"第{number}句", "confirmed": True}
            ids.append((await clerk.act(private, "answer", **body))["id"])
            # One by one: what waits together goes as one message.
            await scene.until(lambda: all_settled(scene))
        page = await clerk.whole(private)
        assert (page["quota"]["left"], page["customer"]["channel"]) == (0, "wechat")
        assert page["held"] == ids[-page["quota"]["held"] :] != []
        assert "再写来" in page["quota"]["words"]

        await scene.double.write("o-ming", "我在")
        await scene.double.sees("o-ming", "第5句")
        await scene.until(lambda: all_settled(scene))
        page = await clerk.whole(private)
        assert page["held"] == []
        assert page["quota"]["left"] > 0
        await clerk.close()


def all_settled(scene: Scene) -> bool:
    """Whether all that was said is on its way, waits for the customer, or has arrived."""
    planned = {row["event_id"] for row in scene.rows(wechat_sends)}
    said = {event["id"] for event in scene.stream("o-ming") if event.get("author") == "staff"}
    under_way = [row for row in scene.rows(wechat_sends) if row["state"] in ("todo", "sending")]
    return said <= planned and not under_way


# --- back to a page -----------------------------------------------------------------------


@asynccontextmanager
async def a_desk_with_an_address(folder: Path) -> AsyncIterator[Scene]:
    async with a_scene(folder, public_url=PUBLIC_URL) as scene:
        await scene.double.write("o-ming", "房间太吵")
        await scene.double.sees("o-ming", "好的：房间太吵")
        yield scene


async def asked_link(scene: Scene, openid: str = "o-ming", text: str = "网页") -> str:
    """Ask for a link; its secret."""
    number = len(scene.double.words(openid))
    await scene.double.write(openid, text)
    said = (await scene.seen(openid, number + 1))[-1].text
    found = re.search(re.escape(PUBLIC_URL) + r"/w/([A-Za-z0-9_-]+)$", said)
    assert found, said
    return found[1]


async def test_a_link_opens_the_chat_in_one_browser_once(tmp_path: Path) -> None:
    async with a_desk_with_an_address(tmp_path) as scene:
        secret = await asked_link(scene)
        path, led_to = f"/api/wechat-links/{secret}", scene.contact("o-ming")["conversation_id"]
        with scene.store.read() as db:
            assert secret not in repr(db.execute(select(scenes.table)).all())
        async with visiting(scene, "小周") as one, visiting(scene, "旁人") as other:
            business = scene.desk.context.business(BUSINESS).name
            for _ in range(3):
                seen = await other.http.get(path)
                assert seen.json() == {"business": business, "conversation": None}
            before = one.customer.cookie
            opened = await one.http.post(path, json={})
            assert opened.json() == {"conversation": led_to}
            assert one.customer.cookie != before
            assert "HttpOnly" in opened.headers["set-cookie"]
            assert (await one.http.get(f"/api/conversations/{led_to}")).status_code == 200
            async with one.customer.private(led_to) as page:
                assert "房间太吵" in words(await has_all(scene, page, led_to))
                await page.say("我在网页上说")
                await page.event(text="好的：我在网页上说")
            # Again in the same browser it is still the way there, elsewhere it is nothing.
            assert (await one.http.get(path)).json()["conversation"] == led_to
            assert (await one.http.post(path, json={})).json() == {"conversation": led_to}
            for method in ("GET", "POST"):
                refused = await other.http.request(method, path, json={})
                assert refused.status_code == 404
            assert (await other.http.get(f"/api/conversations/{led_to}")).status_code == 404
            # Who knew the old secret of the session is left outside.
            async with httpx.AsyncClient(
                base_url=scene.desk.url, trust_env=False, timeout=PATIENCE
            ) as thief:
                thief.headers["Cookie"] = before
                answer = await thief.get(f"/api/conversations/{led_to}")
                assert answer.status_code == 404


async def test_what_the_browser_said_before_stays_with_who_it_was(tmp_path: Path) -> None:
    async with a_desk_with_an_address(tmp_path) as scene, invited(scene) as one:
        own = await one.customer.enter(one.token)
        await one.customer.begin("qinghe", "阿明")
        secret = await asked_link(scene)
        opened = await one.http.post(f"/api/wechat-links/{secret}", json={})
        assert opened.status_code == 200
        assert (await one.http.get(f"/api/conversations/{own}")).status_code == 404
        mine = (await one.http.get("/api/my/conversations")).json()["conversations"]
        assert [row["id"] for row in mine] == [opened.json()["conversation"]]
        # At other businesses the browser is who it was.
        assert (await one.http.get("/api/rooms/qinghe-square")).status_code == 200
        # And the room's page goes on as the customer of WeChat.
        again = await one.http.post("/api/session", json={"business": BUSINESS})
        assert again.json()["customer"]["id"] == scene.contact("o-ming")["customer_id"]


async def test_old_links_and_nonsense_open_nothing(tmp_path: Path) -> None:
    async with a_desk_with_an_address(tmp_path) as scene:
        first = await asked_link(scene)
        second = await asked_link(scene, text="打开网页")
        async with visiting(scene) as one:
            answer = await one.http.post(f"/api/wechat-links/{second}", json={})
            assert answer.status_code == 200
        late = await asked_link(scene, text="网页版")
        scene.clock.wind(minutes=10, seconds=1)
        async with httpx.AsyncClient(
            base_url=scene.desk.url, trust_env=False, timeout=PATIENCE
        ) as http:
            texts = set()
            for secret in (first, second, late, "x", "%27%20", "a" * 500, "%ff", "%00"):
                for method in ("GET", "POST"):
                    refused = await http.request(method, f"/api/wechat-links/{secret}", json={})
                    assert refused.status_code == 404, secret
                    assert "set-cookie" not in refused.headers
                    texts.add(refused.text)
            assert len(texts) == 1
            # A form on a foreign page cannot make somebody's browser somebody else.
            fresh = await asked_link(scene)
            posted = await http.post(f"/api/wechat-links/{fresh}", data={"a": "b"})
            assert posted.status_code == 400
            assert (await http.get(f"/api/wechat-links/{fresh}")).status_code == 200


async def test_a_code_is_no_link_and_a_link_no_code(tmp_path: Path) -> None:
    async with a_desk_with_an_address(tmp_path) as scene, invited(scene) as one:
        code = await one.invitation_code()
        secret = secret_of(scene)
        assert (await one.http.post(f"/api/wechat-links/{secret}", json={})).status_code == 404
        link = await asked_link(scene)
        await scene.double.scan("o-hong", link)
        await scene.seen("o-hong", 1)
        assert scene.contact("o-hong")["conversation_id"] is None
        assert await one.became(code) == ("open", None)


async def test_without_an_address_it_goes_on_in_wechat_only(scene: Scene) -> None:
    await scene.double.write("o-ming", "网页")
    await scene.double.sees("o-ming", "暂时只能在微信里谈")


# --- the store ----------------------------------------------------------------------------


@dataclass
class Shelf:
    """One customer with a private conversation."""

    customer: str
    conversation: conversations.Conversation


@pytest.fixture
def shelf(store: Database) -> Shelf:
    with store.write() as db:
        one, _ = customers.begin_session(db, None, BUSINESS, "阿明", None, utc_now())
        return Shelf(one.id, conversations.begin(db, BUSINESS, one.id, utc_now()))


def test_of_many_who_come_at_once_one_goes_over(store: Database, shelf: Shelf) -> None:
    now = utc_now()
    with store.write() as db:
        valid = timedelta(minutes=10)
        secret, _ = scenes.issue(db, "scan", ACCOUNT, shelf.conversation, valid, now)

    def tries(contact: str) -> bool:
        with store.write() as db:
            found = scenes.find(db, "scan", secret)
            assert found is not None
            return scenes.use(db, found, contact, now)

    with ThreadPoolExecutor(8) as threads:
        went = list(threads.map(tries, [f"c{number}" for number in range(8)]))
    assert sum(went) == 1
    with store.read() as db:
        found = scenes.find(db, "scan", secret)
    assert found is not None and found.contact_id == f"c{went.index(True)}"
    assert found.state(now + timedelta(days=1)) == "used"


def test_what_ran_out_long_ago_is_forgotten(store: Database, shelf: Shelf) -> None:
    now = utc_now()
    with store.write() as db:
        short = timedelta(minutes=1)
        old, _ = scenes.issue(db, "link", ACCOUNT, shelf.conversation, short, now)
        new, _ = scenes.issue(db, "link", ACCOUNT, shelf.conversation, timedelta(days=2), now)
        scenes.forget(db, now + timedelta(days=1))
        assert scenes.find(db, "link", old) is None
        assert scenes.find(db, "link", new) is not None
        assert scenes.find(db, "scan", new) is None


def test_a_session_that_is_adopted_gets_a_new_secret(store: Database, shelf: Shelf) -> None:
    now = utc_now()
    with store.write() as db:
        stranger, old = customers.begin_session(db, None, BUSINESS, "旁人", None, now)
        elsewhere, _ = customers.begin_session(db, old, "qinghe", "旁人", None, now)
        adopted, fresh = customers.adopt(db, old, shelf.customer, now)
    assert adopted.id == shelf.customer != stranger.id
    with store.read() as db:
        before = {one.business: one.id for one in customers.all_of_session(db, old)}
        assert before == {BUSINESS: stranger.id, "qinghe": elsewhere.id}, "nothing is lost"
        held = {one.business: one.id for one in customers.all_of_session(db, fresh)}
        assert held == {BUSINESS: shelf.customer, "qinghe": elsewhere.id}
    with store.write() as db:
        # A cookie that is nobody's session counts as none.
        _, made = customers.adopt(db, "made up elsewhere", shelf.customer, now)
        assert made != "made up elsewhere"
        rows = db.execute(select(web_sessions.c.customer_id)).scalars().all()
    assert rows.count(shelf.customer) == 3

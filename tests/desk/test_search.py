"""Search: whatever staff remember of a conversation leads to it, and nothing they may not see."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from desk.context import Context
from desk.staff import search
from recovery.case import Case
from recovery.ids import new_id
from recovery.privacy import mask
from recovery.store import cases, conversations, customers, labels, staff, streams
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from recovery.store.finding import Wanted
from recovery.store.staff import Staff
from tests.desk.people import PATIENCE
from tests.desk.serving import NOON, a_context, serving

LIN = Staff(1, "lin", "小林", "agent", "lanting")
WU = Staff(2, "wu", "老吴", "agent", "lanting")
FANG = Staff(3, "fang", "方姐", "supervisor", "lanting")
TAO = Staff(4, "tao", "小陶", "trainer", "lanting")
QING = Staff(5, "qing", "小青", "agent", "qinghe")
OPERATOR = Staff(6, "op", "运营", "manager")
ORDER = "LT202611180012"


@pytest.fixture
def desk(url: str, tmp_path: Path) -> Iterator[Context]:
    context = a_context(tmp_path, lambda: NOON, database=url)
    yield context
    context.storage.close()


@dataclass
class Talk:
    """Makes conversations; each is later than the one before."""

    desk: Context
    at: datetime = NOON

    def begin(
        self,
        *texts: str,
        name: str = "阿明",
        business: str = "lanting",
        owner: str = BOT,
        room: str | None = None,
        case: Case | None = None,
    ) -> Conversation:
        """A conversation in which its customer says these texts."""
        self.at += timedelta(minutes=1)
        with self.desk.storage.database.write() as db:
            customer, _ = customers.begin_session(db, None, business, name, None, self.at)
            case = case or Case(new_id("s"), facts={"failure": "noise"})
            cases.save(db, case, business, customer.id, self.at)
            begun = conversations.begin(
                db, business, customer.id, self.at, owner=owner, room=room, case_id=case.id
            )
            for text in texts:
                masked = mask(text).text if room else text
                event = {
                    "id": new_id("m"),
                    "kind": "message",
                    "author": "customer",
                    "customer": customer.id,
                    "text": masked,
                }
                if masked != text:
                    event["original"] = text
                streams.append(db, begun.shown_in, event, self.at)
        return begun

    def answer(self, conversation: Conversation, text: str) -> None:
        """Staff answer."""
        with self.desk.storage.database.write() as db:
            event: dict[str, Any] = {"id": new_id("w"), "kind": "message", "author": "staff"}
            if conversation.room:
                posts = streams.posts_of(db, conversation.shown_in, conversation.customer_id, 1)
                event["reply_to"] = posts[0]["id"]
            streams.append(db, conversation.shown_in, {**event, "text": text}, self.at)


@pytest.fixture
def talk(desk: Context) -> Talk:
    return Talk(desk)


def found(
    desk: Context, who: Staff, words: str | None = None, page: int = 0, **more: int | str
) -> list[str]:
    """Ids of what an account finds, as the route would answer."""
    return [row["id"] for row in rows(desk, who, words, page, **more)[0]]


def rows(
    desk: Context, who: Staff, words: str | None = None, page: int = 0, **more: int | str
) -> tuple[list[dict[str, Any]], bool]:
    wanted = search.wanted_by(who, words, **more)
    assert isinstance(wanted, Wanted)
    with desk.storage.database.read() as db:
        return search.results(db, desk, who, wanted, page)


def test_all_that_is_remembered_leads_to_it(desk: Context, talk: Talk) -> None:
    dirty = Case(new_id("s"), facts={"failure": "room_not_clean"}, order_number=ORDER)
    one = talk.begin("床单上有头发", "WiFi 也连不上", name="欧阳修文", case=dirty)
    talk.answer(one, "客房部马上上去")
    other = talk.begin("隔壁太吵", name="小李")
    for words in (
        "欧阳",
        "头发",
        "wifi",
        "WIFI",
        "客房部",
        "打扫干净",
        ORDER,
        "180012",
        ORDER.lower(),
    ):
        assert found(desk, FANG, words) == [one.id], words
    assert found(desk, FANG, "没说过的话") == []
    assert found(desk, FANG) == [other.id, one.id], "the latest first"


def test_signs_of_the_query_language_are_plain_letters(desk: Context, talk: Talk) -> None:
    one = talk.begin("打了100%的折_吗\\真的")
    talk.begin("打了100块的折")
    for words in ("100%", "折_吗", "\\真", "%的折_"):
        assert found(desk, FANG, words) == [one.id], words
    for words in ("'", '"', "%%", "__", "';--", "$.text"):
        assert found(desk, FANG, words) == [], words


def test_a_post_leads_to_its_authors_conversation_only(desk: Context, talk: Talk) -> None:
    one = talk.begin("电梯又坏了", room="lanting-lobby")
    talk.begin("早餐不错", room="lanting-lobby")
    talk.answer(one, "维保已经在路上")
    assert found(desk, FANG, "电梯") == [one.id]
    assert found(desk, FANG, "维保") == [one.id]


def test_of_another_business_nothing_is_found(desk: Context, talk: Talk) -> None:
    hotel = talk.begin("太吵了")
    shop = talk.begin("太吵了", business="qinghe", owner=QUEUE)
    assert found(desk, FANG, "太吵") == [hotel.id]
    assert found(desk, QING, "太吵") == [shop.id]
    assert found(desk, OPERATOR, "太吵") == [shop.id, hotel.id]
    assert found(desk, QING, "") == [shop.id]


def test_nobody_finds_by_what_is_masked_for_them(desk: Context, talk: Talk) -> None:
    case = Case(new_id("s"), facts={"failure": "noise"}, order_number=ORDER)
    texts = ("我叫王小明，电话13812345678，隔壁装修", f"订单{ORDER}")
    one = talk.begin(*texts, name="王小明", case=case, owner=staff_owner(WU.id))
    hidden = ("王小明", "小明", "13812345678", "1381", ORDER, "LT2026", "0012")
    for who in (LIN, TAO):
        for words in hidden:
            assert found(desk, who, words) == [], (who.login, words)
        assert found(desk, who, "装修") == [one.id]
        assert found(desk, who, "太吵") == [one.id], "the matter is no secret"
    for who in (WU, FANG, OPERATOR):
        for words in hidden:
            assert found(desk, who, words) == [one.id], (who.login, words)


def test_masked_posts_are_found_whole_by_who_sees_them_whole(desk: Context, talk: Talk) -> None:
    one = talk.begin("我电话13812345678，快来人", room="lanting-lobby", owner=QUEUE)
    assert found(desk, LIN, "13812345678") == [one.id]
    assert found(desk, TAO, "13812345678") == []
    assert found(desk, TAO, "快来人") == [one.id]


def test_what_is_found_is_shown_masked(desk: Context, talk: Talk) -> None:
    talk.begin("隔壁装修", name="王小明", owner=staff_owner(WU.id))
    [row] = rows(desk, LIN, "装修")[0]
    assert (row["customer"], row["masked"]) == ("王**", True)
    [row] = rows(desk, FANG, "装修")[0]
    assert (row["customer"], row["masked"]) == ("王小明", False)


def test_label_and_state_narrow_it_down(desk: Context, talk: Talk) -> None:
    closed = talk.begin("漏水", case=Case(new_id("s"), stage="closed", outcome="solved"))
    mine = talk.begin("漏水", owner=staff_owner(LIN.id))
    marked = talk.begin("漏水")
    with desk.storage.database.write() as db:
        label = labels.add(db, "lanting", "要回访", "red")
        labels.put(db, marked.id, [label.id], NOON)
    assert found(desk, LIN, "漏水") == [marked.id, mine.id, closed.id]
    assert found(desk, LIN, "漏水", state="closed") == [closed.id]
    assert found(desk, LIN, "漏水", state="open") == [marked.id, mine.id]
    assert found(desk, LIN, state="mine") == [mine.id]
    assert found(desk, LIN, label=label.id) == [marked.id]
    assert found(desk, LIN, "漏水", label=label.id + 1) == []


def test_fifty_a_page_and_no_one_twice(desk: Context, talk: Talk) -> None:
    begun = [talk.begin("漏水", owner=staff_owner(WU.id)).id for _ in range(120)]
    for who in (FANG, LIN):
        pages = [rows(desk, who, "漏水", page) for page in range(4)]
        assert [len(shown) for shown, _ in pages] == [50, 50, 20, 0]
        assert [more for _, more in pages] == [True, True, False, False]
        assert [row["id"] for shown, _ in pages for row in shown] == begun[::-1]


def test_what_is_masked_makes_a_page_shorter_and_no_slower(
    desk: Context, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far a masked reader pages, one page of conversations is looked through."""
    shown, hidden = [], []
    for number in range(150):
        text = f"等了1381个小时{number}" if number % 3 else "电话13812345678"
        begun = talk.begin(text, owner=staff_owner(WU.id)).id
        (shown if number % 3 else hidden).append(begun)
    looked: list[int] = []
    said_with = search.finding.said_with

    def counted(db: Any, ids: list[str], words: str) -> Any:  # noqa: ANN401 - as it is
        looked.append(len(ids))
        return said_with(db, ids, words)

    monkeypatch.setattr(search.finding, "said_with", counted)
    pages = [rows(desk, TAO, "1381", page) for page in range(4)]
    assert [more for _, more in pages] == [True, True, False, False]
    assert [row["id"] for found, _ in pages for row in found] == shown[::-1]
    assert max(looked) <= search.PAGE
    assert len(looked) == 3
    assert found(desk, WU, "1381")[:2] == [shown[-1], shown[-2]]


async def test_one_account_does_not_keep_the_search_to_itself(tmp_path: Path) -> None:
    context = a_context(tmp_path, lambda: NOON)
    with context.storage.database.write() as db:
        for login in ("lin", "wu"):
            staff.add(db, login, login, "agent", "an honest password", NOON, "lanting")
    async with serving(context) as desk:
        answers = {}
        for login in ("lin", "wu"):
            async with httpx.AsyncClient(
                base_url=f"{desk.url}/api/staff", trust_env=False, timeout=PATIENCE
            ) as page:
                await page.post("/login", json={"login": login, "password": "an honest password"})
                times = 3 * search.BURST if login == "lin" else 1
                answers[login] = [(await page.get("/search?q=x")) for _ in range(times)]
        assert {one.status_code for one in answers["lin"]} == {200, 429}
        assert answers["lin"][-1].json()["error"]["code"] == "too_fast"
        assert answers["wu"][0].status_code == 200

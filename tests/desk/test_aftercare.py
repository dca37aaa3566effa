"""After the remedy: wishes are kept, a gesture fits and is offered once, nobody is pestered."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from desk.aftercare.settling import is_aftercare, settle_pressed
from desk.aftercare.watch import Aftercare
from desk.channels.view import for_customer, for_staff
from desk.channels.wechat.outgoing.rendering import show
from desk.context import Context
from desk.conversations import buttons
from desk.conversations.commit import commit_answer
from desk.conversations.ingest import Incoming, RefusedError, take
from desk.conversations.rasa import Answer
from desk.conversations.router import Router
from recovery.anger import CaseAnger
from recovery.case import Case
from recovery.ids import new_id
from recovery.store import cases, customers, decisions, gestures, preferences, staff
from recovery.store.conversations import QUEUE
from recovery.store.database import stamp
from recovery.store.tables import follow_ups as follow_ups_table
from recovery.store.tables import fulfilments as fulfilments_table
from recovery.store.tables import notices as notices_table
from recovery.store.tables import surveys as surveys_table
from tests.desk.follow_ups import Told, at_rest
from tests.desk.postgres import new_database
from tests.desk.scripted_rasa import says
from tests.desk.serving import Clock, a_context
from tests.desk.wechat.scene import a_scene

RECOMMENDED = "周末双人下午茶，住客八折"


def aftercare(desk: Context) -> Aftercare:
    return Aftercare(desk, Router(desk, None))  # type: ignore[arg-type]  # no Rasa here


def changed(**more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - settings
    """The businesses of huixin.yml as far as they matter here."""
    hotel = {
        **{"id": "lanting", "name": "岚庭酒店", "industry": "hotel", "assistant": "小岚"},
        "help": "拨总机0",
        "hours": {"opens": "08:00", "closes": "23:00"},
        "rooms": [{"id": "lanting-lobby", "name": "大堂", "welcome": "欢迎"}],
        "recommendations": [RECOMMENDED],
    }
    return [hotel | more]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """One desk for the file; each test has customers of its own, months after the one before."""
    made = a_context(tmp_path_factory.mktemp("aftercare"), Clock(), businesses=changed())
    yield made
    made.storage.close()


@pytest.fixture
def clock(shared: Context) -> Clock:
    clock = shared.clock
    assert isinstance(clock, Clock)
    clock.now = (clock.now + timedelta(days=100)).replace(hour=2, minute=0)  # 10:00 in Shanghai
    return clock


@pytest.fixture
def desk(shared: Context, clock: Clock) -> Context:
    assert shared.clock is clock
    return shared


def rated(desk: Context, rating: int = 5, *, peak: int = 2, **more: Any) -> Told:  # noqa: ANN401
    """A customer who was angry, was helped, and has said how it was."""
    told = at_rest(desk, **more)
    at = stamp(desk.clock())
    with desk.storage.database.write() as db:
        calm = CaseAnger(peak, peak, 0, "falling", 0.0, at, at)
        case = Case(told.case, stage="closed", facts=told.known.facts, outcome="solved", anger=calm)
        cases.save(db, case, told.chat.business, told.chat.customer_id, desk.clock())
        db.execute(
            insert(follow_ups_table).values(
                **{"id": new_id("f"), "business": told.chat.business, "case_id": told.case},
                **{"conversation_id": told.chat.id, "customer_id": told.chat.customer_id},
                **{"round": 1, "state": "answered", "rating": rating, "rated_at": at},
                **{"created_at": at, "updated_at": at},
            )
        )
    return told


def person(told: Told) -> str:
    with told.desk.storage.database.read() as db:
        return customers.load(db, told.chat.customer_id).person


def wishes(told: Told) -> preferences.Preferences:
    with told.desk.storage.database.read() as db:
        return preferences.of(db, person(told))


def offered(told: Told) -> list[gestures.Offered]:
    with told.desk.storage.database.read() as db:
        return gestures.of_case(db, told.case)


def presses(told: Told, number: int) -> str:
    """Press a button of the last message that has any; what was answered."""
    button = [one for one in told.events if one.get("buttons")][-1]["buttons"][number - 1]
    message = told.sends(button["title"], button["token"]).message
    assert is_aftercare(message)
    with told.desk.storage.database.write() as db:
        settle_pressed(db, told.desk, message, told.desk.clock())
    return told.said


async def days(desk: Context, clock: Clock, number: float) -> int:
    """Let time pass, looked at every three hours; how many things were sent."""
    worker, sent = aftercare(desk), 0
    for _ in range(int(number * 8)):
        clock.now += timedelta(hours=3)
        sent += await worker.look_once()
    return sent


# --- what is sent -------------------------------------------------------------------------------


async def test_survey_then_gesture_then_recommendation_one_at_a_time_each_once(
    desk: Context, clock: Clock
) -> None:
    told = rated(desk)
    assert await days(desk, clock, 14) == 3
    survey, gesture, recommended = told.events
    assert survey["link"]["url"].startswith("/s/")
    assert "生了气" in gesture["text"], "why this and why them is said"
    assert "卡片" in gesture["text"]
    assert recommended["text"].startswith("【推荐】")
    assert [one["title"] for one in recommended["buttons"]] == ["不要再推荐"]
    hours = [int(one["at"][11:13]) for one in told.events]
    assert all(1 <= hour < 13 for hour in hours), "between 09:00 and 21:00 in Shanghai"
    at = [one["at"] for one in told.events]
    assert at == sorted(at)
    with desk.storage.database.read() as db:
        [row] = db.execute(select(surveys_table).where(surveys_table.c.case_id == told.case))
    assert survey["link"]["url"].removeprefix("/s/") not in str(row), "only the hash is kept"
    assert "link" not in for_staff(survey), "nobody of staff fills in a customer's survey"
    assert "link" in for_customer(survey, told.chat.customer_id)


@pytest.mark.parametrize(
    ("rating", "sent"),
    [(3, 1), (5, 3)],
)
async def test_who_was_only_half_content_is_asked_and_given_nothing_to_buy(
    desk: Context, clock: Clock, rating: int, sent: int
) -> None:
    rated(desk, rating)
    assert await days(desk, clock, 7) == sent


async def test_left_in_peace(desk: Context, clock: Clock) -> None:
    refused, talking, waiting, angry, no_ads = (rated(desk) for _ in range(5))
    poor = at_rest(desk, outcome="unreachable")
    with desk.storage.database.write() as db:
        preferences.refuse_follow_up(db, person(refused), clock.now)
        preferences.refuse_marketing(db, person(no_ads), clock.now)
        elsewhere = Case(new_id("s"), facts={"failure": "noise"})
        cases.save(db, elsewhere, "lanting", talking.chat.customer_id, clock.now)
        now = stamp(clock.now)
        again = Case(
            angry.case,
            stage="closed",
            outcome="solved",
            anger=CaseAnger(2, 2, 2, "rising", 2.0, now, None),
        )
        cases.save(db, again, "lanting", angry.chat.customer_id, clock.now)
    waiting.owned(QUEUE)
    await days(desk, clock, 7)
    for told in (refused, talking, waiting, angry, poor):
        assert told.events == []
    assert len(no_ads.events) == 2
    assert not any("推荐" in one["text"] for one in no_ads.events)


async def test_two_matters_of_one_person_bring_no_two_surveys_at_once(
    desk: Context, clock: Clock
) -> None:
    first = rated(desk)
    second = rated(desk, of=first.chat)
    clock.now += timedelta(minutes=20)
    assert await aftercare(desk).look_once() == 1
    worker = aftercare(desk)
    clock.now += timedelta(hours=1)
    assert await worker.look_once() == 0
    await days(desk, clock, 2)
    links = [one for told in (first, second) for one in told.events if one.get("link")]
    assert len(links) == 2


async def test_a_gesture_once_in_ninety_days_by_person_not_by_session(
    desk: Context, clock: Clock
) -> None:
    first = rated(desk)
    await days(desk, clock, 3)
    second = rated(desk, of=first.chat)
    await days(desk, clock, 3)
    both = [one.kind for told in (first, second) for one in offered(told)]
    assert sorted(both) == ["gesture", "recommendation"]


async def test_it_fits_what_the_person_said_they_like(desk: Context, clock: Clock) -> None:
    told = rated(desk)
    with desk.storage.database.write() as db:
        take(db, desk, Incoming(told.chat.id, "words-0001", "下次要高楼层，别给我券"), clock.now)
    await days(desk, clock, 2)
    [one] = offered(told)
    assert one.rule == "hotel-high-floor"
    assert "高楼层" in told.events[-1]["text"]
    assert {wish.kind for wish in wishes(told).wishes} == {"high_floor", "no_voucher"}


# --- what is pressed ----------------------------------------------------------------------------


async def test_taken_once_whoever_has_the_conversation_and_staff_are_told(
    desk: Context, clock: Clock
) -> None:
    with desk.storage.database.write() as db:
        sun = staff.add(
            db, f"sun{new_id('x')}", "孙主管", "supervisor", "an honest password", clock()
        )
    told = rated(desk)
    await days(desk, clock, 2)
    told.owned(QUEUE)
    first = presses(told, 1)
    assert "卡片" in first
    with desk.storage.database.read() as db:
        left = db.execute(select(notices_table).where(notices_table.c.staff_id == sun.id)).all()
        spent = decisions.spent_since(db, "lanting", clock.now - timedelta(hours=1))
    assert len(left) == 1
    assert spent == 500
    assert presses(told, 1) == first
    assert not is_aftercare(told.sends("收下").message), "there is nothing left to take"
    assert [one.state for one in offered(told)] == ["taken"]
    with desk.storage.database.read() as db:
        assert decisions.spent_since(db, "lanting", clock.now - timedelta(hours=1)) == 500
    assert told.present.owner == QUEUE
    clock.now += timedelta(days=20)


async def test_what_an_order_system_can_do_is_done_by_it(desk: Context, clock: Clock) -> None:
    told = rated(desk)
    with desk.storage.database.write() as db:
        case = Case.from_state({**told.known.to_state(), "order_number": "LT20260301"})
        cases.save(db, case, "lanting", told.chat.customer_id, clock.now)
        one = gestures.Offered(
            *("g" + told.case[1:], "lanting", told.case, person(told), "gesture", "hotel-again"),
            {
                "title": "送2杯饮品",
                "why": "又遇上一次",
                "remedy": {"kind": "free_drink", "persons": 2, "part": "goodwill", "worth": 3000},
            },
            *(3000, "offered", stamp(clock.now), None, False),
        )
        gestures.offer(db, one)
        signed = buttons.signed(
            [{"title": "收下", "payload": f"take_gesture:{one.id}"}],
            told.chat.id,
            None,
            desk.secrets.signing_key,
        )
    message = told.sends("收下", signed[0]["token"]).message
    with desk.storage.database.write() as db:
        done = settle_pressed(db, desk, message, clock.now)
    assert done.promised
    with desk.storage.database.read() as db:
        mine = fulfilments_table.c.case_id == told.case
        [row] = db.execute(select(fulfilments_table).where(mine))
    assert (row.order_number, row.remedy["kind"]) == ("LT20260301", "free_drink")
    with desk.storage.database.write() as db:
        db.execute(update(fulfilments_table).where(mine).values(state="done"))
    clock.now += timedelta(days=20)


async def test_no_is_no_and_an_old_button_says_so(desk: Context, clock: Clock) -> None:
    told = rated(desk)
    await days(desk, clock, 2)
    assert is_aftercare(told.sends("收下吧，谢谢").message), "typed, it means the same"
    assert "不打扰" in presses(told, 2) or "不安排" in told.said
    assert [one.state for one in offered(told)] == ["declined"]
    clock.now += timedelta(days=30)
    assert "过了" in presses(told, 1)
    assert [one.state for one in offered(told)] == ["declined"]


async def test_not_to_be_marketed_to_is_kept_for_good_by_button_and_by_words(
    desk: Context, clock: Clock
) -> None:
    told, other = rated(desk), rated(desk, name="阿芳")
    await days(desk, clock, 7)
    assert "不再给您推荐" in presses(told, 1)
    assert wishes(told).no_marketing
    with pytest.raises(RefusedError):
        foreign = [one for one in told.events if one.get("buttons")][-1]["buttons"][0]
        other.sends(foreign["title"], foreign["token"])
    answered = answer(other, "以后别给我推荐东西")
    assert wishes(other).no_marketing
    assert any("不再给您推荐" in one["text"] for one in answered)
    again = rated(desk, of=told.chat)
    clock.now += timedelta(days=120)
    later = rated(desk, of=told.chat)
    await days(desk, clock, 10)
    for one in (again, later):
        assert not any(row.kind == "recommendation" for row in offered(one))


def answer(told: Told, text: str) -> list[dict[str, Any]]:
    """Say something to which the bot answers; what was shown since."""
    before = len(told.events)
    message = told.sends(text).message
    said = says("好的")
    with told.desk.storage.database.write() as db:
        known = Answer(said["messages"], said["understood"], False, False)
        commit_answer(db, told.desk, message, known, told.desk.clock())
    return told.events[before + 1 :]


# --- the notice ---------------------------------------------------------------------------------


async def test_the_notice_goes_with_the_first_answer_once_a_person_and_text(
    tmp_path: Path,
) -> None:
    clock = Clock()
    desk = a_context(tmp_path, clock, businesses=changed(privacy_notice="{business}的说明"))
    told = at_rest(desk)
    assert told.sends("在吗").entries
    assert not any(one["kind"] == "notice" for one in told.events), "with the answer, not before"
    notice, said = answer(told, "房间没打扫")
    assert (notice["kind"], notice["text"]) == ("notice", "岚庭酒店的说明")
    assert said["text"] == "好的"
    shown = show(notice, desk.business("lanting").zone)
    assert shown is not None
    assert shown.weight == "notice", "costs no message of WeChat's by itself"
    assert [one["kind"] for one in answer(told, "还有")] == ["message"]
    same = at_rest(desk, of=told.chat)
    assert [one["kind"] for one in answer(same, "你好")] == ["message"]
    desk.storage.close()


async def test_in_wechat_it_goes_with_the_passive_reply_and_costs_nothing(tmp_path: Path) -> None:
    async with a_scene(tmp_path, businesses=changed(privacy_notice="{business}的说明")) as scene:
        await scene.double.write("o-lan", "房间没打扫")
        [seen] = await scene.seen("o-lan", 1)
        assert (seen.via, seen.text) == ("passive", "岚庭酒店的说明\n\n好的：房间没打扫")
        assert scene.contact("o-lan")["sent_since_wrote"] == 0


# --- several desks ------------------------------------------------------------------------------


async def test_two_desks_send_it_once(tmp_path: Path, postgres: str) -> None:
    url, clock = new_database(postgres, "aftercare"), Clock()
    clock.now = clock.now.replace(hour=2)
    one, two = (
        a_context(tmp_path / name, clock, database=url, businesses=changed())
        for name in ("one", "two")
    )
    told = rated(one)
    clock.now += timedelta(minutes=30)
    await asyncio.gather(*(aftercare(desk).look_once() for desk in (one, two)))
    assert len(told.events) == 1
    clock.now += timedelta(hours=24)
    await asyncio.gather(*(aftercare(desk).look_once() for desk in (one, two, one)))
    assert [row.kind for row in offered(told)] == ["gesture"]
    for desk in (one, two):
        desk.storage.close()

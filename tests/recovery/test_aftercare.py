"""What comes after the remedy, by rules: sure wishes, the table of gestures, survey, notice."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.aftercare.gestures import (
    FILE,
    Gesture,
    GestureTableError,
    History,
    load_gestures,
)
from recovery.aftercare.notice import STANDARD, notice_text, version
from recovery.aftercare.survey import DIMENSIONS, BadAnswersError, read_answers
from recovery.aftercare.wishes import WORDS, read_wishes, unwanted_kinds
from recovery.case import apply, hear
from recovery.commands import MakeOffer, OpenCase
from recovery.dialogue.private import private_turn
from recovery.failures import TRADES
from recovery.orders.embedded import EmbeddedOrders
from recovery.store import preferences
from recovery.store.database import Database
from recovery.store.preferences import MOST_WISHES
from tests.recovery.talk import HOTEL, SHOP, Talk, command, heard

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


# --- wishes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("别给我券", "no_voucher"),
        ("不要券，直接退钱", "no_voucher"),
        ("别再拿券打发我了！", "no_voucher"),
        ("优惠券我不要", "no_voucher"),
        ("别给我发优惠券了", "no_voucher"),
        ("不要积分", "no_points"),
        ("以后别打电话", "no_call"),
        ("请不要给我打电话", "no_call"),
        ("我要高楼层", "high_floor"),
        ("下次给我安排高楼层的房间", "high_floor"),
        ("以后都要安静一点的房间", "quiet"),
        ("我不吃辣", "no_spicy"),
        ("有事微信联系", "wechat_only"),
    ],
)
def test_a_wish_in_a_sure_form_is_heard(said: str, kind: str) -> None:
    assert [one for one, _ in read_wishes(said).wishes] == [kind]


@pytest.mark.parametrize(
    "said", ["不要给我发广告", "别再给我推荐了", "以后不要推销电话", "不要再推荐"]
)
def test_who_wants_no_marketing_is_heard(said: str) -> None:
    assert read_wishes(said).no_marketing


@pytest.mark.parametrize(
    "said",
    [
        *("为什么不给我券", "你们不给我券", "券呢", "别人都有券", "没给我券", "这个券不能用"),
        *("是不是不要券就退钱", "他说不要券", "给我券也行", "不用优惠券能退吗"),
        *("别忘了给我打电话", "你们怎么不打电话", "没人给我打电话", "不打电话来道歉吗"),
        *("高楼层太吵", "我住在高楼层", "广告说得好听", "你推荐的不好", "没有推荐", ""),
    ],
)
def test_what_is_not_sure_is_no_wish(said: str) -> None:
    assert not read_wishes(said)


@given(st.text(max_size=300))
@settings(max_examples=50)
def test_any_text_can_be_read(text: str) -> None:
    for kind, words in read_wishes(text).wishes:
        assert kind in WORDS
        assert words


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    made.migrate()
    yield made
    made.close()


def test_wishes_are_kept_by_person_and_the_stricter_stands_when_two_are_one(
    database: Database,
) -> None:
    with database.write() as db:
        assert preferences.of(db, "p1") == preferences.NONE
        assert preferences.add_wish(db, "p1", "别给我券", "customer", NOW, kind="no_voucher")
        assert not preferences.add_wish(db, "p1", "别给我券", "customer", NOW, kind="no_voucher")
        preferences.refuse_marketing(db, "p2", NOW)
        preferences.add_wish(db, "p2", "怕吵", "staff:1", NOW)
        preferences.join(db, "p1", "p2", NOW)
        kept = preferences.of(db, "p1")
        assert kept.no_marketing
        assert not kept.no_follow_up
        assert {one.text for one in kept.wishes} == {"别给我券", "怕吵"}
        assert preferences.drop_wish(db, "p1", "怕吵", NOW)
        assert not preferences.of(db, "p1").has("quiet")
        for number in range(MOST_WISHES + 5):
            preferences.add_wish(db, "p1", f"第{number}个心意", "customer", NOW)
        assert len(preferences.of(db, "p1").wishes) == MOST_WISHES


def test_the_notice_is_shown_once_for_each_text(database: Database) -> None:
    text = notice_text(STANDARD, "岚庭酒店")
    assert "岚庭酒店" in text
    assert "导出我的资料" in text
    assert "删除我的资料" in text
    assert notice_text("", "岚庭酒店") == ""
    with database.write() as db:
        assert preferences.show_notice(db, "p1", version(text), NOW)
        assert not preferences.show_notice(db, "p1", version(text), NOW)
        assert preferences.show_notice(db, "p1", version(text + "。"), NOW)


# --- gestures -----------------------------------------------------------------------------------


def chosen(**known: Any) -> Gesture | None:  # noqa: ANN401 - a fact each
    return load_gestures().choose(History(**({"industry": "hotel"} | known)))


def rule(**known: Any) -> str | None:  # noqa: ANN401 - a fact each
    found = chosen(**known)
    return found.rule if found else None


def test_a_gesture_fits_what_happened_and_what_is_wished() -> None:
    assert rule() is None, "who had nothing special gets nothing"
    assert rule(late=True) == "hotel-late-promise"
    assert rule(late=True, wishes=frozenset({"high_floor"})) == "hotel-high-floor"
    assert rule(tier="gold") == "hotel-loyal"
    assert rule(peak=3) == "hotel-upset"


def test_nothing_is_given_that_is_unwanted_or_cannot_be_carried_out() -> None:
    shop = {"industry": "shop", "tier": "gold", "has_order": True}
    assert rule(**shop) == "goods-loyal"
    assert rule(**shop, wishes=frozenset({"no_points"})) is None
    assert rule(**shop | {"has_order": False}) is None
    assert unwanted_kinds(frozenset({"no_voucher", "high_floor"})) >= {"voucher"}


def test_every_trade_has_gestures_and_anger_buys_nothing() -> None:
    for trade in TRADES:
        calm, loud = (
            load_gestures().choose(History(trade, late=True, peak=peak, has_order=True))
            for peak in (0, 3)
        )
        assert calm is not None
        assert calm == loud
        only_loud = load_gestures().choose(History(trade, peak=3, has_order=True))
        assert only_loud is None or only_loud.cost_fen <= 500


@pytest.mark.parametrize(
    "change",
    [
        {"cost_fen": 50_000},
        {"cost_fen": 10.5},
        {"industries": ["bank"]},
        {"when": {}},
        {"when": {"mood": "bad"}},
        {"when": {"tiers": ["platinum"]}},
        {"when": {"peak": 2}, "cost_fen": 4000},
        {"give": {"remedy": {"kind": "free_meal"}}},
        {"give": {"task": " "}},
        {"why": ""},
        {"more": 1},
        {"rule": "hotel-again"},
    ],
)
def test_a_wrong_row_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    content = json.loads(FILE.read_text("utf-8"))
    row = copy.deepcopy(content["gestures"][0])
    content["gestures"].append(row | {"rule": "another"} | change)
    path = tmp_path / "gestures.json"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(GestureTableError):
        load_gestures(path)


# --- survey -------------------------------------------------------------------------------------

FULL = {
    "expected": dict.fromkeys(DIMENSIONS, 6),
    "perceived": dict.fromkeys(DIMENSIONS, 5),
    "confirmed": 3,
    "recommend": 0,
    "words": "",
}


def test_a_survey_is_taken_whole() -> None:
    answers = read_answers(FULL)
    assert answers.recommend == 0
    assert set(answers.perceived) == set(DIMENSIONS)
    assert len(DIMENSIONS) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"expected": {**FULL["expected"], "reliability": 8}},  # type: ignore[dict-item]
        {"expected": {**FULL["expected"], "reliability": True}},  # type: ignore[dict-item]
        {"expected": {"reliability": 3}},
        {"perceived": []},
        {"confirmed": 0},
        {"confirmed": "3"},
        {"recommend": 11},
        {"recommend": None},
        {"words": 3},
        {"words": "很" * 501},
        {"token": "x"},
    ],
)
def test_half_or_wrong_answers_are_refused_with_a_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(BadAnswersError) as refused:
        read_answers(FULL | change)
    assert refused.value.sentence


# --- what is unwanted is not given --------------------------------------------------------------


def made_for(
    orders: EmbeddedOrders, failure: str, said: str, wishes: frozenset[str]
) -> tuple[Talk, MakeOffer]:
    """What the bot offers who wishes so."""
    unwanted = unwanted_kinds(wishes)
    business = SHOP if said.startswith("QH") else HOTEL
    talk = Talk(business, orders, lambda turn: private_turn(replace(turn, unwanted=unwanted)))
    case = apply(None, OpenCase("s1", failure), talk.now)
    assert case is not None
    talk.case = hear(case, 1, talk.now)
    made = command(talk.say(heard(said, "inform", anger=1)), MakeOffer)
    assert isinstance(made, MakeOffer)
    return talk, made


@pytest.mark.parametrize(
    ("failure", "said"),
    [("wrong_item", "QH202611150108 6621"), ("room_not_clean", "LT202611180012，尾号4417")],
)
def test_no_voucher_for_who_wants_none_also_beside_what_is_owed(
    orders: EmbeddedOrders, failure: str, said: str
) -> None:
    _, usual = made_for(orders, failure, said, frozenset())
    _, made = made_for(orders, failure, said, frozenset({"no_voucher"}))
    vouchers = unwanted_kinds(frozenset({"no_voucher"}))
    assert vouchers & {one["kind"] for one in usual.remedies}
    assert not vouchers & {one["kind"] for one in made.remedies}
    assert usual.departure is None
    # Either the same in another form, or less of what is a present; what is owed stays owed.
    worth = [one.floor_fen + one.goodwill_fen for one in (usual, made)]
    assert worth[0] == worth[1] or (made.departure and made.floor_fen == usual.floor_fen)
    given = sum(one.get("worth", 0) for one in made.remedies if one["part"] == "goodwill")
    assert given == made.goodwill_fen

"""Practice: a customer whose anger follows what is said to them, and what the review finds."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest

from recovery.drill.customer import begin, pass_time, say, stop
from recovery.drill.given import Given, decide
from recovery.drill.library import written
from recovery.drill.reading import Reading, read
from recovery.drill.recording import Heard, draft
from recovery.drill.review import review
from recovery.drill.scenario import (
    BadScenarioError,
    Scenario,
    personal_data,
    read_scenario,
)
from recovery.drill.standing import Drill, Standing
from recovery.failures import TRADES
from recovery.remedy.running import running

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SOON = timedelta(seconds=20)
DIRTY = "hotel-dirty-room"


@cache
def given_of(name: str) -> Given:
    scenario = written()[name]
    return decide(scenario, running().on(scenario.industry, date(2026, 11, 22)))


def a_drill(name: str = DIRTY, seed: str = "d1") -> Drill:
    return begin(written()[name], given_of(name), seed, NOON)


def played(lines: Sequence[str], name: str = DIRTY, apart: timedelta = SOON) -> Drill:
    """A practice in which these lines are said, so long apart."""
    drill, now = a_drill(name), NOON
    for place, text in enumerate(lines):
        now += apart
        drill = pass_time(drill, now)
        if drill.standing.outcome:
            break
        drill = say(drill, f"line-{place}", text, now)
    return drill


def heard(text: str, name: str = DIRTY, before: Sequence[str] = ()) -> Reading:
    return read(text, written()[name], given_of(name), before, ())


def checks(drill: Drill) -> dict[str, dict[str, object]]:
    ended = drill if drill.standing.outcome else stop(drill)
    return {one["id"]: one for one in review(ended)["checks"]}


GOOD = (
    "赵先生，半夜进房看到这样的床单，换谁都受不了，是我们没做好，向您道歉。",
    "房间我给您换一间打扫好的，同事十分钟内上楼帮您搬行李。",
    "明天要几点叫早？早餐我让厨房提前给您备好，七点前送到房间。",
)


# ---- scenarios ---------------------------------------------------------------------------------


def test_every_trade_has_scenarios_without_personal_data() -> None:
    found = list(written().values())
    assert len(found) >= 15
    assert {one.industry for one in found} == set(TRADES)
    assert [one.id for one in found if personal_data(one)] == []
    for one in found:
        assert len({word for fact in one.facts for word in fact.asked}) > 3, one.id
        assert any(fact.hidden for fact in one.facts) and any(fact.given for fact in one.facts)
        assert one.calms and one.inflames, one.id


@pytest.mark.parametrize("name", list(written()))
def test_every_scenario_can_be_won_with_its_own_better_words(name: str) -> None:
    scenario, given = written()[name], given_of(name)
    offered = "、".join(one["title"] for one in given.items[:3])
    drill = played(
        (
            f"{scenario.better.acknowledge}{scenario.matter[0]}这件事向您道歉。",
            scenario.better.step,
            f"我给您安排{offered}。",
            "我全程跟着，中间有一点变化先告诉您。",
            "您安心忙别的，我这边盯到底。",
            "结果出来之前我不会走开。",
        ),
        name,
    )
    assert drill.standing.outcome == "calmed", (drill.standing, drill.lines)
    found = checks(drill)
    wrong = {name: one for name, one in found.items() if one["verdict"] == "bad"}
    assert not wrong, wrong


@pytest.mark.parametrize("name", list(written()))
def test_what_inflames_a_customer_makes_them_angrier(name: str) -> None:
    scenario = written()[name]
    for place, touch in enumerate(scenario.inflames):
        drill = say(a_drill(name), "one", f"这个是因为{touch.words[0]}，您看。", NOON + SOON)
        assert drill.lines[-2]["inflames"] == [place]
        assert drill.lines[-1]["text"] == touch.line
        assert drill.standing.mood >= min(3.0, scenario.anger + 0.5)


# ---- the words of a trainee --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("换作是我也会着急，实在对不住。", "acknowledged"),
        ("让您大半夜白跑一趟。", "acknowledged"),
        ("给您道个歉。", "apologised"),
        ("床单的事我看到了。", "named"),
        ("我给您换一间打扫好的房。", "remedy"),
        ("我去给您找一间同级的房。", "remedy"),
        ("我去找值班的同事，半小时内回您。", "step"),
        ("今天18:30前我打电话告诉您结果。", "step"),
        ("明早九点前安排人重新打扫。", "step"),
    ],
)
def test_good_words_are_heard(text: str, mark: str) -> None:
    assert mark in heard(text).good


@pytest.mark.parametrize(
    "text",
    [
        "让您等了四十分钟。",
        "您什么时候方便？我几点打电话给您？",
        "请您耐心等待。",
        "我们会尽快处理。",
    ],
)
def test_no_next_step_is_heard_where_there_is_none(text: str) -> None:
    assert "step" not in heard(text).good


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("是您自己没看清楚房型。", "blame"),
        ("这不可能，我们从来没有出过这种事。", "argue"),
        ("我保证以后再也不会发生！", "promise"),
        ("我给您免单，再送500元代金券。", "promise"),
        ("听我说完！！", "shout"),
        ("给您带来不便，敬请谅解。", "stock"),
        ("请问您是几点到店的？", "asked_again"),
        ("哦", "empty"),
    ],
)
def test_bad_words_are_heard(text: str, mark: str) -> None:
    assert mark in heard(text).bad


def test_what_the_policy_gives_is_no_empty_promise() -> None:
    assert "promise" not in heard("早餐给您免费送到房间，再送一份甜品。").bad
    assert "promise" not in heard("我去申请看能不能免单，二十分钟内回您。").bad
    assert "promise" not in heard("给您升级的事我没有把握，先问，一小时内回您。").bad
    assert "promise" in heard("这晚全额退给您。").bad


# ---- the customer ------------------------------------------------------------------------------


def test_good_words_calm_and_bad_words_inflame() -> None:
    good = played(GOOD)
    assert good.standing.outcome == "calmed"
    assert good.lines[-1]["text"] == good.scenario.closing
    heat = [one["heat"] for one in good.lines if one["by"] == "customer"]
    assert heat == sorted(heat, reverse=True) and heat[-1] < heat[0]
    bad = played(["是您自己没看清楚房型。", "这不可能。", "您爱住不住。", "随便您投诉。"])
    assert bad.standing.outcome == "walked_out" and bad.standing.anger.peak == 3


def test_a_furious_customer_is_not_calm_after_one_kind_line() -> None:
    drill = played([GOOD[0] + GOOD[1]], "hotel-overbooked")
    assert drill.standing.outcome is None and drill.standing.anger.now >= 2


def test_a_remedy_before_understanding_counts_for_less() -> None:
    first = played(["我给您换一间房，十分钟内搬好。"]).standing.mood
    after = played([GOOD[0], "我给您换一间房，十分钟内搬好。"]).standing.mood
    at_once = played([GOOD[0]]).standing.mood
    assert a_drill().standing.mood - first < at_once - after


def test_facts_are_told_when_asked_and_hidden_ones_to_who_understands() -> None:
    asked = played(["请问您住到哪天？"])
    assert "后天上午走" in asked.lines[-1]["text"]
    again = say(asked, "again", "您一共住几晚呢？", NOON + 2 * SOON)
    assert "后天上午走" not in again.lines[-1]["text"]
    assert again.standing.mood > asked.standing.mood
    understood = played(["半夜进房看到这样，换谁都受不了。"])
    assert "见客户" in understood.lines[-1]["text"]
    assert understood.lines[-2]["marks"][0]["words"] == "换谁都受不了"


def test_the_customer_asks_again_while_nobody_answers_and_the_time_ends() -> None:
    drill = a_drill()
    patience = timedelta(seconds=drill.scenario.patience)
    waiting = pass_time(drill, NOON + 2 * patience)
    assert len(waiting.lines) == len(drill.lines) + 2
    assert waiting.lines[-1]["at"] == (NOON + 2 * patience).isoformat()
    assert waiting.standing.mood > drill.standing.mood
    # Asked for twice or at once, it is the same.
    assert pass_time(pass_time(drill, NOON + patience), NOON + 2 * patience) == waiting
    over = pass_time(waiting, drill.due)
    assert over.standing.outcome == "time" and pass_time(over, drill.due + patience) == over


def test_no_answer_is_given_twice() -> None:
    for lines in (["好的，我知道了"] * 40, ["您说得对，您消消气"] * 40, ["哦"] * 40):
        drill = played(lines, "retail-price", timedelta(seconds=5))
        texts = [one["text"] for one in drill.lines if one["by"] == "customer"]
        assert len(texts) == len(set(texts))
        assert all(texts)


def test_a_line_that_comes_twice_is_said_once() -> None:
    once = played(GOOD[:1])
    assert say(once, "line-0", GOOD[0], NOON + 2 * SOON) == once


def test_a_practice_is_kept_and_read_back() -> None:
    drill = played(GOOD[:2])
    assert Standing.from_wire(drill.standing.to_wire()) == drill.standing
    assert Given.from_wire(drill.given.to_wire()) == drill.given
    assert read_scenario(drill.scenario.to_wire()) == drill.scenario


def test_personal_data_that_a_trainee_types_is_not_kept() -> None:
    drill = played(["您的手机是13800138000吗？"])
    assert "13800138000" not in str(drill.lines)


# ---- the review --------------------------------------------------------------------------------


def test_the_review_of_a_good_practice() -> None:
    found = review(played(GOOD))
    assert found["good"] == found["of"], found["checks"]
    assert (found["outcome"], found["first_answer"]) == ("calmed", 20)
    assert (found["opening"], found["peak"], found["close"]) == (2, 2, 0)
    assert [one["heat"] for one in found["curve"]][-1] < 2


def test_the_review_of_a_bad_practice_names_lines_and_better_words() -> None:
    drill = played(
        [
            "请问您几点到的？",
            "是您自己没看清楚房型。",
            "对不起。",
            "真的对不起，给您全额退款。",
            "实在抱歉抱歉。",
        ],
        apart=timedelta(seconds=110),
    )
    found = checks(drill)
    assert {name for name, one in found.items() if one["verdict"] == "bad"} >= {
        *("acknowledged", "apologised", "blamed", "asked_again", "step", "remedy"),
    }
    assert found["blamed"]["lines"] == ["line-1"] and found["remedy"]["lines"] == ["line-3"]
    assert "没看清楚" in str(found["blamed"]["quote"])
    assert all(one["better"] for one in found.values() if one["verdict"] == "bad")
    assert [one["title"] for one in review(stop(drill))["unasked"]]


def test_an_allegation_is_not_owned_by_the_better_words() -> None:
    apology = checks(played(["我去看看。"], "restaurant-hair"))["apologised"]
    assert "异物" not in str(apology["better"])


# ---- recorded ----------------------------------------------------------------------------------


def test_a_case_becomes_a_draft_without_personal_data() -> None:
    said = [
        Heard("customer", "我是欧阳静姝，8012房没打扫，订单LT202611180012，电话13800138000"),
        Heard("customer", "床单上有头发"),
        Heard("staff", "您好"),
        Heard("customer", "我明天八点要开会，你们快点"),
        Heard("customer", "好的谢谢"),
    ]
    made = draft(
        "hotel", "room_not_clean", 2, said, 52_800, "plans", ("欧阳静姝", "LT202611180012")
    )
    scenario = read_scenario({**made, "id": "recorded-1"})
    assert personal_data(scenario) == ()
    words = str(made)
    for secret in ("欧阳静姝", "LT202611180012", "13800138000", "8012"):
        assert secret not in words
    assert scenario.source == "recorded" and len(scenario.opening) == 2
    assert scenario.opening == ("房没打扫", "床单上有头发")
    assert any("明天八点" in fact.line for fact in scenario.facts)


def test_a_scenario_that_cannot_be_practised_is_refused() -> None:
    whole = written()[DIRTY].to_wire()
    for change in (
        {"failure": "lift_broken"},
        {"opening": []},
        {"matter": ["垃圾" * 20]},
        {"minutes": 300},
        {"surprise": 1},
        {"order": {"paid": -1}},
        {"closing": "好\u202e的，谢谢"},
        {"closing": "好\ud800的，谢谢"},
        {"closing": "好\x00的，谢谢"},
        {"opening": "不是一列"},
    ):
        with pytest.raises(BadScenarioError):
            read_scenario({**whole, **change})
    leaking: Scenario = read_scenario({**whole, "closing": "打我电话13800138000"})
    assert personal_data(leaking) == ("手机号",)

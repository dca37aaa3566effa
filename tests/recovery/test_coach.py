"""Warnings before sending, suggested replies, canned replies: what staff may rely on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from recovery.coach.canned import VARIABLES, BadVariableError, check, fill, starters
from recovery.coach.suggestions import MOST, Moment, alike, suggest
from recovery.coach.warnings import KINDS, Situation, apologises, warnings
from recovery.failures import TRADES

WRITTEN = Path(__file__).parent / "coaching"
ANSWERS = Path(__file__).parents[2] / "data" / "responses"
ONE_ROOM = Situation(private=False)
# Bad for a reason that lies in the situation, not in the words alone.
SITUATIONS = {"private": ONE_ROOM, "apology": Situation(apologised=True)}
FILLED = {
    "顾客": "阿明",
    "商家": "岚庭酒店",
    "事情": "房间没有打扫干净这件事",
    "订单号": "LT202611180012",
    "客服": "小林",
    "时限": "15分钟内",
}


def sentences(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((WRITTEN / f"{name}.yml").read_text("utf-8"))
    return content


def counted(name: str) -> tuple[int, int, int, int]:
    """Bad ones warned of, all bad ones, good ones warned of, all good ones."""
    content = sentences(name)
    bad = [
        bool(warnings(text, SITUATIONS.get(kind, Situation())))
        for kind, texts in content["bad"].items()
        for text in texts
    ]
    good = [bool(warnings(text, Situation())) for text in content["good"]]
    good += [bool(warnings(text, ONE_ROOM)) for text in content.get("good_in_public", ())]
    return sum(bad), len(bad), sum(good), len(good)


# --- warnings ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["written_first", "written_second"])
def test_sentences_that_the_rules_know(name: str) -> None:
    warned, bad, disturbed, good = counted(name)
    assert (warned, disturbed) == (bad, 0)
    assert min(bad, good) >= 60


def test_sentences_that_the_rules_have_never_seen() -> None:
    warned, bad, disturbed, good = counted("written_after")
    assert min(bad, good) >= 60
    # Measured when they were written: 38 of 60 bad ones, 1 of 60 good ones.
    assert warned / (warned + disturbed) >= 0.95
    assert warned / bad >= 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_a_warning_is_of_its_kind_and_quotes_the_text(kind: str) -> None:
    situation = SITUATIONS.get(kind, Situation())
    for text in sentences("written_first")["bad"][kind]:
        found = {one.kind: one for one in warnings(text, situation)}
        assert kind in found, text
        assert found[kind].words in text
        assert found[kind].text.endswith("。")


def test_the_bots_own_words_are_not_warned_of() -> None:
    texts = [
        variant["text"]
        for file in ANSWERS.glob("*.yml")
        for variants in yaml.safe_load(file.read_text("utf-8"))["responses"].values()
        for variant in variants
    ]
    warned = [text for text in texts if warnings(text, Situation())]
    assert len(texts) > 500
    # Some apologise twice in one breath.
    assert len(warned) <= len(texts) // 200


@pytest.mark.parametrize(
    ("text", "situation", "warned"),
    [
        ("给您退200元", Situation(), True),
        ("给您退200元", Situation(most_fen=20_000), False),
        ("给您退200.01元", Situation(most_fen=20_000), True),
        ("给您退两百元", Situation(most_fen=20_000), False),
        ("给您退三百块钱", Situation(most_fen=20_000), True),
        ("赔您一万二千元", Situation(most_fen=1_200_000), False),
        ("退您￥1,200", Situation(most_fen=100_000), True),
        ("退您30%", Situation(most_bp=3000), False),
        ("退您31%", Situation(most_bp=3000), True),
        ("退您一半的房费", Situation(most_bp=5000), False),
        ("全额退款给您", Situation(), True),
        ("全额退款给您", Situation(whole=True), False),
        ("按三倍赔偿给您", Situation(), True),
        ("按三倍赔偿给您", Situation(times=True), False),
        ("保证给您退200元", Situation(most_fen=20_000), True),
        ("这件标价200元", Situation(), False),
        ("您希望退200元，我去请示", Situation(), False),
    ],
)
def test_what_was_offered_may_be_promised(text: str, situation: Situation, warned: bool) -> None:
    assert bool([one for one in warnings(text, situation) if one.kind == "promise"]) is warned


def test_one_apology_is_well_and_a_second_is_not() -> None:
    sorry = "让您受累了，抱歉。主管现在上去。"
    assert warnings(sorry, Situation()) == []
    assert [one.kind for one in warnings(sorry, Situation(apologised=True))] == ["apology"]
    assert [one.kind for one in warnings("抱歉，真对不起。", Situation())] == ["apology"]
    assert apologises(sorry)
    assert not apologises("您希望店长当面道歉，我去转达。")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我打您13812345678了", "13812345678"),
        ("请把订单号发在这里", "发在这里"),
    ],
)
def test_in_a_room_nothing_personal_is_written_or_asked(text: str, words: str) -> None:
    assert warnings(text, Situation(private=True)) == []
    [found] = warnings(text, ONE_ROOM)
    assert found.kind == "private"
    assert words in found.words or found.words in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "！" * 2000,
        "您" * 2000,
        "您自己" * 600,
        "退" + "1" * 1990 + "元",
        "（" * 2000,
        "赔一" * 900,
        # Read in every combination, this would take longer than anybody lives.
        "发" + "您的" * 900 + "，",
        "退" + "1" * 6000 + "元，" + "9," * 900 + "块",
        "赔" + "九" * 1900 + "倍",
        "13812345678，［手机号］，" * 90,
    ],
)
def test_hostile_text_is_read_quickly(text: str) -> None:
    for situation in (Situation(), ONE_ROOM):
        assert all(one.words in text for one in warnings(text, situation))


# --- suggestions ---------------------------------------------------------------------------


CALM_START = Moment(
    private=True,
    stage="person",
    reason="asked",
    anger=1,
    matter="房间没有打扫干净这件事",
    customer="阿明",
    staff="小林",
    time="15分钟内",
)
MOMENTS = {
    "begins": CALM_START,
    "furious": replace(CALM_START, anger=3, reason="fury"),
    "apologised": replace(CALM_START, anger=3, apologised=True),
    "hurt": replace(CALM_START, reason="safety", anger=2),
    "goes outside": replace(CALM_START, reason="escalation", anger=3),
    "offered": replace(
        CALM_START, introduced=True, offered=("退您120元", "马上重新打扫"), expires="明天12:00前"
    ),
    "refused": replace(CALM_START, introduced=True, refused=True),
    "failed": replace(CALM_START, introduced=True, failed=("退您120元",), order_known=True),
    "done": replace(
        CALM_START, introduced=True, done=("退您120元",), stage="agreed", order_known=True, anger=0
    ),
    "requested": replace(CALM_START, introduced=True, requested=True),
    "silent": replace(CALM_START, introduced=True, silent=True, waits=False, order_known=True),
    "in public": replace(CALM_START, private=False),
    "nothing known": replace(CALM_START, matter="您说的这件事", customer="", reason=None, stage=""),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_there_are_three_suggestions_and_none_is_warned_of(name: str) -> None:
    moment = MOMENTS[name]
    found = suggest(moment, [])
    assert len(found) == MOST
    assert len({one.text for one in found}) == MOST
    for one in found:
        assert "{" not in one.text
        assert "None" not in one.text
        situation = Situation(moment.private, moment.apologised, most_fen=12_000)
        assert warnings(one.text, situation) == [], one.text


@pytest.mark.parametrize("name", MOMENTS)
def test_what_was_said_is_not_suggested_again(name: str) -> None:
    said: list[str] = []
    for _ in range(10):
        found = suggest(MOMENTS[name], said)
        if not found:
            break
        assert not any(alike(found[0].text, before) for before in said)
        said.append(found[0].text)
    assert len(said) >= MOST
    # In other words, or with other names: the same all the same.
    changed = [text.replace("小林", "老吴").replace("15分钟内", "今天18:30前") for text in said]
    for one in suggest(MOMENTS[name], changed):
        assert one.text not in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("begins", "小林"),
        ("furious", "抱歉"),
        ("hurt", "120"),
        ("goes outside", "您的权利"),
        ("offered", "退您120元"),
        ("refused", "您希望怎样处理"),
        ("failed", "没能自动办成"),
        ("done", "已经办好"),
        ("requested", "经理"),
        ("silent", "等您的消息"),
        ("in public", "私聊"),
    ],
)
def test_suggestions_fit_the_moment(name: str, words: str) -> None:
    assert words in "".join(one.text for one in suggest(MOMENTS[name], []))


def test_who_has_apologised_is_given_no_apology() -> None:
    for moment in MOMENTS.values():
        for one in suggest(replace(moment, apologised=True), []):
            assert not apologises(one.text)


def test_in_public_nothing_of_the_order_is_said() -> None:
    moment = replace(MOMENTS["offered"], private=False)
    text = "".join(one.text for one in suggest(moment, []))
    assert "120元" not in text
    assert "订单" not in text


# --- canned replies ------------------------------------------------------------------------


def test_the_replies_that_a_desk_begins_with_are_good() -> None:
    replies = starters()
    assert len(replies) >= 40
    assert {one.industry for one in replies} == {None, *TRADES}
    assert len({one.title for one in replies}) == len(replies)
    assert len({one.shortcut for one in replies}) == len(replies)
    for one in replies:
        check(one.text)
        assert 0 <= one.anger_least <= one.anger_most <= 3
        assert warnings(fill(one.text, FILLED), Situation()) == [], one.title
    for industry in TRADES:
        for anger in range(4):
            fit = [
                one
                for one in replies
                if one.industry in (None, industry) and one.anger_least <= anger <= one.anger_most
            ]
            assert len(fit) >= 15


def test_variables_are_filled_in_and_leave_no_gap() -> None:
    text = "{顾客}，您好，{商家}的{客服}{时限}回您，订单{订单号}。"
    assert fill(text, FILLED) == "阿明，您好，岚庭酒店的小林15分钟内回您，订单LT202611180012。"
    assert fill(text, {"客服": "小林", "商家": "本店"}) == "您好，本店的小林回您，订单。"
    assert fill("{顾客}", {"顾客": "{订单号}"}) == "{订单号}", "what is filled in is not read again"


@pytest.mark.parametrize("text", ["{姓名}", "{}", "{顾客", "顾客}", "{{顾客}}", "{顾客.__class__}"])
def test_an_unknown_variable_is_named(text: str) -> None:
    with pytest.raises(BadVariableError):
        check(text)
    check("".join(f"{{{one}}}" for one in VARIABLES))

"""Every event that a page shows is told in words that WeChat can carry."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from desk.channels.wechat.outgoing.composing import MORE, compose, compose_passive
from desk.channels.wechat.outgoing.cutting import MOST_BYTES, size
from desk.channels.wechat.outgoing.rendering import ending, numbered, parts, show, words
from desk.conversations import phrases
from recovery.store.wechat.sends import Send
from tests.support.stack import ROOT

ZONE = ZoneInfo("Asia/Shanghai")
BUTTONS = [{"title": "就这样办", "token": "a.b", "style": "primary"}, {"title": "不", "token": "c"}]
OFFER: dict[str, Any] = {
    "id": "o1.open",
    "kind": "offer",
    "offer": "o1",
    "items": [
        {"title": "退一半房费", "detail": "644元", "part": "floor"},
        {"title": "欢迎水果一份", "detail": "", "part": "goodwill"},
    ],
    "reason": "房间没有打扫",
    "steps": ["退款今天18:30前到账", "水果一小时内送到"],
    "expires": "2026-11-24T04:00:00+00:00",
    "state": "open",
    "provisional": True,
    "buttons": BUTTONS,
}


def text_of(event: dict[str, Any], *, told: bool = True) -> str | None:
    shown = show(event, ZONE, told=told)
    return shown.text if shown else None


# --- one event ---------------------------------------------------------------------------------


def test_an_offer_says_all_that_its_card_says() -> None:
    shown = show(OFFER, ZONE)
    assert shown is not None
    assert shown.text == "\n".join(
        [
            "【为您准备的补救方案】",
            "应给您的：",
            "· 退一半房费（644元）",
            "另外的心意：",
            "· 欢迎水果一份",
            "这不是最后的处理，同事会接着跟进。",
            "为什么是这个方案：房间没有打扫",
            "接下来：",
            "· 退款今天18:30前到账",
            "· 水果一小时内送到",
            "有效至 11月24日 12:00，可以慢慢考虑。",
        ]
    )
    assert [one["title"] for one in shown.buttons] == ["就这样办", "不"]
    assert (shown.weight, shown.role) == ("say", "card")


def test_parts_of_an_offer_are_named_only_where_there_are_two() -> None:
    text = text_of({**OFFER, "items": OFFER["items"][:1], "provisional": False})
    assert text is not None and "应给您的" not in text and "同事会接着" not in text


def test_the_further_ways_of_an_offer() -> None:
    # Who has just accepted or refused reads the answer to that.
    assert text_of({**OFFER, "state": "accepted"}) is None
    assert text_of({**OFFER, "state": "refused"}) is None
    # What was agreed on the phone is read here for the first time.
    told = text_of({**OFFER, "state": "accepted"}, told=False)
    assert told is not None and told.startswith("【已按您同意的方案登记】")
    assert "有效至" not in told
    replaced = show({**OFFER, "state": "replaced"}, ZONE)
    assert replaced is not None and (replaced.weight, replaced.buttons) == ("notice", [])


@pytest.mark.parametrize(
    ("event", "weight", "text"),
    [
        ({"kind": "owner", "owner": "staff", "text": "现在由小林为您服务"}, "notice", None),
        ({"kind": "closed", "text": "这件事办完了"}, "say", None),
        ({"kind": "progress", "title": "退款", "text": "退款到账了", "state": "done"}, "say", None),
        (
            {"kind": "progress", "title": "退款", "text": "晚了一点", "state": "late"},
            "say",
            "退款：晚了一点",
        ),
        (
            {"kind": "call", "text": "请点开", "url": "https://meet.example/h-1", "name": "林"},
            "say",
            "请点开\nhttps://meet.example/h-1",
        ),
        ({"kind": "message", "author": "system", "text": "稍等", "id": "m1.hold"}, "notice", None),
        ({"kind": "message", "author": "staff", "text": "在的"}, "say", None),
    ],
)
def test_weights_and_words(event: dict[str, Any], weight: str, text: str | None) -> None:
    shown = show({"id": "w1", **event}, ZONE)
    assert shown is not None
    assert (shown.weight, shown.text) == (weight, text or event["text"])


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "message", "author": "customer", "text": "房间没打扫"},
        {"kind": "message", "author": "staff", "text": "在企业微信里说的", "elsewhere": "wecom"},
        {"kind": "invitation", "token": "t", "text": "私聊"},
        {"kind": "reminder", "token": "t", "text": "私聊"},
        {"kind": "typing"},
        {"kind": "something new", "text": "来"},
        {"kind": "message", "author": "bot", "text": " \u0000 "},
    ],
)
def test_what_is_not_sent(event: dict[str, Any]) -> None:
    assert show({"id": "w1", **event}, ZONE) is None


def test_words_of_others_stay_words() -> None:
    assert words('<a href="weixin://x">点我</a>') == '＜a href="weixin://x">点我＜/a>'
    assert words("a < b, <b>") == "a < b, <b>"
    assert words("一\u0007\ud800二\ufffe") == "一?二"


@given(st.text(max_size=3000), st.lists(st.text(min_size=1, max_size=90), max_size=14))
def test_any_words_with_any_quick_replies_fit(text: str, titles: list[str]) -> None:
    buttons = [{"title": one, "token": "t"} for one in titles]
    event = {"id": "w1", "kind": "message", "author": "bot", "text": text, "buttons": buttons}
    shown = show(event, ZONE)
    if shown is None:
        assert not words(text)
        return
    *before, last = parts(shown)
    assert all(one and size(one) <= MOST_BYTES for one in before)
    assert size(numbered(last, [one["title"] for one in shown.buttons])) <= MOST_BYTES


# --- several that wait together ----------------------------------------------------------------


def row(
    number: int,
    text: str = "",
    weight: str = "say",
    kind: str = "text",
    **more: Any,  # noqa: ANN401 - any field
) -> Send:
    content: dict[str, Any] = {"text": text or f"第{number}句"}
    if weight == "say":
        content["ends"] = "all"
    if kind == "menu":
        content["options"] = [[f"i{number}", "好"], [f"j{number}", "不"]]
    if kind == "image":
        content = {"picture": f"p{number}", "ends": "all"}
    values = {"state": "todo", "via": None, "batch": None, "error": None, "attempts": 0}
    return Send(
        number, "c1", "k1", f"w{number}", 0, kind, weight, content, **(values | more), due_at=""
    )


NUMBERS = "\n\n回复数字即可：\n1. 好\n2. 不"


def told(rows: list[Send], left: int, *, menus: bool = True) -> tuple[str, str, list[int]] | None:
    letter = compose(rows, left=left, menus=menus)
    return (letter.kind, letter.text, [one.id for one in letter.rows]) if letter else None


def test_words_go_together_and_a_menu_ends_them() -> None:
    rows = [row(1), row(2, weight="notice"), row(3, kind="menu"), row(4)]
    assert told(rows, 5) == ("menu", "第1句\n\n第2句\n\n第3句", [1, 2, 3])


def test_pictures_go_alone_and_in_their_place() -> None:
    assert told([row(1), row(2, kind="image"), row(3)], 5) == ("text", "第1句", [1])
    assert told([row(2, kind="image"), row(3)], 5) == ("image", "", [2])


def test_with_two_left_a_menu_is_one_only_where_nothing_follows() -> None:
    assert told([row(1), row(2, kind="menu")], 2) == ("menu", "第1句\n\n第2句", [1, 2])
    # What follows has ended its numbers.
    assert told([row(1, kind="menu"), row(2)], 2) == ("text", "第1句\n\n第2句", [1, 2])


def test_with_one_left_all_is_words() -> None:
    assert told([row(1, kind="menu")], 1) == ("text", f"第1句{NUMBERS}", [1])


def test_notices_wait_where_little_is_left_and_go_along_with_others() -> None:
    light = [row(1, weight="notice"), row(2, weight="notice")]
    assert told(light, 2) is None
    assert told(light, 3) == ("text", "第1句\n\n第2句", [1, 2])
    assert told([*light, row(3)], 1) == ("text", "第1句\n\n第2句\n\n第3句", [1, 2, 3])
    # Not at the cost of what is heavier.
    rows = [row(1, "长" * 600, weight="notice"), row(2, "重" * 600)]
    assert told(rows, 1) == ("text", "重" * 600, [2])


def test_nobody_is_asked_for_patience_together_with_the_answer() -> None:
    patience = row(1, "稍等", weight="notice")
    patience.content["passing"] = True
    assert told([patience, row(2)], 1) == ("text", "第2句", [1, 2])
    assert told([patience, row(2)], 5) == ("text", "第2句", [1, 2])
    assert told([patience], 5) == ("text", "稍等", [1])
    letter = compose_passive([patience, row(2)], goes_on=True)
    assert letter is not None and letter.text == "第2句"


def test_the_last_message_says_that_there_is_more() -> None:
    rows = [row(1), row(2, "二" * 679), row(3, "三")]
    kind, text, taken = told(rows, 1) or ("", "", [])
    assert (kind, taken) == ("text", [1])
    assert text == f"第1句\n\n{MORE}"
    # Where a call can follow there is no need to say so.
    letter = compose_passive(rows, goes_on=True)
    assert letter is not None and MORE not in letter.text


def test_what_was_tried_together_goes_together_again() -> None:
    rows = [row(1, weight="notice", state="held"), row(2, batch="b1"), row(3, batch="b1"), row(4)]
    assert told(rows, 5) == ("text", "第2句\n\n第3句", [2, 3])


def test_a_passive_reply_leaves_pictures_to_calls_where_there_are_any() -> None:
    rows = [row(1, kind="image"), row(2)]
    assert compose_passive(rows, goes_on=True) is None
    letter = compose_passive(rows, goes_on=False)
    assert letter is not None and [one.id for one in letter.rows] == [1, 2]
    assert "图片" in letter.text


def part(
    number: int,
    text: str,
    role: str = "",
    weight: str = "notice",
    event_id: str = "",
    **content: object,
) -> Send:
    """A row of a certain role."""
    one = row(number, text, weight)
    whole = {"text": text, **({"role": role} if role else {}), **content}
    return replace(one, event_id=event_id or one.event_id, content=whole)


def joined(*rows: Send) -> str:
    letter = compose(list(rows), left=5, menus=False)
    assert letter is not None and letter.rows == rows, "what is not said counts as sent"
    return letter.text


def test_a_hand_over_is_said_once() -> None:
    bot = part(1, "15分钟内由同事答复您。", weight="say", event_id="m1.r0")
    line = phrases.queued("", "nobody")
    notice = part(2, line, "queue", event_id="m1.owner")
    assert joined(bot, notice) == "15分钟内由同事答复您。\n\n现在没有同事在线，已为您排好队"
    # On its own, or after words on something else, it says all of it.
    assert joined(notice) == line
    other = part(1, "好的。", weight="say", event_id="m0.r0")
    assert joined(other, notice) == f"好的。\n\n{line}"
    # Nothing is left of it where nothing else is known.
    bare = part(2, phrases.queued(""), "queue", event_id="m1.owner")
    assert joined(bot, bare) == "15分钟内由同事答复您。"
    late = part(1, "“饮品”慢了。", "progress", "say", "o1:0.late")
    assert joined(late, part(2, line, "queue", event_id="o1:0.late.owner")).endswith(
        "慢了。\n\n现在没有同事在线，已为您排好队"
    )


def test_an_offer_that_is_over_is_not_told_of_beside_a_new_one() -> None:
    over = part(1, "先前的那个方案不再有效。", "replaced")
    words_ = part(2, "新的在下面。", weight="say")
    card = part(3, "【为您准备的补救方案】", "card", "say")
    assert joined(over, words_, card) == "新的在下面。\n\n【为您准备的补救方案】"
    assert joined(over, words_).startswith("先前的那个方案")
    assert joined(card, replace(over, id=4)).endswith("不再有效。")


def test_the_end_of_a_matter_is_the_only_thing_said_of_it() -> None:
    over = part(1, "先前的那个方案不再有效。", "replaced")
    owner = part(2, "现在由小岚为您服务", "owner")
    closed = part(3, "这件事办到这里", "closed", "say")
    assert joined(over, owner, closed) == "这件事办到这里"
    # Who says something before the end is named.
    said = part(2, "退好了", weight="say")
    person = part(1, "现在由小林为您服务", "owner")
    assert joined(person, said, closed) == "现在由小林为您服务\n\n退好了\n\n这件事办到这里"


def test_numbers_of_an_offer_stand_although_the_bot_goes_on() -> None:
    asked = row(1, "哪一件", kind="menu")
    offer = row(1, "方案", kind="menu")
    offer.content["offer"] = True
    on = part(2, "同事15分钟内到。", weight="say", ends="asked")
    ask = part(2, "几号房？", weight="say", ends="all")
    assert joined(offer, on) == f"方案{NUMBERS}\n\n同事15分钟内到。"
    assert joined(offer, ask) == "方案\n\n几号房？"
    assert joined(asked, on) == "哪一件\n\n同事15分钟内到。"


def test_a_reminder_names_the_numbers_in_one_line_while_they_count() -> None:
    think = part(1, "留到明天12:00。", weight="say", ends="asked", choices="（1 好，2 不）")
    assert joined(think) == "留到明天12:00。\n（1 好，2 不）"
    assert joined(think, part(2, "再见。", weight="say", ends="asked")).startswith(
        "留到明天12:00。\n（1 好，2 不）"
    )
    assert joined(think, part(2, "几号房？", weight="say", ends="all")) == (
        "留到明天12:00。\n\n几号房？"
    )
    assert joined(think, row(2, kind="menu")) == f"留到明天12:00。\n\n第2句{NUMBERS}"


def test_where_no_calls_are_possible_any_word_brings_the_answer() -> None:
    hold = part(1, "看到了，不用再发一遍。", "patience", passing=True)
    only = compose_passive([hold], goes_on=False)
    assert only is not None and "回" in only.text and "不用再发" not in only.text
    calls = compose_passive([hold], goes_on=True)
    assert calls is not None and calls.text == "看到了，不用再发一遍。"
    both = compose_passive([hold, row(2, "答复")], goes_on=False)
    assert both is not None and both.text == "答复"


def test_only_what_stands_for_the_bots_answer_promises_one() -> None:
    for ending_, role in ((".hold", "patience"), (".queue.hold", ""), (".ask.hold", "")):
        event = {"kind": "message", "author": "system", "text": "稍等", "id": f"m1{ending_}"}
        shown = show(event, ZONE)
        assert shown is not None and (shown.role, shown.passing) == (role, True)


@pytest.mark.parametrize(
    ("title", "text", "told_as"),
    [
        ("12元无门槛券", "12元券已经到账", None),
        ("送2份甜品", "甜品已经记在您名下，凭证Q1", None),
        ("马上补寄一份给您", "补寄的包裹已经出库", None),
        ("退一半房费", "“退一半房费”比说好的慢了", None),
        (
            "买墨色手冲咖啡杯再减5%",
            "专属优惠已经放进账户",
            "买墨色手冲咖啡杯再减5%：专属优惠已经放进账户",
        ),
        # A voucher that happens to have the same digits is not the thing.
        ("减免30%", "编号Q300", "减免30%：编号Q300"),
        ("经理给您去电", "已经给您登记", "经理给您去电：已经给您登记"),
    ],
)
def test_progress_names_its_thing_once(title: str, text: str, told_as: str | None) -> None:
    event = {"id": "w1", "kind": "progress", "title": title, "text": text}
    assert text_of(event) == (told_as or text)


@pytest.mark.parametrize(
    ("event", "ends"),
    [
        ({"kind": "message", "author": "bot", "text": "您慢慢考虑。"}, "asked"),
        ({"kind": "message", "author": "bot", "text": "您住几号房？"}, "all"),
        ({"kind": "message", "author": "bot", "text": "请发订单号。"}, "all"),
        ({"kind": "message", "author": "bot", "text": "请选", "buttons": BUTTONS}, "all"),
        ({"kind": "message", "author": "staff", "text": "好的"}, "all"),
        ({"kind": "message", "author": "customer", "text": "好的？"}, ""),
        ({"kind": "message", "author": "system", "text": "稍等", "id": "m1.hold"}, ""),
        ({"kind": "message", "author": "system", "text": "麻烦打字？", "id": "m1.ask"}, ""),
        ({"kind": "owner", "owner": "queue", "text": "已转给同事"}, "asked"),
        ({"kind": "owner", "owner": "bot", "text": "现在由小岚为您服务"}, ""),
        ({"kind": "progress", "title": "券", "text": "到账"}, ""),
        ({"kind": "closed", "text": "办完了"}, "all"),
        ({**OFFER, "state": "accepted"}, "all"),
        ({**OFFER, "state": "refused"}, "all"),
    ],
)
def test_what_ends_numbers(event: dict[str, Any], ends: str) -> None:
    assert ending(event) == ends


def test_whatever_the_bot_asks_the_case_for_ends_the_numbers_of_an_offer() -> None:
    asking = yaml.safe_load((ROOT / "data" / "responses" / "asking.yml").read_text("utf-8"))
    digits = ("say_ask_order", "say_ask_order_number", "say_ask_phone")
    asked = [one["text"] for name in digits for one in asking["responses"][name]]
    event = {"kind": "message", "author": "bot"}
    assert [text for text in asked if ending({**event, "text": text}) != "all"] == []


ROWS = st.lists(
    st.tuples(
        st.integers(1, 680),
        st.sampled_from(["say", "say", "notice"]),
        st.sampled_from(["text", "text", "menu", "image"]),
    ),
    min_size=1,
    max_size=12,
)


@given(ROWS, st.integers(1, 5), st.booleans(), st.booleans())
def test_everything_goes_once_in_order_and_fits(
    kinds: list[tuple[int, str, str]], left: int, menus: bool, passive: bool
) -> None:
    rows = [
        row(number, "字" * (length - (12 if kind == "menu" else 0)) or "字", weight, kind)
        for number, (length, weight, kind) in enumerate(kinds, start=1)
    ]
    while rows:
        if passive:
            letter = compose_passive(rows, goes_on=False)
        else:
            letter = compose(rows, left=left, menus=menus)
        if letter is None:
            assert left <= 2 and all(one.weight == "notice" for one in rows)
            return
        taken = [one.id for one in letter.rows]
        assert taken and taken == sorted(taken)
        whole = size(letter.text) + sum(size(title) for _, title in letter.items)
        assert whole <= MOST_BYTES
        heavy = [one.id for one in rows if one.weight == "say"]
        assert [one for one in taken if one in heavy] == heavy[: len([*set(taken) & set(heavy)])]
        rows = [one for one in rows if one.id not in taken]

"""What the entries of `kf/sync_msg` are understood as, whatever they hold."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.kf.reading import Elsewhere, Read, SessionChange, read, stand_in

KFID = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q"
USER = "wmAJ2GCAAAme1XQRC-NI-q0_ZM9ukoAw"


def entry(kind: str, origin: object = 3, **more: object) -> dict[str, Any]:
    whole = {
        "msgid": "from_msgid_4622416642169452483",
        "open_kfid": KFID,
        "external_userid": USER,
        "send_time": 1615478585,
        "origin": origin,
        "msgtype": kind,
    }
    return whole | more


def event(kind: str, **more: object) -> dict[str, Any]:
    """An event has account and customer inside, not beside it."""
    inside = {"event_type": kind, "open_kfid": KFID, "external_userid": USER, **more}
    whole = entry("event", 4, event=inside)
    del whole["open_kfid"], whole["external_userid"]
    return whole


def inbound(of: dict[str, Any]) -> Inbound:
    found = read(of, KFID)
    assert isinstance(found, Inbound)
    assert found.openid == USER
    assert found.key == "from_msgid_4622416642169452483"
    assert found.sent_at == 1615478585
    return found


def test_words_and_the_item_of_a_menu_that_was_pressed() -> None:
    plain = inbound(entry("text", text={"content": " 房间太吵😀 ", "menu_id": ""}))
    assert (plain.kind, plain.text, plain.menu) == ("text", "房间太吵😀", None)
    pressed = inbound(entry("text", text={"content": "接受", "menu_id": "101"}))
    assert (pressed.text, pressed.menu) == ("接受", "101")


def test_what_has_to_be_fetched() -> None:
    for kind in ("image", "voice", "video"):
        found = inbound(
            entry(kind, **{kind: {"media_id": "2iSLeVyqzk4eX0IB5kTi9Ljfa2rt9dwfq5WKRQ4Nvvgw"}})
        )
        assert found.kind == kind
        assert found.media == "2iSLeVyqzk4eX0IB5kTi9Ljfa2rt9dwfq5WKRQ4Nvvgw"
        assert not found.is_event


@pytest.mark.parametrize(
    ("kind", "part", "text"),
    [
        ("location", {"name": "兰亭酒店", "address": "西湖路1号"}, "【位置】兰亭酒店 西湖路1号"),
        ("location", {"latitude": 30.2, "longitude": 120.1}, "【位置】30.2,120.1"),
        (
            "link",
            {"title": "订单", "url": "https://a.example/1"},
            "【链接】订单 https://a.example/1",
        ),
        ("miniprogram", {"title": "我的订单", "appid": "wx1"}, "[小程序] 我的订单"),
        ("file", {"media_id": "m"}, "[文件]"),
        ("business_card", {"userid": "zhangsan"}, "[名片]"),
        ("something_new", {"title": 3}, "[其他消息] 3"),
    ],
)
def test_nothing_that_a_customer_sends_is_passed_over(
    kind: str, part: dict[str, Any], text: str
) -> None:
    found = inbound(entry(kind, **{kind: part}))
    assert found.text == text
    assert not found.is_event


def test_coming_in_brings_the_scene_and_the_code_for_one_welcome() -> None:
    came = inbound(event("enter_session", scene="web", scene_param="s-1", welcome_code="aaBB_1"))
    assert (came.kind, came.scene, came.more) == ("follow", "s-1", {"welcome_code": "aaBB_1"})
    again = inbound(event("enter_session", scene="", scene_param=""))
    assert (again.scene, again.more) == (None, {})


def test_a_message_that_was_not_delivered() -> None:
    lost = inbound(event("msg_send_fail", fail_msgid="kf01", fail_type=6))
    assert (lost.kind, lost.more) == ("job", {"message": "kf01", "status": 6})
    assert read(event("msg_send_fail", fail_type=6), KFID) is None


def test_what_colleagues_do_inside_wecom() -> None:
    said = read(entry("text", 5, text={"content": "我来处理"}, servicer_userid="lisi"), KFID)
    assert said == Elsewhere("from_msgid_4622416642169452483", USER, "我来处理", 1615478585)
    for change, session in ((1, "person"), (2, "person"), (3, "ended"), (4, "person")):
        found = read(event("session_status_change", change_type=change), KFID)
        assert isinstance(found, SessionChange)
        assert found.session == session
    assert read(event("session_status_change", change_type=9), KFID) is None
    assert read(event("servicer_status_change", status=1), KFID) is None


def test_what_is_of_another_account_or_of_nobody_is_not_read() -> None:
    assert read(entry("text", open_kfid="wkOther", text={"content": "x"}), KFID) is None
    assert read(entry("text", external_userid="", text={"content": "x"}), KFID) is None
    assert read(entry("text", external_userid="a\0b", text={"content": "x"}), KFID) is None
    assert read(entry("text", msgid="x" * 200, text={"content": "x"}), KFID) is None
    assert read(entry("text", 4, text={"content": "x"}), KFID) is None
    assert read(entry("text", "3 ", text={"content": "x"}), KFID) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["msgid", "open_kfid", "external_userid", "send_time", "origin", "msgtype"]
) | st.sampled_from(["text", "event", "image", "location", "link"])
PARTS = st.dictionaries(
    st.sampled_from(["content", "menu_id", "media_id", "event_type", "fail_msgid", "fail_type"])
    | st.sampled_from(["scene", "welcome_code", "change_type", "title", "url", "latitude"]),
    JSON | st.sampled_from(["enter_session", "msg_send_fail", "session_status_change"]),
)


@given(
    st.sampled_from(["text", "event", "image", "location", "link", "unknown"]),
    st.integers(0, 6),
    st.dictionaries(NAMES, JSON | PARTS, max_size=4),
    PARTS,
)
def test_whatever_comes_is_understood_or_left_alone(
    kind: str, origin: int, changes: dict[str, Any], part: dict[str, Any]
) -> None:
    found: Read | None = read(entry(kind, origin, **{kind: part}) | changes, KFID)
    if found is None:
        return
    assert 0 < len(found.openid) <= 64
    assert 0 < len(found.key) <= 128
    if isinstance(found, Inbound):
        # It can be stored as JSON, in UTF-8, in PostgreSQL.
        stored = json.dumps(found.to_wire(), ensure_ascii=False)
        stored.encode()
        assert "\\u0000" not in stored
        assert Inbound.from_wire(json.loads(stored)) == found
        assert stand_in(found)
    elif isinstance(found, Elsewhere):
        found.text.encode()

"""What each message and event of an Official Account is understood as."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import parse_message

from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.incoming.parsing import BadMessageError, fields_of, inbound_of
from tests.desk.wechat.letters import NOW, OPENID, account, text_xml

MOMENT = int(NOW.timestamp())


def xml_of(*fields: str, kind: str) -> str:
    return (
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>"
        f"<FromUserName><![CDATA[{OPENID}]]></FromUserName>"
        f"<CreateTime>{MOMENT}</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>"
        f"{''.join(fields)}</xml>"
    )


def of(name: str, value: str) -> str:
    return f"<{name}><![CDATA[{value}]]></{name}>"


def read(xml: str) -> Inbound:
    return inbound_of(account("plain"), fields_of(xml.encode()))


def message(kind: str, *fields: str) -> Inbound:
    return read(xml_of(*fields, of("MsgId", "24861938561028736"), kind=kind))


def event(name: str, *fields: str) -> Inbound:
    return read(xml_of(of("Event", name), *fields, kind="event"))


def test_a_text() -> None:
    inbound = read(text_xml("菜是凉的😡𠮷", "24861938561028736"))
    assert inbound == Inbound(
        "text", "24861938561028736", OPENID, MOMENT, text="菜是凉的😡𠮷", menu=None
    )
    assert not inbound.is_event


def test_what_was_read_can_be_stored() -> None:
    for inbound in (read(text_xml()), event("SCAN", of("EventKey", "abc")), event("whatever")):
        assert Inbound.from_wire(inbound.to_wire()) == inbound


@pytest.mark.parametrize("given", ["1029384756", "0"])
def test_an_item_of_a_menu_that_was_pressed(given: str) -> None:
    inbound = message("text", of("Content", "要退款"), of("bizmsgmenuid", given))
    assert (inbound.kind, inbound.text, inbound.menu) == ("text", "要退款", given)
    assert message("text", of("Content", "要退款"), "<bizmsgmenuid/>").menu is None


def test_an_image() -> None:
    inbound = message("image", of("PicUrl", "http://mmbiz.example/1"), of("MediaId", "m-1_a"))
    assert (inbound.kind, inbound.media, inbound.text) == ("image", "m-1_a", "")


def test_a_voice_with_and_without_what_wechat_has_heard() -> None:
    heard = message(
        "voice", of("MediaId", "v1"), of("Format", "amr"), of("Recognition", "房间太吵了。")
    )
    assert (heard.kind, heard.media, heard.text) == ("voice", "v1", "房间太吵了。")
    for empty in ("<Recognition/>", "<Recognition><![CDATA[]]></Recognition>", ""):
        assert message("voice", of("MediaId", "v1"), empty).text == ""


@pytest.mark.parametrize("kind", ["video", "shortvideo"])
def test_a_video(kind: str) -> None:
    inbound = message(kind, of("MediaId", "v2"), of("ThumbMediaId", "t2"))
    assert (inbound.kind, inbound.media) == ("video", "v2")


def test_a_place() -> None:
    where = (of("Location_X", "23.134521"), of("Location_Y", "113.358803"), of("Scale", "20"))
    inbound = message("location", *where, of("Label", "广州市 海珠区 客村"))
    assert (inbound.kind, inbound.text) == ("location", "【位置】广州市 海珠区 客村")
    assert message("location", *where).text == "【位置】纬度23.134521，经度113.358803"
    assert message("location", of("Location_X", "<a>"), of("Location_Y", "1")).text == "【位置】"


def test_a_link() -> None:
    inbound = message(
        "link",
        of("Title", "差评"),
        of("Description", "…"),
        of("Url", "https://a.example/1?a=1&b=2"),
    )
    assert (inbound.kind, inbound.text) == ("link", "【链接】差评 https://a.example/1?a=1&b=2")


def test_cards_and_files_are_named_to_staff() -> None:
    assert message("miniprogrampage", of("Title", "订单详情")).text == "【小程序】订单详情"
    assert message("file", of("Title", "发票.pdf")).text == "【文件】发票.pdf"


def test_following_with_and_without_a_scene() -> None:
    assert event("subscribe", of("EventKey", "")).scene is None
    inbound = event("subscribe", of("EventKey", "qrscene_k9-A_b"), of("Ticket", "t"))
    assert (inbound.kind, inbound.scene) == ("follow", "k9-A_b")
    assert inbound.is_event
    assert inbound.opens_a_minute
    # Followed after a payment: no scene of ours.
    assert event("subscribe", of("EventKey", "last_trade_no_42000")).scene is None
    assert event("subscribe", of("EventKey", "qrscene_" + "x" * 65)).scene is None


def test_scanning_and_leaving() -> None:
    inbound = event("SCAN", of("EventKey", "k9-A_b"), of("Ticket", "t"))
    assert (inbound.kind, inbound.scene, inbound.opens_a_minute) == ("scan", "k9-A_b", True)
    assert event("unsubscribe", "<EventKey/>").kind == "unfollow"


@pytest.mark.parametrize("name", ["CLICK", "scancode_push", "scancode_waitmsg"])
def test_clicks_on_a_menu_that_call_the_desk(name: str) -> None:
    inbound = event(name, of("EventKey", "huixin_web"))
    assert (inbound.kind, inbound.text, inbound.opens_a_minute) == ("click", "huixin_web", True)


@pytest.mark.parametrize(
    "name", ["VIEW", "LOCATION", "pic_sysphoto", "location_select", "MASSSENDJOBFINISH", "x", ""]
)
def test_events_that_the_desk_has_no_use_for_open_nothing(name: str) -> None:
    inbound = event(name, of("EventKey", "https://shop.example/"))
    assert (inbound.kind, inbound.opens_a_minute) == ("other", False)


def subscriptions(name: str, *entries: tuple[str, str], apart: bool = False) -> str:
    each = [of("TemplateId", one) + of("SubscribeStatusString", how) for one, how in entries]
    if apart:
        return "".join(f"<{name}><List>{one}</List></{name}>" for one in each)
    return f"<{name}>{''.join(f'<List>{one}</List>' for one in each)}</{name}>"


@pytest.mark.parametrize("apart", [False, True])
def test_subscribe_messages_that_were_allowed(apart: bool) -> None:
    field = "SubscribeMsgPopupEvent"
    one = event("subscribe_msg_popup_event", subscriptions(field, ("T1", "accept")))
    assert (one.kind, one.more) == ("credit", {"credits": {"T1": 1}})
    pairs = (("T1", "accept"), ("T2", "reject"), ("T3", "accept"))
    several = event("subscribe_msg_popup_event", subscriptions(field, *pairs, apart=apart))
    assert several.more == {"credits": {"T1": 1, "T3": 1}}


def test_subscribe_messages_that_were_taken_back() -> None:
    field = subscriptions("SubscribeMsgChangeEvent", ("T1", "reject"), ("T2", "accept"))
    assert event("subscribe_msg_change_event", field).more == {"credits": {"T1": -1}}


@pytest.mark.parametrize("inside", ["", "<List/>", "<List>x</List>", "text"])
def test_an_event_about_no_template_changes_nothing(inside: str) -> None:
    field = f"<SubscribeMsgPopupEvent>{inside}</SubscribeMsgPopupEvent>"
    assert event("subscribe_msg_popup_event", field).more == {"credits": {}}


def test_how_a_template_message_has_ended() -> None:
    inbound = event(
        "TEMPLATESENDJOBFINISH", of("MsgID", "200163836"), of("Status", "failed:user block")
    )
    assert inbound.kind == "job"
    assert inbound.more == {"message": "200163836", "status": "failed:user block"}


def test_how_a_subscribe_message_has_ended() -> None:
    entry = of("TemplateId", "T1") + of("MsgID", "1700827132819554304") + of("ErrorCode", "0")
    field = f"<List>{entry}{of('ErrorStatus', 'success')}</List>"
    inbound = event(
        "subscribe_msg_sent_event", f"<SubscribeMsgSentEvent>{field}</SubscribeMsgSentEvent>"
    )
    assert inbound.more == {"message": "1700827132819554304", "status": "success"}
    assert event("subscribe_msg_sent_event").kind == "other"


def test_the_same_event_has_the_same_key_and_another_one_another() -> None:
    first = event("CLICK", of("EventKey", "a"))
    assert event("CLICK", of("EventKey", "a")).key == first.key
    others = [
        event("CLICK", of("EventKey", "b")),
        event("SCAN", of("EventKey", "a")),
        read(text_xml("a", "1")),
        event("TEMPLATESENDJOBFINISH", of("MsgID", "1"), of("Status", "success")),
        event("TEMPLATESENDJOBFINISH", of("MsgID", "2"), of("Status", "success")),
    ]
    assert len({first.key, *(one.key for one in others)}) == len(others) + 1
    assert OPENID not in first.key


def test_a_key_fits_its_column_whatever_was_clicked() -> None:
    for inbound in (
        event("VIEW", of("EventKey", "https://a.example/" + "x" * 5000)),
        read(text_xml("a", "9" * 500)),
        read(text_xml("a", "&lt;x&gt;")),
    ):
        assert 0 < len(inbound.key) <= 128
        assert inbound.key.isascii()


@pytest.mark.parametrize("number", ["", "0", "000", "MsgId"])
def test_messages_without_a_number_are_told_apart_by_their_words(number: str) -> None:
    first, second = read(text_xml("第一", number)), read(text_xml("第二", number))
    assert first.key != second.key
    assert first.key == read(text_xml("第一", number)).key


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("FromUserName", ""),
        ("FromUserName", "a b"),
        ("FromUserName", "x" * 65),
        ("CreateTime", ""),
        ("CreateTime", "soon"),
        ("CreateTime", "９"),
        ("MsgType", ""),
    ],
)
def test_without_who_when_and_what_it_is_no_message(field: str, value: str) -> None:
    fields = fields_of(text_xml().encode()) | {field: value}
    with pytest.raises(BadMessageError):
        inbound_of(account("plain"), fields)


def test_messages_of_a_kf_account_are_pulled() -> None:
    with pytest.raises(BadMessageError):
        inbound_of(account("safe", "kf"), fields_of(text_xml().encode()))
    called = (
        "<xml><ToUserName><![CDATA[ww1]]></ToUserName><CreateTime>1348831860</CreateTime>"
        "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event>"
        "<Token><![CDATA[ENCApHxn]]></Token><OpenKfId><![CDATA[wkxx]]></OpenKfId></xml>"
    )
    fields = fields_of(called.encode())
    assert (fields["Token"], fields["OpenKfId"]) == ("ENCApHxn", "wkxx")


SAMPLES = [
    text_xml("你好"),
    xml_of(of("PicUrl", "u"), of("MediaId", "m"), "<MsgId>1</MsgId>", kind="image"),
    xml_of(of("MediaId", "m"), of("Recognition", "听"), "<MsgId>2</MsgId>", kind="voice"),
    xml_of(of("Event", "subscribe"), of("EventKey", "qrscene_7"), kind="event"),
    xml_of(of("Event", "SCAN"), of("EventKey", "7"), kind="event"),
    xml_of(of("Event", "CLICK"), of("EventKey", "K"), kind="event"),
]


@pytest.mark.parametrize("xml", SAMPLES)
def test_wechatpy_understands_the_samples_in_the_same_way(xml: str) -> None:
    ours, theirs = read(xml), parse_message(xml)
    assert (ours.openid, ours.sent_at) == (theirs.source, theirs.time)
    assert ours.text == (
        getattr(theirs, "content", "")
        or getattr(theirs, "recognition", "")
        or getattr(theirs, "key", "")
    )
    assert ours.media == getattr(theirs, "media_id", None)
    assert ours.scene == getattr(theirs, "scene_id", None)
    if theirs.id:
        assert ours.key == str(theirs.id)


VALUES = st.recursive(
    st.text(max_size=20) | st.sampled_from(["event", "text", "subscribe", "1", "accept", OPENID]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(["List", "TemplateId", "MsgID"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        "FromUserName CreateTime MsgType MsgId Event EventKey Content MediaId Recognition Label "
        "Location_X Location_Y Title Url SubscribeMsgPopupEvent SubscribeMsgChangeEvent "
        "SubscribeMsgSentEvent MsgID Status bizmsgmenuid".split()
    ),
    VALUES,
)
EVENTS = st.sampled_from(
    "subscribe scan click unsubscribe subscribe_msg_popup_event subscribe_msg_change_event "
    "subscribe_msg_sent_event templatesendjobfinish".split()
)


@given(FIELDS, st.sampled_from(["text", "event", "voice", "location", "link"]), EVENTS)
def test_fields_of_any_shape_are_a_message_or_none(
    fields: dict[str, Any], kind: str, name: str
) -> None:
    known = {"FromUserName": OPENID, "CreateTime": "1772850000", "MsgType": kind, "Event": name}
    try:
        inbound = inbound_of(account("plain"), known | fields)
    except BadMessageError:
        return
    assert Inbound.from_wire(inbound.to_wire()) == inbound
    assert 0 < len(inbound.key) <= 128
    assert isinstance(inbound.text, str)
    assert inbound.scene is None or len(inbound.scene) <= 64

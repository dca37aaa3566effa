"""WeChat's double behaves as WeChat: without it the tests of the channel would say little."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.desk.people import PATIENCE
from tests.desk.serving import Clock
from tests.support.wechat import rules, sealing
from tests.support.wechat.double import Account, Double
from tests.support.wechat.wire import Answer, Request, Server

SEND = "/cgi-bin/message/custom/send"
LAN = "o-lan"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def double(clock: Clock) -> Iterator[Double]:
    with Double(clock, patience=0.2) as made:
        made.account()
        yield made


def account_of(double: Double) -> Account:
    return next(iter(double.accounts.values()))


@asynccontextmanager
async def a_desk(
    double: Double, answer: Callable[[Request], Answer]
) -> AsyncIterator[list[Request]]:
    """Something that answers callbacks; gives what was asked."""
    asked: list[Request] = []

    async def handle(request: Request) -> Answer:
        asked.append(request)
        return answer(request)

    server = Server(handle, lambda _, __: None)
    await server.listen(0)
    double.serve(f"http://127.0.0.1:{server.port}")
    try:
        yield asked
    finally:
        await server.deafen()


def opened(account: Account, request: Request) -> dict[str, str]:
    """What a callback says, its signatures checked."""
    query = request.query
    plain = sealing.signature(account.token, query["timestamp"], query["nonce"])
    assert query["signature"] == plain
    fields = sealing.read_xml(request.body)
    if "Encrypt" not in fields:
        return fields
    parts = (query["timestamp"], query["nonce"], fields["Encrypt"])
    assert query["msg_signature"] == sealing.signature(account.token, *parts)
    assert query["encrypt_type"] == "aes"
    inner = sealing.decrypt(account.keys[account.key], fields["Encrypt"], account.app_id)
    return sealing.read_xml(inner)


def reply(account: Account, **changes: Any) -> bytes:  # noqa: ANN401 - XML
    """A passive reply in words, sealed."""
    fields = {
        "ToUserName": LAN,
        "FromUserName": account.original,
        "CreateTime": 1,
        "MsgType": "text",
        "Content": "好的",
        **changes,
    }
    return sealed(account, sealing.xml(fields))


def sealed(account: Account, content: str, app_id: str | None = None) -> bytes:
    cipher = sealing.encrypt(account.keys[account.key], content, app_id or account.app_id)
    sign = sealing.signature(account.token, "1", "2", cipher)
    return sealing.xml(
        {"Encrypt": cipher, "MsgSignature": sign, "TimeStamp": 1, "Nonce": "2"}
    ).encode()


class Calls:
    """Calls of the interface, by hand."""

    def __init__(self, double: Double) -> None:
        self.double = double
        self.http = httpx.Client(base_url=double.url, trust_env=False, timeout=PATIENCE)
        self.token = ""

    def fetch(self, **more: object) -> dict[str, Any]:
        account = account_of(self.double)
        body = {
            "grant_type": "client_credential",
            "appid": account.app_id,
            "secret": account.secret,
            **more,
        }
        got: dict[str, Any] = self.http.post("/cgi-bin/stable_token", json=body).json()
        self.token = got.get("access_token", self.token)
        return got

    def say(self, text: str = "您好", openid: str = LAN) -> int:
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        answer = self.http.post(SEND, params={"access_token": self.token}, json=body)
        return int(answer.json()["errcode"])


@pytest.fixture
def calls(double: Double) -> Iterator[Calls]:
    made = Calls(double)
    made.fetch()
    yield made
    made.http.close()


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_message_comes_signed_and_as_the_mode_says(double: Double, mode: str) -> None:
    account = account_of(double)
    account.mode = mode
    async with a_desk(double, lambda _: Answer(b"success")) as asked:
        told = await double.write(LAN, "房间太吵 <b>]]>😀")
    assert told.outcome == "accepted"
    [request] = asked
    fields = opened(account, request)
    assert fields["Content"] == "房间太吵 <b>]]>😀"
    assert (fields["FromUserName"], fields["MsgId"]) == (LAN, told.key)
    outside = sealing.read_xml(request.body)
    assert ("Encrypt" in outside) == (mode != "plain")
    assert ("Content" in outside) == (mode != "safe")


async def test_a_slow_desk_is_cut_and_told_three_times(double: Double) -> None:
    with Double(patience=5) as other:
        assert other._caller.patience == rules.PATIENCE_SECONDS == 5
    account = account_of(double)
    asked: list[Request] = []

    async def slow(request: Request) -> Answer:
        asked.append(request)
        await asyncio.sleep(2)
        return Answer(b"success")

    server = Server(slow, lambda _, __: None)
    await server.listen(0)
    double.serve(f"http://127.0.0.1:{server.port}")
    told = await double.write(LAN, "在吗")
    await server.deafen()
    assert (told.outcome, told.attempts) == ("unavailable", 3)
    assert {opened(account, one)["MsgId"] for one in asked} == {told.key}
    assert len({one.query["nonce"] for one in asked}) == 3
    assert double.words(LAN) == [rules.UNAVAILABLE]


async def test_a_desk_that_recovers_is_heard(double: Double) -> None:
    answers = iter([Answer(b"", 500), Answer(reply(account_of(double)))])
    async with a_desk(double, lambda _: next(answers)):
        told = await double.write(LAN, "在吗")
    assert (told.outcome, told.text, told.attempts) == ("passive", "好的", 2)
    assert [one.via for one in double.seen(LAN)] == ["passive"]
    assert double.violations == []


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda account: b"<html>",
        lambda account: b"ok",
        lambda account: sealing.xml({"Content": "offen"}).encode(),
        lambda account: reply(account, ToUserName="o-else"),
        lambda account: reply(account, Content=""),
        lambda account: reply(account, Content="好" * 683),
        lambda account: sealed(account, "<xml></xml>", "wx-else"),
        lambda account: reply(account).replace(b"<TimeStamp>1", b"<TimeStamp>9"),
    ],
)
async def test_a_bad_answer_is_shown_as_no_service(
    double: Double, spoilt: Callable[[Account], bytes]
) -> None:
    async with a_desk(double, lambda _: Answer(spoilt(account_of(double)))) as asked:
        told = await double.write(LAN, "在吗")
    assert (told.outcome, len(asked)) == ("unavailable", 1)
    assert double.words(LAN) == [rules.UNAVAILABLE]
    assert len(double.wrong) == 1


async def test_a_reply_sealed_with_the_other_key_is_not_taken(double: Double) -> None:
    account = account_of(double)

    def answer(_: Request) -> Answer:
        account.key = 0
        content = reply(account)
        account.key = 1
        return Answer(content)

    account.key = 1
    async with a_desk(double, answer):
        assert (await double.write(LAN, "在吗")).outcome == "unavailable"


async def test_events_and_messages_of_every_kind(double: Double) -> None:
    account = account_of(double)
    async with a_desk(double, lambda _: Answer(b"")) as asked:
        await double.follow(LAN, "geheim-1")
        await double.scan(LAN, "geheim-2")
        await double.scan("o-wu", "geheim-3")
        await double.click(LAN, "MENU_1")
        await double.voice(LAN, "房间太吵")
        await double.voice(LAN)
        await double.location(LAN)
        await double.link(LAN, "标题", "https://example.com/?a=1&b=2")
        await double.send_image(LAN, b"\xff\xd8\xff")
        await double.video(LAN)
        await double.popup(LAN, {"S1": "accept", "S2": "reject"})
        await double.change(LAN, "S1")
        await double.job(LAN, "200000001")
        await double.unfollow(LAN)
    told = [opened(account, one) for one in asked]
    assert [one.get("Event", one["MsgType"]) for one in told] == [
        "subscribe",
        "SCAN",
        "subscribe",
        "CLICK",
        "voice",
        "voice",
        "location",
        "link",
        "image",
        "video",
        "subscribe_msg_popup_event",
        "subscribe_msg_change_event",
        "TEMPLATESENDJOBFINISH",
        "unsubscribe",
    ]
    assert [one.get("EventKey") for one in told[:4]] == [
        "qrscene_geheim-1",
        "geheim-2",
        "qrscene_geheim-3",
        "MENU_1",
    ]
    assert [one.get("Recognition") for one in told[4:6]] == ["房间太吵", None]
    assert all("MsgId" in one for one in told if one["MsgType"] != "event")


async def test_the_same_message_can_come_again(double: Double) -> None:
    async with a_desk(double, lambda _: Answer(b"success")) as asked:
        first = await double.write(LAN, "在吗")
        await double.again(first)
    one, other = (opened(account_of(double), request) for request in asked)
    assert one == other


async def test_five_messages_within_48_hours_after_one_of_the_customer(
    double: Double, calls: Calls, clock: Clock
) -> None:
    assert calls.say() == 40003
    async with a_desk(double, lambda _: Answer(b"success")):
        await double.write(LAN, "在吗")
        assert [calls.say() for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
        await double.write(LAN, "还在吗")
        assert calls.say() == 0
        clock.now += timedelta(hours=48)
        calls.fetch()
        assert calls.say() == 45015
        assert double.violations == [("gzh1", LAN, 45047), ("gzh1", LAN, 45015)]


async def test_three_messages_within_a_minute_after_a_click(
    double: Double, calls: Calls, clock: Clock
) -> None:
    async with a_desk(double, lambda _: Answer(b"success")):
        await double.follow(LAN)
        assert [calls.say() for _ in range(4)] == [0, 0, 0, 45047]
        await double.click(LAN, "MENU_1")
        assert calls.say() == 0
        clock.now += timedelta(seconds=60)
        assert calls.say() == 45015
        await double.click(LAN, "MENU_1")
        await double.unfollow(LAN)
        assert calls.say() == 45015


def test_stable_token_gives_the_same_until_five_minutes_before_its_end(
    double: Double, calls: Calls, clock: Clock
) -> None:
    first = calls.fetch()
    clock.now += timedelta(seconds=6899)
    again = calls.fetch()
    assert again == {"access_token": first["access_token"], "expires_in": 301}
    clock.now += timedelta(seconds=1)
    second = calls.fetch()
    assert second["access_token"] != first["access_token"]
    assert second["expires_in"] == 7200
    # Both hold for five minutes.
    calls.token = first["access_token"]
    assert calls.say() == 40003
    clock.now += timedelta(minutes=5)
    assert calls.say() == 42001


def test_a_token_by_force_kills_the_one_before(double: Double, calls: Calls, clock: Clock) -> None:
    first = calls.token
    calls.fetch(force_refresh=True)
    assert calls.say() == 40003
    assert calls.fetch(force_refresh=True)["errcode"] == 45011
    for _ in range(rules.FORCED_A_DAY - 1):
        clock.now += timedelta(seconds=31)
        assert "access_token" in calls.fetch(force_refresh=True)
    clock.now += timedelta(seconds=31)
    assert calls.fetch(force_refresh=True)["errcode"] == 45009
    calls.token = first
    assert calls.say() == 40001
    calls.token = "nonsense"
    assert calls.say() == 40014
    assert calls.fetch(secret="wrong")["errcode"] == 40125
    assert calls.fetch(appid="wx-else")["errcode"] == 40013


async def test_a_press_comes_back_as_words_with_the_id_or_without(double: Double) -> None:
    account = account_of(double)
    calls = Calls(double)
    calls.fetch()
    async with a_desk(double, lambda _: Answer(b"success")) as asked:
        await double.write(LAN, "在吗")
        body = {
            "touser": LAN,
            "msgtype": "msgmenu",
            "msgmenu": {"head_content": "哪一样？", "list": [{"id": "a1", "content": "换房"}]},
        }
        params = {"access_token": calls.token}
        assert calls.http.post(SEND, params=params, json=body).json()["errcode"] == 0
        await double.press(LAN, "换房")
        account.menu_ids = False
        await double.press(LAN, "a1")
    pressed = [opened(account, one) for one in asked[1:]]
    assert [(one["Content"], one["bizmsgmenuid"]) for one in pressed] == [
        ("换房", "a1"),
        ("换房", "0"),
    ]
    with pytest.raises(LookupError):
        await double.press(LAN, "退款")
    calls.http.close()


async def test_escapes_of_json_are_seen_as_they_are_written(double: Double, calls: Calls) -> None:
    async with a_desk(double, lambda _: Answer(b"success")):
        await double.write(LAN, "在吗")
        raw = b'{"touser": "o-lan", "msgtype": "text", "text": {"content": "\\u60a8"}}'
        calls.http.post(SEND, params={"access_token": calls.token}, content=raw)
    assert double.words(LAN) == ["\\u60a8"]


async def test_faults_come_as_often_as_said(double: Double, calls: Calls) -> None:
    async with a_desk(double, lambda _: Answer(b"success")):
        await double.write(LAN, "在吗")
    double.fail(SEND, 45009, times=2)
    assert [calls.say(str(number)) for number in range(3)] == [45009, 45009, 0]
    double.fail(SEND, -1, when=lambda body: body["touser"] == "o-else")
    assert calls.say("3") == 0
    double.drop(SEND)
    with pytest.raises(httpx.RemoteProtocolError):
        calls.say("4")
    double.refuse_connections()
    with pytest.raises(httpx.ConnectError):
        calls.say("5")
    double.accept_connections()
    assert calls.say("6") == 0
    assert double.words(LAN) == ["2", "3", "4", "6"]


async def test_wecom_calls_with_a_token_only(clock: Clock) -> None:
    with Double(clock) as double:
        settings, _ = double.account("kf")
        account = account_of(double)
        async with a_desk(double, lambda _: Answer(b"success")) as asked:
            await double.kf_write("wm-wang", "在吗")
        [request] = asked
        fields = sealing.read_xml(request.body)
        inner = sealing.decrypt(account.keys[0], fields["Encrypt"], settings["app_id"])
        told = sealing.read_xml(inner)
        assert set(told) == {
            "ToUserName",
            "CreateTime",
            "MsgType",
            "Event",
            "Token",
            "OpenKfId",
        }
        assert told["Event"] == "kf_msg_or_event"
        assert told["OpenKfId"] == settings["open_kfid"]

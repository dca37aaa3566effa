"""The interface of an Official Account: what arrives, and what each end means."""

import io
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from desk.channels.wechat.api.official import Comment, OfficialApi
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from tests.desk.images import encoded
from tests.desk.serving import Clock
from tests.desk.wechat.interfaces import a_caller, a_double
from tests.support.wechat.double import Double

SEND = "/cgi-bin/message/custom/send"
LAN = "o-lan"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def double(clock: Clock) -> Iterator[Double]:
    with a_double(clock) as made:
        made.accounts["gzh1"].customer(LAN).wrote(clock())
        yield made


@pytest_asyncio.fixture
async def api(double: Double, tmp_path: Path, clock: Clock) -> AsyncIterator[OfficialApi]:
    async with a_caller(double, tmp_path, clock) as caller:
        yield caller.official


async def refused(api: OfficialApi, text: str = "您好") -> int:
    with pytest.raises(WeChatError) as caught:
        await api.send_text(LAN, text)
    return caught.value.code


async def test_words_menus_and_pictures_arrive(api: OfficialApi, double: Double) -> None:
    photo = encoded("JPEG")
    await api.send_text(LAN, "您好，王女士")
    await api.send_menu(LAN, "哪一样？", [("a1", "换房"), ("a2", "退款")], "直接打字也行")
    await api.send_image(LAN, photo)
    text, menu, image = double.seen(LAN)
    assert text.text == "您好，王女士"
    assert (menu.text, menu.items) == ("哪一样？\n直接打字也行", (("a1", "换房"), ("a2", "退款")))
    assert image.image == photo
    assert double.wrong == []


@pytest.mark.parametrize(
    "text", ["一\n二", "“引号”与\\u4f60", "😀👨‍👩‍👧𠮷", 'a"b\\c', "<a href='x'>&amp;"]
)
async def test_characters_arrive_as_they_are(api: OfficialApi, double: Double, text: str) -> None:
    await api.send_text(LAN, text)
    # WeChat shows an escape of JSON as it is written.
    assert double.words(LAN) == [text]


async def test_characters_that_json_must_escape_are_left_out(
    api: OfficialApi, double: Double
) -> None:
    await api.send_text(LAN, "一\x00二\x1b[0m三\ud800")
    assert double.words(LAN) == ["一二[0m三?"]


async def test_more_than_the_quota_is_refused_by_its_code(
    api: OfficialApi, double: Double, clock: Clock
) -> None:
    for number in range(5):
        await api.send_text(LAN, f"第{number}条")
    assert await refused(api) == 45047
    clock.now += timedelta(hours=48)
    assert await refused(api) == 45015


async def test_refusals_have_wechats_codes(api: OfficialApi, double: Double) -> None:
    account = double.accounts["gzh1"]
    assert await refused(api, "好" * 683) == 45002
    with pytest.raises(WeChatError, match="40003"):
        await api.send_text("o-nobody", "您好")
    account.rights.discard("msgmenu")
    with pytest.raises(WeChatError, match="40200"):
        await api.send_menu(LAN, "哪一样？", [("a1", "换房")])
    account.rights.discard("custom")
    assert await refused(api) == 48001
    assert double.words(LAN) == []


@pytest.mark.parametrize("code", [-1, 40003, 43101, 43117, 45009, 45011, 45015, 45047, 48001])
async def test_every_code_is_told_as_it_came(api: OfficialApi, double: Double, code: int) -> None:
    double.fail(SEND, code)
    assert await refused(api) == code


async def test_typing_lasts_and_is_not_repeated(
    api: OfficialApi, double: Double, clock: Clock
) -> None:
    await api.typing(LAN, on=True)
    with pytest.raises(WeChatError, match="45081"):
        await api.typing(LAN, on=True)
    await api.typing(LAN, on=False)
    clock.now += timedelta(seconds=31)
    with pytest.raises(WeChatError, match="45080"):
        await api.typing(LAN, on=True)


async def test_a_picture_of_a_customer_is_downloaded(
    api: OfficialApi, double: Double, clock: Clock
) -> None:
    photo = encoded("JPEG")
    media = double.accounts["gzh1"].keep(photo, "image/jpeg", clock())
    assert await api.media(media) == photo
    with pytest.raises(WeChatError, match="40007"):
        await api.media("no-such-media")
    clock.now += timedelta(days=3)
    with pytest.raises(WeChatError, match="40007"):
        await api.media(media)


async def test_a_file_without_end_is_not_read_to_its_end(
    api: OfficialApi, double: Double, clock: Clock
) -> None:
    media = double.accounts["gzh1"].keep(b"\xff" * (13 * 1024 * 1024), "image/jpeg", clock())
    with pytest.raises(WeChatError, match="45001"):
        await api.media(media)


async def test_a_scene_stands_in_a_qr_code(api: OfficialApi, double: Double, clock: Clock) -> None:
    url = await api.scene_url("geheim-1", 600)
    assert double.accounts["gzh1"].scenes[url] == ("geheim-1", clock() + timedelta(seconds=600))


async def test_template_messages(api: OfficialApi, double: Double) -> None:
    account = double.accounts["gzh1"]
    account.ends = None
    account.templates["T1"] = "{{thing1.DATA}}\n{{time3.DATA}}"
    fields = {"thing1": "房间的事有结果了", "time3": "2026年11月22日 12:00"}
    message = await api.template(LAN, "T1", fields, "https://example.com/w/1")
    [seen] = double.seen(LAN)
    assert (seen.kind, seen.id) == ("template", message)
    assert seen.data["url"] == "https://example.com/w/1"
    with pytest.raises(WeChatError, match="47003"):
        await api.template(LAN, "T1", {"thing1": "太" * 21, "time3": "今天"}, None)
    with pytest.raises(WeChatError, match="40037"):
        await api.template(LAN, "T2", fields, None)
    account.customers[LAN].following = False
    with pytest.raises(WeChatError, match="43004"):
        await api.template(LAN, "T1", fields, None)


async def test_a_subscribe_message_takes_a_credit(api: OfficialApi, double: Double) -> None:
    account = double.accounts["gzh1"]
    account.ends = None
    account.subscriptions["S1"] = "{{thing1.DATA}}"
    account.customers[LAN].credits["S1"] = 1
    await api.subscribe_message(LAN, "S1", {"thing1": "有结果了"}, None)
    with pytest.raises(WeChatError, match="43101"):
        await api.subscribe_message(LAN, "S1", {"thing1": "有结果了"}, None)
    assert [seen.kind for seen in double.seen(LAN)] == ["subscribe"]


async def test_templates_are_listed_with_their_fields(api: OfficialApi, double: Double) -> None:
    account = double.accounts["gzh1"]
    account.templates["T1"] = "{{thing1.DATA}}"
    account.subscriptions["S1"] = "{{phrase2.DATA}}"
    assert await api.templates() == {"T1": "{{thing1.DATA}}", "S1": "{{phrase2.DATA}}"}
    account.rights -= {"template"}
    assert list(await api.templates()) == ["S1"]
    account.rights -= {"subscribe"}
    with pytest.raises(WeChatError, match="48001"):
        await api.templates()


async def test_comments_are_listed_and_answered_once(
    api: OfficialApi, double: Double, clock: Clock
) -> None:
    at = int(clock().timestamp())
    for number in range(60):
        double.comment("2247483650:1", f"第{number}条", openid=f"o-{number}")
    last = double.comment("2247483650:1", "没有身份的")
    total, page = await api.comments("2247483650:1", 0, 49)
    assert (total, len(page)) == (61, 49)
    assert page[0] == Comment(str(last.id), None, "没有身份的", at, None)
    total, page = await api.comments("2247483650:1", 49, 49)
    assert page[-1] == Comment("1", "o-0", "第0条", at, None)
    await api.reply_to_comment("2247483650:1", "1", "谢谢您")
    with pytest.raises(WeChatError, match="88005"):
        await api.reply_to_comment("2247483650:1", "1", "谢谢您")
    _, page = await api.comments("2247483650:1", 60, 1)
    assert page[0].reply == "谢谢您"
    double.accounts["gzh1"].rights.discard("comment")
    with pytest.raises(WeChatError, match="88000"):
        await api.comments("2247483650:1", 0, 49)


async def test_the_check_sees_that_a_token_works(api: OfficialApi, double: Double) -> None:
    await api.token_works()
    assert await api.callback_addresses() == ["203.0.113.7", "203.0.113.0/28"]
    double.fail("/cgi-bin/stable_token", 40164)
    double.lose_token()
    with pytest.raises(WeChatError, match="40164"):
        await api.token_works()


async def test_a_send_whose_answer_is_lost_may_have_arrived(
    api: OfficialApi, double: Double
) -> None:
    await api.typing(LAN, on=False)
    double.drop(SEND)
    with pytest.raises(OutcomeUnknownError):
        await api.send_text(LAN, "您好")
    assert double.words(LAN) == ["您好"]


@pytest.mark.parametrize("raw", [b"<html>", b"", b"[]", b'{"errcode": "x"}', b"\xff" * 10])
async def test_a_send_with_a_senseless_answer_may_have_arrived(
    api: OfficialApi, double: Double, raw: bytes
) -> None:
    double.garble(SEND, raw)
    with pytest.raises(OutcomeUnknownError):
        await api.send_text(LAN, "您好")
    assert double.words(LAN) == ["您好"]


async def test_a_server_error_may_have_been_carried_out(api: OfficialApi, double: Double) -> None:
    double.garble(SEND, status=502)
    with pytest.raises(OutcomeUnknownError):
        await api.send_text(LAN, "您好")
    # Somebody between has refused it: it has not come to WeChat.
    double.fail(SEND, status=404)
    with pytest.raises(NotReachedError):
        await api.send_text(LAN, "您好")


async def test_a_slow_answer_is_waited_for_a_bounded_time(
    api: OfficialApi, double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.typing(LAN, on=False)
    monkeypatch.setattr("desk.channels.wechat.api.http.WHOLE_SECONDS", 0.2)
    double.hang(SEND, 5)
    with pytest.raises(OutcomeUnknownError):
        await api.send_text(LAN, "您好")
    double.hang("/cgi-bin/message/custom/typing", 5)
    with pytest.raises(NotReachedError):
        await api.typing(LAN, on=False)


async def test_wechat_away_is_nothing_sent(api: OfficialApi, double: Double) -> None:
    await api.typing(LAN, on=False)
    double.refuse_connections()
    with pytest.raises(NotReachedError):
        await api.send_text(LAN, "您好")
    double.accept_connections()
    await api.send_text(LAN, "您好")
    assert double.words(LAN) == ["您好"]


async def test_questions_may_always_be_asked_again(api: OfficialApi, double: Double) -> None:
    path = "/cgi-bin/qrcode/create"
    double.drop(path)
    double.garble(path)
    double.fail(path, status=500)
    for _ in range(3):
        with pytest.raises(NotReachedError):
            await api.scene_url("geheim-1", 600)
    assert await api.scene_url("geheim-1", 600)


async def test_no_token_and_no_openid_comes_into_logs_and_errors(
    api: OfficialApi, double: Double, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        token = await api._tokens.get()
        double.fail(
            SEND,
            40003,
            errmsg=f"invalid openid {'oAbC' * 7} token={token} rid: 65a1b2c3-1a2b3c4d-00ff00ff",
        )
        double.fail(SEND, status=502)
        double.drop(SEND)
        errors = []
        for _ in range(3):
            with pytest.raises((WeChatError, OutcomeUnknownError)) as caught:
                await api.send_text(LAN, "您好")
            errors += [str(caught.value), *traceback.format_exception(caught.value)]
            assert caught.value.__cause__ is None
            assert caught.value.__suppress_context__ or caught.value.__context__ is None
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
    told = "".join(errors) + heard.getvalue() + "".join(capfd.readouterr())
    assert token not in told
    assert "oAbC" not in told
    assert "rid: 65a1b2c3-1a2b3c4d-00ff00ff" in told

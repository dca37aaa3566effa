"""The interface of 微信客服: own message ids, sessions, pages of what came in."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from desk.channels.wechat.api.kf import KfApi
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from tests.desk.images import encoded
from tests.desk.serving import Clock
from tests.desk.wechat.interfaces import a_caller, a_double
from tests.support.wechat.double import Double

SEND = "/cgi-bin/kf/send_msg"
WANG = "wm-wang"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def double(clock: Clock) -> Iterator[Double]:
    with a_double(clock, "kf") as made:
        yield made


@pytest_asyncio.fixture
async def api(double: Double, tmp_path: Path, clock: Clock) -> AsyncIterator[KfApi]:
    async with a_caller(double, tmp_path, clock) as caller:
        yield caller.kf


async def test_what_came_in_is_read_page_by_page(api: KfApi, double: Double) -> None:
    for number in range(7):
        double.kf_put(WANG, msgtype="text", text={"content": f"第{number}条"})
    page, read = await api.sync("", "", 3), []
    read += page.messages
    while page.more:
        page = await api.sync(page.cursor, "", 3)
        read += page.messages
    assert [one["text"]["content"] for one in read] == [f"第{number}条" for number in range(7)]
    # What we send does not come back.
    await api.send_text(WANG, "您好", "m1")
    assert (await api.sync(page.cursor, "")).messages == []


async def test_history_is_kept_for_three_days(api: KfApi, double: Double, clock: Clock) -> None:
    double.kf_put(WANG, msgtype="text", text={"content": "早"})
    clock.now += timedelta(days=3)
    double.kf_put(WANG, msgtype="text", text={"content": "晚"})
    assert [one["text"]["content"] for one in (await api.sync("", "")).messages] == ["晚"]


async def test_the_token_of_a_callback_is_good_for_ten_minutes(
    api: KfApi, double: Double, clock: Clock
) -> None:
    [account] = double.accounts.values()
    account.sync_tokens["ENC1"] = clock()
    await api.sync("", "ENC1")
    clock.now += timedelta(minutes=10)
    with pytest.raises(WeChatError, match="95007"):
        await api.sync("", "ENC1")


async def test_words_menus_and_pictures_arrive(api: KfApi, double: Double) -> None:
    double.kf_put(WANG, msgtype="text", text={"content": "在吗"})
    photo = encoded("JPEG")
    await api.send_text(WANG, "您好😀", "m1")
    await api.send_menu(WANG, "哪一样？", [("a1", "换房"), ("a2", "退款")], "m2", "打字也行")
    await api.send_image(WANG, photo, "m3")
    text, menu, image = double.seen(WANG)
    assert (text.text, text.id) == ("您好😀", "m1")
    assert (menu.text, menu.items) == ("哪一样？\n打字也行", (("a1", "换房"), ("a2", "退款")))
    assert image.image == photo
    assert double.wrong == []


async def test_the_same_message_is_sent_once(api: KfApi, double: Double) -> None:
    double.kf_put(WANG, msgtype="text", text={"content": "在吗"})
    await api.state(WANG)
    double.drop(SEND)
    with pytest.raises(OutcomeUnknownError):
        await api.send_text(WANG, "您好", "m1")
    await api.send_text(WANG, "您好", "m1")
    assert double.words(WANG) == ["您好"]


async def test_only_new_sessions_and_those_of_the_assistant_take_messages(
    api: KfApi, double: Double
) -> None:
    double.kf_put(WANG, msgtype="text", text={"content": "在吗"})
    assert await api.state(WANG) == 0
    await api.set_state(WANG, 1)
    await api.send_text(WANG, "您好", "m1")
    with pytest.raises(WeChatError, match="95014"):
        await api.set_state(WANG, 3)
    await api.set_state(WANG, 2)
    with pytest.raises(WeChatError, match="95018"):
        await api.send_text(WANG, "您好", "m2")
    with pytest.raises(WeChatError, match="95016"):
        await api.set_state(WANG, 1)
    await api.set_state(WANG, 4)
    with pytest.raises(WeChatError, match="95013"):
        await api.send_text(WANG, "您好", "m3")
    double.kf_put(WANG, msgtype="text", text={"content": "还在吗"})
    assert await api.state(WANG) == 0


async def test_more_than_the_quota_is_refused_by_its_code(
    api: KfApi, double: Double, clock: Clock
) -> None:
    double.kf_put(WANG, msgtype="text", text={"content": "在吗"})
    await api.set_state(WANG, 1)
    for number in range(5):
        await api.send_text(WANG, f"第{number}条", f"m{number}")
    with pytest.raises(WeChatError, match="95001"):
        await api.send_text(WANG, "再一条", "m9")
    # The session has ended as well by then.
    clock.now += timedelta(hours=48)
    with pytest.raises(WeChatError, match="95013"):
        await api.send_text(WANG, "再一条", "m9")


async def test_a_welcome_is_said_once_and_soon(api: KfApi, double: Double, clock: Clock) -> None:
    [account] = double.accounts.values()
    for code in ("c1", "c2"):
        account.welcomes[code] = (WANG, clock() + timedelta(seconds=20))
    account.customer(WANG)
    await api.send_on_event("c1", "欢迎", "m1")
    with pytest.raises(WeChatError):
        await api.send_on_event("c1", "欢迎", "m2")
    clock.now += timedelta(seconds=20)
    with pytest.raises(WeChatError):
        await api.send_on_event("c2", "欢迎", "m3")
    assert double.words(WANG) == ["欢迎"]


async def test_the_way_in_brings_a_scene(api: KfApi, double: Double) -> None:
    one = await api.contact_way("geheim/1")
    other = await api.contact_way("geheim-2")
    # WeCom is asked for one address only.
    assert len(double.calls("/kf/add_contact_way")) == 1
    [account] = double.accounts.values()
    account.address = "http://127.0.0.1:9/"
    await double.kf_enter(WANG, url=one)
    await double.kf_enter("wm-li", url=other)
    scenes = [one["event"]["scene_param"] for one in (await api.sync("", "")).messages]
    assert scenes == ["geheim/1", "geheim-2"]


async def test_accounts_are_listed(api: KfApi, double: Double) -> None:
    [account] = double.accounts.values()
    assert await api.accounts() == [account.original]


async def test_a_message_that_is_lost_after_its_ok_is_told_of(api: KfApi, double: Double) -> None:
    double.kf_put(WANG, msgtype="text", text={"content": "在吗"})
    double.kf_lose(WANG, 2)
    await api.send_text(WANG, "您好", "m1")
    event = (await api.sync("", "")).messages[-1]["event"]
    assert (event["event_type"], event["fail_msgid"]) == ("msg_send_fail", "m1")
    assert double.words(WANG) == []


async def test_a_page_without_messages_is_read_again(api: KfApi, double: Double) -> None:
    double.garble("/cgi-bin/kf/sync_msg", b'{"errcode": 0}')
    with pytest.raises(NotReachedError):
        await api.sync("", "")

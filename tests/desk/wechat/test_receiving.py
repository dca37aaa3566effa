"""The road in, over HTTP: everything that WeChat brings, once, in order, whatever happens."""

import asyncio
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from desk.channels.wechat.incoming import receiving
from recovery.store import cases
from recovery.store.tables import (
    conversations,
    customers,
    inbox,
    outbox,
    wechat_contacts,
    wechat_options,
    wechat_received,
    wechat_sends,
)
from recovery.store.wechat import contacts, threads
from tests.desk.images import PAGE, encoded
from tests.desk.scripted_rasa import Body, says
from tests.desk.wechat.scene import BUSINESS, Scene, a_scene

LAN = "oLan-1234567890"
WANG = "oWang-123456789"
ZHOU = "oZhou-123456789"


def said(scene: Scene, openid: str = LAN) -> list[tuple[str, str]]:
    """Author and words of all that stands in somebody's conversation."""
    return [
        (str(one["author"]), str(one["text"]))
        for one in scene.stream(openid)
        if one["kind"] == "message"
    ]


def own(scene: Scene, openid: str = LAN) -> list[str]:
    """The words that somebody has written."""
    return [words for author, words in said(scene, openid) if author == "customer"]


async def settled(scene: Scene, openid: str = LAN) -> None:
    """Wait until everything of somebody is taken and answered."""

    def done() -> bool:
        waits = [row for row in scene.received() if row["state"] == "new"]
        return not waits and all(row["state"] == "done" for row in scene.inbox(openid))

    await scene.until(done)


async def test_first_words_begin_a_private_conversation(scene_on_both: Scene) -> None:
    scene = scene_on_both
    await scene.double.write(LAN, "房间没打扫")
    await settled(scene)
    talk = scene.conversation(LAN)
    assert (talk["kind"], talk["channel"], talk["owner"]) == ("private", "wechat", "bot")
    assert talk["business"] == BUSINESS
    assert said(scene) == [("customer", "房间没打扫"), ("bot", "好的：房间没打扫")]
    [customer] = scene.rows(customers)
    assert (customer["name"], customer["external_id"]) == ("微信顾客", f"wechat:{LAN}")
    [asked] = scene.rasa.messages()
    assert asked["metadata"]["visibility"] == "private"
    assert asked["metadata"]["channel"] == "wechat"
    contact = scene.contact(LAN)
    assert contact["wrote_at"] and contact["following"]


async def test_further_words_go_to_the_same_conversation_in_order(scene: Scene) -> None:
    for words in ("一", "二", "三"):
        await scene.double.write(LAN, words)
    await settled(scene)
    assert own(scene) == ["一", "二", "三"]
    assert len(scene.rows(conversations)) == 1


async def test_an_answer_in_time_is_the_reply_of_the_callback(scene: Scene) -> None:
    delivery = await scene.double.write(LAN, "房间没打扫")
    assert (delivery.outcome, delivery.text) == ("passive", "好的：房间没打扫")
    assert [one.via for one in scene.double.seen(LAN)] == ["passive"]
    assert scene.double.calls("/message/custom/send") == []


async def test_the_same_message_again_is_taken_once_and_answered_alike(
    scene_on_both: Scene,
) -> None:
    scene = scene_on_both
    first = await scene.double.write(LAN, "房间没打扫")
    again = await scene.double.again(first)
    assert again.text == first.text == "好的：房间没打扫"
    assert own(scene) == ["房间没打扫"]
    assert len(scene.rasa.messages()) == 1
    assert len(scene.received()) == 1
    # Even weeks of WeChat's mistakes later, as long as it is remembered.
    scene.clock.wind(days=3)
    assert (await scene.double.again(first)).text == first.text


async def test_the_same_message_twice_at_once_is_taken_once(scene_on_both: Scene) -> None:
    scene = scene_on_both
    scene.rasa.script = slowly(0.4)
    number = str(scene.double.next_message())
    both = await asyncio.gather(
        *(scene.double.write(LAN, "房间没打扫", MsgId=number) for _ in range(2))
    )
    assert [one.text for one in both] == ["好的：房间没打扫"] * 2
    assert own(scene) == ["房间没打扫"]
    assert len(scene.rasa.messages()) == 1


def slowly(seconds: float):  # noqa: ANN201 - a script
    """A Rasa that takes its time."""

    def script(path: str, body: Body) -> Body:
        time.sleep(seconds)
        return says(f"好的：{body['text']}")

    return script


async def test_two_accounts_stand_side_by_side(tmp_path: Path) -> None:
    accounts = ({}, {"business": "qinghe", "mode": "plain"})
    async with a_scene(tmp_path, accounts=accounts) as scene:
        await asyncio.gather(
            scene.double.write(LAN, "住店的事", account="fuwu"),
            scene.double.write(WANG, "买东西的事", account="fuwu-2"),
            scene.double.write(LAN, "也买了东西", account="fuwu-2"),
        )
        await scene.until(lambda: len(scene.rows(inbox, inbox.c.state == "done")) == 3)
        assert scene.conversation(LAN, "fuwu")["business"] == "lanting"
        assert scene.conversation(LAN, "fuwu-2")["business"] == "qinghe"
        assert scene.conversation(WANG, "fuwu-2")["business"] == "qinghe"
        assert len({row["customer_id"] for row in scene.rows(wechat_contacts)}) == 3


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_every_mode_of_the_console_is_spoken(tmp_path: Path, mode: str) -> None:
    async with a_scene(tmp_path, accounts=({"mode": mode},)) as scene:
        assert await scene.double.verify()
        delivery = await scene.double.write(LAN, "在吗 😀")
        assert (delivery.outcome, delivery.text) == ("passive", "好的：在吗 😀")
        assert scene.double.wrong == []


async def test_nobody_but_wechat_is_heard(scene: Scene) -> None:
    query, body = scene.double.letter(
        scene.double.fields(LAN, MsgType="text", Content="嗨", MsgId=1)
    )
    spoilt = query | {"msg_signature": "0" * 40}
    answer = await scene.double.post(spoilt, body)
    assert (answer.status_code, answer.content) == (403, b"")
    assert "set-cookie" not in answer.headers
    scene.double.accounts["fuwu"].address = f"{scene.desk.url}/wechat/nobody"
    assert (await scene.double.post(query, body)).status_code == 404
    assert scene.rows(wechat_received) == []


async def test_what_is_no_message_is_accepted_and_forgotten(scene: Scene) -> None:
    for fields in (
        {"MsgType": "event", "Event": "VIEW", "EventKey": "https://example.com"},
        {"MsgType": "event", "Event": "something_new"},
        {"MsgType": "hologram", "MsgId": 7},
    ):
        query, body = scene.double.letter(scene.double.fields(LAN, **fields))
        answer = await scene.double.post(query, body)
        assert (answer.status_code, answer.text) == (200, "success")
    assert scene.rows(wechat_contacts) == []


# --- kinds of messages --------------------------------------------------------------------


async def test_a_picture_is_fetched_and_shown(scene: Scene) -> None:
    await scene.double.send_image(LAN, encoded("PNG"))
    await settled(scene)
    [event] = [one for one in scene.stream(LAN) if one.get("author") == "customer"]
    assert event["text"] == "[图片]" and event["picture"]["width"] == 320
    [row] = scene.inbox(LAN)
    assert row["intent"] == "inform" and row["picture"]
    assert scene.wechat.album.copy_of(
        next(iter((scene.desk.context.settings.data / "pictures").glob("*/*.jpg"))).stem
    )


async def test_words_after_a_picture_wait_for_it(scene: Scene) -> None:
    scene.double.hang("/cgi-bin/media/get", 0.6)
    photo = asyncio.create_task(scene.double.send_image(LAN, encoded("JPEG")))
    await scene.until(lambda: scene.rows(wechat_received))
    await scene.double.write(LAN, "就是这样")
    await photo
    await settled(scene)
    assert own(scene) == ["[图片]", "就是这样"]


async def test_a_picture_that_cannot_be_fetched_is_asked_for_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "FETCH_PAUSES", (0.05, 0.05))
    scene.double.fail("/cgi-bin/media/get", 40007, times=3)
    await scene.double.send_image(LAN, encoded("PNG"))
    await settled(scene)
    assert own(scene) == ["[图片]"]
    [asked] = [words for author, words in said(scene) if author == "system"]
    assert "图片" in asked and "再发" in asked
    assert scene.rasa.messages() == []
    assert [row["attempts"] for row in scene.received()] == [2]


async def test_what_only_looks_like_a_picture_is_refused_in_words(scene: Scene) -> None:
    await scene.double.send_image(LAN, PAGE)
    seen = await scene.double.sees(LAN, "不是能看的图片")
    assert seen.kind == "text"
    assert own(scene) == []


async def test_a_voice_that_wechat_has_heard_counts_as_words(scene: Scene) -> None:
    await scene.double.voice(LAN, "房间太吵了")
    await settled(scene)
    [event] = [one for one in scene.stream(LAN) if one.get("author") == "customer"]
    assert (event["text"], event["via"]) == ("房间太吵了", "voice")
    assert said(scene)[-1] == ("bot", "好的：房间太吵了")


@pytest.mark.parametrize(("kind", "stand_in"), [("voice", "[语音]"), ("video", "[视频]")])
async def test_what_cannot_be_heard_is_shown_and_words_are_asked_for(
    scene: Scene, kind: str, stand_in: str
) -> None:
    await getattr(scene.double, kind)(LAN)
    await settled(scene)
    assert own(scene) == [stand_in]
    [asked] = [words for author, words in said(scene) if author == "system"]
    assert "字" in asked
    assert scene.rasa.messages() == []
    await scene.double.sees(LAN, asked)


async def test_who_is_served_by_a_person_is_answered_by_that_person(scene: Scene) -> None:
    clerk = await scene.staff()
    await scene.double.write(LAN, "房间没打扫")
    await settled(scene)
    talk = scene.conversation(LAN)["id"]
    await clerk.act(talk, "take")
    await scene.double.voice(LAN)
    assert own(scene)[-1] == "[语音]"
    assert scene.conversation(LAN)["awaiting_since"], "the customer waits for the person"
    await clerk.act(talk, "answer", text="您说的我听一下", id="answer-0001")
    await scene.double.sees(LAN, "您说的我听一下")
    await clerk.close()


async def test_places_and_links_are_words_that_say_nothing_by_themselves(scene: Scene) -> None:
    await scene.double.location(LAN, "南京西路1266号")
    await scene.double.link(LAN, "我的订单", "https://example.com/o/1")
    await settled(scene)
    place, link = scene.inbox(LAN)
    assert "南京西路1266号" in place["text"] and place["intent"] == "inform"
    assert "https://example.com/o/1" in link["text"] and link["intent"] == "inform"


async def test_hostile_words_are_words(scene: Scene) -> None:
    hostile = "]]><Content>x</Content><script>alert(1)</script> &lt; ${x} '); DROP TABLE inbox;--"
    delivery = await scene.double.write(LAN, hostile)
    assert delivery.text == f"好的：{hostile}"
    assert own(scene) == [hostile]
    delivery = await scene.double.write(LAN, "/restart")
    assert own(scene)[-1] == "restart", "no command of Rasa's"


async def test_a_text_that_is_too_long_is_refused_in_words(scene: Scene) -> None:
    delivery = await scene.double.write(LAN, "长" * 6001)
    assert delivery.outcome == "passive" and "最多6000个字" in str(delivery.text)
    assert (await scene.double.again(delivery)).text == delivery.text
    assert own(scene) == []
    long = "长" * 1999 + "。"
    await scene.double.write(LAN, long)
    assert own(scene) == [long]


async def test_nothing_to_read_is_said_so(scene: Scene) -> None:
    delivery = await scene.double.write(LAN, "\u200b\u200b")
    assert delivery.text == "还没有写内容"


async def test_who_writes_too_fast_is_told_and_may_go_on(tmp_path: Path) -> None:
    limits = {"burst": 2, "per_second": 0.001}
    async with a_scene(tmp_path, limits=limits) as scene:
        for words in ("一", "二"):
            await scene.double.write(LAN, words)
        delivery = await scene.double.write(LAN, "三")
        assert "发得太快" in str(delivery.text)
        await scene.double.write(WANG, "别人不受影响")
        assert own(scene) == ["一", "二"]
        assert own(scene, WANG) == ["别人不受影响"]


async def test_what_was_written_while_the_desk_was_away_is_not_too_fast(tmp_path: Path) -> None:
    async with a_scene(tmp_path, limits={"burst": 1, "per_second": 0.001}) as scene:
        then = int(scene.clock().timestamp()) - 60
        for words in ("一", "二", "三"):
            await scene.double.write(LAN, words, CreateTime=then)
        assert own(scene) == ["一", "二", "三"]


# --- events -------------------------------------------------------------------------------


async def test_who_follows_is_welcomed_by_name_of_the_business(scene: Scene) -> None:
    delivery = await scene.double.follow(LAN)
    assert delivery.outcome == "passive"
    business = scene.desk.context.business(BUSINESS)
    assert business.name in str(delivery.text) and business.assistant in str(delivery.text)
    assert scene.rows(conversations) == []
    assert (await scene.double.again(delivery)).text == delivery.text
    assert scene.contact(LAN)["acted_at"]


async def test_a_code_that_leads_nowhere_is_a_plain_welcome(scene: Scene) -> None:
    delivery = await scene.double.follow(LAN, "nonsense")
    assert "您好" in str(delivery.text)
    assert scene.rows(conversations) == []


async def test_who_stops_following_gets_nothing_more(scene: Scene) -> None:
    await scene.double.write(LAN, "房间没打扫")
    await settled(scene)
    await scene.double.unfollow(LAN)
    assert not scene.contact(LAN)["following"]
    await scene.double.unfollow(WANG)
    assert len(scene.rows(wechat_contacts)) == 1, "who was never here is not made"
    await scene.double.follow(LAN)
    assert scene.contact(LAN)["following"]


async def test_a_menu_stands_for_words(tmp_path: Path) -> None:
    async with a_scene(tmp_path, accounts=({"menu": {"bad_room": "房间有问题"}},)) as scene:
        delivery = await scene.double.click(LAN, "bad_room")
        assert delivery.text == "好的：房间有问题"
        assert own(scene) == ["房间有问题"]
        assert scene.contact(LAN)["acted_at"] and not scene.contact(LAN)["wrote_at"]
        unknown = await scene.double.click(LAN, "gone")
        assert "打字" in str(unknown.text)
        assert own(scene) == ["房间有问题"]


async def test_the_way_to_the_web_page_is_given_when_asked_for(tmp_path: Path) -> None:
    async with a_scene(tmp_path, public_url="https://kefu.example.com") as scene:
        asked = await scene.double.write(LAN, "打开网页")
        assert "https://kefu.example.com/w/" in str(asked.text)
        clicked = await scene.double.click(LAN, "huixin_web")
        assert "https://kefu.example.com/w/" in str(clicked.text)
        assert scene.rasa.messages() == []


# --- quick replies ------------------------------------------------------------------------


def offering(path: str, body: Body) -> Body:
    """A Rasa that gives two quick replies, and says what was pressed."""
    if body["metadata"]["button"]:
        return says(f"按了{body['metadata']['button']['value']}")
    answer = says("请选一个")
    answer["messages"][0]["buttons"] = [
        {"title": "第一件", "payload": "item:0"},
        {"title": "第二件", "payload": "item:1"},
    ]
    return answer


@pytest.mark.parametrize("reply", ["2", "２。", "第二件"])
async def test_a_typed_number_or_title_presses_a_quick_reply(scene: Scene, reply: str) -> None:
    scene.rasa.script = offering
    delivery = await scene.double.write(LAN, "买了两件")
    assert "2" in str(delivery.text) and "第二件" in str(delivery.text)
    pressed = await scene.double.write(LAN, reply)
    assert pressed.text == "按了1"
    assert own(scene)[-1] == "第二件"


async def test_a_number_without_a_question_is_only_a_number(scene: Scene) -> None:
    delivery = await scene.double.write(LAN, "2")
    assert delivery.text == "好的：2"
    [row] = scene.inbox(LAN)
    assert row["pressed"] is None


async def test_a_quick_reply_counts_only_where_its_conversation_is_read(scene: Scene) -> None:
    scene.rasa.script = offering
    await scene.double.write(LAN, "买了两件")
    await settled(scene)
    await scene.double.write(WANG, "你好")
    await settled(scene, WANG)
    talk, first = scene.conversation(LAN)["id"], scene.contact(LAN)["id"]
    [item, *_] = scene.rows(wechat_options, wechat_options.c.contact_id == first)
    # Another WeChat of the customer has taken the conversation over since.
    with scene.store.write() as db:
        threads.bind(db, talk, scene.contact(WANG)["id"], scene.clock(), planned=99)
        contacts.lead_to(db, first, None)
    pressed = await scene.double.write(LAN, item["title"], bizmsgmenuid=item["id"])
    assert "已经失效" in str(pressed.text)
    stolen = await scene.double.write(ZHOU, item["title"], bizmsgmenuid=item["id"])
    assert str(stolen.text).startswith("请选一个"), (
        "an id of somebody else's menu is nothing, its words are words"
    )


async def test_a_number_typed_to_a_person_is_told_to_the_person(scene: Scene) -> None:
    clerk = await scene.staff()
    scene.rasa.script = offering
    await scene.double.write(LAN, "买了两件")
    await settled(scene)
    await clerk.act(scene.conversation(LAN)["id"], "take")
    with scene.store.write() as db:
        db.execute(update(wechat_options).values(current=True))
    waiting = asyncio.create_task(scene.double.write(LAN, "2"))
    await scene.until(lambda: own(scene)[-1] == "2")
    await scene.stop()
    await waiting
    await scene.start()
    await clerk.close()


# --- which conversation -------------------------------------------------------------------


async def test_long_after_the_end_another_matter_begins(scene: Scene) -> None:
    scene.rasa.script = lambda _, body: says(
        "好的",
        commands=[
            {"do": "open_case", "case": "s" + body["message_id"][1:25], "failure": None},
            {"do": "close_case", "outcome": "resolved"},
        ],
    )
    await scene.double.write(LAN, "好了")
    await settled(scene)
    former = scene.conversation(LAN)
    with scene.store.read() as db:
        case = cases.load(db, former["case_id"])
        assert case and case.stage == "closed"
    scene.rasa.again()
    scene.clock.wind(days=3)
    await scene.double.write(LAN, "还有件事")
    await settled(scene)
    assert scene.conversation(LAN)["id"] == former["id"]
    scene.clock.wind(days=8)
    await scene.double.write(LAN, "又来了")
    await settled(scene)
    assert scene.conversation(LAN)["id"] != former["id"]
    assert own(scene) == ["又来了"]


async def test_an_open_matter_goes_on_however_long_it_was_silent(scene: Scene) -> None:
    await scene.double.write(LAN, "房间没打扫")
    await settled(scene)
    scene.clock.wind(days=30)
    await scene.double.write(LAN, "怎么样了")
    await settled(scene)
    assert own(scene) == ["房间没打扫", "怎么样了"]


# --- when things go wrong -----------------------------------------------------------------


async def test_what_was_left_by_a_former_process_is_taken_in_order(
    scene_on_both: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = scene_on_both
    monkeypatch.setattr(receiving, "FETCH_PAUSES", (60.0, 60.0))
    scene.double.fail("/cgi-bin/media/get", -1, times=1)
    photo = asyncio.create_task(scene.double.send_image(LAN, encoded("PNG")))
    await scene.until(lambda: [row for row in scene.received() if row["attempts"]])
    words = asyncio.create_task(scene.double.write(LAN, "就是这样"))
    await scene.until(lambda: len(scene.rows(wechat_received)) == 2)
    await scene.restart()
    await settled(scene)
    await asyncio.gather(photo, words)
    assert own(scene) == ["[图片]", "就是这样"]
    assert len(scene.received()) == 2
    assert scene.double.doubles() == []


async def test_a_desk_that_dies_over_an_answer_gives_it_once(scene_on_both: Scene) -> None:
    scene = scene_on_both
    scene.rasa.script = slowly(1.5)
    writing = asyncio.create_task(scene.double.write(LAN, "房间没打扫"))
    await scene.until(lambda: scene.rasa.messages())
    await scene.restart()
    await writing
    await settled(scene)
    await scene.double.sees(LAN, "好的：房间没打扫")
    assert own(scene) == ["房间没打扫"]
    assert len(scene.received()) == 1
    assert scene.double.doubles() == []


async def test_a_reply_is_given_again_by_the_next_process(scene_on_both: Scene) -> None:
    scene = scene_on_both
    first = await scene.double.write(LAN, "房间没打扫")
    assert first.outcome == "passive"
    await scene.restart()
    assert (await scene.double.again(first)).text == first.text
    assert len(scene.rasa.messages()) == 1
    assert scene.double.calls("/message/custom/send") == []


async def test_a_message_that_cannot_be_stored_is_brought_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in, failures = receiving.take_in, [RuntimeError("once")]

    def fails_once(*args: object, **kwargs: object) -> object:
        if failures:
            raise failures.pop()
        return take_in(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(receiving, "take_in", fails_once)
    query, body = scene.double.letter(
        scene.double.fields(LAN, MsgType="text", Content="在吗", MsgId=5)
    )
    assert (await scene.double.post(query, body)).status_code == 500
    assert (await scene.double.post(query, body)).status_code == 200
    assert own(scene) == ["在吗"]


@pytest.mark.parametrize("words", ["房间没打扫", "长" * 6001])
async def test_a_store_that_hangs_does_not_keep_wechat_waiting(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    take_in, slow = receiving.take_in, [5.5]

    def hangs(*args: object, **kwargs: object) -> object:
        time.sleep(slow.pop() if slow else 0)
        return take_in(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(receiving, "take_in", hangs)
    query, body = scene.double.letter(
        scene.double.fields(LAN, MsgType="text", Content=words, MsgId=5)
    )
    # Whoever waits for five seconds, as WeChat does, has an answer: bring it again.
    async with asyncio.timeout(5):
        assert (await scene.double.post(query, body)).status_code == 500
    again = await scene.double.write(LAN, words, MsgId=5)
    assert again.outcome == "passive" or await scene.double.sees(LAN, "最多6000个字")
    assert len(scene.received()) == 1
    assert scene.double.doubles() == []


async def test_nothing_is_answered_twice_when_rasa_is_slow(scene: Scene) -> None:
    scene.rasa.script = slowly(6.0)
    delivery = await scene.double.write(LAN, "房间没打扫")
    # Within five seconds the sentence that asks for patience costs nothing.
    assert delivery.outcome == "passive" and delivery.attempts == 1
    assert delivery.text != "好的：房间没打扫"
    seen = await scene.double.sees(LAN, "好的：房间没打扫")
    assert seen.via == "custom"
    assert scene.double.slowest < 5
    assert own(scene) == ["房间没打扫"]
    assert scene.double.doubles() == [] and scene.double.violations == []


async def test_secrets_and_openids_stand_in_no_log(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    await scene.double.write(LAN, "房间没打扫，电话13800138000")
    query, body = scene.double.letter(
        scene.double.fields(LAN, MsgType="text", Content="嗨", MsgId=1)
    )
    await scene.double.post(query | {"msg_signature": "0" * 40}, body)
    await settled(scene)
    logged = "".join(capfd.readouterr())
    account = scene.double.accounts["fuwu"]
    for secret in (LAN, account.secret, account.token, *account.keys, "13800138000"):
        assert secret not in logged


async def test_words_in_the_stream_are_those_of_the_customer_alone(scene: Scene) -> None:
    await scene.double.write(LAN, "一")
    await scene.double.write(WANG, "二")
    await settled(scene)
    await settled(scene, WANG)
    assert own(scene) == ["一"] and own(scene, WANG) == ["二"]
    assert scene.rows(outbox, outbox.c.stream.like("room:%")) == []


async def test_an_account_that_changed_its_business_begins_anew(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.double.write(LAN, "房间没打扫")
        await settled(scene)
        former = scene.conversation(LAN)["id"]
        with scene.store.write() as db:
            db.execute(update(conversations).values(business="qinghe"))
            db.execute(update(customers).values(business="qinghe"))
        await scene.double.write(LAN, "新的店")
        await settled(scene)
        talk = scene.conversation(LAN)
        assert talk["id"] != former and talk["business"] == BUSINESS
        assert own(scene) == ["新的店"]
        assert scene.rows(wechat_sends) is not None

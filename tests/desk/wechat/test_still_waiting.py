"""Who waits for a person, or comes back: answered at once, free of charge, and not too often."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from desk.channels.wechat.incoming import receiving
from desk.channels.wechat.incoming.passive import PATIENCE_SECONDS
from desk.conversations import still_waiting
from desk.conversations.queueing import Outlook, Prospect
from recovery.case import Case
from recovery.store import conversations as conversation_store
from recovery.store.tables import conversations, wechat_sends
from tests.desk.images import encoded
from tests.desk.scripted_rasa import Body, Script, opens_a_case, says
from tests.desk.wechat.scene import Clerk, Scene, a_scene

LAN = "oLan-1234567890"
SENT = "/cgi-bin/message/custom/send"
# So long a callback waits for words that nobody says; on a busy machine all else takes its time.
WAITS = PATIENCE_SECONDS - 0.2


def hands_over(scene: Scene, reason: str = "asked", minutes: int = 15) -> Script:
    """A Rasa that gives the first words to a person, and only hears what follows."""

    def script(path: str, body: Body) -> Body | int:
        if path == "/desk/overheard":
            return opens_a_case(path, body)
        by = (scene.clock() + timedelta(minutes=minutes)).isoformat()
        commands = [
            {
                "do": "open_case",
                "case": "s" + body["message_id"][1:25],
                "failure": "room_not_clean",
            },
            {"do": "hand_over", "reason": reason, "by": by},
        ]
        return says("这就请同事来", commands=commands)

    return script


async def in_queue(scene: Scene, reason: str = "asked") -> str:
    """Somebody waits for a person; gives the conversation."""
    scene.rasa.script = hands_over(scene, reason)
    await scene.double.write(LAN, "房间没打扫，叫人来")
    await scene.until(lambda: scene.conversation(LAN)["owner"] == "queue")
    await everything_sent(scene)
    return str(scene.conversation(LAN)["id"])


async def with_a_person(scene: Scene) -> tuple[str, Clerk]:
    """Somebody is served by a person, and has been told so."""
    clerk = await scene.staff()
    await scene.double.write(LAN, "房间没打扫")
    await everything_sent(scene)
    talk = str(scene.conversation(LAN)["id"])
    await clerk.act(talk, "take")
    await scene.double.sees(LAN, "小林")
    await everything_sent(scene)
    return talk, clerk


async def everything_sent(scene: Scene) -> None:
    """Wait until nothing is on its way any more."""

    def done() -> bool:
        rows = scene.rows(wechat_sends)
        return bool(rows) and not {row["state"] for row in rows} & {"todo", "sending"}

    await scene.until(done)


def of_the_desk(scene: Scene) -> list[str]:
    """What the desk has said of itself, in the conversation."""
    events = scene.stream(LAN)
    return [str(one["text"]) for one in events if one.get("author") == "system"]


async def test_who_writes_again_in_the_queue_is_told_how_things_stand(
    scene_on_both: Scene,
) -> None:
    scene = scene_on_both
    talk = await in_queue(scene)
    calls = len(scene.double.calls(SENT))
    waiting_since = scene.conversation(LAN)["awaiting_since"]
    asked = await scene.double.write(LAN, "有人吗？")
    assert asked.outcome == "passive"
    assert "15分钟内有人回复您" in str(asked.text)
    assert of_the_desk(scene) == [asked.text], "staff and the web page read it too"
    assert len(scene.double.calls(SENT)) == calls, "it took none of the few messages"
    present = scene.conversation(LAN)
    assert (present["id"], present["owner"]) == (talk, "queue")
    assert present["awaiting_since"], "the customer still waits for a person"
    assert waiting_since is None or present["awaiting_since"] == waiting_since
    assert (await scene.double.again(asked)).text == asked.text


async def test_it_is_said_once_in_a_while(scene: Scene) -> None:
    await in_queue(scene)
    first = await scene.double.write(LAN, "有人吗？")
    assert first.outcome == "passive"
    at_once = await scene.double.write(LAN, "快点")
    assert (at_once.outcome, at_once.text) == ("accepted", None)
    assert at_once.seconds < WAITS, "WeChat is not kept waiting for nothing"
    scene.clock.wind(minutes=4)
    later = await scene.double.write(LAN, "还没来")
    assert later.outcome == "passive"
    # What was promised stands: eleven minutes are left of it.
    assert "15分钟内" in str(later.text)
    assert len(of_the_desk(scene)) == 2
    scene.clock.wind(minutes=12)
    late = await scene.double.write(LAN, "说好的呢")
    assert "晚了，抱歉" in str(late.text)
    assert "15分钟内" not in str(late.text), "not put off by as much again"


async def test_who_may_be_in_danger_is_told_whom_to_call(scene: Scene) -> None:
    await in_queue(scene, "safety")
    told = await scene.double.write(LAN, "还是很难受")
    assert told.outcome == "passive" and "120" in str(told.text)
    scene.clock.wind(minutes=4)
    spoken = await scene.double.voice(LAN)
    assert "120" in str(spoken.text), "who cannot type may need it most"


async def test_a_picture_in_the_queue_is_answered_too(scene: Scene) -> None:
    await in_queue(scene)
    sent = await scene.double.send_image(LAN, encoded("PNG"))
    assert sent.outcome == "passive" and "有人回复您" in str(sent.text)
    again = await scene.double.send_image(LAN, encoded("JPEG"))
    assert again.outcome == "accepted" and again.seconds < WAITS


async def test_nothing_is_said_where_it_would_cost_a_message(tmp_path: Path) -> None:
    async with a_scene(tmp_path, accounts=({"kind": "kf"},)) as scene:
        scene.rasa.script = hands_over(scene)
        await scene.double.kf_write("wm-lan", "叫人来")
        await scene.until(lambda: any(row["owner"] == "queue" for row in scene.rows(conversations)))
        await everything_sent(scene)
        before = len(scene.double.seen("wm-lan"))
        await scene.double.kf_write("wm-lan", "有人吗")
        await scene.until(lambda: len(scene.inbox("wm-lan")) == 2)
        await scene.until(lambda: all(row["state"] == "done" for row in scene.inbox("wm-lan")))
        assert len(scene.double.seen("wm-lan")) == before


async def test_a_person_is_not_interrupted_and_wechat_not_kept_waiting(scene: Scene) -> None:
    _, clerk = await with_a_person(scene)
    written = await scene.double.write(LAN, "1208，快点")
    assert written.outcome == "accepted" and written.seconds < WAITS
    assert of_the_desk(scene) == []
    await clerk.close()


async def test_what_was_held_comes_with_the_next_words(scene: Scene) -> None:
    talk, clerk = await with_a_person(scene)
    with scene.store.write() as db:
        db.execute(update(wechat_sends).values(state="sent"))
    scene.double.fail(SENT, 45015)
    await clerk.act(talk, "answer", text="菜马上上", id="answer-0001")
    await scene.until(lambda: any(row["state"] == "held" for row in scene.rows(wechat_sends)))
    scene.double.mend()
    back = await scene.double.write(LAN, "人呢？？")
    assert back.outcome == "passive" and "菜马上上" in str(back.text)
    await clerk.close()


@pytest.mark.parametrize(("kind", "stand_in"), [("voice", "[语音]"), ("video", "[视频]")])
async def test_who_is_served_by_a_person_is_asked_to_type_once_in_a_while(
    scene: Scene, kind: str, stand_in: str
) -> None:
    _, clerk = await with_a_person(scene)
    send: Any = getattr(scene.double, kind)
    asked = await send(LAN)
    assert asked.outcome == "passive" and "同事" in str(asked.text)
    again = await send(LAN)
    assert again.outcome == "accepted" and again.seconds < WAITS
    scene.clock.wind(minutes=4)
    assert (await send(LAN)).outcome == "passive"
    words = [one["text"] for one in scene.stream(LAN) if one.get("author") == "customer"]
    assert words[1:] == [stand_in] * 3, "staff see each of them"
    assert scene.conversation(LAN)["awaiting_since"], "the customer waits for the person"
    await clerk.close()


async def test_a_voice_in_the_queue_is_not_said_to_be_read(scene: Scene) -> None:
    await in_queue(scene)
    # On a busy machine the desk has asked for patience meanwhile, and does not at once again.
    scene.clock.wind(minutes=4)
    asked = await scene.double.voice(LAN)
    assert asked.outcome == "passive" and "有人回复您" not in str(asked.text)
    assert of_the_desk(scene)[-1] == asked.text


# --- coming back --------------------------------------------------------------------------


async def test_who_follows_again_is_told_that_the_matter_is_here(scene: Scene) -> None:
    await in_queue(scene)
    await scene.double.unfollow(LAN)
    back = await scene.double.follow(LAN)
    assert back.outcome == "passive"
    assert "房间没有打扫干净" in str(back.text) and "15分钟内有人回复您" in str(back.text)
    assert "有什么不满意的" not in str(back.text)


async def test_who_comes_back_to_a_person_reads_who_it_is(scene: Scene) -> None:
    _, clerk = await with_a_person(scene)
    await scene.double.unfollow(LAN)
    back = await scene.double.follow(LAN)
    assert "小林接着为您服务" in str(back.text)
    await clerk.close()


async def test_who_comes_back_to_the_bot_may_simply_go_on(scene: Scene) -> None:
    scene.rasa.script = lambda path, body: says(
        "好的",
        commands=[
            {
                "do": "open_case",
                "case": "s" + body["message_id"][1:25],
                "failure": "room_not_clean",
            }
        ],
    )
    await scene.double.write(LAN, "房间没打扫")
    back = await scene.double.follow(LAN)
    assert "房间没有打扫干净" in str(back.text) and "接着说" in str(back.text)


async def test_who_comes_back_with_nothing_open_is_a_guest(scene: Scene) -> None:
    await scene.double.write(LAN, "你好")
    await everything_sent(scene)
    welcome = await scene.double.follow(LAN)
    assert "有什么不满意的" in str(welcome.text)


async def test_who_may_be_in_danger_is_told_so_on_coming_back(scene: Scene) -> None:
    await in_queue(scene, "safety")
    assert "120" in str((await scene.double.follow(LAN)).text)


# --- long texts ---------------------------------------------------------------------------


async def test_of_a_long_text_nothing_is_lost(scene_on_both: Scene) -> None:
    scene = scene_on_both
    story = "".join(f"第{number}次我又打了电话，还是没有人来。" for number in range(1, 160))
    assert 2000 < len(story) <= 4000
    await scene.double.write(LAN, story)
    await scene.until(lambda: [row["state"] for row in scene.inbox(LAN)] == ["done", "done"])
    first, second = (str(row["text"]) for row in scene.inbox(LAN))
    assert first + second == story and first.endswith("。")
    assert [body["text"] for body in scene.rasa.messages()] == [first, second]
    shown = [one["text"] for one in scene.stream(LAN) if one.get("author") == "customer"]
    assert shown == [first, second]


async def test_a_long_text_again_is_taken_once(scene: Scene) -> None:
    delivery = await scene.double.write(LAN, "长" * 5999 + "。")
    await scene.double.again(delivery)
    await scene.until(lambda: [row["state"] for row in scene.inbox(LAN)] == ["done"] * 3)
    assert sum(len(str(row["text"])) for row in scene.inbox(LAN)) == 6000


async def test_blanks_in_a_long_text_are_no_reason_to_refuse_it(scene: Scene) -> None:
    await scene.double.write(LAN, "前面的话" + "\u200b" * 2500 + "后面的话")
    await scene.until(lambda: [row["state"] for row in scene.inbox(LAN)] == ["done"] * 2)
    assert [row["text"] for row in scene.inbox(LAN)] == ["前面的话", "后面的话"]


# --- pace ---------------------------------------------------------------------------------


async def test_a_repeat_does_not_count_as_writing_fast(tmp_path: Path) -> None:
    limits = {"burst": 2, "per_second": 0.001}
    async with a_scene(tmp_path, limits=limits) as scene:
        first = await scene.double.write(LAN, "一")
        for _ in range(3):
            assert (await scene.double.again(first)).text == first.text
        assert (await scene.double.write(LAN, "二")).text == "好的：二"
        assert "发得太快" in str((await scene.double.write(LAN, "三")).text)


async def test_what_is_stored_at_the_second_try_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"burst": 2, "per_second": 0.001}
    async with a_scene(tmp_path, limits=limits) as scene:
        take_in, failures = receiving.take_in, [RuntimeError("once")]

        def fails_once(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401
            outcome = take_in(*args, **kwargs)
            if failures:
                raise failures.pop()
            return outcome

        monkeypatch.setattr(receiving, "is_away", lambda error: True)
        monkeypatch.setattr(receiving, "SQLAlchemyError", RuntimeError)
        monkeypatch.setattr(receiving, "take_in", fails_once)
        assert (await scene.double.write(LAN, "一")).text == "好的：一"
        assert (await scene.double.write(LAN, "二")).text == "好的：二"


# --- by when ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("promised", "measured", "words", "late"),
    [
        (None, None, "随时", False),
        (-30, None, "随时", False),  # of a wait before this one
        (10, None, "10分钟内", False),
        (10, 5, "10分钟内", False),
        (10, 40, "40分钟内", False),  # slower than was promised
        (-5, None, "", True),
        (-5, 20, "20分钟内", True),
    ],
)
async def test_what_was_promised_stands_unless_it_is_slower(
    scene: Scene, promised: int | None, measured: int | None, words: str, late: bool
) -> None:
    await in_queue(scene)
    now = scene.clock()
    by = (now + timedelta(minutes=promised)).isoformat() if promised is not None else None
    since = (now - timedelta(minutes=10)).isoformat()
    with scene.store.write() as db:
        db.execute(update(conversations).values(awaiting_since=since))
        talk = conversation_store.load(db, scene.conversation(LAN)["id"])
    assert talk is not None
    prospect = Prospect(3, measured) if measured is not None else None
    found = Outlook(datetime.max, "随时", "waits", prospect)
    case = Case("s1", promised_by=by)
    got = still_waiting._promised(scene.desk.context, talk, case, found, now)
    assert got == (words, late)

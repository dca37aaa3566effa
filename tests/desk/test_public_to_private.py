"""The table "Public to private" of the design, each row through the whole road.

What is asked of every row: what the room reads, what only the author reads, and what another
customer of the same room gets to see.
"""

import json
from dataclasses import dataclass

import pytest

from recovery.privacy import mask
from tests.desk.people import ANGRY, SORRY, Agent, Guest, guest, sentences, words
from tests.support.customer import Frame
from tests.support.stack import Stack

KIND = "invitation"


@dataclass(frozen=True)
class Seen:
    """What became of one post."""

    post: Frame
    room: list[Frame]
    own: list[Frame]
    invited: list[Frame]
    by_other: Frame
    other_frames: str


async def look(author: Guest, other: Guest, text: str) -> Seen:
    before = len(author.calls())
    post = await author.post(text)
    await other.up_to_date()
    shown_to_other = {event["id"]: event for event in other.seen}
    answers = author.answers(post)
    return Seen(
        post,
        room=[event for event in answers if event["id"] in shown_to_other],
        own=[event for event in answers if event["id"] not in shown_to_other],
        invited=author.calls()[before:],
        by_other=shown_to_other[post["id"]],
        other_frames=json.dumps(other.room.frames, ensure_ascii=False),
    )


def nothing_private_leaks(author: Guest, seen: Seen) -> None:
    for call in seen.invited:
        assert call["token"] not in seen.other_frames
        assert call["text"] not in seen.other_frames
    for aside in seen.own:
        assert aside["text"] not in seen.other_frames
    assert author.thread not in seen.other_frames
    assert author.id not in seen.other_frames
    assert seen.post["client_id"] not in seen.other_frames
    assert seen.by_other["mine"] is False
    assert not {"buttons", "customer", "original", "client_id"} & set(seen.by_other)


def at_most_two_sentences(seen: Seen) -> None:
    assert len(seen.room) == 1, "one post, one public reply"
    assert 1 <= len(sentences(seen.room[0]["text"])) <= 2
    assert "亲" not in seen.room[0]["text"]


@pytest.mark.parametrize(
    ("business", "text"),
    [("lanting", "前台小姐姐特别热情，谢谢你们"), ("qinghe", "客服态度真好，东西也很喜欢，谢谢")],
)
async def test_praise_gets_thanks_at_most(stack: Stack, business: str, text: str) -> None:
    async with guest(stack, business) as author, guest(stack, business, "旁人") as other:
        seen = await look(author, other, text)
        assert len(seen.room) <= 1
        assert not SORRY.search(words(seen.room))
        assert (seen.own, seen.invited) == ([], [])
        nothing_private_leaks(author, seen)


async def test_a_question_is_answered_in_the_room(stack: Stack, lin: Agent) -> None:
    async with guest(stack) as author, guest(stack, name="旁人") as other:
        seen = await look(author, other, "请问几点可以办理入住？")
        at_most_two_sentences(seen)
        assert "服务指南" in seen.room[0]["text"], "it says where the answer stands"
        assert not SORRY.search(words(seen.room))
        assert (seen.own, seen.invited) == ([], [])
        assert not [row for row in await lin.rows() if row["id"] == author.thread]


@pytest.mark.parametrize(
    ("business", "text", "matter"),
    [
        ("lanting", "床单没换，地上还有头发，房间没打扫", "房间没有打扫干净"),
        ("qinghe", "你好，收到的货发错了，和我下单的不一样，帮忙看一下", "和下单的不一样"),
    ],
)
async def test_a_calm_complaint_is_acknowledged_and_private_is_offered(
    stack: Stack, lin: Agent, business: str, text: str, matter: str
) -> None:
    async with guest(stack, business) as author, guest(stack, business, "旁人") as other:
        seen = await look(author, other, text)
        at_most_two_sentences(seen)
        assert matter in seen.room[0]["text"]
        assert [call["kind"] for call in seen.invited] == [KIND]
        assert matter in seen.invited[0]["matter"]
        where, row = await lin.row(author.thread)
        assert (where, row["owner"]) == ("bot", "bot")
        assert row["anger"] <= 1
        nothing_private_leaks(author, seen)


@pytest.mark.parametrize("business", ["lanting", "qinghe"])
async def test_an_angry_complaint_gets_an_apology_a_step_and_priority(
    stack: Stack, lin: Agent, business: str
) -> None:
    async with guest(stack, business) as author, guest(stack, business, "旁人") as other:
        seen = await look(author, other, ANGRY[business])
        at_most_two_sentences(seen)
        reply = seen.room[0]["text"]
        assert SORRY.search(reply)
        assert "进入私聊" in reply, "one clear step"
        assert not any("\U0001f300" <= char <= "\U0001faff" for char in reply)
        assert [call["kind"] for call in seen.invited] == [KIND]
        _, row = await lin.row(author.thread)
        assert row["peak"] == row["anger"] >= 2
        assert "生气" in row["why"]
        nothing_private_leaks(author, seen)


async def test_an_insult_gets_one_calm_sentence_and_a_way_in(stack: Stack, lin: Agent) -> None:
    async with guest(stack) as author, guest(stack, name="旁人") as other:
        seen = await look(author, other, "你们就是一群垃圾，骗子，滚！")
        at_most_two_sentences(seen)
        assert len(sentences(seen.room[0]["text"])) == 1
        assert not set("垃圾骗滚") & set(seen.room[0]["text"])
        assert [call["kind"] for call in seen.invited] == [KIND]
        assert (await lin.row(author.thread))[1]["matter"] == ""
        nothing_private_leaks(author, seen)


DATA = "13912345678"


@pytest.mark.parametrize(
    ("text", "sorry"),
    [
        (f"我的手机号是{DATA}", False),
        (f"前台小姐姐特别热情，谢谢你们，我电话{DATA}", False),
        (f"请问几点可以办理入住？我电话{DATA}", False),
        (f"{ANGRY['lanting']}我电话{DATA}", True),
    ],
)
async def test_personal_data_goes_as_its_row_masked_for_everybody_else(
    stack: Stack, text: str, sorry: bool
) -> None:
    async with guest(stack) as author, guest(stack, name="旁人") as other:
        seen = await look(author, other, text)
        assert seen.post["text"] == text, "whole for oneself"
        assert seen.by_other["text"] == mask(text).text
        assert "［手机号］" in seen.by_other["text"]
        assert DATA not in seen.other_frames
        assert [call["kind"] for call in seen.invited] == [KIND]
        assert bool(SORRY.search(words(seen.room))) is sorry
        assert len(seen.own) == 1, "the author is told that something was hidden"
        nothing_private_leaks(author, seen)
        async with author.customer.room(author.room_name) as later:
            again = await later.event(id=seen.post["id"])
            assert again["text"] == text, "also on the author's next visit"


async def test_safety_brings_care_first_and_a_person_now(stack: Stack, lin: Agent) -> None:
    async with guest(stack) as author, guest(stack, name="旁人") as other:
        seen = await look(author, other, "我妈在你们浴室滑倒摔伤了，头流血不止，快来人！")
        at_most_two_sentences(seen)
        assert [call["kind"] for call in seen.invited] == [KIND]
        where, row = await lin.row(author.thread)
        assert (where, row["reason"], row["safety"]) == ("queue", "safety", True)
        queue = [row for row in await lin.rows() if row["owner"] == "queue"]
        assert max(queue, key=lambda row: row["priority"])["safety"]
        nothing_private_leaks(author, seen)

        said = await author.enter()
        where, row = await lin.row(author.conversation)
        assert (where, row["reason"], row["safety"]) == ("queue", "safety", True)
        assert any(event["kind"] == "owner" and event["owner"] == "queue" for event in said)
        assert (await lin.row(author.thread))[0] == "bot", "it waits in one place only"


async def test_talk_among_customers_is_left_alone(stack: Stack) -> None:
    async with guest(stack) as author, guest(stack, name="旁人") as other:
        seen = await look(author, other, "哈哈哈今天天气真好")
        assert (seen.room, seen.own, seen.invited) == ([], [], [])
        assert seen.by_other["text"] == "哈哈哈今天天气真好"


async def test_after_two_public_replies_only_the_customer_is_reminded(stack: Stack) -> None:
    async with guest(stack) as author, guest(stack, name="旁人") as other:
        first = await look(author, other, ANGRY["lanting"])
        second = await look(author, other, "说话啊！房间这么脏怎么住人，气死了！")
        third = await look(author, other, "你们到底管不管！房间脏成这样！！")
        assert [len(seen.room) for seen in (first, second, third)] == [1, 1, 0]
        assert [call["kind"] for call in first.invited] == ["invitation"]
        assert [call["kind"] for call in second.invited] == ["reminder"]
        assert [call["kind"] for call in third.invited] == ["reminder"]
        assert len(third.own) == 1
        said = [event["text"] for seen in (first, second) for event in seen.room]
        assert len(set(said)) == len(said), "nothing is said twice"
        nothing_private_leaks(author, third)


async def test_who_stays_in_public_keeps_the_invitation(stack: Stack) -> None:
    async with guest(stack) as author, guest(stack, name="旁人") as other:
        await look(author, other, ANGRY["lanting"])
        stayed = await look(author, other, "我不去私聊，就在这里说")
        assert len(stayed.room) <= 1
        answer = await author.customer.http.get(f"/api/invitations/{author.calls()[0]['token']}")
        assert answer.json()["state"] == "open"


async def test_other_customers_go_on_undisturbed(stack: Stack) -> None:
    """Two complaints and a chat at once: each gets its own answer, and nobody the other's."""
    async with guest(stack) as angry, guest(stack, name="小美") as calm, guest(stack) as third:
        post = await angry.post(ANGRY["lanting"])
        thanks = await calm.post("前台小姐姐特别热情，谢谢你们")
        chat = await third.post("哈哈哈今天天气真好")
        await angry.up_to_date()
        assert len([e for e in angry.answers(post) if not SORRY.search(e["text"])]) == 0
        assert (calm.calls(), third.calls()) == ([], [])
        assert not SORRY.search(words(angry.answers(thanks)))
        assert third.answers(chat) == []
        assert [event["seq"] for event in angry.room.frames if event["type"] == "event"]
        await angry.enter()
        await calm.up_to_date()
        assert calm.calls() == []
        assert angry.conversation not in json.dumps(calm.room.frames)


async def test_the_bot_names_the_matter_in_private_and_asks_nothing_twice(stack: Stack) -> None:
    async with guest(stack) as author:
        await author.post(ANGRY["lanting"])
        said = await author.enter()
        opening = words(said)
        assert "房间没有打扫干净" in opening
        assert "订单" in opening or "预订" in opening, "it asks for what it does not know"
        own_chats = (await author.customer.http.get("/api/my/conversations")).json()
        [own] = own_chats["conversations"]
        assert own.pop("last_at")
        assert own == {
            "id": author.conversation,
            "business": "岚庭酒店",
            "matter": "房间没有打扫干净这件事",
            "open": True,
            "channel": "web",
            "also": [],
        }
        chat = (await author.customer.http.get(f"/api/conversations/{author.conversation}")).json()
        assert (chat["agent"], chat["status"]) == ("小岚", "ready")

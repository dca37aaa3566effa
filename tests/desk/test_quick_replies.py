"""Quick replies: a page can only send back what it was given, where and while it counts."""

import asyncio
import uuid

from recovery.ids import new_id, sign
from tests.desk.orders import AnOrder, an_order, effects
from tests.desk.people import Agent, Guest, complain, guest, offers, settled, the_button, words
from tests.support.customer import Frame
from tests.support.stack import Stack

TAKE, MORE, NO = "就这样办", "还不够", "不接受"


async def offered(one: Guest, order: AnOrder) -> list[Frame]:
    """Complain and prove the order; gives what came with the offer."""
    await complain(one)
    said = await one.tell(f"订单号{order.number}，手机后四位{order.last4}")
    assert len(offers(said)) == 1, words(said)
    return said


async def refusal(one: Guest, text: str, button: object) -> Frame:
    """Press what must not be taken; gives the refusal."""
    message_id = uuid.uuid4().hex
    await one.chat.send({"type": "say", "id": message_id, "text": text, "button": button})
    answer = await one.chat.answered(message_id)
    assert answer["type"] == "refused"
    return answer


async def test_accepting_carries_every_remedy_out_once_and_says_so(stack: Stack) -> None:
    order = an_order(stack)
    async with guest(stack) as one:
        said = await offered(one, order)
        (offer,) = offers(said)
        after = await one.tell(TAKE, the_button(said, TAKE))
        assert offers(after)[0]["state"] == "accepted"
        assert offers(after)[0]["offer"] == offer["offer"]
        for item in offer["items"]:
            done = await one.chat.event(kind="progress", title=item["title"])
            assert done["state"] == "done"
        carried_out = effects(stack, order.number)
        assert len(carried_out) == len(offer["items"])
        assert len({key for key, _ in carried_out}) == len(carried_out)


async def test_pressed_twice_counts_once(stack: Stack) -> None:
    order = an_order(stack)
    async with guest(stack) as one:
        said = await offered(one, order)
        button = the_button(said, TAKE)
        sent = await asyncio.gather(*(one.send(TAKE, button) for _ in range(3)))
        for message in sent:
            await settled(one.store, message["id"])
        await one.chat_up_to_date()
        accepted = [event for event in offers(one.chat.events) if event["state"] == "accepted"]
        assert len(accepted) == 1
        (offer,) = [event for event in offers(one.chat.events) if event["state"] == "open"]
        for item in offer["items"]:
            await one.chat.event(kind="progress", title=item["title"])
        assert len(effects(stack, order.number)) == len(offer["items"])
        later = await one.tell(TAKE, button)
        assert offers(later) == []
        assert len(later) == 1, "it says that it is agreed already"
        assert len(effects(stack, order.number)) == len(offer["items"])


async def test_refusing_after_acceptance_changes_nothing(stack: Stack) -> None:
    order = an_order(stack)
    async with guest(stack) as one:
        said = await offered(one, order)
        accepted = await one.tell(TAKE, the_button(said, TAKE))
        assert offers(accepted)[0]["state"] == "accepted"
        for title in (NO, MORE):
            after = await one.tell(title, the_button(said, title))
            assert offers(after) == []
            assert not [event for event in after if event["kind"] == "owner"]


async def test_a_forged_button_is_refused_and_does_nothing(stack: Stack) -> None:
    order = an_order(stack)
    async with guest(stack) as one:
        said = await offered(one, order)
        good = the_button(said, TAKE)
        payload, mac = good.split(".")
        offer = offers(said)[0]["offer"]
        content = {"c": one.conversation, "a": "accept", "o": offer}
        forged: list[object] = [
            sign(content, "k" * 43, "button"),
            sign(content, stack.secrets["signing_key"], "invitation"),
            sign({**content, "a": "refund"}, stack.secrets["signing_key"], "button"),
            f"{payload}.{mac[::-1]}",
            payload,
            f"{good}.{mac}",
            "",
            "accept",
            "就这样办.就这样办",
            "\ud800.\ud800",
            "x" * 5000,
        ]
        before = len(one.chat.events)
        for button in forged:
            refused = await refusal(one, TAKE, button)
            assert (refused["code"], refused["retry"]) == ("bad_button", False), button
            assert refused["message"]
        for strange in (7, ["accept"], {"a": "accept"}, True):
            assert (await refusal(one, TAKE, strange))["code"] == "bad_frame"
        assert len(one.chat.events) == before, "not even shown"
        assert effects(stack, order.number) == []
        assert offers(await one.tell(TAKE, good))[0]["state"] == "accepted"


async def test_a_button_of_another_conversation_is_refused(stack: Stack) -> None:
    order, other_order = an_order(stack), an_order(stack)
    async with guest(stack) as one, guest(stack, name="小美") as other:
        said = await offered(one, order)
        await offered(other, other_order)
        refused = await refusal(other, TAKE, the_button(said, TAKE))
        assert refused["code"] == "bad_button"
        assert effects(stack, order.number) == effects(stack, other_order.number) == []


async def test_a_button_counts_in_public_no_more_than_anywhere_else(stack: Stack) -> None:
    order = an_order(stack)
    async with guest(stack) as one:
        said = await offered(one, order)
        message_id = await one.room.say(TAKE, button=the_button(said, TAKE))
        answer = await one.room.answered(message_id)
        assert (answer["type"], answer["code"]) == ("refused", "bad_button")


async def test_a_button_of_a_replaced_offer_accepts_nothing(stack: Stack) -> None:
    order = an_order(stack)
    async with guest(stack) as one:
        said = await offered(one, order)
        (first,) = offers(said)
        more = await one.tell(MORE, the_button(said, MORE))
        states = {event["offer"]: event["state"] for event in offers(more)}
        assert states[first["offer"]] == "replaced"
        (second,) = [offer for offer, state in states.items() if state == "open"]
        assert second != first["offer"]
        for title in (TAKE, NO, MORE):
            after = await one.tell(title, the_button(said, title))
            assert offers(after) == [], "the bot asks which one is meant"
            assert words(after)
            assert not [event for event in after if event["kind"] == "owner"]
        assert effects(stack, order.number) == []
        final = await one.tell(TAKE, the_button(more, TAKE))
        assert [(event["offer"], event["state"]) for event in offers(final)] == [
            (second, "accepted")
        ]


async def test_an_offer_nobody_made_accepts_nothing(stack: Stack) -> None:
    """Even with a right signature: the offer has to stand in this customer's case."""
    order = an_order(stack)
    async with guest(stack) as one:
        await offered(one, order)
        content = {"c": one.conversation, "a": "accept", "o": new_id("o")}
        button = sign(content, stack.secrets["signing_key"], "button")
        after = await one.tell(TAKE, button)
        assert not [event for event in offers(after) if event["state"] == "accepted"]
        assert effects(stack, order.number) == []


async def test_choosing_the_article_by_button(stack: Stack) -> None:
    order = an_order(stack, "qinghe", items=("CUP-01", "KET-01"))
    async with guest(stack, "qinghe") as one:
        await complain(one)
        asked = await one.tell(f"订单号{order.number}，手机后四位{order.last4}")
        assert offers(asked) == [], "two articles: it asks which"
        chosen = await one.tell("月白手冲咖啡杯", the_button(asked, "月白手冲咖啡杯"))
        (offer,) = offers(chosen)
        assert any("月白手冲咖啡杯" in item["title"] for item in offer["items"])


async def test_accepting_while_a_person_is_awaited_is_settled_at_once(
    stack: Stack, lin: Agent
) -> None:
    """Asking for more than the bot may give queues the case; the offer stands meanwhile."""
    order = an_order(stack)
    async with guest(stack) as one:
        said = await offered(one, order)
        more = await one.tell(MORE, the_button(said, MORE))
        last = await one.tell(MORE, the_button(more, MORE))
        again = await one.tell(MORE, the_button(last, MORE))
        assert any(event["kind"] == "owner" and event["owner"] == "queue" for event in again)
        assert (await lin.row(one.conversation))[0] == "queue"
        after = await one.tell(TAKE, the_button(last, TAKE))
        assert offers(after)[-1]["state"] == "accepted"
        where, row = await lin.row(one.conversation)
        assert (where, row["stage"]) == ("bot", "agreed")
        for item in offers(after)[-1]["items"]:
            await one.chat.event(kind="progress", title=item["title"])

"""Callbacks that wait for words: who gets them, until when, and only once."""

import asyncio

from desk.channels.wechat.incoming.passive import Slots

KEY = ("fuwu", "1")
OTHER = ("fuwu", "2")


async def test_words_in_time_are_the_reply() -> None:
    slots = Slots()
    slot = slots.open("c1", KEY)
    assert slots.waiting("c1") is slot
    assert slot.fill("好的")
    assert await slot.text(0) == "好的"


async def test_words_after_the_callback_has_given_up_are_refused() -> None:
    slots = Slots()
    slot = slots.open("c1", KEY)
    assert await slot.text(0) is None
    assert slot.closed and not slot.fill("好的")
    assert slots.waiting("c1") is None


async def test_a_callback_whose_time_is_over_is_not_found_any_more() -> None:
    slots = Slots()
    slot = slots.open("c1", KEY, seconds=0.05)
    assert slots.waiting("c1") is None, "a commit would come too late"
    # Committed by somebody who found it before: still in time, as long as it is open.
    assert slot.fill("好的")
    assert await slot.text() == "好的"


async def test_the_oldest_that_is_still_open_carries_the_words() -> None:
    slots = Slots()
    first, second = slots.open("c1", KEY), slots.open("c1", OTHER)
    assert slots.waiting("c1") is first
    assert first.fill("一")
    assert slots.waiting("c1") is second
    assert not first.fill("二"), "one reply for each message"
    assert await first.text() == "一"
    second.close()
    assert slots.waiting("c1") is None


async def test_a_message_that_comes_again_meanwhile_gets_the_same_words() -> None:
    slots = Slots()
    first, again = slots.open("c1", KEY), slots.open("c1", KEY)
    other = slots.open("c2", KEY)
    assert first.fill("好的")
    assert await asyncio.gather(first.text(), again.text()) == ["好的", "好的"]
    assert await other.text(0) is None


async def test_the_second_of_two_alike_still_gets_the_words_when_the_first_is_gone() -> None:
    slots = Slots()
    first, again = slots.open("c1", KEY), slots.open("c1", KEY)
    first.close()
    assert first.fill("好的")
    assert await again.text() == "好的"


async def test_a_callback_that_hung_up_waits_for_nobody() -> None:
    slots = Slots()
    slot = slots.prepare(KEY)
    waiting = asyncio.create_task(slot.text())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    slot.belongs_to("c1")
    assert slots.waiting("c1") is None
    assert not slot.fill("好的")


async def test_contacts_do_not_hear_each_others_words() -> None:
    slots = Slots()
    mine, theirs = slots.open("c1", KEY), slots.open("c2", OTHER)
    assert slots.waiting("c2") is theirs
    assert theirs.fill("给别人的")
    assert await mine.text(0) is None

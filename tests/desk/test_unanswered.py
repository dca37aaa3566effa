"""What a customer has said and nobody has answered is not let go of without meaning it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from desk.conversations import buttons, ownership, passing
from desk.conversations.closing import close
from desk.conversations.commit import commit_overheard
from desk.conversations.dealing import commit_pressed
from desk.conversations.ingest import Incoming, take, take_heard
from desk.conversations.rasa import Answer, Rasa
from desk.conversations.router import Router
from desk.conversations.unanswered import UnansweredError
from recovery.case import Case, Offer
from recovery.ids import new_id
from recovery.outcomes import OUTCOMES
from recovery.store import cases, conversations, inbox
from recovery.store.conversations import BOT, QUEUE, SILENT, TRANSFER, Conversation, staff_owner
from recovery.store.inbox import Message
from tests.desk.people import until
from tests.desk.queues import NOON, Clock, House, a_desk

LetGo = Callable[..., Any]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Clock()
    context = a_desk(tmp_path, clock)
    yield House(context, clock)
    context.storage.close()


def gives_back(db: Connection, house: House, chat: str, who: Any, **more: bool) -> None:  # noqa: ANN401
    ownership.give_back(db, house.context, chat, who, "", house.clock(), **more)


def closes(db: Connection, house: House, chat: str, who: Any, **more: bool) -> None:  # noqa: ANN401
    close(db, house.context, chat, who, next(iter(OUTCOMES)), "", house.clock(), **more)


def puts_aside(db: Connection, house: House, chat: str, who: Any, **more: bool) -> None:  # noqa: ANN401
    until = house.clock() + timedelta(hours=1)
    passing.snooze(db, house.context, chat, who, until, "", house.clock(), **more)


@pytest.mark.parametrize("let_go", [gives_back, closes, puts_aside])
def test_who_waits_for_an_answer_is_left_waiting_on_purpose_only(
    house: House, let_go: LetGo
) -> None:
    lin = house.person("lin")
    chat = house.chat(owner=staff_owner(lin.id), case=Case(new_id("s")))
    house.says(chat, "等等，退款还没到！")
    before = house.now(chat)
    with pytest.raises(UnansweredError), house.database.write() as db:
        let_go(db, house, chat.id, lin)
    assert house.now(chat) == before, "nothing was done"
    with house.database.write() as db:
        let_go(db, house, chat.id, lin, force=True)
    assert house.now(chat) != before


@pytest.mark.parametrize("let_go", [gives_back, closes, puts_aside])
def test_who_was_answered_keeps_nobody(house: House, let_go: LetGo) -> None:
    lin = house.person("lin")
    chat = house.chat(owner=staff_owner(lin.id), case=Case(new_id("s")))
    house.says(chat)
    with house.database.write() as db:
        ownership.answer(db, house.context, chat.id, lin, "client-1", "在的", house.clock())
        let_go(db, house, chat.id, lin)


@pytest.mark.parametrize("asked", [False, True])
def test_who_takes_from_the_bot_and_says_nothing_leaves_only_the_queue_waiting(
    house: House, asked: bool
) -> None:
    lin, chat = house.person("lin"), house.chat(owner=QUEUE if asked else BOT)
    house.clock.passes(minutes=2)
    with house.database.write() as db:
        ownership.take(db, house.context, chat.id, lin, house.clock())
    house.clock.passes(minutes=1)
    with house.database.write() as db:
        if asked:
            with pytest.raises(UnansweredError):
                gives_back(db, house, chat.id, lin)
        else:
            gives_back(db, house, chat.id, lin)


def test_words_that_the_bot_left_to_a_person_are_that_persons_to_answer(house: House) -> None:
    lin, chat = house.person("lin"), house.chat(owner=BOT)
    said = house.says(chat, "你们到底退不退")
    house.clock.passes(seconds=2)
    with house.database.write() as db:
        # Taken while the bot was thinking: what it would have said is dropped.
        ownership.take(db, house.context, chat.id, lin, house.clock())
        message = inbox.load(db, said)
        assert message is not None
        commit_overheard(db, house.context, message, None, house.clock())
    with pytest.raises(UnansweredError), house.database.write() as db:
        gives_back(db, house, chat.id, lin)


# --- put aside --------------------------------------------------------------------------------


def test_silence_counts_from_when_it_was_taken_up_again(house: House) -> None:
    lin, chat = house.person("lin"), house.chat()
    with house.database.write() as db:
        ownership.take(db, house.context, chat.id, lin, house.clock())
    house.says(chat)
    with house.database.write() as db:
        until = NOON + timedelta(hours=1)
        passing.snooze(db, house.context, chat.id, lin, until, "", house.clock(), force=True)
    house.clock.passes(hours=1)
    with house.database.write() as db:
        passing.wake(db, house.context, chat.id, house.clock())
    house.clock.passes(minutes=4)
    assert not passing.is_silent(house.context, house.now(chat), house.clock())
    house.clock.passes(minutes=1)
    assert passing.is_silent(house.context, house.now(chat), house.clock())


def test_what_the_customer_wakes_counts_from_there(house: House) -> None:
    lin, chat = house.person("lin"), house.chat(owner=BOT)
    with house.database.write() as db:
        ownership.take(db, house.context, chat.id, lin, house.clock())
        until = NOON + timedelta(hours=9)
        passing.snooze(db, house.context, chat.id, lin, until, "", house.clock())
    house.clock.passes(minutes=50)
    house.says(chat)
    house.clock.passes(minutes=4)
    assert not passing.is_silent(house.context, house.now(chat), house.clock())
    house.clock.passes(minutes=1)
    assert passing.is_silent(house.context, house.now(chat), house.clock())


# --- on the phone -----------------------------------------------------------------------------


def test_who_writes_down_what_is_said_on_the_phone_is_not_silent(house: House) -> None:
    lin, wu = house.person("lin"), house.person("wu")
    chat = house.chat(owner=staff_owner(lin.id), case=Case(new_id("s")))
    with house.database.write() as db:
        passing.hand_on(db, house.context, chat.id, lin, wu.id, "请回电", house.clock())
        puts_aside(db, house, chat.id, wu, force=True)
    house.clock.passes(minutes=2)
    with house.database.write() as db:
        heard = conversations.load(db, chat.id)
        assert heard is not None
        take_heard(db, house.context, heard, new_id("c"), "好的", "Wu", house.clock())
    found = house.now(chat)
    assert (found.awaiting_since, found.snoozed_until) == (None, None)
    house.clock.passes(minutes=30)
    assert not passing.is_silent(house.context, house.now(chat), house.clock())


# --- an offer taken in the queue --------------------------------------------------------------


def waiting(reason: str) -> Case:
    offer = Offer(
        id="oX",
        order_number="HX1",
        remedies=[{"kind": "apology", "part": "floor"}],
        rules=[],
        policy="p",
        facts={},
        reason="r",
        round=0,
        expires_at=(NOON + timedelta(days=1)).isoformat(),
    )
    return Case(new_id("s"), stage="person", order_number="HX1", reason=reason, offers=(offer,))


def presses(house: House, chat: Conversation) -> Message:
    choice = [{"title": "就这样办", "payload": "accept"}]
    key = house.context.secrets.signing_key
    [button] = buttons.signed(choice, chat.id, "oX", key)
    incoming = Incoming(chat.id, new_id("c"), "就这样办", button["token"])
    with house.database.write() as db:
        return take(db, house.context, incoming, house.clock()).message


def offer_state(house: House, chat: Conversation) -> str:
    with house.database.read() as db:
        case = cases.load(db, chat.case_id)
    assert case is not None
    return case.offers[0].state


def settled(house: House, message: Message) -> bool:
    with house.database.write() as db:
        return commit_pressed(db, house.context, message, house.clock()) is not None


def test_who_takes_an_offer_and_has_said_more_goes_on_waiting(house: House) -> None:
    chat = house.chat(case=waiting("beyond_authority"))
    house.clock.passes(seconds=5)
    house.says(chat, "另外我的行李被你们弄丢了")
    assert settled(house, presses(house, chat))
    found = house.now(chat)
    assert (found.owner, offer_state(house, chat)) == (QUEUE, "accepted")
    assert found.awaiting_since is not None


@pytest.mark.parametrize("reason", [TRANSFER, SILENT, "reopened"])
def test_what_a_person_has_had_waits_for_a_person(house: House, reason: str) -> None:
    chat = house.chat(case=waiting("beyond_authority"))
    with house.database.write() as db:
        conversations.note_reason(db, chat.id, reason)
    assert settled(house, presses(house, chat))
    assert (house.now(chat).owner, offer_state(house, chat)) == (QUEUE, "accepted")


def test_what_is_decided_is_the_bots_again_and_that_is_said(house: House) -> None:
    chat = house.chat(case=waiting("beyond_authority"))
    message = presses(house, chat)
    assert house.now(chat).owner == BOT
    assert not settled(house, message), "the bot says what happens next"
    said = house.shown(chat)[-1]
    assert (said["kind"], said["owner"]) == ("owner", "bot")
    assert house.acts(chat) == ["give_back"]


class _Hearing:
    """Rasa, which has just come back."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.heard: list[str] = []

    async def ask(self, _: str, body: dict[str, Any]) -> Answer:
        self.asked.append(body["text"])
        said = {"text": "听到了", "response": "say_hear", "variant": "v1"}
        return Answer([said], {"emotion": {"anger": 0}}, failed=False)

    async def overhear(self, _: str, body: dict[str, Any]) -> dict[str, Any]:
        self.heard.append(body["text"])
        return {"text": body["text"], "emotion": {"anger": 0}}


@pytest.mark.parametrize("let_go", [gives_back, closes])
@pytest.mark.parametrize("answered", [True, False])
async def test_the_bot_leaves_alone_what_a_person_has_answered_before_it_heard_of_it(
    house: House, let_go: LetGo, answered: bool
) -> None:
    lin = house.person("lin")
    chat = house.chat(owner=staff_owner(lin.id), case=Case(new_id("s")))
    house.says(chat, "发票怎么还没寄？")
    with house.database.write() as db:
        if answered:
            ownership.answer(db, house.context, chat.id, lin, "client-1", "已寄出", house.clock())
        let_go(db, house, chat.id, lin, force=True)
    with house.database.read() as db:
        [message] = inbox.waiting(db)
    rasa = _Hearing()
    router = Router(house.context, cast(Rasa, rasa))
    router.rasa_ready.set()
    router.add(message)

    def done() -> bool:
        with house.database.read() as db:
            return not inbox.waiting(db)

    await until(done)
    await router.stop()
    left_to_the_bot = let_go is gives_back and not answered
    assert bool(rasa.asked) == left_to_the_bot
    assert bool(rasa.heard) != left_to_the_bot, "it knows the story all the same"
    assert house.now(chat).owner == BOT
    said = [one for one in house.shown(chat) if one.get("author") == "bot"]
    assert bool(said) == left_to_the_bot

"""Buttons pressed while people own the conversation: settled by the desk, once, within limits."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.commit import Committed, commit_answer
from desk.conversations.dealing import commit_pressed, offer_by_staff
from desk.conversations.turn import Turn, save
from recovery.ids import new_id
from recovery.store import cases, conversations, inbox
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from recovery.store.inbox import Message
from tests.desk.deals import (
    REMEDIES,
    Clock,
    Deal,
    a_desk,
    answer,
    at_once,
    case_of,
    decided,
    present,
    shown,
    states,
)

LIN = staff_owner(1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(url: str, tmp_path: Path, clock: Clock) -> Iterator[Context]:
    made = a_desk(tmp_path, url, clock)
    yield made
    made.storage.close()


def owned(desk: Context, deal: Deal, owner: str = LIN) -> None:
    with desk.storage.database.write() as db:
        chat = conversations.load(db, deal.chat.id)
        assert chat is not None
        conversations.change_owner(db, chat, owner, desk.clock(), expected=(chat.owner,))


def begun(desk: Context, deal: Deal, *, by_staff: bool = False, authority: str = "agent") -> Deal:
    """A deal whose offer lies on the table, in the hands of a person."""
    with desk.storage.database.write() as db:
        deal.begin(db, desk)
        deal.offered(db, desk)
    owned(desk, deal)
    if by_staff:
        with desk.storage.database.write() as db:
            deal.offer = new_id("o")
            command = replace(deal.made(desk), by=LIN, authority=authority)
            turn = turn_of(db, desk, present_in(db, deal))
            offer_by_staff(turn, command, agreed=False)
            save(turn)
    return deal


def present_in(db: Connection, deal: Deal) -> Conversation:
    found = conversations.load(db, deal.chat.id)
    assert found is not None
    return found


def turn_of(db: Connection, desk: Context, chat: Conversation) -> Turn:
    return Turn(db, desk, chat, "w-1", desk.clock(), cases.load(db, chat.case_id))


def pressed(desk: Context, deal: Deal, act: str = "accept") -> Message:
    content = {"act": act, "offer": deal.offer, "value": None}
    with desk.storage.database.write() as db:
        return inbox.add(
            db,
            new_id("m"),
            deal.chat.id,
            new_id("c"),
            "就这样办",
            desk.clock(),
            intent=act,
            pressed=content,
        )


def settle(desk: Context, message: Message) -> Committed | None:
    with desk.storage.database.write() as db:
        return commit_pressed(db, desk, message, desk.clock())


def card_states(desk: Context, deal: Deal) -> list[str]:
    return [
        event["state"]
        for event in shown(desk, deal)
        if event["kind"] == "offer" and event["offer"] == deal.offer
    ]


def said(desk: Context, deal: Deal) -> str:
    """What the desk said last."""
    return str([event["text"] for event in shown(desk, deal) if event["kind"] == "message"][-1])


@pytest.mark.parametrize("by_staff", [False, True])
def test_however_often_it_is_pressed_it_is_promised_once(desk: Context, by_staff: bool) -> None:
    deal = begun(desk, Deal("QH1", "buyer-1"), by_staff=by_staff)
    messages = [pressed(desk, deal) for _ in range(12)]
    again = messages[0]
    ended = at_once(lambda place: settle(desk, messages[place]))
    assert all(isinstance(one, Committed) for one in ended), ended
    assert settle(desk, again) == Committed([]), "taken up again after a crash it is done already"
    mine = [key for key in states(desk) if key.startswith(deal.offer)]
    assert len(mine) == len(REMEDIES)
    assert decided(desk)[deal.offer][0] == "accepted"
    assert card_states(desk, deal) == ["open", "accepted"]
    assert present(desk, deal).owner == LIN
    with desk.storage.database.read() as db:
        loaded = [inbox.load(db, message.id) for message in messages]
    assert {one.state for one in loaded if one} == {"done"}


def test_acceptance_and_refusal_at_once_settle_one_way(desk: Context) -> None:
    deal = begun(desk, Deal("QH1", "buyer-1"), by_staff=True)
    messages = [pressed(desk, deal, act) for act in ("accept", "refuse") * 6]
    at_once(lambda place: settle(desk, messages[place]))
    state = decided(desk)[deal.offer][0]
    assert state in ("accepted", "refused")
    promised = [key for key in states(desk) if key.startswith(deal.offer)]
    assert len(promised) == (len(REMEDIES) if state == "accepted" else 0)
    assert case_of(desk, deal).offer(deal.offer).state == state  # type: ignore[union-attr]


def test_the_bot_answers_what_it_owns_again(desk: Context) -> None:
    deal = begun(desk, Deal("QH1", "buyer-1"))
    message = pressed(desk, deal)
    owned(desk, deal, BOT)
    assert settle(desk, message) is None
    with desk.storage.database.read() as db:
        kept = inbox.load(db, message.id)
    assert kept is not None
    assert kept.state == "new", "nothing is done with it"


def test_what_was_pressed_before_a_person_took_over_is_not_lost(desk: Context) -> None:
    """The bot's words come too late and are dropped; the customer's decision is not."""
    deal = Deal("QH1", "buyer-1")
    with desk.storage.database.write() as db:
        deal.begin(db, desk)
        deal.offered(db, desk)
    message = pressed(desk, deal)
    owned(desk, deal)
    with desk.storage.database.write() as db:
        commit_answer(db, desk, message, answer(), desk.clock())
    assert decided(desk)[deal.offer][0] == "accepted"
    assert present(desk, deal).owner == LIN
    assert "好的。" not in [event.get("text") for event in shown(desk, deal)][1:]


def test_two_offers_for_one_order_do_not_both_pay(desk: Context) -> None:
    """Each was made when the other had not been taken; who takes second gets a person."""
    first = begun(desk, Deal("QH1", "buyer-1"), by_staff=True)
    second = begun(desk, Deal("QH1", "buyer-1"), by_staff=True)
    desk.clock.now = desk.clock().replace(minute=30)  # type: ignore[attr-defined]
    messages = [pressed(desk, first), pressed(desk, second)]
    at_once(lambda place: settle(desk, messages[place]), 2)
    ended = sorted([decided(desk)[one.offer][0] for one in (first, second)])
    assert ended == ["accepted", "replaced"]
    assert len(states(desk)) == len(REMEDIES)


def test_an_order_that_had_its_remedy_before_may_get_another_of_staff(desk: Context) -> None:
    first = begun(desk, Deal("QH1", "buyer-1"))
    settle(desk, pressed(desk, first))
    desk.clock.now = desk.clock().replace(minute=30)  # type: ignore[attr-defined]
    bot = begun(desk, Deal("QH1", "buyer-1"))
    settle(desk, pressed(desk, bot))
    assert decided(desk)[bot.offer][0] == "replaced", "not from the bot"
    person = begun(desk, Deal("QH1", "buyer-1"), by_staff=True)
    settle(desk, pressed(desk, person))
    assert decided(desk)[person.offer][0] == "accepted", "who offered it knew"


@pytest.mark.parametrize(("authority", "taken"), [("agent", 1), ("manager", 2)])
def test_a_budget_binds_all_but_managers(
    url: str, tmp_path: Path, clock: Clock, authority: str, taken: int
) -> None:
    desk = a_desk(tmp_path, url, clock, goodwill_per_day=1_500)
    deals = [
        begun(desk, Deal(f"QH{n}", f"buyer-{n}"), by_staff=True, authority=authority)
        for n in range(2)
    ]
    messages = [pressed(desk, deal) for deal in deals]
    at_once(lambda place: settle(desk, messages[place]), 2)
    ended = [decided(desk)[deal.offer][0] for deal in deals]
    assert ended.count("accepted") == taken
    assert ended.count("open") == 2 - taken, "the offer stands; a person confirms it"
    desk.storage.close()


def test_what_is_no_longer_open_is_said_and_does_nothing(desk: Context) -> None:
    deal = begun(desk, Deal("QH1", "buyer-1"), by_staff=True)
    message = pressed(desk, deal)
    owned(desk, deal, QUEUE)
    desk.clock.now = desk.clock().replace(year=2027)  # type: ignore[attr-defined]
    settle(desk, message)
    assert decided(desk)[deal.offer][0] == "open"
    assert not [key for key in states(desk) if key.startswith(deal.offer)]
    assert "方案" in said(desk, deal)
    assert present(desk, deal).owner == QUEUE

"""What happened in one paragraph, the anger curve, and earlier cases: facts of the store only."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from desk.context import Context
from desk.conversations import ownership
from desk.staff.curve import anger_curve
from desk.staff.earlier import earlier_cases
from desk.staff.look import Look, look_at
from desk.staff.summary import summary
from recovery.case import Case, Offer, hear
from recovery.commands import MakeOffer
from recovery.ids import new_id
from recovery.store import (
    cases,
    conversations,
    customers,
    decisions,
    fulfilments,
    inbox,
    invitations,
    staff,
)
from recovery.store.conversations import BOT, QUEUE, Conversation
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import invitations as invitations_table
from tests.desk.serving import NOON, a_context

ORDER = "LT202611180012"
PASSWORD = "an honest password"
REMEDIES = [{"kind": "refund_part", "bp": 2000, "worth": 12_000, "part": "goodwill"}]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Context]:
    context = a_context(tmp_path, lambda: NOON)
    yield context
    context.storage.close()


@pytest.fixture
def lin(desk: Context) -> Staff:
    with desk.storage.database.write() as db:
        return staff.add(db, "lin", "小林", "agent", PASSWORD, NOON, "lanting")


def minutes_ago(minutes: int) -> datetime:
    return NOON - timedelta(minutes=minutes)


def an_offer(offer_id: str = "o1", **more: Any) -> Offer:  # noqa: ANN401 - fields of an offer
    offer = Offer(
        id=offer_id,
        order_number=ORDER,
        remedies=REMEDIES,
        rules=["H-DIRTY-2"],
        policy="p1",
        facts={"failure": "room_not_clean"},
        reason="房间没有打扫",
        round=0,
        expires_at=(NOON + timedelta(hours=48)).isoformat(),
        order_customer="C-1",
        goodwill_fen=12_000,
    )
    return replace(offer, **more)


def wrote(
    db: Connection, conversation: Conversation, at: datetime, anger: int | None, **more: str
) -> None:
    """A message of the customer, with what was understood of it."""
    message = new_id("m")
    inbox.add(db, message, conversation.id, new_id("c"), "某句话", at, **more)
    inbox.finish(db, message, None if anger is None else {"emotion": {"anger": anger}})


def begun(
    desk: Context,
    case: Case | None,
    *,
    room: str | None = None,
    owner: str = BOT,
    customer: str | None = None,
    **more: str,
) -> Conversation:
    with desk.storage.database.write() as db:
        if customer is None:
            made, _ = customers.begin_session(db, None, "lanting", "阿明", None, NOON)
            customer = made.id
        if case:
            cases.save(db, case, "lanting", customer, minutes_ago(60))
        return conversations.begin(
            db,
            "lanting",
            customer,
            minutes_ago(60),
            room=room,
            owner=owner,
            case_id=case.id if case else None,
            **more,
        )


def decided(db: Connection, conversation: Conversation, case_id: str, offer: Offer) -> None:
    names = {field.name for field in fields(MakeOffer)} - {"offer"}
    given = {name: getattr(offer, name) for name in names if hasattr(offer, name)}
    decisions.made(
        db,
        MakeOffer(offer=offer.id, **given),
        case_id=case_id,
        business="lanting",
        customer_id=conversation.customer_id,
        channel="web",
        anger=2,
        now=minutes_ago(30),
    )


def looked(desk: Context, conversation: Conversation, who: Staff, what: Any) -> Any:  # noqa: ANN401
    with desk.storage.database.read() as db:
        look = look_at(db, desk, conversation.id, who)
        assert isinstance(look, Look)
        return what(look)


# --- the paragraph -------------------------------------------------------------------------


def test_the_whole_story_is_told_in_order(desk: Context, lin: Staff) -> None:
    case = Case(
        "s1",
        stage="person",
        facts={"failure": "room_not_clean"},
        order_number=ORDER,
        offers=(an_offer("o0", state="replaced"), an_offer(state="accepted")),
        reason="remedy_failed",
        promised_by=(NOON + timedelta(minutes=20)).isoformat(),
    )
    for level in (2, 3, 0, 0):
        case = hear(case, level, minutes_ago(40))
    public = begun(desk, case, room="lanting-lobby")
    private = begun(desk, case, customer=public.customer_id)
    with desk.storage.database.write() as db:
        wrote(db, public, minutes_ago(50), 2)
        key = desk.secrets.signing_key
        invitations.issue(db, public, timedelta(hours=2), key, minutes_ago(49))
        used = {"used_at": stamp(minutes_ago(45)), "private_conversation": private.id}
        db.execute(update(invitations_table).values(**used))
        decided(db, private, "s1", case.offers[1])
        fulfilments.promise(db, private, "s1", case.offers[1], minutes_ago(29))
        ownership.take(db, desk, private.id, lin, NOON)
    told = looked(desk, private, lin, summary)
    parts = [
        "今天11:10顾客在公开的“岚庭酒店·大堂”写下第一条，当时生气，最高到盛怒",
        "今天11:15进入私聊",
        "说的是房间没有打扫干净这件事，已核对尾号0012的订单",
        "今天11:30小岚提出退您120元（规则H-DIRTY-2，心意120元），顾客接受",
        "正在办退您120元",
        "转人工：补救办不成，答应今天12:20前有人回",
        "现在由小林负责",
    ]
    places = [told.index(part) for part in parts]
    assert places == sorted(places)
    assert told.endswith("。")
    assert ORDER not in told
    assert "某句话" not in told, "not what was said, but what happened"
    assert len(told) < 300


def test_nothing_is_told_that_is_not_known(desk: Context, lin: Staff) -> None:
    bare = begun(desk, None, owner=QUEUE)
    assert looked(desk, bare, lin, summary) == "现在在排队。"
    unknown = begun(desk, Case("s2"))
    told = looked(desk, unknown, lin, summary)
    assert told == "还不清楚是什么事，订单还没有核对。现在由机器人答话。"


def test_a_case_that_came_by_phone_is_told_so(desk: Context, lin: Staff) -> None:
    case = Case("s3", facts={"failure": "noise"}, outcome="solved", stage="closed")
    called = begun(desk, case, channel="phone")
    with desk.storage.database.write() as db:
        wrote(db, called, minutes_ago(5), None)
    told = looked(desk, called, lin, summary)
    assert told.startswith("今天11:55顾客打来电话。")
    assert told.endswith("结案：问题已解决。")


def test_an_offer_that_ran_out_is_not_told_as_open(desk: Context, lin: Staff) -> None:
    old = an_offer(expires_at=minutes_ago(1).isoformat())
    told = looked(desk, begun(desk, Case("s4", offers=(old,))), lin, summary)
    assert "已过期" in told
    assert "还没答复" not in told


def test_every_reason_of_a_hand_over_has_words(desk: Context, lin: Staff) -> None:
    for place, reason in enumerate(("asked", "fury", "budget", "something new")):
        case = Case(f"r{place}", stage="person", reason=reason)
        told = looked(desk, begun(desk, case, owner=QUEUE), lin, summary)
        assert "转人工：" in told
        assert reason not in told


# --- the anger curve -----------------------------------------------------------------------


def test_the_curve_has_every_message_that_was_read(desk: Context, lin: Staff) -> None:
    case = Case("s1")
    public = begun(desk, case, room="lanting-lobby")
    private = begun(desk, case, customer=public.customer_id)
    with desk.storage.database.write() as db:
        wrote(db, public, minutes_ago(60), 3)
        wrote(db, private, minutes_ago(59), 0, intent="entered")
        wrote(db, private, minutes_ago(58), 2)
        wrote(db, private, minutes_ago(57), None)
        wrote(db, private, minutes_ago(56), 1, picture="p1", intent="inform")
        wrote(db, private, minutes_ago(55), 0)
    points = looked(desk, private, lin, anger_curve)
    assert [point["level"] for point in points] == [3, 2, 0]
    assert [point["at"][:16] for point in points] == [
        minutes_ago(minutes).isoformat()[:16] for minutes in (60, 58, 55)
    ]
    heats = [point["heat"] for point in points]
    assert heats[0] == 3.0
    assert heats == sorted(heats, reverse=True)
    assert heats[2] > 0, "one calm message does not make a furious customer calm"
    assert looked(desk, public, lin, anger_curve) == points


# --- earlier cases -------------------------------------------------------------------------


def test_earlier_cases_of_the_same_customer(desk: Context, lin: Staff) -> None:
    before = Case(
        "s1", stage="closed", facts={"failure": "noise"}, offers=(an_offer(state="accepted"),)
    )
    first = begun(desk, before)
    now = begun(desk, Case("s2"), customer=first.customer_id)
    begun(desk, Case("s9"))
    [found] = looked(desk, now, lin, earlier_cases)
    assert (found["id"], found["conversation"], found["given"]) == ("s1", first.id, "退您120元")
    assert found["matter"] == "太吵、没法休息这件事"
    assert [one["id"] for one in looked(desk, first, lin, earlier_cases)] == ["s2"]


def test_cases_of_the_same_orders_are_connected_by_proof_only(desk: Context, lin: Staff) -> None:
    other = begun(desk, Case("s1", order_number=ORDER, offers=(an_offer(),)))
    with desk.storage.database.write() as db:
        decided(db, other, "s1", an_offer())
    proved = begun(desk, Case("s2", order_number=ORDER))
    claimed = begun(desk, Case("s3", facts={"order_number": ORDER}))
    assert [one["id"] for one in looked(desk, proved, lin, earlier_cases)] == ["s1"]
    assert looked(desk, claimed, lin, earlier_cases) == []

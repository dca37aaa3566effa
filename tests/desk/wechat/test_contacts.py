"""Contacts, what came in of them, and where their words go: on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from recovery.store import conversations, customers
from recovery.store.database import Database
from recovery.store.wechat import contacts, received, threads
from tests.desk.serving import NOON

WHO = ("fuwu", "o-lan")


def _made(db: Connection, openid: str = "o-lan", account: str = "fuwu") -> contacts.Contact:
    customer = customers.of_wechat(db, "lanting", openid, "微信顾客", NOON)
    return contacts.add(db, account, openid, customer.id, NOON)


def test_a_contact_is_found_by_its_account_and_openid(store: Database) -> None:
    with store.write() as db:
        made = _made(db)
    with store.read() as db:
        assert contacts.find(db, *WHO) == made == contacts.load(db, made.id)
        assert contacts.find(db, "another", "o-lan") is None
        assert contacts.find(db, "fuwu", "o-wang") is None


def test_the_same_person_at_two_accounts_of_a_company_is_one_customer(store: Database) -> None:
    with store.write() as db:
        here, there = _made(db), _made(db, account="kf")
        elsewhere = customers.of_wechat(db, "qinghe", "o-lan", "微信顾客", NOON)
    assert here.id != there.id
    assert here.customer_id == there.customer_id != elsewhere.id


def test_wechat_vouches_for_no_identity_at_the_host_site(store: Database) -> None:
    with store.write() as db:
        customer = customers.of_wechat(db, "lanting", "o-lan", "微信顾客", NOON)
    assert customer.external_id == "wechat:o-lan"
    assert not customer.proved


def test_a_message_opens_the_window_anew(store: Database) -> None:
    with store.write() as db:
        made = _made(db)
        contacts.follow(db, made.id, False)
        contacts.wrote(db, made.id, NOON)
        found = contacts.load(db, made.id, lock=True)
    assert found and found.following and found.sent_since_wrote == 0
    assert found.wrote_at and found.wrote_at.startswith("2026-11-22T04:00")


def test_what_comes_late_does_not_put_the_window_back(store: Database) -> None:
    with store.write() as db:
        made = _made(db)
        contacts.wrote(db, made.id, NOON)
        contacts.wrote(db, made.id, NOON - timedelta(hours=1))
        found = contacts.load(db, made.id)
    assert found and found.wrote_at and found.wrote_at.startswith("2026-11-22T04:00")


def test_a_conversation_is_delivered_to_one_contact(store: Database) -> None:
    with store.write() as db:
        first, second = _made(db), _made(db, "o-wang")
        talk = conversations.begin(db, "lanting", first.customer_id, NOON, channel="wechat")
        assert contacts.of_conversation(db, talk.id) is None
        threads.bind(db, talk.id, first.id, NOON, planned=0)
        contacts.lead_to(db, first.id, talk.id)
        threads.bind(db, talk.id, second.id, NOON, planned=0)
        holder = contacts.of_conversation(db, talk.id)
    assert holder and holder.id == second.id


def test_the_same_key_is_the_same_message(store: Database) -> None:
    with store.write() as db:
        made = _made(db)
        first = received.add(db, "fuwu", "1", {}, NOON, contact_id=made.id, waits=False)
        again = received.add(db, "fuwu", "1", {}, NOON, contact_id=made.id, waits=False)
        beside = received.add(db, "kf", "1", {}, NOON, contact_id=made.id, waits=False)
    assert first and beside and again is None


def test_what_waits_keeps_its_order_and_is_waited_for(store: Database) -> None:
    with store.write() as db:
        made, other = _made(db), _made(db, "o-wang")
        assert received.waits(db, made.id) is None
        for key in ("9", "1", "5"):
            assert received.add(db, "fuwu", key, {}, NOON, contact_id=made.id, waits=True)
        assert received.add(db, "fuwu", "3", {}, NOON, contact_id=other.id, waits=True)
        rows = received.waiting(db)
        assert [row.key for row in rows] == ["9", "1", "5", "3"]
        assert received.waits(db, made.id) == rows[0].position
        received.settle(db, rows[0])
        assert received.waits(db, made.id) == rows[1].position
        assert [row.key for row in received.waiting(db)] == ["1", "5", "3"]


def test_a_passive_reply_is_remembered_and_taken_back(store: Database) -> None:
    with store.write() as db:
        received.add(db, "fuwu", "1", {}, NOON, contact_id=None, waits=False)
        received.answer(db, ("fuwu", "1"), "好的")
        found = received.load(db, "fuwu", "1")
        assert found and found.passive == "好的"
        received.answer(db, ("fuwu", "1"), None)
        found = received.load(db, "fuwu", "1", lock=True)
        assert found and found.passive is None


@pytest.mark.parametrize("days", [8])
def test_what_is_long_done_is_forgotten_and_what_waits_is_kept(store: Database, days: int) -> None:
    with store.write() as db:
        made = _made(db)
        then = NOON - timedelta(days=days)
        received.add(db, "fuwu", "old", {}, then, contact_id=made.id, waits=False)
        received.add(db, "fuwu", "waits", {}, then, contact_id=made.id, waits=True)
        received.add(db, "fuwu", "new", {}, NOON, contact_id=made.id, waits=False)
        assert received.sweep(db, NOON - timedelta(days=7)) == 1
        kept = [key for key in ("old", "waits", "new") if received.load(db, "fuwu", key)]
    assert kept == ["waits", "new"]

"""The statements behind the insights, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from desk.insights.purchases import taken_in
from recovery.audit.stored import Archive
from recovery.insights.facts import VERSION
from recovery.insights.figures import FIGURES
from recovery.insights.period import Filters
from recovery.insights.rising import Rising
from recovery.insights.working_out import number_behind, value_of
from recovery.store import (
    alerts,
    audit_log,
    case_changes,
    case_facts,
    case_material,
    causes,
    purchases,
    weekly_reports,
)
from recovery.store.case_changes import FIRST
from recovery.store.database import Database, stamp
from recovery.store.tables import case_facts as facts_table
from recovery.store.tables import cases as cases_table
from recovery.store.tables import conversations, inbox, outbox
from recovery.store.tables import purchases as purchases_table
from tests.support.counted import PER_DAY_FEN, counted
from tests.support.lessons import BUSINESS, NOW, World, a_world, derive, write

SINCE, UNTIL = date(2026, 7, 1), date(2026, 11, 30)
ALL = Filters((BUSINESS,), SINCE, UNTIL)
LATER = NOW + timedelta(hours=1)


def test_facts_are_written_found_and_taken_out(store: Database) -> None:
    world = a_world(number=25)
    with store.write() as db:
        write(db, world)
        assert case_changes.how_many_missing(db, [BUSINESS], VERSION, FIRST) == 25
        some = case_changes.missing(db, [BUSINESS], VERSION, FIRST, 10)
        assert case_changes.how_many_missing(db, [BUSINESS], VERSION, some[-1]) == 15
        assert derive(db) == 25
        assert derive(db) == 0, "what stands is not written again"
        assert case_changes.how_many_missing(db, [BUSINESS], VERSION, FIRST) == 0
        assert case_changes.missing(db, [BUSINESS], VERSION + 1, FIRST, 9), "another version: all"
    with store.read() as db:
        part = case_facts.part(db, ALL)
        by_hand = counted(world, SINCE, UNTIL)
        for name, expected in by_hand.items():
            found = value_of(FIGURES[name], part, PER_DAY_FEN * ALL.days)
            assert found == (None if expected is None else pytest.approx(expected, abs=0.51)), name
            behind = case_facts.behind(db, ALL, FIGURES[name], 0, 100)
            assert len(behind) == number_behind(FIGURES[name], part), name
        marked = case_facts.marked(db, BUSINESS, SINCE, UNTIL)
    one, other = world.cases[0].id, world.cases[1].id
    with store.write() as db:
        db.execute(update(cases_table).where(cases_table.c.id == other).values(merged_into=one))
        derive(db)
        assert case_facts.part(db, ALL).cases == 24, "what went into another case counts there"
        day = world.cases[1].day
        assert case_facts.marked(db, BUSINESS, day, day)[day] > marked[day], "its day is old"


def test_who_was_told_first_and_does_not_mind_has_not_complained(store: Database) -> None:
    world = a_world(number=3)
    with store.write() as db:
        write(db, world)
        for one, peak in zip(world.cases, (None, 0, 2), strict=True):
            anger = {"opening": 0, "peak": peak, "now": 0} if peak is not None else None
            state = {"facts": {"failure": "noise", "reported": "n1"}, "anger": anger}
            db.execute(update(cases_table).where(cases_table.c.id == one.id).values(state=state))
        derive(db)
        kept = list(db.execute(select(facts_table.c.case_id)).scalars())
    assert kept == [world.cases[2].id]


def test_what_was_written_is_found_by_its_time(store: Database) -> None:
    world = a_world(number=4)
    with store.write() as db:
        write(db, world)
        derive(db)
        db.execute(update(facts_table).values(look_at=None))
        assert case_changes.changed(db, LATER, LATER) == []
        first, second, third, fourth = (one.id for one in world.cases)
        db.execute(
            update(cases_table).where(cases_table.c.id == first).values(updated_at=stamp(LATER))
        )
        part = f"k2-{'public' if world.cases[1].public else 'private'}"
        audit_log.note(db, None, "answer", LATER, business=BUSINESS, target=part, detail={})
        causes.confirm(db, third, "soundproofing", 1, LATER)
        db.execute(
            update(facts_table)
            .where(facts_table.c.case_id == fourth)
            .values(look_at=stamp(LATER - timedelta(seconds=1)))
        )
        found = case_changes.changed(db, LATER, LATER)
    assert found == sorted([first, second, third, fourth])


def test_causes_are_said_and_what_is_done_about_them(store: Database) -> None:
    world = a_world(number=3)
    with store.write() as db:
        write(db, world)
        one = world.cases[0].id
        with pytest.raises(causes.UnknownCauseError):
            causes.confirm(db, one, "bad luck", 1, NOW)
        due = date(2026, 12, 1)
        causes.confirm(
            *(db, one, "soundproofing", 1, NOW),
            proposed="noisy_neighbours",
            action="给临街的房间换窗",
            action_by="工程部老周",
            action_due=due,
        )
        listed = causes.list_actions(db, [BUSINESS], stamp(NOW), stamp(NOW))
        assert [(found.case_id, found.due, found.done_at) for found in listed] == [
            (one, "2026-12-01", None)
        ]
        assert causes.list_actions(db, ["qinghe"], stamp(NOW), stamp(NOW)) == []
        assert causes.done(db, one, LATER)
        assert not causes.done(db, one, LATER), "it is done once"
        assert causes.list_actions(db, [BUSINESS], stamp(NOW), stamp(NOW)) == []
        # Said again with the same action it stays done.
        causes.confirm(db, one, "construction", 1, LATER, action="给临街的房间换窗")
        said = causes.of_case(db, one)
        assert said is not None
        assert (said.confirmed, said.action_done_at) == ("construction", stamp(LATER))
        derive(db)
        row = db.execute(select(facts_table).where(facts_table.c.case_id == one)).one()
        assert (row.cause, row.cause_confirmed) == ("construction", True)


def test_alerts_reports_and_purchases_stand_once(store: Database) -> None:
    day, risen = date(2026, 11, 22), Rising("noise", 4, 0.5)
    with store.write() as db:
        made = alerts.raise_once(db, BUSINESS, "failure", day, risen, NOW)
        assert made is not None
        assert alerts.raise_once(db, BUSINESS, "failure", day, Rising("noise", 6, 0.5), NOW) is None
        (shown,) = alerts.shown(db, [BUSINESS], day, day)
        assert (shown.count, shown.state) == (6, "open"), "it says how many there are by now"
        assert alerts.see(db, made, 7, NOW)
        assert not alerts.see(db, made, 8, NOW)
        week = date(2026, 11, 16)
        assert weekly_reports.keep(db, BUSINESS, week, {"cases": 3}, NOW)
        assert weekly_reports.keep(db, BUSINESS, week, {"cases": 4}, NOW) is None
        (listed,) = weekly_reports.latest(db, [BUSINESS])
        found = weekly_reports.load(db, listed.id)
        assert found is not None
        assert found[1] == {"cases": 3}
        for fen in (100, 200):
            purchases.note(db, BUSINESS, "B1", "buyer", fen, NOW)
        with pytest.raises(purchases.BadPurchaseError):
            purchases.note(db, BUSINESS, "B2", "buyer", -1, NOW)


def test_a_thread_that_goes_on_with_another_complaint_is_told_apart(store: Database) -> None:
    """One chat, two cases after each other in it: each has its own words."""
    world = a_world(number=2)
    mine = [replace(one, public=False, invited=False, moved=None) for one in world.cases]
    with store.write() as db:
        write(db, World(mine))
        first, second = mine[0].id, mine[1].id
        into = update(inbox).where(inbox.c.conversation_id == "k2-private")
        db.execute(into.values(conversation_id="k1-private"))
        later = update(outbox).where(outbox.c.stream == "private:k2-private")
        db.execute(later.values(stream="private:k1-private", seq=outbox.c.seq + 100))
        there = update(conversations).where(conversations.c.id == "k1-private")
        db.execute(there.values(case_id=second))
        found, _ = case_material.read(db, [first, second], Archive({}), NOW)
    heard = {one.id: {one.id.partition("-")[0] for one in one.heard} for one in found}
    assert heard == {first: {"m1"}, second: {"m2"}}
    said = {one.id: {one.id.partition("-")[0][1:] for one in one.said} for one in found}
    assert said == {first: {"1"}, second: {"2"}}


def test_later_orders_are_taken_from_a_file_whole_or_not_at_all(
    store: Database, tmp_path: Path
) -> None:
    file = tmp_path / "orders.csv"
    head = "order_number,customer,amount_fen,ordered_at\n"
    good = "B1,buyer-1,8800,2026-11-01T10:00:00+08:00\n"
    file.write_text(head + good + "B2,buyer-1,0,2026-11-02T10:00:00+08:00\n", "utf-8-sig")
    with store.write() as db:
        assert taken_in(db, BUSINESS, file) == 2
        kept = select(purchases_table.c.order_number, purchases_table.c.ordered_at)
        assert db.execute(kept.order_by(purchases_table.c.order_number)).all() == [
            ("B1", "2026-11-01T02:00:00.000000+00:00"),
            ("B2", "2026-11-02T02:00:00.000000+00:00"),
        ]
    for wrong in (
        *("B3,buyer-1,8.5,2026-11-01T10:00:00+08:00", "B3,buyer-1,-1,2026-11-01T10:00:00+08:00"),
        *("B3,buyer-1,100,2026-11-01T10:00:00", "B3,,100,2026-11-01T10:00:00+08:00", "B3"),
    ):
        file.write_text(f"{head}{good}{wrong}\n", "utf-8")
        with pytest.raises(purchases.BadPurchaseError, match="第3行"), store.write() as db:
            taken_in(db, BUSINESS, file)
    file.write_text("number\nB3\n", "utf-8")
    with pytest.raises(purchases.BadPurchaseError, match="缺少列"), store.write() as db:
        taken_in(db, BUSINESS, file)

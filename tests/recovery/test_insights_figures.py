"""Each figure against a count made by hand from what was told, over the cases of a real store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from recovery.insights.figures import FIGURES, PERSONS_LEAST
from recovery.insights.parts import together
from recovery.insights.period import Filters
from recovery.insights.working_out import value_of, worked_out
from recovery.store import case_facts
from recovery.store.database import Database
from tests.support.counted import PER_DAY_FEN, counted
from tests.support.lessons import BUSINESS, World, a_world, derive, write

PERIODS = (
    (date(2026, 7, 1), date(2026, 11, 30)),
    (date(2026, 7, 15), date(2026, 8, 20)),
    (date(2026, 10, 20), date(2026, 11, 16)),
)
CLOSE = {"percent": 0.06, "score": 0.006, "count": 0.006, "points": 0.51, "fen": 0.51, "seconds": 0}


@pytest.fixture(scope="module")
def world() -> World:
    return a_world()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, world: World) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('insights') / 'desk.sqlite3'}")
    database.migrate()
    with database.write() as db:
        write(db, world)
        derive(db)
    yield database
    database.close()


def asked(since: date, until: date) -> Filters:
    return Filters((BUSINESS,), since, until)


@pytest.mark.parametrize(("since", "until"), PERIODS)
def test_every_figure_is_what_is_counted_by_hand(
    store: Database, world: World, since: date, until: date
) -> None:
    by_hand = counted(world, since, until)
    assert by_hand.keys() == FIGURES.keys()
    with store.read() as db:
        part = case_facts.part(db, asked(since, until))
    days = (until - since).days + 1
    for name, expected in by_hand.items():
        found = value_of(FIGURES[name], part, PER_DAY_FEN * days)
        if expected is None:
            assert found is None, name
        else:
            assert found == pytest.approx(expected, abs=CLOSE[FIGURES[name].unit]), name
    if since == PERIODS[0][0]:
        unknown = [name for name, value in by_hand.items() if value is None]
        assert not unknown, "the cases have something for every figure"


@pytest.mark.parametrize(("since", "until"), PERIODS)
def test_behind_a_figure_stand_as_many_cases_as_it_says(
    store: Database, since: date, until: date
) -> None:
    with store.read() as db:
        part = case_facts.part(db, asked(since, until))
        for shown in worked_out(part, part, 1):
            figure = FIGURES[shown["id"]]
            behind = case_facts.behind(db, asked(since, until), figure, 0, 1000)
            assert len(behind) == shown["n"], figure.id
            if figure.kind == "share" and shown["of"]:
                share = 100 * sum(one.value or 0 for one in behind) / len(behind)
                value = value_of(figure, part, 1)
                assert value == pytest.approx(share, abs=0.06), figure.id


def test_months_added_up_are_the_whole(store: Database) -> None:
    months = [(date(2026, month, 1), date(2026, month, 28 if month == 7 else 30)) for month in (9,)]
    split = [*months, (date(2026, 10, 1), date(2026, 10, 31))]
    with store.read() as db:
        parts = [case_facts.part(db, asked(*one)) for one in split]
        whole = case_facts.part(db, asked(date(2026, 9, 1), date(2026, 10, 31)))
    assert together(parts) == whole
    assert whole.cases > 20


def test_of_few_answers_nothing_is_said(store: Database) -> None:
    with store.read() as db:
        part = case_facts.part(db, asked(date(2026, 7, 6), date(2026, 7, 9)))
    for shown in worked_out(part, part, 1):
        if FIGURES[shown["id"]].least == PERSONS_LEAST and shown["n"] < PERSONS_LEAST:
            assert shown["value"] is None, shown["id"]
            assert "样本太少" in shown["low"] or "还没有" in shown["low"], shown["id"]
        if shown["value"] is None:
            assert shown["low"], shown["id"]
    csat = FIGURES["csat"]
    few = replace(part, totals={"satisfied": (5, 6), "answered": (6, 100)})
    shown = next(one for one in worked_out(few, part, 1) if one["id"] == csat.id)
    assert shown["value"] is not None
    assert "6%" in shown["low"], "satisfaction of few who answered comes with a warning"


def test_derived_again_nothing_changes_and_what_changed_is_found(
    store: Database, world: World
) -> None:
    with store.write() as db:
        before = case_facts.marked(db, BUSINESS, *PERIODS[0])
        assert derive(db) == 0
        assert case_facts.marked(db, BUSINESS, *PERIODS[0]) == before != {}

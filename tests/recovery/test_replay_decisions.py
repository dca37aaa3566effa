"""Stored decisions made again with the policy of their day out of the archive."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import update

from recovery.audit.replay import Replay, replay
from recovery.audit.stored import Archive
from recovery.audit.wording import replay_in_words
from recovery.remedy.book import Book
from recovery.remedy.facts import Facts
from recovery.store.tables import policies as archive
from tests.recovery.decided import DAY, Store, facts, many_facts, plus, store_in
from tests.recovery.remedy import policies
from tests.support.stack import ROOT

FRESH = count()
GIFT = [{"kind": "voucher", "fen": 13_000}, {"kind": "next_discount", "bp": 1_000}]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with store_in(tmp_path) as made:
        yield made


def replayed(store: Store) -> Replay:
    return replay(*store.read())


def other_book(**gift: Any) -> Book:  # noqa: ANN401 - of columns
    """A policy whose third level of a hotel is something else."""
    seed = policies.seed()
    policies.find(seed, "H-GW-3").update(gift)
    return policies.book(seed, version="2026.12-1")


def as_floats(remedies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "worth": float(one["worth"])} if "worth" in one else one for one in remedies]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(many=many_facts())
def test_what_the_policy_decided_it_decides_again(store: Store, many: list[Facts]) -> None:
    fresh = Store(store.database, f"b{next(FRESH)}")
    fresh.made(*many)
    found = replayed(fresh)
    assert not found.found, replay_in_words(found, "")
    assert found.same == found.decisions == len(many)


def test_an_empty_store(store: Store) -> None:
    found = replayed(store)
    assert (found.decisions, found.found) == (0, False)
    assert "没有可重演的" in replay_in_words(found, "")


def test_each_decision_is_made_with_its_own_policy(store: Store) -> None:
    store.made(facts())
    later = Store(store.database, store.business, other_book(remedies=GIFT))
    later.number = 10
    later.keep()
    later.made(facts())
    found = replayed(store)
    assert (found.same, len(found.policies)) == (2, 2)


def test_tables_are_read_as_of_the_day(store: Store) -> None:
    seed = policies.seed()
    policies.find(seed, "H-GW-3")["effective_to"] = "2026-11-30"
    changed = {
        **policies.find(seed, "H-GW-3"),
        "rule": "H-GW-3-NEW",
        "effective_from": "2026-12-01",
        "effective_to": "9999-12-31",
        "remedies": GIFT,
    }
    seed["hotel"]["goodwill"].append(changed)
    dated = Store(store.database, "dated", policies.book(seed, version="2026.12-2"))
    dated.keep()
    for day in (DAY, date(2026, 11, 30), date(2026, 12, 1), date(2027, 5, 5)):
        dated.made(facts(), day=day)
    rows, kept = dated.read()
    assert replay(rows, kept).same == 4
    assert len({one.goodwill_fen for one in rows}) == 2
    # What the days tell apart is not alike.
    assert [kept.alike(one) == kept.alike(rows[0]) for one in rows] == [True, True, False, False]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"goodwill_fen": 1}, {"goodwill_fen"}),
        ({"floor_fen": 7}, {"floor_fen"}),
        ({"rules": ["H-NO-SUCH"]}, {"rules"}),
        ({"remedies": []}, {"remedies"}),
    ],
)
def test_what_differs_is_named(store: Store, change: dict[str, Any], what: set[str]) -> None:
    good, bad = store.made(facts(), facts())
    store.alter(bad, **change)
    found = replayed(store)
    assert {one.what for one in found.different} == what
    assert {one.decision for one in found.different} == {bad}
    assert (found.same, found.found) == (1, True)
    text = replay_in_words(found, "")
    assert f"决定 {bad}" in text
    assert good not in text


def test_one_fen_and_a_float_are_differences(store: Store) -> None:
    (more,) = store.made(facts(), change=plus(1))
    (whole,) = store.made(facts(), change=as_floats)
    found = replayed(store)
    assert {(one.decision, one.what) for one in found.different} == {
        (more, "remedies"),
        (more, "goodwill_fen"),
        (whole, "remedies"),
    }


def test_departures_of_staff_are_counted_apart(store: Store) -> None:
    store.made(facts(), decided_by="staff:3", departure="老顾客", change=plus(5_000))
    store.made(facts(), decided_by="staff:3")
    found = replayed(store)
    assert (found.departed, found.same, found.found) == (1, 1, False)


def test_a_policy_that_is_missing_is_named(store: Store) -> None:
    (one,) = store.made(facts())
    rows, _ = store.read()
    found = replay(rows, Archive({}))
    assert [(item.decision, item.policy) for item in found.unanswered] == [(one, store.book.name)]
    assert f"存档里没有政策 {store.book.name}" in replay_in_words(found, "")


@pytest.mark.parametrize(
    ("bundle", "why"), [({}, "读不出来"), (other_book(source="改过").to_bundle(), "内容已变")]
)
def test_a_damaged_archive_is_named(store: Store, bundle: dict[str, Any], why: str) -> None:
    store.made(facts())
    with store.database.write() as db:
        db.execute(update(archive).values(bundle=bundle))
    (one,) = replayed(store).unanswered
    assert why in one.why


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"facts": {"industry": "hotel"}}, "事实读不懂"),
        ({"day": "2020-01-01"}, "没有答案"),
        ({"day": "someday"}, "没有答案"),
        ({"facts": {**facts().to_wire(), "industry": "travel"}}, "没有答案"),
    ],
)
def test_what_cannot_be_decided_again_is_named(
    store: Store, change: dict[str, Any], why: str
) -> None:
    (one,) = store.made(facts())
    store.alter(one, **change)
    (found,) = replayed(store).unanswered
    assert found.decision == one
    assert why in found.why


def test_the_command(store: Store, tmp_path: Path) -> None:
    content = (ROOT / "huixin.yml").read_text("utf-8").replace("data: var", f"data: {tmp_path}")
    (tmp_path / "huixin.yml").write_text(content, "utf-8")

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "recovery.remedy", "replay", "--settings"]
        return subprocess.run(
            [*command, tmp_path / "huixin.yml", *more],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    (one,) = store.made(facts())
    same = run()
    assert (same.returncode, same.stderr) == (0, "")
    assert "重演结果相同 1 个" in same.stdout
    store.alter(one, goodwill_fen=5)
    other = run("--json")
    assert other.returncode == 1
    assert json.loads(other.stdout)["different"][0]["what"] == "goodwill_fen"

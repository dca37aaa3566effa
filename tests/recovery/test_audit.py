"""The fairness audit: silent about what the policy decides, loud about each unfairness."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recovery.audit.command import Asked, as_json, as_text, look_back
from recovery.audit.effects import effect
from recovery.audit.fairness import FINDINGS, Audit, audit
from recovery.audit.stored import Archive, within
from recovery.audit.wording import audit_in_words
from recovery.remedy.book import load_book
from recovery.remedy.columns import width
from recovery.remedy.facts import Facts
from recovery.remedy.release import UseError
from recovery.remedy.running import BUILT_IN
from recovery.store import decisions
from tests.recovery.decided import DAY, Store, facts, less, many_facts, plus, store_in
from tests.support.stack import ROOT

FRESH = count()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with store_in(tmp_path) as made:
        yield made


def audited(store: Store) -> Audit:
    return audit(*store.read())


def found(store: Store) -> dict[str, list[set[str]]]:
    """Ids named by each kind of finding."""
    kinds: dict[str, list[set[str]]] = {}
    for one in audited(store).findings:
        kinds.setdefault(one.kind, []).append(set(one.decisions))
    return kinds


# --- what the policy decides is fair ---------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(many=many_facts())
def test_what_the_policy_decides_gives_no_findings(store: Store, many: list[Facts]) -> None:
    fresh = Store(store.database, f"b{next(FRESH)}")
    fresh.made(*many)
    report = audited(fresh)
    assert not report.findings, audit_in_words(report, "")
    assert report.decisions == len(many)
    assert not any(one.sure for one in report.effects if one.about == "anger")


def test_nor_does_the_policy_that_huixin_comes_with(store: Store) -> None:
    own = Store(store.database, "own", load_book(BUILT_IN))
    own.keep()
    every = [
        facts(trade, tier=tier, anger=anger, finding=finding, round=more)
        for trade in ("hotel", "shop")
        for tier in ("none", "silver", "gold")
        for anger in range(4)
        for finding in ("none", "alleged", "confirmed")
        for more in (0, 1)
    ]
    own.made(*every)
    report = audited(own)
    assert not report.findings, audit_in_words(report, "")
    assert {one.about for one in report.effects if one.sure} <= {"tier"}


def test_an_empty_store_is_said_to_be_empty(store: Store) -> None:
    report = audited(store)
    assert not report.found
    assert "还没有存下的决定" in audit_in_words(report, "全部商家")
    assert json.loads(json.dumps(report.to_wire()))["decisions"] == 0


# --- one unfairness each ---------------------------------------------------------------------


def test_a_louder_one_who_got_more(store: Store) -> None:
    calm = store.made(facts(anger=0))
    loud = store.made(facts(anger=3), change=plus(2_000))
    kinds = found(store)
    assert kinds["anger"] == [{*calm, *loud}]
    assert kinds["alike"] == [{*calm, *loud}]
    assert "怒气3的 lanting-o2 比怒气0的 lanting-o1 平均多得 20.00元" in audit_in_words(
        audited(store), ""
    )


def test_a_gold_member_who_got_less(store: Store) -> None:
    plain = store.made(facts(tier="none"))
    gold = store.made(facts(tier="gold"), change=less)
    assert found(store) == {"tier": [{*plain, *gold}]}
    text = audit_in_words(audited(store), "")
    assert "金卡 lanting-o2 得到 0.00元" in text


def test_two_alike_that_differ_by_one_fen(store: Store) -> None:
    # Manner differs, and so do numbers that no table tells apart: all this may count for nothing.
    one = store.made(facts(wait_hours=1, tenure_days=10, claims=0, evidence="none"))
    two = store.made(
        facts(wait_hours=20, tenure_days=900, claims=3, evidence="photo", escalation=True),
        change=plus(1),
    )
    store.made(facts(wait_hours=30), change=plus(1))
    assert found(store) == {"alike": [{*one, *two}]}


def test_two_alike_with_the_same_worth_in_other_things(store: Store) -> None:
    other = {"kind": "manager_call", "minutes": 60, "part": "goodwill", "trade": "hotel"}
    ids = store.made(facts()) + store.made(facts(), change=lambda remedies: [*remedies, other])
    assert found(store) == {"alike": [set(ids)]}


def test_fill_ins_are_no_difference(store: Store) -> None:
    store.made(facts())
    store.made(
        facts(),
        change=lambda remedies: [{**one, "by": "明早十点", "product": "毯子"} for one in remedies],
    )
    assert not found(store)


def test_another_amount_another_policy_or_another_day_is_not_alike(store: Store) -> None:
    store.made(facts(paid=60_000))
    store.made(facts(paid=60_001), change=plus(1))
    store.made(facts(), decided_by="bot", day=date(2026, 12, 1))
    assert not found(store)


def test_without_the_archive_facts_are_alike_to_the_last_hour(store: Store) -> None:
    store.made(facts(wait_hours=1))
    store.made(facts(wait_hours=2), change=plus(1))
    two = store.made(facts(wait_hours=2))
    rows, _ = store.read()
    report = audit(rows, Archive({}))
    assert [set(one.decisions) for one in report.findings] == [{"lanting-o2", *two}]


def test_a_departure_without_a_reason(store: Store) -> None:
    (silent,) = store.made(facts(), decided_by="staff:3", departure=None, change=plus(5_000))
    (empty,) = store.made(facts(paid=1), decided_by="staff:3", departure="  ", change=plus(900))
    (told,) = store.made(
        facts(paid=2), decided_by="staff:4", departure="老顾客生日", change=plus(7)
    )
    store.made(facts(paid=3), decided_by="staff:4")
    report = audited(store)
    assert [(one.kind, one.decisions) for one in report.findings] == [
        ("departure", (silent,)),
        ("departure", (empty,)),
    ]
    assert [(one.decision, one.reason, one.more) for one in report.departures] == [
        (silent, "", 5_000),
        (empty, "", 900),
        (told, "老顾客生日", 7),
    ]
    assert report.departed_by == 5_907
    text = audit_in_words(report, "")
    assert "老顾客生日" in text
    assert "合计多给 +59.07元（3 个能与政策核对）" in text


def test_a_reasoned_departure_is_no_rule_for_others(store: Store) -> None:
    store.made(facts(tier="none"), facts(anger=1))
    store.made(facts(), decided_by="staff:3", departure="行李晚到", change=plus(5_000))
    assert not found(store)


def test_many_reasoned_departures_for_the_loud_are_found_all_the_same(store: Store) -> None:
    amounts = range(10_000, 22_000, 1_000)
    store.made(*(facts(paid=paid, anger=0) for paid in amounts))
    for paid in amounts:
        extra = 1_000 + paid // 100
        store.made(
            facts(paid=paid, anger=3),
            decided_by="staff:3",
            departure="顾客情绪激动",
            change=plus(extra),
        )
    kinds = found(store)
    assert set(kinds) == {"anger"}
    (one, *_) = (item for item in audited(store).effects if item.about == "anger" and item.sure)
    assert one.mean == 1_155
    assert one.interval is not None
    assert 1_100 <= one.interval[0] <= 1_155 <= one.interval[1] <= 1_200


def test_damages_on_an_allegation(store: Store) -> None:
    damages = {"kind": "damages", "times": 3, "fen": 50_000, "part": "floor", "worth": 180_000}
    ids = store.made(
        facts("shop", failure="fake", finding="alleged"),
        change=lambda remedies: [*remedies, damages],
    )
    assert found(store) == {"allegation": [set(ids)]}


def test_goodwill_on_an_allegation_even_with_a_reason(store: Store) -> None:
    ids = store.made(
        facts("shop", failure="fake", finding="alleged"),
        decided_by="staff:3",
        departure="先安抚",
        change=plus(3_000),
    )
    assert found(store) == {"allegation": [set(ids)]}


@pytest.mark.parametrize("fen", [2_000.0, 0.5, -5])
def test_an_amount_that_is_no_whole_fen(store: Store, fen: float) -> None:
    (one,) = store.made(facts(), change=lambda remedies: [{**remedies[0], "fen": fen}])
    assert found(store)["money"] == [{one}]


def test_sums_that_do_not_add_up(store: Store) -> None:
    (one,) = store.made(facts())
    store.alter(one, goodwill_fen=1)
    assert found(store)["money"] == [{one}]
    store.alter(one, goodwill_fen=-4)
    assert found(store)["money"] == [{one}, {one}]


@pytest.mark.parametrize(
    "damage",
    [
        {"facts": {"industry": "hotel"}},
        {"facts": {**facts().to_wire(), "paid": "600"}},
        {"facts": {**facts().to_wire(), "moon": 1}},
        {"facts": []},
        {"remedies": [{"kind": "gold_bar"}]},
        {"remedies": [{"kind": "voucher", "fen": "5"}]},
        {"remedies": ["voucher"]},
        {"failure": "noise"},
    ],
)
def test_what_cannot_be_read_is_named_and_stops_nothing(
    store: Store, damage: dict[str, object]
) -> None:
    _good, bad = store.made(facts(), facts(), change=less)
    store.alter(bad, **damage)
    kinds = found(store)
    assert kinds["unreadable"] == [{bad}]
    assert audit_in_words(audited(store), "")


def test_staff_whose_policy_is_lost(store: Store) -> None:
    ids = store.made(facts(), decided_by="staff:3", departure="老顾客", change=plus(1))
    rows, _ = store.read()
    report = audit(rows, Archive({}))
    assert [(one.kind, set(one.decisions)) for one in report.findings] == [("archive", set(ids))]
    assert report.departures[0].more is None
    assert "—" in audit_in_words(report, "")


# --- comparisons -----------------------------------------------------------------------------


def test_a_tier_that_gets_more_is_told_and_no_finding(store: Store) -> None:
    store.made(*(facts(paid=paid, tier=tier) for paid in range(30_000, 42_000, 1_000)
                 for tier in ("none", "gold")))  # fmt: skip
    report = audited(store)
    assert not report.found
    assert any(one.about == "tier" and one.sure and (one.mean or 0) > 0 for one in report.effects)
    assert "会员等级：金卡比普通、银卡平均多得" in audit_in_words(report, "")


def test_channels_and_businesses_are_compared(store: Store) -> None:
    other = Store(store.database, "other")
    for paid in range(30_000, 42_000, 1_000):
        store.made(facts(paid=paid))
        other.made(facts(paid=paid), channel="wechat", change=plus(500))
    with store.database.read() as db:
        rows = within(decisions.all_of(db))
    report = audit(rows, Archive({}))
    told = {one.about: one for one in report.effects if one.sure}
    assert set(told) == {"channel", "business"}
    assert told["channel"].mean == 500
    assert told["channel"].interval == (500, 500)


def test_few_decisions_allow_no_conclusion() -> None:
    few = effect("anger", "0", "3", [(1, "0", 100), (1, "3", 900)])
    assert (few.mean, few.interval, few.sure) == (800, None, False)
    none = effect("anger", "0", "3", [(1, "0", 100), (2, "3", 900)])
    assert (none.strata, none.mean, none.sure) == (0, None, False)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_the_interval_comes_out_the_same_and_covers_the_mean(seed: int) -> None:
    rows = [(place % 5, str(place % 2), (place * 7919 + seed * 31) % 500) for place in range(60)]
    one = effect("channel", ["0"], ["1"], rows, seed)
    assert one == effect("channel", ["0"], ["1"], rows, seed)
    assert one.interval is not None
    assert one.mean is not None
    assert one.interval[0] <= one.mean <= one.interval[1]


def test_spreads_are_medians_and_nine_tenths(store: Store) -> None:
    store.made(*(facts(paid=paid, anger=1) for paid in (10_000, 20_000, 30_000, 40_000)))
    report = audited(store)
    (anger,) = (one for one in report.spreads if one.by == "anger")
    gifts = sorted(one.goodwill_fen for one in store.read()[0])
    assert (anger.key, anger.decisions) == ("1", 4)
    assert anger.goodwill == (gifts[1], gifts[3])
    assert {one.key for one in report.spreads if one.by == "failure"} == {"lanting/room_not_clean"}


def test_columns_stand_under_one_another(store: Store) -> None:
    store.made(facts(tier="gold"), facts(tier="none"))
    text = audit_in_words(audited(store), "")
    block = text[text.index("按会员等级") :].split("\n\n")[0].splitlines()[1:]
    assert len({width(line) for line in block}) == 1


def test_the_report_is_plain_json(store: Store) -> None:
    store.made(facts(), facts(anger=3), change=plus(1))
    store.made(facts(), decided_by="staff:1", departure="补偿", change=plus(9))
    wire = audited(store).to_wire()
    assert json.loads(json.dumps(wire)) == wire
    assert {one["kind"] for one in wire["findings"]} <= set(FINDINGS)


# --- the command -----------------------------------------------------------------------------


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    content = (ROOT / "huixin.yml").read_text("utf-8").replace("data: var", f"data: {tmp_path}")
    file = tmp_path / "huixin.yml"
    file.write_text(content, "utf-8")
    return file


def run(command: str, settings_file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recovery.remedy", command, "--settings", settings_file, *more],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_command_reads_the_desks_own_store(store: Store, settings_file: Path) -> None:
    empty = run("audit", settings_file)
    assert (empty.returncode, empty.stderr) == (0, "")
    assert "还没有存下的决定" in empty.stdout

    store.made(facts(), facts(anger=2))
    fair = run("audit", settings_file)
    assert (fair.returncode, fair.stderr) == (0, "")
    assert "结论：没有发现问题" in fair.stdout

    store.made(facts(), change=plus(1), day=DAY)
    before = store.read()[0]
    unfair = run("audit", settings_file, "--json")
    assert unfair.returncode == 1
    assert [one["kind"] for one in json.loads(unfair.stdout)["findings"]] == ["alike"]
    assert store.read()[0] == before

    for more, code in (
        (("--business", "lanting"), 1),
        (("--business", "qinghe"), 0),
        (("--since", "2026-11-23"), 0),
        (("--until", "2026-11-22"), 1),
        (("--business", "nobody"), 2),
        (("--since", "2026-11-23", "--until", "2026-11-22"), 2),
        (("--since", "gestern"), 2),
    ):
        assert run("audit", settings_file, *more).returncode == code, more


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, settings_file: Path) -> None:
    with pytest.raises(UseError, match="还没有数据库"):
        look_back("audit", Asked(settings_file))
    assert not (tmp_path / "desk.sqlite3").exists()
    with pytest.raises(UseError, match="设置不能用"):
        look_back("audit", Asked(tmp_path / "other.yml"))


def test_a_store_of_before_decisions(tmp_path: Path, settings_file: Path) -> None:
    (tmp_path / "desk.sqlite3").touch()
    with pytest.raises(UseError, match="还没有决定的表"):
        look_back("replay", Asked(settings_file))


def test_what_was_asked_for_stands_in_the_report(store: Store, settings_file: Path) -> None:
    store.made(facts())
    asked = Asked(settings_file, "lanting", date(2026, 11, 1), None)
    for command in ("audit", "replay"):
        report = look_back(command, asked)
        assert "商家 lanting，2026-11-01 至 最近" in as_text(report, asked)
        assert json.loads(as_json(report, asked))["since"] == "2026-11-01"
        assert replace(asked, since=None).scope == "商家 lanting，全部日期"

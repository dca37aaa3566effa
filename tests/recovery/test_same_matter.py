"""Which complaint goes on in which case; what becomes of two cases that are made one."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recovery.anger import CaseAnger
from recovery.case import Case, Offer, apply, without_offer
from recovery.commands import AcceptOffer, ContinueCase
from recovery.one_customer.merging import apart, merged, offers_to_withdraw, split_off
from recovery.one_customer.same_matter import (
    BUILT_IN,
    BadTableError,
    Earlier,
    Told,
    built_in,
    read_rules,
    same_matter,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ORDER, OTHER_ORDER = "LT202611180012", "LT202611190034"


def earlier(
    case_id: str = "s1",
    failure: str = "room_not_clean",
    *,
    order: str | None = ORDER,
    closed_days: float | None = None,
    touched_days: float = 1,
) -> Earlier:
    closed = NOW - timedelta(days=closed_days) if closed_days is not None else None
    touched = closed or NOW - timedelta(days=touched_days)
    return Earlier(case_id, frozenset({failure}), order, closed, touched)


@pytest.mark.parametrize(
    ("told", "case", "rule"),
    [
        (Told("room_not_clean"), earlier(), "same-failure-open"),
        (Told("room_not_clean"), earlier(order=None), "same-failure-open"),
        (Told("room_not_clean", ORDER), earlier(), "same-order-same-failure-open"),
        (Told("room_not_clean", "lt 2026-1118-0012"), earlier(), "same-order-same-failure-open"),
        (Told("noise", ORDER), earlier(), "same-order-open"),
        (Told("unknown", ORDER), earlier(closed_days=3), "same-order-unnamed-closed"),
        (Told("room_not_clean"), earlier(closed_days=13), "same-failure-closed"),
        (Told("room_not_clean", ORDER), earlier(closed_days=29), "same-order-same-failure-closed"),
        # Another matter, or too long ago.
        (Told("noise"), earlier(), None),
        (Told("noise", ORDER), earlier(closed_days=1), None),
        (Told("room_not_clean", OTHER_ORDER), earlier(), None),
        (Told("room_not_clean"), earlier(closed_days=15), None),
        (Told("room_not_clean", ORDER), earlier(closed_days=31), None),
        (Told("room_not_clean"), earlier(touched_days=31), None),
        # What was not said is no ground.
        (Told("unknown"), earlier(), None),
        (Told(None), earlier(closed_days=1), None),
    ],
)
def test_only_the_same_order_or_failure_goes_on(
    told: Told, case: Earlier, rule: str | None
) -> None:
    found = same_matter(told, [case], NOW)
    assert (found.rule.rule if found else None) == rule


def test_of_several_the_surest_then_the_latest() -> None:
    cases = [
        earlier("older", touched_days=5),
        earlier("latest", order=OTHER_ORDER, touched_days=1),
        earlier("closed", closed_days=0.1),
    ]
    by_failure = same_matter(Told("room_not_clean"), cases, NOW)
    by_order = same_matter(Told("room_not_clean", ORDER), cases, NOW)
    assert by_failure is not None and by_failure.case == "latest"
    assert by_order is not None and by_order.case == "older"
    assert same_matter(Told("room_not_clean"), [], NOW) is None


def test_the_table_is_read_strictly() -> None:
    good = json.loads(BUILT_IN.read_text("utf-8"))
    assert read_rules(good) == built_in()
    changes: list[dict[str, Any]] = [
        {"days": 0},
        {"days": True},
        {"order": "alike"},
        {"failure": ""},
        {"state": "asleep"},
        {"more": 1},
        {"rule": good["rules"][1]["rule"]},
    ]
    for change in changes:
        rows = [{**good["rules"][0], **change}, *good["rules"][1:]]
        with pytest.raises(BadTableError):
            read_rules({**good, "rules": rows})
    with pytest.raises(BadTableError):
        read_rules({"rules": good["rules"]})


# --- a case that goes on ----------------------------------------------------------------------


def offer(offer_id: str, state: str = "open", **more: Any) -> Offer:  # noqa: ANN401 - fields
    return Offer(
        id=offer_id,
        order_number=ORDER,
        remedies=[{"kind": "room_change", "minutes": 20}],
        rules=["H-1"],
        policy="hotel-0",
        facts={},
        reason="房间没有打扫",
        round=0,
        expires_at=(NOW + timedelta(hours=48)).isoformat(),
        state=state,  # type: ignore[arg-type]  # given by the tests below
        **more,
    )


def case(case_id: str = "s1", **more: Any) -> Case:  # noqa: ANN401 - fields
    given = {"facts": {"failure": "room_not_clean"}, "anger": CaseAnger(1, 2, 1)}
    return Case(id=case_id, **given | more)


@pytest.mark.parametrize(
    ("before", "stage"),
    [
        (case(stage="closed", outcome="thanked", public_replies=2), "hearing"),
        (case(stage="closed", outcome="solved", offers=(offer("o1", "accepted"),)), "agreed"),
        (case(stage="offered", offers=(offer("o1"),), misses=1), "offered"),
        (case(stage="person", reason="asked"), "person"),
    ],
)
def test_a_case_goes_on_where_it_was(before: Case, stage: str) -> None:
    after = apply(before, ContinueCase(before.id), NOW)
    assert after is not None
    assert (after.stage, after.outcome, after.misses) == (stage, None, 0)
    assert after.facts == before.facts and after.offers == before.offers
    assert apply(before, ContinueCase("s9"), NOW) == before


# --- two cases that are one -------------------------------------------------------------------


def withdrawn(one: Case) -> Case:
    return without_offer(one, NOW)


def test_nothing_is_offered_twice_and_nothing_is_lost() -> None:
    kept = case("s1", stage="offered", offers=(offer("o1"),))
    given = case(
        "s2",
        stage="agreed",
        facts={"failure": "noise", "harm": "sleep", "keywords": "电钻"},
        offers=(offer("o2", "refused"), offer("o3", "accepted")),
        order_number=ORDER,
        safety=True,
        anger=CaseAnger(2, 3, 2),
    )
    assert offers_to_withdraw(kept, given, NOW) == (True, False)
    one = merged(withdrawn(kept), given, NOW)
    assert [(item.id, item.state) for item in one.offers] == [
        ("o2", "refused"),
        ("o3", "accepted"),
        ("o1", "replaced"),
    ]
    assert (one.stage, one.order_number, one.safety) == ("agreed", ORDER, True)
    assert one.anger is not None and (one.anger.peak, one.anger.now) == (3, 2)
    # What was found of another matter is not taken for this one's.
    assert one.facts["failure"] == "room_not_clean" and one.facts["also"] == "noise"
    assert "harm" not in one.facts

    open_there = case("s3", stage="offered", offers=(offer("o4"),))
    assert offers_to_withdraw(kept, open_there, NOW) == (False, True)
    by_staff = case("s4", stage="offered", offers=(offer("o5", by="staff:1"),))
    assert offers_to_withdraw(by_staff, given, NOW) == (False, False)


@pytest.mark.parametrize(
    ("kept", "other", "stage"),
    [
        ({"stage": "closed", "outcome": "solved"}, {"stage": "closed"}, "closed"),
        ({"stage": "closed", "outcome": "solved"}, {"stage": "hearing"}, "hearing"),
        ({"stage": "hearing"}, {"stage": "person", "reason": "asked"}, "person"),
        ({"stage": "closed"}, {"stage": "person", "reason": "asked"}, "person"),
        ({"facts": {"failure": "unknown"}}, {"facts": {"failure": "noise"}}, "hearing"),
    ],
)
def test_what_is_open_in_one_is_open_in_both(
    kept: dict[str, Any], other: dict[str, Any], stage: str
) -> None:
    one = merged(case("s1", **kept), case("s2", **other), NOW)
    assert one.stage == stage
    assert one.reason == (other.get("reason") if stage == "person" else None)
    if "facts" in other:
        assert one.facts == {"failure": "noise"}


def test_taken_apart_at_once_both_are_as_before() -> None:
    kept = case("s1", order_number=ORDER, facts={"failure": "room_not_clean", "fault": "ours"})
    other = case(
        "s2", stage="agreed", offers=(offer("o2", "accepted"),), facts={"failure": "noise"}
    )
    one = merged(kept, other, NOW)
    two = apart(one, kept, other, one, NOW)
    assert (two.kept, two.other) == (kept, other)


def test_taken_apart_later_what_came_since_stays() -> None:
    kept = case("s1")
    other = case(
        "s2", facts={"failure": "room_not_clean", "harm": "sleep"}, offers=(offer("o2", "refused"),)
    )
    one = merged(kept, other, NOW)
    later = apply(
        Case.from_state(
            {**one.to_state(), "facts": {**one.facts, "fault": "ours"}, "stage": "offered"}
            | {"offers": [*one.to_state()["offers"], vars(offer("o5"))]}
        ),
        AcceptOffer("o5"),
        NOW,
    )
    assert later is not None
    two = apart(later, kept, other, one, NOW)
    assert [item.id for item in two.kept.offers] == ["o5"]
    assert [item.id for item in two.other.offers] == ["o2"]
    assert two.kept.stage == "agreed" and two.other.stage == "hearing"
    assert two.kept.facts == {"failure": "room_not_clean", "fault": "ours"}
    assert two.other.facts == other.facts


def test_a_second_matter_gets_a_case_of_its_own() -> None:
    both = case(
        "s1",
        stage="agreed",
        facts={"failure": "room_not_clean", "also": "noise", "fault": "ours"},
        order_number=ORDER,
        offers=(offer("o1", "accepted"),),
    )
    left, new = split_off(both, "s9", "noise", (), NOW)
    assert left.facts == {"failure": "room_not_clean", "fault": "ours"}
    assert left.stage == "agreed" and left.offers == both.offers
    assert (new.id, new.failure, new.order_number, new.stage) == ("s9", "noise", ORDER, "hearing")
    assert new.offers == () and "fault" not in new.facts

"""A case is the fold of its commands; what stands in it can be relied on."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.case import BadStageError, Case, OfferNotOpenError, apply, given_back, hear
from recovery.commands import (
    AcceptOffer,
    BadCommandError,
    ClearMisses,
    CloseCase,
    Command,
    CountMiss,
    CountPublicReply,
    HandOver,
    Invite,
    MakeOffer,
    Note,
    OpenCase,
    RefuseOffer,
    TriedProof,
    from_wire,
    to_wire,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def offer(offer_id: str, hours: int = 48) -> MakeOffer:
    return MakeOffer(
        offer=offer_id,
        order_number="LT1",
        remedies=[{"kind": "free_drink", "persons": 2}],
        rules=["H-1"],
        policy="hotel-1",
        facts={"failure": "noise", "round": 0},
        reason="是我们的责任",
        round=0,
        expires_at=(NOW + timedelta(hours=hours)).isoformat(),
    )


def fold(*commands: Command, now: datetime = NOW) -> Case:
    case: Case | None = None
    for command in commands:
        case = apply(case, command, now)
    assert case is not None
    return case


def test_a_new_offer_replaces_the_open_one_and_only_one_is_open() -> None:
    case = fold(OpenCase("s1", "noise"), offer("o1"), offer("o2"))
    assert [one.state for one in case.offers] == ["replaced", "open"]
    assert case.stage == "offered"
    with pytest.raises(OfferNotOpenError):
        apply(case, AcceptOffer("o1"), NOW)
    assert fold(OpenCase("s1"), offer("o2"), AcceptOffer("o2")).stage == "agreed"


def test_an_offer_is_taken_once() -> None:
    case = fold(OpenCase("s1", "noise"), offer("o1"), AcceptOffer("o1"))
    for command in (AcceptOffer("o1"), RefuseOffer("o1")):
        with pytest.raises(OfferNotOpenError):
            apply(case, command, NOW)


def test_an_expired_offer_cannot_be_taken() -> None:
    case = fold(OpenCase("s1", "noise"), offer("o1", hours=1))
    with pytest.raises(OfferNotOpenError):
        apply(case, AcceptOffer("o1"), NOW + timedelta(hours=2))


def test_a_wrong_proof_is_counted_and_forgotten() -> None:
    case = fold(
        OpenCase("s1", "noise"),
        Note({"order_number": "LT1", "phone_last4": "0000"}),
        TriedProof("LT1", correct=False),
    )
    assert (case.proof_tries, case.order_number) == (1, None)
    assert "order_number" not in case.facts
    assert "phone_last4" not in case.facts


def test_the_digits_of_the_phone_do_not_stay_in_the_case() -> None:
    case = fold(
        OpenCase("s1", "noise"),
        Note({"order_number": "LT1", "phone_last4": "4417"}),
        TriedProof("LT1", correct=True),
    )
    assert case.order_number == "LT1"
    assert "4417" not in str(case.to_state())


def test_given_back_goes_on_where_the_case_stands() -> None:
    opened = fold(OpenCase("s1", "noise"), HandOver("asked"))
    assert given_back(opened, NOW).stage == "hearing"
    offered = fold(OpenCase("s1", "noise"), offer("o1"), HandOver("beyond_authority"))
    assert given_back(offered, NOW).stage == "offered"
    agreed = fold(OpenCase("s1"), offer("o1"), AcceptOffer("o1"), HandOver("asked"))
    assert given_back(agreed, NOW).stage == "agreed"


def test_heard_again_what_was_offered_is_taken_back() -> None:
    offered = fold(OpenCase("s1", "noise"), offer("o1"), HandOver("beyond_authority"))
    back = given_back(offered, NOW, "hearing")
    assert (back.stage, back.open_offer(NOW)) == ("hearing", None)
    assert [one.state for one in back.offers] == ["replaced"]
    with pytest.raises(OfferNotOpenError):
        apply(back, AcceptOffer("o1"), NOW)


def test_what_has_expired_is_nowhere_to_go_on_from() -> None:
    offered = fold(OpenCase("s1", "noise"), offer("o1"), HandOver("beyond_authority"))
    late = NOW + timedelta(hours=72)
    assert offered.resume_stages(NOW) == ["offered", "hearing"]
    assert offered.resume_stages(late) == ["hearing"]
    with pytest.raises(BadStageError):
        given_back(offered, late, "offered")


def test_safety_comes_before_any_anger() -> None:
    furious = hear(fold(OpenCase("s1", "noise")), 3, NOW)
    safety = fold(OpenCase("s2", safety=True))
    assert safety.priority > furious.priority


COMMANDS: list[Command] = [
    OpenCase("s1", "unknown", "信号断断续续", True),
    Note({"item": "CUP-01"}),
    Invite(reminder=True),
    CountPublicReply(),
    TriedProof("LT1", correct=True),
    offer("o1"),
    AcceptOffer("o1"),
    RefuseOffer("o1"),
    HandOver("asked", NOW.isoformat()),
    CountMiss(),
    ClearMisses(),
    CloseCase("thanked"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.do)
def test_commands_travel_unchanged(command: Command) -> None:
    assert from_wire(to_wire(command)) == command


@pytest.mark.parametrize(
    "payload",
    [None, [], "x", {}, {"do": "drop_tables"}, {"do": "note", "more": 1}, {"do": "accept_offer"}],
)
def test_what_is_no_command_is_refused(payload: object) -> None:
    with pytest.raises(BadCommandError):
        from_wire(payload)


@given(st.lists(st.sampled_from([command for command in COMMANDS if command.do != "open_case"])))
def test_a_case_survives_storage_after_any_commands(commands: list[Command]) -> None:
    case = hear(fold(OpenCase("s1", "noise")), 2, NOW)
    for command in commands:
        try:
            case = apply(case, command, NOW) or case
        except OfferNotOpenError:
            continue
        assert sum(one.state in ("open", "accepted") for one in case.offers) >= (
            case.stage in ("offered", "agreed")
        )
    assert Case.from_state(case.to_state()) == case

"""What of a case counts for which measure, where it is easily mistaken."""

from datetime import UTC, datetime, timedelta

from recovery.insights.facts import facts
from recovery.insights.material import Decided, Heard, Material, Said
from recovery.settings import load_settings
from tests.support.stack import ROOT

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
BUSINESS = next(iter(load_settings(ROOT / "huixin.yml").directory()))


def _offer(*, added: bool, fen: int) -> Decided:
    return Decided("accepted", "c", "", 0, fen, False, False, 0, "", "", added)


def _case(*said: Said, decided: tuple[Decided, ...] = ()) -> Material:
    return Material(
        id="s1",
        business=BUSINESS.id,
        state={"facts": {}},
        person="u1",
        channel="web",
        by_hand=False,
        opened_at=NOON,
        closed_at=None,
        outcome=None,
        began=NOON,
        heard=(Heard("m1", "k1", NOON, 2, words=True),),
        said=said,
        decided=decided,
    )


def test_what_was_added_for_being_late_costs_and_is_no_offer() -> None:
    both = (_offer(added=False, fen=1000), _offer(added=True, fen=300))
    row = facts(_case(decided=both), BUSINESS, NOON).row
    assert (row["offers"], row["accepted"], row["goodwill_fen"]) == (1, 1, 1300)
    row = facts(_case(decided=both[1:]), BUSINESS, NOON).row
    assert (row["offers"], row["accepted"], row["goodwill_fen"]) == (None, None, 300)


def test_only_what_answers_a_message_is_the_first_answer_of_the_bot() -> None:
    later = NOON + timedelta(hours=1)
    asked = Said("f1.1", "k1", later, "message", "bot")
    assert facts(_case(asked), BUSINESS, NOON).row["bot_seconds"] is None
    answer = Said("m1.r0", "k1", later + timedelta(hours=1), "message", "bot")
    assert facts(_case(asked, answer), BUSINESS, NOON).row["bot_seconds"] == 7200

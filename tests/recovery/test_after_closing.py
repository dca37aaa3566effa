"""A customer comes back to a matter that a member of staff has closed."""

from pathlib import Path

import pytest

from recovery.case import Case
from recovery.commands import HandOver
from recovery.dialogue.private import private_turn
from recovery.orders.embedded import EmbeddedOrders
from tests.recovery.talk import HOTEL, Talk, command, done, heard, names


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    """The bot again, after a person has closed a case about a dirty room."""
    made = Talk(HOTEL, EmbeddedOrders(tmp_path / "orders.sqlite3"), private_turn)
    made.case = Case(
        "s1", stage="closed", facts={"failure": "room_not_clean"}, settled=True, outcome="solved"
    )
    return made


@pytest.mark.parametrize(
    ("text", "intent", "response"),
    [("好的", "accept", "say_close"), ("谢谢", "thank", "say_thanks")],
)
def test_a_kind_word_opens_nothing(talk: Talk, text: str, intent: str, response: str) -> None:
    reply = talk.say(heard(text, intent))
    assert names(reply) == [response]
    assert talk.case is not None
    assert (talk.case.id, talk.case.stage) == ("s1", "closed")


def test_the_same_matter_goes_back_to_a_person_as_the_same_case(talk: Talk) -> None:
    reply = talk.say(heard("房间还是没打扫", "complain_room_not_clean", anger=2))
    handed = command(reply, HandOver)
    assert isinstance(handed, HandOver)
    assert handed.reason == "not_as_promised"
    assert talk.case is not None
    assert (talk.case.id, talk.case.stage, talk.case.outcome) == ("s1", "person", None)


def test_another_matter_is_another_case(talk: Talk) -> None:
    reply = talk.say(heard("隔壁吵得睡不着", "complain_noise"))
    assert "open_case" in done(reply)
    assert talk.case is not None
    assert (talk.case.id == "s1", talk.case.outcome) == (False, None)

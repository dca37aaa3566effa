"""What the bot says of a remedy that nobody carries out by itself any more."""

import pytest

from recovery.case import Case
from recovery.dialogue.private import private_turn
from recovery.dialogue.reply import Underway
from recovery.orders.embedded import EmbeddedOrders
from tests.recovery.talk import HOTEL, Talk, heard


@pytest.mark.parametrize("state", ["failed", "refused"])
def test_nothing_is_said_to_go_on_that_does_not(orders: EmbeddedOrders, state: str) -> None:
    talk = Talk(HOTEL, orders, private_turn)
    talk.case = Case("s1", stage="agreed", facts={"failure": "room_not_clean"})
    points = {"kind": "points", "points": 200}
    talk.underway = (
        Underway({"kind": "apology"}, "done", {"ticket": "GD1"}, talk.now),
        Underway(points, state, None, talk.now),
    )
    reply = talk.say(heard("办得怎么样了", "ask_progress"))
    words = reply.says[0].words["progress"]
    assert "正在办" not in words
    assert "没能自动办成，同事在跟进" in words

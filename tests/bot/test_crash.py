"""A process killed with -9 in the middle of a turn, and what the desk finds afterwards."""

import signal
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.bot.process import RasaProcess
from tests.bot.standin import Actions


def test_killed_before_and_after_the_turn_is_saved(
    model: Path, actions: Actions, tmp_path: Path, sender: str
) -> None:
    # Dies when the first turn is saved and not yet answered.
    process = RasaProcess(model, tmp_path, actions, HUIXIN_FAULT="rasa-saved")
    try:
        process.wait()
        with pytest.raises((OSError, HTTPException)):
            process.client.say(sender, "房间根本没打扫", "m1")
        assert process.died() == -signal.SIGKILL
    finally:
        process.stop()
    assert len(actions.of(sender)) == 1

    # Dies before the turn of the second request; the first asks for the lost answer.
    process = RasaProcess(model, tmp_path, actions, HUIXIN_FAULT="rasa-received:2")
    try:
        process.wait()
        found = process.client.say(sender, "房间根本没打扫", "m1")
        with pytest.raises((OSError, HTTPException)):
            process.client.say(sender, "太差了", "m2")
        assert process.died() == -signal.SIGKILL
    finally:
        process.stop()
    assert found.content["repeated"] is True
    assert found.content["messages"][0]["response"] == "utter_sorry"
    assert found.content["messages"][0]["variant"]
    assert found.content["messages"][1]["custom"]["commands"][0]["case"] == "m1"
    assert "failed" not in found.content
    assert len(actions.of(sender)) == 1

    # Nothing of the second turn was there; it is taken now, once. No token: closed to all.
    process = RasaProcess(model, tmp_path, actions)
    try:
        process.wait()
        late = process.client.say(sender, "太差了", "m2")
        first = process.client.say(sender, "房间根本没打扫", "m1")
    finally:
        process.stop()
    assert late.content["repeated"] is False
    assert late.content["messages"][0]["variant"] != found.content["messages"][0]["variant"]
    assert first.content == found.content
    assert len(actions.of(sender)) == 2

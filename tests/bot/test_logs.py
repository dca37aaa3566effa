"""Lines of the log."""

import json
import logging

from bot.logs import JsonFormatter, _concerns_us, _event_only


def line(**record: object) -> dict[str, object]:
    made = logging.makeLogRecord({"name": "bot", "levelno": 20, "levelname": "INFO", **record})
    formatted = JsonFormatter().format(made)
    assert "\n" not in formatted
    parsed: dict[str, object] = json.loads(formatted)
    return parsed


def test_a_line_is_json_with_known_fields_only() -> None:
    made = line(msg="turn %d", args=(3,), sender="k:0", text="秘密", failed=False)

    assert made["message"] == "turn 3"
    assert made["level"] == "info"
    assert made["sender"] == "k:0"
    assert made["failed"] is False
    assert "text" not in made
    assert str(made["time"]).endswith("+00:00")


def test_an_exception_tells_its_type_and_its_way() -> None:
    try:
        raise ValueError("坏了\n再见")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)

    made = line(msg="x", exc_info=info)

    assert str(made["exception"]).startswith("ValueError: 坏了")
    assert "test_logs.py" in str(made["at"])


def test_long_messages_are_cut() -> None:
    assert len(str(line(msg="长" * 5000)["message"])) == 500


def test_structured_events_lose_their_content() -> None:
    assert _event_only(None, "error", {"event": "nlu.failed", "text": "秘密"}) == "nlu.failed"


def test_old_libraries_are_not_heard() -> None:
    old = logging.makeLogRecord({"msg": "x.py:1: DeprecationWarning: y"})
    ours = logging.makeLogRecord({"msg": "x.py:1: UserWarning: y"})

    assert not _concerns_us(old)
    assert _concerns_us(ours)

"""What the desk posts, checked without a server."""

import json
import random
import string

import pytest

from bot.incoming import (
    BadRequestError,
    Forgetting,
    forgetting,
    staff_message,
    without_command,
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/restart", "restart"),
        ("//", ""),
        ("  /  / 你好", "你好"),
        ("\u3000/你好", "你好"),
        ("\x1c/你好", "你好"),
        ("你好/再见", "你好/再见"),
        ("1/2", "1/2"),
        ("  你好  ", "你好"),
        ("", ""),
    ],
)
def test_a_leading_slash_is_removed(text: str, left: str) -> None:
    assert without_command(text) == left


def test_no_mixture_of_slashes_and_spaces_stays_a_command() -> None:
    chance = random.Random(5)
    alphabet = "/" * 6 + string.whitespace + "\u3000\u2003\x85\x1fab"
    for _ in range(3000):
        text = "".join(chance.choice(alphabet) for _ in range(chance.randrange(12)))
        assert not without_command(text).strip().startswith("/")


@pytest.mark.parametrize(
    "body",
    [
        b'{"sender":"k:0","message_id":"s","text":"x","metadata":{}}',
        b'{"sender":"k:0","message_id":"s","text":" ","metadata":{"by":"staff:1"}}',
        b'{"sender":"k:0","message_id":"s","text":"x","metadata":{"by":"a b"}}',
        b'{"sender":"k:0","message_id":"s","text":"x"}',
        b'{"sender":"k:0","text":"x","metadata":{"by":"staff:1"}}',
    ],
)
def test_staff_messages_are_checked(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        staff_message(body)


def test_a_staff_message_is_read() -> None:
    body = '{"sender":"k:0","message_id":"s","text":"/好","metadata":{"by":"staff:1"}}'.encode()

    message = staff_message(body)

    assert (message.sender, message.message_id, message.text, message.by) == (
        "k:0",
        "s",
        "/好",
        "staff:1",
    )


def test_what_is_to_be_forgotten_is_read_strictly() -> None:
    body = {"conversations": ["v1", "v2"], "before": None}
    assert forgetting(json.dumps(body).encode()) == Forgetting(("v1", "v2"), None)
    assert forgetting(b'{"conversations": [], "before": 12.5}') == Forgetting((), 12.5)
    for wrong in (
        {},
        {"conversations": "v1"},
        {"conversations": [1]},
        {"conversations": ["v 1"]},
        {"conversations": ["v1"] * 201},
        {"conversations": [], "before": True},
        {"conversations": [], "before": "now"},
    ):
        with pytest.raises(BadRequestError):
            forgetting(json.dumps(wrong).encode())

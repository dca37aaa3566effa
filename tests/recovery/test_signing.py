"""Signatures of letters between systems: only who knows the secret, only lately."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.signing import SignatureError, sign, verify

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def takes(header: str, body: bytes, *secrets: str, now: datetime = NOW) -> bool:
    try:
        verify(header, body, secrets, now)
    except SignatureError:
        return False
    return True


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.text(min_size=1, max_size=40), st.integers(-300, 300), st.data())
def test_what_was_signed_is_taken_and_nothing_else(
    body: bytes, secret: str, away: int, data: st.DataObject
) -> None:
    header = sign(secret, body, NOW + timedelta(seconds=away))
    assert verify(header, body, (secret,), NOW) == NOW + timedelta(seconds=away)
    assert takes(header, body, "another", secret)
    assert takes(sign("new", body, NOW, secret), body, secret)
    assert not takes(header, body + b"x", secret)
    assert not takes(header, body, secret + "x")
    assert not takes(header, body)
    place = data.draw(st.integers(0, len(header) - 1))
    changed = header[:place] + data.draw(st.characters()) + header[place + 1 :]
    if changed.lower() != header:
        assert not takes(changed, body, secret)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300) | st.from_regex(r"(t=\d{0,20}|v1=[0-9a-f]{0,64}|,){0,20}"))
def test_anything_else_in_the_header_is_refused_in_order(header: str) -> None:
    assert not takes(header, b"body", "secret")


@pytest.mark.parametrize("away", [-301, 301, 10**9])
def test_a_letter_of_another_time_is_refused(away: int) -> None:
    header = sign("secret", b"body", NOW)
    assert not takes(header, b"body", "secret", now=NOW + timedelta(seconds=away))


def test_an_empty_secret_signs_nothing() -> None:
    assert not takes(sign("", b"body", NOW), b"body", "")

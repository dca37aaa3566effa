"""Signed tokens and identifiers: what nobody can guess, forge, stretch or use elsewhere."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from recovery.ids import fingerprint, new_id, new_secret, read_signed, sign
from recovery.store import customers
from recovery.store.database import Database
from recovery.store.tables import web_sessions

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
KEY = "k" * 43
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
contents = st.dictionaries(st.text().filter(lambda name: name != "exp"), plain)


def _writable(text: str) -> bool:
    return text.encode(errors="ignore").decode() == text


# --- tokens ---------------------------------------------------------------------------------


@given(contents.filter(lambda content: _writable(json.dumps(content, ensure_ascii=False))))
def test_what_was_signed_is_read_back(content: dict[str, object]) -> None:
    token = sign(content, KEY, "button")
    assert read_signed(token, KEY, "button", NOW) == content
    assert token.isascii()
    assert not set(token) & set("+/= ?&#"), "fit for an address"


@given(st.data())
def test_no_character_of_a_token_can_be_changed(data: st.DataObject) -> None:
    content = {"customer": "guest-1", "business": "lanting"}
    token = sign(content, KEY, "identity")
    place = data.draw(st.integers(0, len(token) - 1))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    other = data.draw(st.sampled_from(letters).filter(lambda char: char != token[place]))
    forged = token[:place] + other + token[place + 1 :]
    # The last character of base64 holds spare bits, so that a few spellings read alike.
    assert read_signed(forged, KEY, "identity", NOW) in (None, content)
    if place not in (token.index(".") - 1, len(token) - 1):
        assert read_signed(forged, KEY, "identity", NOW) is None


@given(st.text())
def test_nonsense_is_no_token(text: str) -> None:
    assert read_signed(text, KEY, "button", NOW) is None


@pytest.mark.parametrize("key", ["K" * 43, KEY + "k", KEY[:-1], ""])
def test_another_key_reads_nothing(key: str) -> None:
    assert read_signed(sign({"a": 1}, KEY, "button"), key, "button", NOW) is None


def test_a_token_of_one_kind_is_none_of_another() -> None:
    kinds = ("identity", "invitation", "button")
    for made in kinds:
        for read in kinds:
            content = read_signed(sign({"a": 1}, KEY, made), KEY, read, NOW)
            assert (content == {"a": 1}) is (made == read)


def test_kind_and_content_cannot_be_shifted_into_each_other() -> None:
    raw = b'{"a":1}'
    token = sign({"a": 1}, KEY, "but")
    payload = base64.urlsafe_b64encode(b"ton\x00" + raw).rstrip(b"=").decode()
    assert read_signed(f"{payload}.{token.split('.')[1]}", KEY, "button", NOW) is None


def test_time_runs_out_to_the_second() -> None:
    token = sign({"exp": NOW.timestamp()}, KEY, "identity")
    assert read_signed(token, KEY, "identity", NOW) is not None
    assert read_signed(token, KEY, "identity", NOW + timedelta(milliseconds=1)) is None


@pytest.mark.parametrize("exp", ["soon", None, [], {}, True])
def test_an_expiry_that_is_no_time_opens_nothing(exp: object) -> None:
    assert read_signed(sign({"exp": exp}, KEY, "identity"), KEY, "identity", NOW) is None


@pytest.mark.parametrize("content", ["[1]", '"text"', "7", "null", "{", ""])
def test_what_is_no_object_is_no_content(content: str) -> None:
    token = sign({}, KEY, "identity")
    payload = base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()
    assert read_signed(f"{payload}.{token.split('.')[1]}", KEY, "identity", NOW) is None


# --- identifiers ----------------------------------------------------------------------------


def test_identifiers_are_long_and_never_the_same() -> None:
    ids = {new_id("k") for _ in range(2000)}
    assert len(ids) == 2000
    assert {len(one) for one in ids} == {25}
    assert {one[0] for one in ids} == {"k"}
    secrets = {new_secret() for _ in range(2000)}
    assert len(secrets) == 2000
    assert min(len(one) for one in secrets) >= 43


@pytest.mark.parametrize("secret", ["", "x", "密码", "\ud800", "\udcff\udcfe", "a" * 10_000])
def test_anything_has_a_fingerprint(secret: str) -> None:
    assert len(fingerprint(secret)) == 64
    assert fingerprint(secret) == fingerprint(secret)
    assert fingerprint(secret + "x") != fingerprint(secret)


# --- sessions in the store ------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    made.migrate()
    return made


def test_a_stolen_database_opens_no_session(store: Database) -> None:
    with store.write() as db:
        customer, secret = customers.begin_session(db, None, "lanting", "阿明", None, NOW)
        stored = " ".join(str(value) for row in db.execute(select(web_sessions)) for value in row)
        assert secret not in stored
        assert fingerprint(secret) in stored
        assert customers.by_session(db, secret, "lanting") == customer
        assert customers.by_session(db, fingerprint(secret), "lanting") is None


def test_a_login_moves_the_session_and_leaves_the_stranger_behind(store: Database) -> None:
    with store.write() as db:
        stranger, old = customers.begin_session(db, None, "lanting", "路人", None, NOW)
        shop, same = customers.begin_session(db, old, "qinghe", "小满", None, NOW)
        assert same == old
        known, new = customers.begin_session(db, old, "lanting", "", "guest-1", NOW)
        assert known.id != stranger.id
        assert known.proved
        assert not stranger.proved
        assert new != old
        assert customers.all_of_session(db, old) == []
        assert {one.id for one in customers.all_of_session(db, new)} == {known.id, shop.id}
        assert customers.load(db, stranger.id) == stranger, "the talk has still its author"


def test_another_login_in_the_same_browser_is_another_customer(store: Database) -> None:
    with store.write() as db:
        first, one = customers.begin_session(db, None, "lanting", "", "guest-1", NOW)
        second, two = customers.begin_session(db, one, "lanting", "", "guest-2", NOW)
        assert first.id != second.id
        assert one != two
        assert customers.by_session(db, one, "lanting") is None
        back, _ = customers.begin_session(db, two, "lanting", "", "guest-1", NOW)
        assert back.id == first.id


def test_the_same_name_at_two_host_sites_is_two_customers(store: Database) -> None:
    with store.write() as db:
        hotel, _ = customers.begin_session(db, None, "lanting", "", "1001", NOW)
        shop, _ = customers.begin_session(db, None, "qinghe", "", "1001", NOW)
        assert hotel.id != shop.id


def test_a_known_customer_who_comes_without_a_signature_stays_known(store: Database) -> None:
    with store.write() as db:
        known, secret = customers.begin_session(db, None, "lanting", "林晚", "guest-1", NOW)
        again, same = customers.begin_session(db, secret, "lanting", "", None, NOW)
        assert (again, same) == (known, secret)
        renamed, _ = customers.begin_session(db, secret, "lanting", "晚晚", None, NOW)
        assert renamed.name == "晚晚"
        assert customers.load(db, known.id).name == "晚晚"

"""The second factor: which codes are good, how often, and what a stolen database gives away."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text

from recovery import second_factor
from recovery.passwords import weakness
from recovery.store import audit_log, second_factors, staff
from recovery.store.database import Database
from recovery.store.staff import Opened, SecondStep, Staff
from recovery.store.tables import audit_log as audit_table

NOW = datetime(2026, 11, 22, 4, 0, 10, tzinfo=UTC)
PASSWORD = "an honest password"
KEY = "a key of the tests"
STEP = timedelta(seconds=30)


# --- codes ------------------------------------------------------------------------------------


def test_codes_are_those_of_the_standard() -> None:
    """The test vectors of RFC 6238, appendix B (SHA-1), their last six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in (
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ):
        moment = datetime.fromtimestamp(seconds, UTC)
        assert second_factor.step_of(secret, code, moment) == seconds // 30


def test_a_clock_may_be_wrong_by_one_step_and_no_more() -> None:
    secret = second_factor.new_secret()
    code = pyotp.TOTP(secret).at(NOW)
    good = [
        steps
        for steps in range(-4, 5)
        if second_factor.step_of(secret, code, NOW + steps * STEP) is not None
    ]
    assert good == [-1, 0, 1]


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "１２３４5", "-12345", "²²²²²²"]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    code = second_factor.plain_code(typed)
    assert second_factor.step_of(second_factor.new_secret(), code, NOW) is None


def test_a_code_may_be_typed_with_gaps_and_in_full_width() -> None:
    secret = second_factor.new_secret()
    code = pyotp.TOTP(secret).at(NOW)
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)
    for typed in (code, f"{code[:3]} {code[3:]}", f" {code[:3]}-{code[3:]}\n", wide):
        assert second_factor.step_of(secret, second_factor.plain_code(typed), NOW) is not None


def test_the_qr_code_is_a_picture_without_script() -> None:
    drawn = second_factor.qr_of(second_factor.uri_of(second_factor.new_secret(), "<script>李&娜"))
    kinds = {one.tag.rpartition("}")[2] for one in ElementTree.fromstring(drawn).iter()}  # noqa: S314 - our own
    assert kinds <= {"svg", "g", "path"}
    assert "script" not in drawn


def test_another_key_opens_nothing() -> None:
    sealed = second_factor.seal("SECRET", KEY)
    assert "SECRET" not in sealed
    assert second_factor.unseal(sealed, KEY) == "SECRET"
    for key, closed in (("another key", sealed), (KEY, sealed[:-4] + "AAA="), (KEY, "nonsense")):
        with pytest.raises(second_factor.SealError):
            second_factor.unseal(closed, key)


# --- the account ------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    # What a hash costs stands in the hash; a test with many logins takes cheap ones.
    monkeypatch.setattr(staff, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    made = Database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    made.migrate()
    with made.write() as db:
        staff.add(db, "qian", "钱哥", "agent", PASSWORD, NOW)
    yield made
    made.close()


def log_in(
    store: Database, code: str | None, now: datetime, password: str = PASSWORD, key: str = KEY
) -> Opened | SecondStep | None:
    with store.write() as db:
        tried = staff.attempt("qian", staff.password_hash(db, "qian"), password)
        return staff.log_in(db, tried, now, code, key)


def in_force(store: Database) -> tuple[pyotp.TOTP, list[str]]:
    """The second factor of the account, and its codes from paper."""
    with store.write() as db:
        secret = second_factors.begin(db, 1, KEY)
        assert secret is not None
        app = pyotp.TOTP(secret)
        codes = second_factors.confirm(db, 1, app.at(NOW), KEY, NOW)
    assert codes is not None
    return app, codes


def test_before_it_is_confirmed_it_asks_nobody(store: Database) -> None:
    with store.write() as db:
        assert second_factors.begin(db, 1, KEY) is not None
        assert second_factors.confirm(db, 1, "000000", "another key", NOW) is None
    assert isinstance(log_in(store, None, NOW), Opened)


def test_a_right_password_is_not_enough(store: Database) -> None:
    app, _ = in_force(store)
    later = NOW + 2 * STEP
    assert log_in(store, None, later) is SecondStep.CODE_NEEDED
    assert log_in(store, app.at(later - 5 * STEP), later) is SecondStep.BAD_CODE
    assert log_in(store, app.at(later), later, "a wrong password") is None, "nor is a code"
    assert isinstance(log_in(store, app.at(later), later), Opened)


def test_a_code_is_good_once(store: Database) -> None:
    app, _ = in_force(store)
    assert log_in(store, app.at(NOW), NOW) is SecondStep.BAD_CODE, "it confirmed the app"
    later = NOW + 2 * STEP
    assert isinstance(log_in(store, app.at(later), later), Opened)
    assert log_in(store, app.at(later), later + STEP) is SecondStep.BAD_CODE
    assert log_in(store, app.at(later - STEP), later) is SecondStep.BAD_CODE, "one before it"
    assert isinstance(log_in(store, app.at(later + STEP), later + STEP), Opened)


def test_a_recovery_code_is_good_once(store: Database) -> None:
    _, codes = in_force(store)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    later = NOW + 2 * STEP
    assert isinstance(log_in(store, codes[0].lower().replace("-", " "), later), Opened)
    assert log_in(store, codes[0], later) is SecondStep.BAD_CODE
    assert isinstance(log_in(store, codes[1], later, key="of a lost secrets.json"), Opened)


def test_guessing_codes_locks_the_account(store: Database) -> None:
    app, codes = in_force(store)
    later = NOW + 2 * STEP
    wrong = "000000" if app.at(later) != "000000" else "000001"
    for _ in range(5):
        assert log_in(store, wrong, later) is SecondStep.BAD_CODE
    for code in (app.at(later), codes[0], None):
        assert log_in(store, code, later) is None, "locked, and nothing is said of the password"
    after = later + timedelta(seconds=31)
    assert isinstance(log_in(store, app.at(after), after), Opened)


def test_it_can_be_begun_anew_only_when_it_is_off(store: Database) -> None:
    _, codes = in_force(store)
    with store.write() as db:
        assert second_factors.begin(db, 1, KEY) is None
        assert second_factors.drop(db, 1)
        assert not second_factors.drop(db, 1)
    assert isinstance(log_in(store, None, NOW), Opened)
    _, fresh = in_force(store)
    later = NOW + 2 * STEP
    assert log_in(store, codes[0], later) is SecondStep.BAD_CODE, "codes of before are void"
    assert isinstance(log_in(store, fresh[0], later), Opened)


def test_the_database_alone_makes_no_codes(store: Database) -> None:
    app, codes = in_force(store)
    with store.read() as db:
        held = [
            str(value)
            for table in ("staff", "recovery_codes", "audit_log")
            for row in db.execute(text(f"SELECT * FROM {table}"))  # noqa: S608 - named above
            for value in row
        ]
    everything = " ".join(held)
    assert app.secret not in everything
    assert not any(code in everything or code.replace("-", "") in everything for code in codes)


def test_logins_and_their_failures_are_written_down(store: Database) -> None:
    app, _ = in_force(store)
    later = NOW + 2 * STEP
    log_in(store, None, later, "a wrong password")
    log_in(store, "000000" if app.at(later) != "000000" else "000001", later)
    log_in(store, app.at(later), later)
    with store.read() as db:
        rows = db.execute(select(audit_table.c.act, audit_table.c.detail)).all()
        read = audit_log.read(db, Staff(9, "g", "管", "manager"), 10)
    assert [(row.act, row.detail.get("wrong") or row.detail.get("second")) for row in rows] == [
        ("login_failed", "password"),
        ("login_failed", "code"),
        ("login", "app"),
    ]
    assert (read[0]["act"], read[0]["name"]) == ("login", "钱哥")


# --- passwords --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        *("short", "123456789", "1234567890", "9876543210", "1111111111", "qwertyuiop"),
        *("Password123", "ＰＡＳＳＷＯＲＤ１２３", "woaini1314", "a123456789", "abcabcabcabc"),
        *("wang-xiaoming", "Wang-xiaoming1", "x" * 201, "zero\0inside", "half \ud800 a sign"),
    ],
)
def test_weak_passwords_are_refused_in_chinese(password: str) -> None:
    said = weakness(password, "wang-xiaoming")
    assert said is not None
    assert "密码" in said


@pytest.mark.parametrize(
    "password",
    ["an honest password", "正确的马和电池和订书钉", "wang-xiaoming 爱吃小龙虾", "r7#kQ!m2xZ"],
)
def test_honest_passwords_are_taken(password: str) -> None:
    assert weakness(password, "wang-xiaoming") is None

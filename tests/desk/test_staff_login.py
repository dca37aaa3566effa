"""Staff: login, lock-out, the end of a session, and nothing for anybody without one."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from subprocess import CalledProcessError

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, update

from recovery.ids import new_id
from recovery.store import staff
from recovery.store.database import Database, stamp
from recovery.store.staff import BadAccountError, Staff
from recovery.store.tables import staff_sessions
from tests.desk.people import PATIENCE, Agent, close_code, closed, database, log_in
from tests.support.stack import Stack

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PASSWORD = "an honest password"


@pytest.fixture(scope="module")
def office(alone: Stack) -> Iterator[Stack]:
    """The desk alone with an account made by the command."""
    alone.add_staff("zhao", "赵姐", PASSWORD)
    yield alone


async def attempt(stack: Stack, body: object) -> httpx.Response:
    async with httpx.AsyncClient(base_url=stack.url, trust_env=False, timeout=20) as http:
        return await http.post(
            "/api/staff/login",
            content=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )


# --- login ----------------------------------------------------------------------------------


async def test_the_right_password_opens_the_desk(office: Stack) -> None:
    answer = await attempt(office, {"login": "zhao", "password": PASSWORD})
    content = answer.json()
    assert answer.status_code == 200
    assert content["staff"]["name"] == "赵姐"
    assert content["staff"]["role"] == "agent"
    cookie = SimpleCookie(answer.headers["set-cookie"])["huixin_staff"]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert content["csrf"] not in cookie.value
    async with httpx.AsyncClient(base_url=office.url, trust_env=False, timeout=PATIENCE) as http:
        headers = {"Cookie": f"huixin_staff={cookie.value}"}
        me = await http.get("/api/staff/me", headers=headers)
        assert me.json() == content


async def test_every_failure_is_answered_by_one_sentence(office: Stack) -> None:
    office_answers = [
        await attempt(office, body)
        for body in (
            {"login": "zhao", "password": "a wrong password"},
            {"login": "nobody", "password": PASSWORD},
            {"login": "zhao", "password": ""},
            {"login": "", "password": PASSWORD},
            {"login": "zhao"},
            {"login": ["zhao"], "password": {"a": 1}},
            {"login": "zhao", "password": "x" * 201},
            {"login": "z" * 81, "password": PASSWORD},
            {"login": "zh\0ao", "password": PASSWORD},
            {"login": "\ud800zhao", "password": PASSWORD},
            {"login": "zhao", "password": "\udfff" * 12},
        )
    ]
    assert {answer.status_code for answer in office_answers} == {401}
    assert len({answer.text for answer in office_answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in office_answers)
    assert "\\udfff" not in office.log("desk"), "no password reaches the log"


def test_the_command_refuses_a_login_that_is_taken(office: Stack) -> None:
    with pytest.raises(CalledProcessError) as refused:
        office.add_staff("zhao", "某人", PASSWORD)
    assert refused.value.returncode == 1
    assert "已经有了" in refused.value.stderr.decode()
    assert PASSWORD not in refused.value.stderr.decode()


async def test_logins_from_one_address_are_slowed_down(office: Stack) -> None:
    """Also over many accounts, which the lock of each account cannot see."""
    answers = await asyncio.gather(
        *(attempt(office, {"login": f"guess-{n}", "password": "x"}) for n in range(26))
    )
    assert {answer.status_code for answer in answers} == {401, 429}


# --- the lock, on a clock of the test -------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    # What a hash costs stands in the hash; a test with dozens of logins takes cheap ones.
    monkeypatch.setattr(staff, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    made = Database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    made.migrate()
    with made.write() as db:
        staff.add(db, "qian", "钱哥", "agent", PASSWORD, NOW)
    return made


def log_in_at(db: Connection, password: str, now: datetime) -> tuple[Staff, str, str] | None:
    """All of a login in one go; the desk compares the password outside the transaction."""
    tried = staff.attempt("qian", staff.password_hash(db, "qian"), password)
    return staff.log_in(db, tried, now)


def opens(store: Database, password: str, now: datetime) -> bool:
    with store.write() as db:
        return log_in_at(db, password, now) is not None


def test_the_account_locks_after_five_tries_for_a_growing_time(store: Database) -> None:
    now = NOW
    for _ in range(5):
        assert not opens(store, "wrong", now)
    locked: list[float] = []
    for _ in range(9):
        seconds = next(
            step
            for step in (30, 60, 120, 240, 480, 960, 1920, 3600)
            if _open_after(store, now, step)
        )
        locked.append(seconds)
        now += timedelta(seconds=seconds, microseconds=1)
        assert not opens(store, "wrong", now)
    assert locked == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def _open_after(store: Database, now: datetime, seconds: float) -> bool:
    """Whether the lock of this moment is over then; nothing is changed by looking."""
    probe = store.engine.connect().execution_options(huixin_write=True)
    with probe:
        transaction = probe.begin()
        later = now + timedelta(seconds=seconds, microseconds=1)
        found = log_in_at(probe, PASSWORD, later) is not None
        transaction.rollback()
    return found


def test_while_locked_the_right_password_does_not_open(store: Database) -> None:
    for _ in range(5):
        assert not opens(store, "wrong", NOW)
    assert not opens(store, PASSWORD, NOW + timedelta(seconds=29))
    assert opens(store, PASSWORD, NOW + timedelta(seconds=30))


def test_a_login_forgets_the_tries_before_it(store: Database) -> None:
    for _ in range(4):
        assert not opens(store, "wrong", NOW)
    assert opens(store, PASSWORD, NOW)
    for _ in range(4):
        assert not opens(store, "wrong", NOW)
    assert opens(store, PASSWORD, NOW)


def test_a_session_ends_after_half_a_day_however_busy(store: Database) -> None:
    with store.write() as db:
        found = log_in_at(db, PASSWORD, NOW)
        assert found is not None
        secret = found[1]
        for hours in range(1, 12):
            assert staff.by_session(db, secret, NOW + timedelta(hours=hours)) is not None
            staff.mark_used(db, secret, NOW + timedelta(hours=hours))
        assert staff.by_session(db, secret, NOW + timedelta(hours=11, minutes=59)) is not None
        assert staff.by_session(db, secret, NOW + timedelta(hours=12)) is None
        assert staff.by_session(db, "guessed", NOW) is None


def test_a_session_that_nobody_uses_ends_after_two_hours(store: Database) -> None:
    with store.write() as db:
        found = log_in_at(db, PASSWORD, NOW)
        assert found is not None
        secret, two = found[1], timedelta(hours=2)
        assert staff.by_session(db, secret, NOW + two - timedelta(seconds=1)) is not None
        assert staff.by_session(db, secret, NOW + two) is None
        later = NOW + timedelta(hours=1)
        staff.mark_used(db, secret, later)
        assert staff.by_session(db, secret, later + two - timedelta(seconds=1)) is not None
        assert staff.by_session(db, secret, later + two) is None


def test_use_is_written_down_once_a_minute_at_most(store: Database) -> None:
    with store.write() as db:
        found = log_in_at(db, PASSWORD, NOW)
        assert found is not None
        secret = found[1]
        for seconds, stale in ((0, False), (59, False), (60, True)):
            now = NOW + timedelta(seconds=seconds)
            session = staff.by_session(db, secret, now)
            assert session is not None
            assert staff.is_stale(session, now) is stale
            staff.mark_used(db, secret, now)
            again = staff.by_session(db, secret, now)
            assert again is not None
            assert again.seen_at == (stamp(now) if stale else session.seen_at)


def test_passwords_and_sessions_are_stored_as_hashes_only(store: Database) -> None:
    with store.write() as db:
        found = log_in_at(db, PASSWORD, NOW)
        assert found is not None
        rows = [*db.execute(staff.staff.select()), *db.execute(staff_sessions.select())]
    stored = " ".join(str(value) for row in rows for value in row)
    assert "$argon2id$" in stored
    assert PASSWORD not in stored
    assert found[1] not in stored


@pytest.mark.parametrize(
    ("login", "password", "role", "cause"),
    [
        ("sun", PASSWORD, "emperor", "角色"),
        ("sun", "123456789", "agent", "至少10位"),
        (" ", PASSWORD, "agent", "1到40个字"),
        ("s" * 41, PASSWORD, "agent", "1到40个字"),
        ("qian", PASSWORD, "agent", "已经有了"),
    ],
)
def test_accounts_that_cannot_be_made(
    store: Database, login: str, password: str, role: str, cause: str
) -> None:
    with store.write() as db, pytest.raises(BadAccountError, match=cause):
        staff.add(db, login, "某人", role, password, NOW)


# --- sessions over the wire -----------------------------------------------------------------


async def test_a_change_needs_the_token_of_the_session(stack: Stack, lin: Agent) -> None:
    """A page of another site can make the browser send the cookie, but does not know it."""
    path = f"/api/staff/conversations/{new_id('k')}/take"
    for token in (b"", b"guessed", "口令".encode(), b"\xff"):
        headers = [(b"X-CSRF", token)]
        answer = await lin.http.post(path, json={}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")
    assert (await lin.http.post(path, json={})).status_code == 404, "with the token it counts"


async def test_after_logout_the_session_and_its_pages_are_closed(stack: Stack) -> None:
    store = database(stack)
    with store.write() as db:
        staff.add(db, "leaver", "要走的人", "agent", PASSWORD, datetime.now(UTC))
    login = await asyncio.to_thread(log_in, stack, "leaver", PASSWORD)
    async with Agent(stack, login) as leaver, leaver.socket() as socket:
        assert json.loads(await socket.recv())["type"] == "welcome"
        answer = await leaver.http.post("/api/staff/logout")
        assert answer.status_code == 204
        assert await closed(socket) == (4401, "not_logged_in")
        for path in ("/api/staff/me", "/api/staff/conversations"):
            assert (await leaver.http.get(path)).status_code == 401
    store.close()


async def test_a_session_that_has_run_out_gets_nothing_more(stack: Stack) -> None:
    store = database(stack)
    with store.write() as db:
        added = staff.add(db, "sleeper", "睡着的人", "agent", PASSWORD, datetime.now(UTC))
    login = await asyncio.to_thread(log_in, stack, "sleeper", PASSWORD)
    async with Agent(stack, login) as sleeper, sleeper.socket() as socket:
        assert json.loads(await socket.recv())["type"] == "welcome"
        with store.write() as db:
            db.execute(
                update(staff_sessions)
                .where(staff_sessions.c.staff_id == added.id)
                .values(expires_at=stamp(datetime.now(UTC)))
            )
        assert (await sleeper.http.get("/api/staff/me")).status_code == 401
        await socket.send(json.dumps({"type": "ping"}))
        assert await closed(socket) == (4401, "not_logged_in")
    store.close()


async def test_without_login_the_staff_socket_is_closed_at_once(stack: Stack) -> None:
    for headers in ({}, {"Cookie": "huixin_staff=guessed"}):
        assert await close_code(stack, "/ws/staff", **headers) == (4401, "not_logged_in")


async def test_a_page_of_another_site_gets_no_staff_socket(stack: Stack, lin: Agent) -> None:
    headers = {"Cookie": lin.cookie, "Origin": "https://elsewhere.example"}
    assert await close_code(stack, "/ws/staff", **headers) == (4403, "forbidden")


async def test_a_staff_socket_survives_nonsense(stack: Stack, lin: Agent) -> None:
    async with lin.socket() as socket:
        for frame in (
            "",
            "[]",
            "null",
            "{",
            "[" * 5000,
            b"\xff\x00",
            '{"type": "watch", "conversation": 7}',
            '{"type": "watch", "conversation": "knone", "after": "x"}',
            '{"type": "watch", "conversation": "knone", "after": 1e99}',
            f'{{"type": "watch", "conversation": "knone", "after": {10**40}}}',
            '{"type": "watch", "conversation": "\\ud800", "after": -5}',
            '{"type": ["ping"]}',
            '{"type": "unknown"}',
        ):
            await socket.send(frame)
        await socket.send('{"type": "ping"}')
        async with asyncio.timeout(PATIENCE):
            while json.loads(await socket.recv())["type"] != "pong":
                pass

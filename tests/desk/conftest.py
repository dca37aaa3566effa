"""Fixtures of the desk's tests."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from recovery.clock import utc_now
from recovery.store import staff
from recovery.store.database import Database
from tests.desk.people import Agent, Login, database, log_in
from tests.desk.postgres import AbsentError, cluster, new_database
from tests.support.stack import Stack, running

PASSWORD = "an honest password"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of the tests' own."""
    try:
        with cluster() as server:
            yield server
    except AbsentError as error:
        if os.environ.get("HUIXIN_REQUIRE_ALL"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk.sqlite3'}"
    return new_database(request.getfixturevalue("postgres"), f"test_{secrets.token_hex(4)}")


@pytest.fixture
def store(url: str) -> Iterator[Database]:
    """A database that is up to date."""
    made = Database(url)
    made.migrate()
    yield made
    made.close()


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The desk without actions and Rasa, with a patience and a pace that a test can wait for."""
    folder = tmp_path_factory.mktemp("alone")
    limits = {"burst": 30, "per_second": 20, "sessions_per_minute": 100_000}
    patience = {"holding_seconds": 0.3, "give_up_seconds": 1.2}
    with running(folder, "desk", limits=limits, **patience) as stack:
        yield stack


@pytest.fixture(scope="session")
def logins(stack: Stack) -> tuple[Login, Login]:
    """Two members of staff at the whole stack, logged in once for all tests."""
    store = database(stack)
    with store.write() as db:
        for login, name in (("desk-lin", "小林"), ("desk-wu", "老吴")):
            staff.add(db, login, name, "agent", PASSWORD, utc_now())
    store.close()
    return log_in(stack, "desk-lin", PASSWORD), log_in(stack, "desk-wu", PASSWORD)


@pytest_asyncio.fixture
async def lin(stack: Stack, logins: tuple[Login, Login]) -> AsyncIterator[Agent]:
    async with Agent(stack, logins[0]) as agent:
        yield agent


@pytest_asyncio.fixture
async def wu(stack: Stack, logins: tuple[Login, Login]) -> AsyncIterator[Agent]:
    async with Agent(stack, logins[1]) as agent:
        yield agent

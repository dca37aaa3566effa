"""What comes at the same time is committed together, and fails alone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from desk.channels.wechat.incoming.together import Together
from desk.storage import Storage
from recovery.store.database import Database
from recovery.store.tables import wechat_received
from recovery.store.wechat import received
from tests.desk.serving import NOON


@pytest_asyncio.fixture
async def storage(url: str) -> AsyncIterator[Storage]:
    database = Database(url)
    database.migrate()
    made = Storage(database)
    yield made
    made.close()


def _add(db: Connection, key: str) -> str:
    received.add(db, "fuwu", key, {}, NOON, contact_id=None, waits=False)
    return key


def _count(db: Connection) -> int:
    return db.execute(select(func.count()).select_from(wechat_received)).scalar_one()


async def test_everything_is_committed_and_everybody_hears_of_their_own(storage: Storage) -> None:
    together = Together(storage)
    keys = [str(number) for number in range(100)]
    given = await asyncio.gather(
        *(together.write(lambda db, key=key: _add(db, key)) for key in keys)
    )
    assert given == keys
    assert await storage.read(_count) == 100


async def test_what_fails_undoes_nothing_of_the_others(storage: Storage) -> None:
    together = Together(storage)

    def fails(db: Connection) -> None:
        _add(db, "undone")
        raise LookupError("mine alone")

    def breaks(db: Connection) -> None:
        db.execute(wechat_received.insert().values(account="fuwu", key="broken"))

    ends = await asyncio.gather(
        together.write(lambda db: _add(db, "before")),
        together.write(lambda db: _add(db, "beside")),
        together.write(fails),
        together.write(breaks),
        together.write(lambda db: _add(db, "after")),
        return_exceptions=True,
    )
    assert [type(end) for end in ends] == [str, str, LookupError, IntegrityError, str]
    found = await storage.read(lambda db: set(db.execute(select(wechat_received.c.key)).scalars()))
    assert found == {"before", "beside", "after"}


async def test_whoever_goes_away_keeps_nobody_from_writing(storage: Storage) -> None:
    together = Together(storage)
    gone = asyncio.create_task(together.write(lambda db: _add(db, "gone")))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await together.write(lambda db: _add(db, "here")) == "here"

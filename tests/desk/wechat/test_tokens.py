"""One access token for all, fetched once, renewed in time, and never in a loop."""

import asyncio
import json
import sys
import threading
from asyncio.subprocess import PIPE
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from desk.channels.wechat.api.outcomes import NotReachedError, WeChatError
from recovery.clock import utc_now
from recovery.store.database import Database
from recovery.store.tables import wechat_tokens
from recovery.store.wechat import tokens
from tests.desk.serving import NOON, Clock
from tests.desk.wechat.interfaces import a_caller, a_double
from tests.support.stack import ROOT
from tests.support.wechat.double import Double

FETCH = "/cgi-bin/stable_token"
SEND = "/cgi-bin/message/custom/send"


def fetches(double: Double) -> int:
    return len(double.calls(FETCH)) + len(double.calls("/cgi-bin/gettoken"))


async def test_twenty_calls_at_once_fetch_one_token(tmp_path: Path, url: str) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock, url) as one:
            got = await asyncio.gather(*(one.tokens.get() for _ in range(20)))
            assert len(set(got)) == 1
            assert fetches(double) == 1


async def test_desks_on_threads_of_their_own_share_a_token(tmp_path: Path, url: str) -> None:
    with a_double(utc_now) as double:
        got: list[str] = []

        def desk() -> None:
            async def calls() -> None:
                async with a_caller(double, tmp_path, utc_now, url) as one:
                    got.extend(await asyncio.gather(*(one.tokens.get() for _ in range(5))))

            asyncio.run(calls())

        # The schema and the keys are made by one of them.
        async with a_caller(double, tmp_path, utc_now, url):
            pass
        double.hang(FETCH, 0.4)
        threads = [threading.Thread(target=desk) for _ in range(4)]
        for thread in threads:
            thread.start()
        await asyncio.to_thread(lambda: [thread.join(60) for thread in threads])
        assert len(got) == 20
        assert len(set(got)) == 1
        assert fetches(double) == 1


async def test_processes_of_one_desk_share_a_token(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'desk.sqlite3'}"
    with a_double(utc_now) as double:
        async with a_caller(double, tmp_path, utc_now, url):
            pass
        double.hang(FETCH, 0.5)
        command = [sys.executable, "-m", "tests.desk.wechat.interfaces", str(tmp_path), url]
        content = json.dumps(double.made).encode()  # type: ignore[attr-defined]
        processes = [
            await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE)
            for _ in range(2)
        ]
        ends = await asyncio.gather(*(one.communicate(content) for one in processes))
        got = [line for out, _ in ends for line in out.decode().split()]
        assert len(got) == 10
        assert len(set(got)) == 1
        assert fetches(double) == 1


async def test_a_token_that_has_expired_is_fetched_once_for_all(tmp_path: Path, url: str) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with AsyncExitStack() as stack:
            two = [
                await stack.enter_async_context(a_caller(double, tmp_path, clock, url))
                for _ in range(2)
            ]
            double.account(id="other")
            customer = double.accounts["gzh1"].customer("o-lan")
            customer.wrote(clock())
            for one in two:
                await one.official.send_text("o-lan", "您好")
            double.lose_token(code=42001)
            await asyncio.gather(
                *(one.official.typing("o-lan", on=False) for one in two for _ in range(10))
            )
            assert fetches(double) == 2


async def test_a_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock) as one:
            first = await one.tokens.get()
            clock.now += timedelta(seconds=7200 - 301)
            assert await one.tokens.get() == first
            clock.now += timedelta(seconds=2)
            assert await one.tokens.get() != first
            assert fetches(double) == 2


async def test_the_old_token_serves_to_its_end_while_wechat_is_away(tmp_path: Path) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock) as one:
            first = await one.tokens.get()
            clock.now += timedelta(seconds=7200 - 200)
            double.refuse_connections()
            assert await one.tokens.get() == first
            clock.now += timedelta(seconds=200)
            with pytest.raises(NotReachedError):
                await one.tokens.get()


async def test_a_restart_keeps_the_token(tmp_path: Path) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock) as one:
            first = await one.tokens.get()
        async with a_caller(double, tmp_path, clock) as one:
            assert await one.tokens.get() == first
        assert fetches(double) == 1


async def test_the_token_is_sealed_in_the_store(tmp_path: Path) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock) as one:
            token = await one.tokens.get()
            with one.context.storage.database.read() as db:
                stored = db.execute(select(wechat_tokens.c.token)).scalar_one()
            assert stored and token not in stored


async def test_secrets_json_of_another_desk_costs_one_fetch(tmp_path: Path) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock) as one:
            await one.tokens.get()
            with one.context.storage.database.write() as db:
                db.execute(update(wechat_tokens).values(token="sealed by somebody else"))
        async with a_caller(double, tmp_path, clock) as one:
            await one.tokens.get()
        assert fetches(double) == 2


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_refused_token_is_replaced_and_the_call_made_once_more(
    tmp_path: Path, code: int
) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock) as one:
            double.accounts["gzh1"].customer("o-lan").wrote(clock())
            await one.tokens.get()
            double.lose_token(code=code)
            await one.official.send_text("o-lan", "您好")
            assert double.words("o-lan") == ["您好"]
            assert [call.code for call in double.calls(SEND)] == [code, 0]
            assert fetches(double) == 2


async def test_a_token_that_another_desk_has_fetched_is_used(tmp_path: Path, url: str) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with (
            a_caller(double, tmp_path, clock, url) as one,
            a_caller(double, tmp_path, clock, url) as other,
        ):
            double.accounts["gzh1"].customer("o-lan").wrote(clock())
            await one.tokens.get()
            await other.tokens.get()
            double.lose_token()
            await other.official.typing("o-lan", on=True)
            assert fetches(double) == 2
            await one.official.send_text("o-lan", "您好")
            assert fetches(double) == 2


async def test_where_wechat_gives_the_refused_token_again_a_new_one_is_forced(
    tmp_path: Path,
) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock) as one:
            double.accounts["gzh1"].customer("o-lan").wrote(clock())
            await one.tokens.get()
            double.lose_token(stuck=True)
            await one.official.send_text("o-lan", "您好")
            assert double.words("o-lan") == ["您好"]
            assert [call.body["force_refresh"] for call in double.calls(FETCH)] == [
                False,
                False,
                True,
            ]


async def test_a_token_that_stays_refused_makes_no_loop(tmp_path: Path) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock) as one:
            double.fail(SEND, 40001, times=None)
            with pytest.raises(NotReachedError):
                await one.official.send_text("o-lan", "您好")
            # The first, one that is no other, one by force; the call was made twice.
            assert fetches(double) == 3
            assert len(double.calls(SEND)) == 2
            results = await asyncio.gather(
                *(one.official.send_text("o-lan", "您好") for _ in range(20)),
                return_exceptions=True,
            )
            assert all(isinstance(result, NotReachedError) for result in results)
            # By force not again within 30 seconds.
            assert fetches(double) == 4
            assert sum(call.body["force_refresh"] for call in double.calls(FETCH)) == 1


async def test_force_is_used_at_most_twenty_times_a_day(tmp_path: Path, url: str) -> None:
    store = Database(url)
    store.migrate()
    now, forced = NOON, 0
    with store.write() as db:
        assert tokens.lease(db, "fuwu", "t1", now)
        assert tokens.may_force(db, "fuwu", "t1", now)
        assert not tokens.may_force(db, "fuwu", "t1", now + timedelta(seconds=29))
        assert not tokens.may_force(db, "fuwu", "t2", now + timedelta(seconds=31))
        forced = 1
        for _ in range(40):
            now += timedelta(minutes=1)
            forced += tokens.may_force(db, "fuwu", "t1", now)
        assert forced == 20
        assert tokens.may_force(db, "fuwu", "t1", now + timedelta(days=1))
    store.close()


async def test_the_lease_of_a_desk_that_has_died_runs_out(tmp_path: Path, url: str) -> None:
    store = Database(url)
    store.migrate()
    with store.write() as db:
        assert tokens.lease(db, "fuwu", "t1", NOON)
        assert not tokens.lease(db, "fuwu", "t2", NOON + timedelta(seconds=11))
        assert tokens.lease(db, "other", "t2", NOON)
        assert tokens.lease(db, "fuwu", "t2", NOON + timedelta(seconds=13))
        # What comes late from the first one is not kept.
        late = tokens.Token("late" * 8, NOON, NOON)
        tokens.keep(db, "fuwu", "t1", late, "k" * 43)
        assert tokens.load(db, "fuwu", "k" * 43) is None
        assert not tokens.lease(db, "fuwu", "t1", NOON + timedelta(seconds=14))
    store.close()


async def test_a_failed_fetch_leaves_no_lease_behind(tmp_path: Path, url: str) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with (
            a_caller(double, tmp_path, clock, url) as one,
            a_caller(double, tmp_path, clock, url) as other,
        ):
            double.fail(FETCH, status=502)
            with pytest.raises(NotReachedError):
                await one.tokens.get()
            assert await other.tokens.get()


async def test_a_fetch_goes_on_when_its_first_caller_has_gone(tmp_path: Path) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock) as one:
            double.hang(FETCH, 0.3)
            first = asyncio.create_task(one.tokens.get())
            second = asyncio.create_task(one.tokens.get())
            await double.until(lambda: fetches(double))
            first.cancel()
            assert await second
            assert fetches(double) == 1


async def test_a_crowd_does_not_ask_again_and_again_when_the_secret_is_wrong(
    tmp_path: Path,
) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock, SECRET="0" * 32) as one:
            for _ in range(5):
                results = await asyncio.gather(
                    *(one.official.send_text("o-lan", "您好") for _ in range(10)),
                    return_exceptions=True,
                )
                # What was to be sent waits until an operator has mended it.
                assert all(isinstance(result, NotReachedError) for result in results)
            assert fetches(double) == 1
            with pytest.raises(WeChatError) as caught:
                await one.official.token_works()
            assert caught.value.code == 40125


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b'{"access_token": 5, "expires_in": 7200}',
        b'{"access_token": "x", "expires_in": 7200}',
        b'{"access_token": "xxxxxxxxxxxxxxxxxxxx", "expires_in": -1}',
        b"[]",
        b"<html>",
    ],
)
async def test_what_is_no_token_is_none(tmp_path: Path, raw: bytes) -> None:
    clock = Clock()
    with a_double(clock) as double:
        async with a_caller(double, tmp_path, clock) as one:
            double.fail(FETCH, raw=raw)
            with pytest.raises(NotReachedError):
                await one.tokens.get()


async def test_wecom_tokens_go_the_same_way(tmp_path: Path) -> None:
    clock = Clock()
    with a_double(clock, "kf") as double:
        async with a_caller(double, tmp_path, clock) as one:
            got = await asyncio.gather(*(one.tokens.get() for _ in range(20)))
            assert len(set(got)) == 1
            assert fetches(double) == 1
            double.lose_token(code=42001)
            await one.kf.accounts()
            assert fetches(double) == 2
            # WeCom knows no force: the refused one again is the end of it.
            double.lose_token(code=40014, stuck=True)
            with pytest.raises(NotReachedError):
                await one.kf.accounts()
            assert fetches(double) == 3

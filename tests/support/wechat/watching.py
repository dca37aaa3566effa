"""What was seen and done, and how the double is told to fail."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from tests.support.wechat import rules
from tests.support.wechat.base import Base
from tests.support.wechat.calls import Call
from tests.support.wechat.wire import Answer, Fault
from tests.support.wechat.world import Seen

T = TypeVar("T")


class Watching(Base):
    """For the test: what customers see, what the desk has called."""

    def seen(self, openid: str, account: str | None = None) -> list[Seen]:
        """What a customer has seen, in order; at all accounts unless one is named."""
        found = [self.accounts[account]] if account else self.accounts.values()
        listed = [
            one for each in found if openid in each.customers for one in each.customers[openid].seen
        ]
        return sorted(listed, key=lambda one: one.at)

    def words(self, openid: str, account: str | None = None) -> list[str]:
        """The texts of what a customer has seen."""
        return [one.text for one in self.seen(openid, account)]

    async def sees(
        self, openid: str, part: str, seconds: float = 10.0, account: str | None = None
    ) -> Seen:
        """Wait until a customer sees something with these words (also of an item of a menu).

        Raises:
            AssertionError: It does not come.
        """

        def found() -> Seen | None:
            for one in self.seen(openid, account):
                if part in one.text or any(part in words for _, words in one.items):
                    return one
            return None

        return await self.until(found, f"{openid} sees {part!r}", seconds)

    async def until(
        self, condition: Callable[[], T | None], what: str = "", seconds: float = 10.0
    ) -> T:
        """Wait until a condition is true; gives what it gives.

        Raises:
            AssertionError: It does not become true.
        """
        end = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}")
            await asyncio.sleep(0.01)
        return found

    def calls(self, path: str | None = None) -> list[Call]:
        """What was called, in order; the path may stand without `/cgi-bin`."""
        return [one for one in self._interface.calls if path is None or one.path.endswith(path)]

    @property
    def callbacks(self) -> list[Any]:
        """All attempts to tell the desk, see `callbacks.Callback`."""
        return list(self._caller.calls)

    @property
    def slowest(self) -> float:
        """Seconds of the slowest callback."""
        return max((one.seconds for one in self._caller.calls), default=0.0)

    @property
    def violations(self) -> list[tuple[str, str, int]]:
        return list(self._interface.violations)

    @property
    def wrong(self) -> list[str]:
        return self._caller.wrong + self._interface.wrong

    def doubles(self) -> list[tuple[str, str]]:
        """Words that a customer has seen more than once: openid, text."""
        found = []
        for account in self.accounts.values():
            for customer in account.customers.values():
                counted = Counter(one.text for one in customer.seen if one.kind != "unavailable")
                found += [(customer.openid, text) for text, times in counted.items() if times > 1]
        return found


class Failing(Base):
    """For the test: faults of WeChat."""

    def fail(
        self,
        path: str,
        errcode: int | None = None,
        *,
        errmsg: str | None = None,
        status: int | None = None,
        raw: bytes | None = None,
        times: int | None = 1,
        when: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        """Let the next calls of a path fail, nothing carried out.

        Args:
            path: From the host on, as `/cgi-bin/message/custom/send`.
            errcode: Of WeChat.
            errmsg: Of WeChat; the usual one if not said.
            status: Of HTTP, with a page instead of JSON.
            raw: The body.
            times: How often; None: always.
            when: For which bodies only.
        """
        if errcode is not None:
            message = rules.MESSAGES.get(errcode, "failed") if errmsg is None else errmsg
            answer = Answer({"errcode": errcode, "errmsg": message}, status or 200)
        else:
            answer = Answer(raw if raw is not None else b"<html>oops</html>", status or 200)
        self._fault(path, Fault(answer=answer, times=times, when=when))

    def garble(
        self, path: str, raw: bytes = b"<html>", *, status: int = 200, times: int | None = 1
    ) -> None:
        """Let the next calls be carried out and answered by this."""
        self._fault(path, Fault(after=Answer(raw, status), times=times))

    def hang(
        self,
        path: str,
        seconds: float,
        *,
        times: int | None = 1,
        when: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        """Let the answers to the next calls come late; they are carried out at once."""
        self._fault(path, Fault(seconds=seconds, times=times, when=when))

    def drop(
        self,
        path: str,
        *,
        times: int | None = 1,
        when: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        """Let the next calls be carried out and the connection cut instead of an answer."""
        self._fault(path, Fault(drop=True, times=times, when=when))

    def mend(self) -> None:
        """Take all faults back."""
        self._loop.call_soon_threadsafe(self._server.faults.clear)
        self.accept_connections()

    def refuse_connections(self) -> None:
        """Be away: nothing listens, and what is open is cut."""
        self._wait(self._server.deafen())

    def accept_connections(self) -> None:
        """Be back."""
        if not self._server.listening:
            self._wait(self._server.listen())

    def lose_token(
        self, account: str | None = None, code: int = 40001, stuck: bool = False
    ) -> None:
        """Let the present token be refused.

        Args:
            account: Id; the first one if not said.
            code: 40001: somebody else has fetched another one; 42001: too old; 40014: unknown.
            stuck: The usual mode goes on to give it out.
        """
        token = self._account(account).tokens.given[-1]
        token.stuck, token.refused = stuck, code

    def _fault(self, path: str, fault: Fault) -> None:
        if path not in self._interface.paths:
            raise LookupError(f"no call has the path {path}")
        self._server.faults.setdefault(path, []).append(fault)

"""What the two sides of the double share: its thread, its accounts, the letters to the desk."""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from recovery.clock import utc_now
from tests.support.wechat import rules
from tests.support.wechat.callbacks import Caller, Fields
from tests.support.wechat.calls import Interface
from tests.support.wechat.client import Reply
from tests.support.wechat.wire import Server
from tests.support.wechat.world import Account, Clock

T = TypeVar("T")


class Base:
    """Thread, accounts, server.

    Attributes:
        accounts: By id, in the order in which they were made; may be changed while it runs.
    """

    def __init__(
        self,
        clock: Clock = utc_now,
        *,
        patience: float = rules.PATIENCE_SECONDS,
        port: int = 0,
        slow: float = 0.0,
    ) -> None:
        """Prepare.

        Args:
            clock: For signatures, tokens, windows; timeouts take real time.
            patience: Seconds until a callback is cut.
            port: 0 for any that is free.
            slow: Seconds that every call takes.
        """
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self._caller = Caller(clock, patience)
        self._interface = Interface(self.accounts, clock, self._ended, self._kf_told, slow)
        self._server = Server(self._interface.answer, self._interface.failed)
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._message = 23_000_000_000_000_000
        self._comment = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._wait(self._begin())

    def stop(self) -> None:
        """End, with all that is under way."""
        self._wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _begin(self) -> None:
        await self._server.listen(self._port)

    def _ended(self, account: Account, openid: str, how: str, message: str, template: str) -> None:
        """A template or subscribe message has gone."""
        raise NotImplementedError

    def _kf_told(self, account: Account, message: dict[str, Any]) -> None:
        """Something happened at 微信客服, the desk hears of it."""
        raise NotImplementedError

    async def _end(self) -> None:
        await self._server.deafen()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._caller.close()
        await asyncio.sleep(0)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the double's loop, from any other."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _aside(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run beside, from the double's own loop."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def url(self) -> str:
        """Where its interface answers."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def desk(self) -> str:
        """Where the desk answers, without a slash at the end; none before it is said."""
        return self._caller.desk

    @desk.setter
    def desk(self, url: str) -> None:
        self._caller.desk = url.rstrip("/")

    def serve(self, url: str) -> None:
        """Call a desk back from now on."""
        self.desk = url

    def account(
        self,
        kind: str = "official",
        mode: str = "safe",
        *,
        id: str | None = None,
        business: str = "lanting",
        previous_key: bool = False,
        **settings: Any,  # noqa: ANN401 - of the settings file
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Make an account.

        Args:
            kind: `official` or `kf`.
            mode: `plain`, `compatible`, `safe`.
            id: In the settings; a new one if not said.
            business: Whose.
            previous_key: The desk knows the key before, too: `accounts[id].key = 1` uses it.
            **settings: Further ones of `recovery.wechat.WeChatAccount`.

        Returns:
            An entry for `wechat:` of the settings file, and the environment that belongs to it.
        """
        number = len(self.accounts) + 1
        id = id or f"{'kf' if kind == 'kf' else 'gzh'}{number}"
        made = self.accounts[id] = Account(id, kind, mode)
        prefix = "HUIXIN_WECHAT_" + id.upper().replace("-", "_")
        content: dict[str, Any] = {
            "id": id,
            "kind": kind,
            "business": business,
            "name": f"试用号{number}",
            "app_id": made.app_id,
            "secret_env": f"{prefix}_SECRET",
            "token_env": f"{prefix}_TOKEN",
            "mode": mode,
            "api": self.url,
        }
        environ = {f"{prefix}_SECRET": made.secret, f"{prefix}_TOKEN": made.token}
        if kind == "kf":
            made.original = content["open_kfid"] = f"wk{made.original[3:]}"
            made.app_id = content["app_id"] = f"ww{made.app_id[2:]}"
        if mode != "plain":
            content["aes_key_env"] = f"{prefix}_AES_KEY"
            environ[f"{prefix}_AES_KEY"] = made.keys[0]
        if previous_key:
            content["previous_aes_key_env"] = f"{prefix}_OLD_AES_KEY"
            environ[f"{prefix}_OLD_AES_KEY"] = made.keys[1]
        later = settings.get("later")
        if later:
            templates = made.templates if later["kind"] == "template" else made.subscriptions
            templates[later["id"]] = "\n".join(f"{{{{{name}.DATA}}}}" for name in later["fields"])
        return content | settings, environ

    def letter(
        self, fields: Fields, account: str | None = None, mode: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Query and body of a callback, to be posted by the test itself (or spoilt before)."""
        return self._caller.letter(self._account(account), fields, mode)

    async def post(self, query: dict[str, str], body: bytes, account: str | None = None) -> Reply:
        """Post anything to the callback, once and without a cut."""
        return await self._there(self._caller.post(self._account(account), query, body))

    def fields(self, openid: str, account: str | None = None, **fields: Any) -> Fields:  # noqa: ANN401 - XML
        """The fields of a message or event, for `letter`."""
        found = self._account(account)
        return {
            "ToUserName": found.original,
            "FromUserName": openid,
            "CreateTime": int(self.clock().timestamp()),
            **fields,
        }

    def next_message(self) -> int:
        """A MsgId (64 bits) that was not used before."""
        self._message += 7
        return self._message

    def _account(self, id: str | None) -> Account:
        return self.accounts[id] if id else next(iter(self.accounts.values()))

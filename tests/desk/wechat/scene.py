"""A desk with WeChat accounts: WeChat's double, a Rasa that the test speaks for, a clock to wind.

The desk serves from within the test, over real HTTP; the double posts to it and is called by it.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from sqlalchemy import select

from desk.channels.wechat.service import WeChat
from desk.context import Context
from recovery.store import staff, streams
from recovery.store.database import Database
from recovery.store.tables import conversations, inbox, wechat_contacts, wechat_received
from tests.desk.people import PATIENCE, until
from tests.desk.scripted_rasa import ScriptedRasa, scripted_rasa
from tests.desk.serving import NOON, Desk, a_context, serving
from tests.support.wechat.double import Double
from tools.stack import variables

ACCOUNT = "fuwu"
BUSINESS = "lanting"
PASSWORD = "an honest password"


class RunningClock:
    """A clock that begins at a fixed noon, runs as fast as any other, and can be wound on."""

    def __init__(self, begin: datetime = NOON) -> None:
        self._begin = begin
        self._since: float | None = monotonic()

    def __call__(self) -> datetime:
        since = self._since
        return self._begin + timedelta(seconds=0 if since is None else monotonic() - since)

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Let no time pass within the block, however busy the machine is."""
        self._begin, self._since = self(), None
        try:
            yield
        finally:
            self._since = monotonic()

    def wind(self, **by: float) -> None:
        """Let time pass: `wind(hours=48)`."""
        self._begin += timedelta(**by)


class Scene:
    """A desk, its WeChat, its Rasa.

    Attributes:
        desk: As it serves now; another after `restart`.
        rasa: Says what the test wants.
        double: WeChat.
        clock: Of desk and WeChat.
        store: The desk's database, to look into.
    """

    def __init__(
        self,
        rasa: ScriptedRasa,
        double: Double,
        clock: RunningClock,
        store: Database,
        context: Callable[[], Context],
    ) -> None:
        self.rasa = rasa
        self.double = double
        self.clock = clock
        self.store = store
        self.desk: Desk
        self._context = context
        self._serving = AsyncExitStack()

    async def start(self) -> None:
        """Let the desk serve, with what its database holds; WeChat posts to it from now on."""
        self.desk = await self._serving.enter_async_context(serving(self._context()))
        self.desk.app.ctx.router.rasa_ready.set()
        self.double.serve(self.desk.url)

    async def stop(self) -> None:
        """Let it end in good order."""
        await self._serving.aclose()
        self._serving = AsyncExitStack()

    async def restart(self) -> None:
        """Let another process take over from it."""
        await self.stop()
        await self.start()

    @property
    def wechat(self) -> WeChat:
        """The channel."""
        found: WeChat = self.desk.app.ctx.wechat
        return found

    def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of SQLAlchemy
        """What stands in a table."""
        with self.store.read() as db:
            return [dict(row._mapping) for row in db.execute(select(table).where(*where))]

    def contact(self, openid: str, account: str = ACCOUNT) -> dict[str, Any]:
        """Its row."""
        [row] = self.rows(
            wechat_contacts,
            wechat_contacts.c.openid == openid,
            wechat_contacts.c.account == account,
        )
        return row

    def conversation(self, openid: str, account: str = ACCOUNT) -> dict[str, Any]:
        """Where the words of somebody go now."""
        led_to = self.contact(openid, account)["conversation_id"]
        [row] = self.rows(conversations, conversations.c.id == led_to)
        return row

    def inbox(self, openid: str, account: str = ACCOUNT) -> list[dict[str, Any]]:
        """What has been taken of somebody, in order."""
        led_to = self.contact(openid, account)["conversation_id"]
        found = self.rows(inbox, inbox.c.conversation_id == led_to)
        return sorted(found, key=lambda row: int(row["position"]))

    def stream(self, openid: str, account: str = ACCOUNT) -> list[dict[str, Any]]:
        """The events of the conversation where somebody's words go now, in order."""
        led_to = self.contact(openid, account)["conversation_id"]
        return self.events(f"private:{led_to}")

    def events(self, stream: str) -> list[dict[str, Any]]:
        """The events of a stream, in order."""
        with self.store.read() as db:
            return [entry.event for entry in streams.after(db, stream, 0, 1000)]

    def received(self, account: str = ACCOUNT) -> list[dict[str, Any]]:
        """What has come in."""
        return self.rows(wechat_received, wechat_received.c.account == account)

    async def until(self, check: Callable[[], Any], patience: float = PATIENCE) -> Any:  # noqa: ANN401
        """Wait until something holds."""
        return await until(check, patience)

    async def seen(self, openid: str, number: int) -> list[Any]:
        """Wait until somebody has seen so many messages; all of them."""
        await until(lambda: len(self.double.seen(openid)) >= number)
        return list(self.double.seen(openid))

    async def staff(self, login: str = "lin", name: str = "小林", role: str = "agent") -> "Clerk":
        """Let a member of staff log in."""
        with self.store.write() as db:
            staff.add(db, login, name, role, PASSWORD, self.clock())
        http = httpx.AsyncClient(base_url=self.desk.url, timeout=20, trust_env=False)
        answer = await http.post("/api/staff/login", json={"login": login, "password": PASSWORD})
        answer.raise_for_status()
        http.headers["X-CSRF"] = answer.json()["csrf"]
        return Clerk(http, answer.json()["staff"]["id"])


class Clerk:
    """A member of staff at the desk page's interface; close it at the end."""

    def __init__(self, http: httpx.AsyncClient, staff_id: int) -> None:
        self.http = http
        self.id = staff_id

    async def act(self, conversation: str, what: str, **body: object) -> Any:  # noqa: ANN401 - JSON
        """`take`, `answer`, `give_back`, ...; it must succeed."""
        answer = await self.http.post(f"/api/staff/conversations/{conversation}/{what}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def whole(self, conversation: str) -> Any:  # noqa: ANN401 - JSON
        """All that the page shows of a conversation."""
        answer = await self.http.get(f"/api/staff/conversations/{conversation}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def close(self) -> None:
        await self.http.aclose()


@asynccontextmanager
async def a_scene(
    folder: Path,
    *,
    url: str | None = None,
    accounts: tuple[dict[str, Any], ...] = ({},),
    **changes: Any,  # noqa: ANN401 - settings
) -> AsyncIterator[Scene]:
    """A desk that serves, for the length of the block.

    Args:
        folder: For its data.
        url: Of an empty database; SQLite in the folder by default.
        accounts: What `Double.account` is given for each; the first is called `fuwu` and is of
            Lanting unless it says otherwise.
        **changes: Settings that differ from huixin.yml.
    """
    clock = RunningClock()
    with scripted_rasa() as rasa:
        double = Double(clock=clock)
        double.start()
        try:
            sections, secrets = [], {}
            for number, given in enumerate(accounts, start=1):
                named = {"id": ACCOUNT if number == 1 else f"{ACCOUNT}-{number}"}
                section, keys = double.account(**named | {"business": BUSINESS} | given)
                sections.append(section)
                secrets |= keys
            settings = {
                "rasa": [rasa.url],
                "holding_seconds": 3.0,
                "wechat": sections,
                "database": url,
                **changes,
            }

            def context() -> Context:
                with variables(secrets):
                    return a_context(folder, clock, **settings)

            store = Database(url or f"sqlite:///{folder / 'var' / 'desk.sqlite3'}")
            with closing(store):
                scene = Scene(rasa, double, clock, store, context)
                await scene.start()
                try:
                    yield scene
                finally:
                    await scene.stop()
        finally:
            double.stop()

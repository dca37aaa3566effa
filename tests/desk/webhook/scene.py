"""A desk with sources of the generic channel, and the other side of them over real HTTP."""

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from sanic import Sanic
from sqlalchemy import select

from recovery.signing import HEADER, sign, verify
from recovery.store import staff, streams
from recovery.store.tables import conversations, webhook_sends
from tests.desk.people import PATIENCE, until
from tests.desk.scripted_rasa import ScriptedRasa, scripted_rasa
from tests.desk.serving import Desk, a_context, serving
from tests.desk.wechat.scene import RunningClock
from tests.support.openapi import Document
from tests.support.stack import ROOT

DOCUMENT = Document(ROOT / "docs" / "webhook.openapi.yaml")
BUSINESS = "lanting"
SECRETS = {"APP_SECRET": "a" * 40, "WEIBO_SECRET": "b" * 40, "BOARD_SECRET": "c" * 40}
PASSWORD = "an honest password"
Event = dict[str, Any]


class OtherSide:
    """Takes what the desk posts, and answers as the test says.

    Attributes:
        calls: Every call, in order, with the source that its path names.
        answers: Gives status and headers for a call; 204 where it gives nothing.
        wrong: What did not fit docs/webhook.openapi.yaml, or was not rightly signed.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.calls: list[tuple[str, Event]] = []
        self.answers: Callable[[str, Event], tuple[int, dict[str, str]] | None] = (
            lambda _source, _event: None
        )
        self.wrong: list[str] = []
        self._clock = clock
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def to(self, writer: str) -> list[Event]:
        """All that was posted to somebody, in order, repeated or not."""
        with self._lock:
            return [event for _, event in self.calls if event["to"] == writer]

    def texts(self, writer: str) -> list[str]:
        """What somebody has read: each event once, as a source shows it."""
        return list({event["id"]: event["text"] for event in self.to(writer)}.values())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        other = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                source = self.path.strip("/")
                secret = SECRETS[f"{source.upper()}_SECRET"]
                try:
                    verify(self.headers[HEADER] or "", body, (secret,), other._clock())
                except ValueError as error:
                    other.wrong.append(str(error))
                event = json.loads(body)
                other.wrong += DOCUMENT.wrong({"$ref": "#/components/schemas/Event"}, event)
                with other._lock:
                    other.calls.append((source, event))
                status, headers = other.answers(source, event) or (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        return Handler


@contextmanager
def other_side(clock: Callable[[], datetime]) -> Iterator[OtherSide]:
    made = OtherSide(clock)
    try:
        yield made
    finally:
        made.stop()


class Scene:
    """A desk, its Rasa, the other side, a clock to wind."""

    def __init__(
        self, desk: Desk, rasa: ScriptedRasa, other: OtherSide, clock: RunningClock
    ) -> None:
        self.desk = desk
        self.rasa = rasa
        self.other = other
        self.clock = clock
        self.http = httpx.AsyncClient(base_url=desk.url, timeout=PATIENCE, trust_env=False)
        self._number = 0

    def anew(self) -> None:
        """Let Rasa and the other side answer as at the beginning."""
        self.rasa.again()
        self.other.answers = lambda _source, _event: None

    async def post(
        self,
        body: Any,  # noqa: ANN401 - JSON, or bytes
        source: str = "app",
        secret: str | None = None,
        header: str | bytes | None = None,
    ) -> httpx.Response:
        """Bring something as a source does."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        secret = secret or SECRETS.get(f"{source.upper()}_SECRET", "x" * 40)
        signed = sign(secret, raw, self.clock()) if header is None else header
        name, value = HEADER.encode(), signed.encode() if isinstance(signed, str) else signed
        path = f"/api/webhooks/{source}/messages"
        answer = await self.http.post(path, content=raw, headers=[(name, value)])
        given = {HEADER.lower(): value.decode(errors="replace")}
        call = DOCUMENT.find("POST", path, given, body)
        assert call is not None
        wrong = DOCUMENT.wrong_in_answer(call.operation, answer.status_code, answer.json())
        assert wrong == [], wrong
        if answer.status_code == 200:
            assert DOCUMENT.wrong_in_call(call) == []
        return answer

    async def say(self, writer: str, text: str, source: str = "app", **more: Any) -> Event:  # noqa: ANN401
        """Bring words of somebody; they must be taken. Gives the answer."""
        self._number += 1
        body = {"id": f"n-{self._number}", "from": {"id": writer}, "text": text, **more}
        if "payload" in body:
            del body["text"]
        answer = await self.post(body, source)
        assert answer.status_code == 200, answer.text
        found: Event = answer.json()
        return found

    async def heard(self, writer: str, number: int) -> list[Event]:
        """Wait until so many calls were made for somebody; all of them."""
        await until(lambda: len(self.other.to(writer)) >= number)
        return self.other.to(writer)

    def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of SQLAlchemy
        with self.desk.context.storage.database.read() as db:
            return [dict(row._mapping) for row in db.execute(select(table).where(*where))]

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        [row] = self.rows(conversations, conversations.c.id == conversation_id)
        return row

    def sends(self, state: str) -> list[dict[str, Any]]:
        return self.rows(webhook_sends, webhook_sends.c.state == state)

    def events(self, stream: str) -> list[Event]:
        with self.desk.context.storage.database.read() as db:
            return [entry.event for entry in streams.after(db, stream, 0, 1000)]

    @asynccontextmanager
    async def staff(self) -> AsyncIterator[httpx.AsyncClient]:
        """A member of staff who has logged in."""
        with self.desk.context.storage.database.write() as db:
            staff.add(db, "lin", "小林", "agent", PASSWORD, self.clock())
        async with httpx.AsyncClient(
            base_url=self.desk.url, timeout=PATIENCE, trust_env=False
        ) as http:
            answer = await http.post(
                "/api/staff/login", json={"login": "lin", "password": PASSWORD}
            )
            http.headers["X-CSRF"] = answer.json()["csrf"]
            yield http


def sources(other: OtherSide) -> list[dict[str, Any]]:
    """An app for private talk, a public platform with private messages, a public board without."""
    base = {"business": BUSINESS}
    return [
        {
            **base,
            "id": "app",
            "name": "岚庭App",
            "secret_env": "APP_SECRET",
            "url": f"{other.url}/app",
        },
        {
            **base,
            "id": "weibo",
            "name": "岚庭微博",
            "secret_env": "WEIBO_SECRET",
            "url": f"{other.url}/weibo",
            "visibility": "public",
        },
        {
            **base,
            "id": "board",
            "name": "旅客论坛",
            "secret_env": "BOARD_SECRET",
            "url": f"{other.url}/board",
            "visibility": "public",
            "private_messages": False,
            "burst": 5,
            "per_second": 0.001,
            "room": "lanting-lobby",
            "reach": "想单独处理，请拨岚庭总机0。",
        },
    ]


@asynccontextmanager
async def a_scene(folder: Path, desks: int = 1, **changes: object) -> AsyncIterator[list[Scene]]:
    """One desk, or several on one database."""
    clock = RunningClock()
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        # Several applications of one name in one process.
        patch.setattr(Sanic, "test_mode", desks > 1)
        rasa = stack.enter_context(scripted_rasa())
        other = stack.enter_context(other_side(clock))
        made = []
        for number in range(desks):
            context = a_context(
                folder / str(number),
                clock,
                rasa=[rasa.url],
                webhooks=sources(other),
                public_url="https://desk.example",
                **changes,
            )
            desk = await stack.enter_async_context(serving(context))
            desk.app.ctx.router.rasa_ready.set()
            scene = Scene(desk, rasa, other, clock)
            stack.push_async_callback(scene.http.aclose)
            made.append(scene)
        yield made
        assert other.wrong == []

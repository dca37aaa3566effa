"""A stand-in for the action server, and a client for the Rasa process under test."""

import http.client
import json
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "token-for-tests"
PATIENCE = 30.0

Reply = tuple[int, Any]


def utter(response: str, **variables: object) -> dict[str, Any]:
    """What rasa-sdk's dispatcher makes of `utter_message(response=...)`."""
    return {
        "text": None,
        "buttons": [],
        "elements": [],
        "custom": {},
        "template": response,
        "response": response,
        "image": None,
        "attachment": None,
        **variables,
    }


def payload(*commands: dict[str, Any]) -> dict[str, Any]:
    """What it makes of `utter_message(json_message=...)`."""
    return {**utter(""), "response": None, "template": None, "custom": {"commands": [*commands]}}


def started() -> Reply:
    """The usual result of `action_session_start`."""
    return 200, {
        "events": [{"event": "session_started"}, {"event": "action", "name": "action_listen"}],
        "responses": [],
    }


def sorry(call: dict[str, Any]) -> Reply:
    """The usual result: a sentence and a command that names the message."""
    message_id = call["tracker"]["latest_message"]["message_id"]
    return 200, {
        "events": [],
        "responses": [
            utter("utter_sorry", anger=2, industry="hotel", matter="房间没打扫"),
            payload({"do": "open_case", "case": message_id}),
        ],
    }


@dataclass
class Gate:
    """Holds an action until the test lets it go."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def __call__(self, call: dict[str, Any]) -> Reply:
        self.reached.set()
        self.opened.wait(PATIENCE)
        return sorry(call)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a killed Rasa does not take its answer."""


class Actions:
    """Answers as the test says, by sender and action; keeps what it was asked."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self._behaviours: dict[tuple[str, str], Callable[[dict[str, Any]], Reply]] = {}
        self.connections: set[Any] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                outer.connections.add(self.client_address)
                call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, result = outer._answer(call)
                body = result if isinstance(result, bytes) else json.dumps(result).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/webhook"

    def on(self, sender: str, behave: Callable[[dict[str, Any]], Reply], action: str = "") -> None:
        """Let an action of this sender (any but the session's start, if not named) behave so."""
        self._behaviours[sender, action] = behave

    def of(self, sender: str, action: str = "action_public") -> list[dict[str, Any]]:
        """The calls of one action for one sender."""
        return [
            call
            for call in self.calls
            if call["sender_id"] == sender and call["next_action"] == action
        ]

    def _answer(self, call: dict[str, Any]) -> Reply:
        self.calls.append(call)
        sender, action = call["sender_id"], call["next_action"]
        behave = self._behaviours.get((sender, action))
        if behave is None and action != "action_session_start":
            behave = self._behaviours.get((sender, ""), sorry)
        return behave(call) if behave else started()


@dataclass(frozen=True)
class Answer:
    status: int
    content: Any


class Client:
    """Speaks HTTP to the Rasa process as the desk does."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._next: dict[str, int] = defaultdict(int)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = TOKEN,
        raw: bytes | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        try:
            return Answer(response.status, json.loads(content))
        except ValueError:
            return Answer(response.status, content)

    def say(
        self,
        sender: str,
        text: str,
        message_id: str | None = None,
        *,
        intent: str | None = None,
        **metadata: object,
    ) -> Answer:
        """Post a customer's message, its metadata by keyword."""
        return self.ask(
            "POST", "/desk/messages", message(sender, text, message_id, intent=intent, **metadata)
        )


def message(
    sender: str,
    text: str,
    message_id: str | None = None,
    *,
    intent: str | None = None,
    **more: object,
) -> dict[str, Any]:
    """The body of /desk/messages."""
    metadata = {
        "visibility": "public",
        "channel": "web",
        "business": "lanting",
        "industry": "hotel",
        "conversation": sender.partition(":")[0],
        "case": None,
        "stage": "public",
        "anger": None,
        "said": [],
        "button": None,
        **more,
    }
    return {
        "sender": sender,
        "message_id": message_id or f"m-{abs(hash((sender, text)))}",
        "text": text,
        "intent": intent,
        "metadata": metadata,
    }

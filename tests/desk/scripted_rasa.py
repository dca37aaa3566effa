"""A Rasa that says what a test wants and when: the contract of docs/architecture.md, no model."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
Script = Callable[[str, Body], Body | int]

CALM = {
    "anger": 0,
    "score": 0.0,
    "probabilities": [1.0, 0.0, 0.0, 0.0],
    "signals": {},
    "flags": [],
}


def says(*texts: str, commands: list[Body] | None = None, anger: int = 0, **more: Any) -> Body:  # noqa: ANN401 - JSON
    """An answer of /desk/messages: words, commands, what was understood."""
    messages: list[Body] = [
        {
            "text": text,
            "buttons": [],
            "response": "say_scripted",
            "variant": f"v{hash(text) % 10**8}",
        }
        for text in texts
    ]
    messages.append({"custom": {"commands": commands or [], "own": []}})
    return {
        "messages": messages,
        "understood": {
            "intent": {"name": "inform", "confidence": 0.9},
            "entities": [],
            "emotion": {**CALM, "anger": anger},
        },
        "repeated": False,
        **more,
    }


def opens_a_case(path: str, body: Body) -> Body:
    """Answer a post by a case and an invitation, everything else by plain words."""
    if path == "/desk/overheard":
        return {"understood": says()["understood"], "repeated": False}
    if body["metadata"].get("visibility") == "public":
        case = "s" + body["message_id"][1:25]
        commands = [
            {"do": "open_case", "case": case, "failure": "room_not_clean"},
            {"do": "invite"},
        ]
        return says(f"收到：{body['text']}", commands=commands)
    return says(f"好的：{body['text']}")


class ScriptedRasa:
    """A server in a thread; `script` may be changed at any time.

    Attributes:
        script: Gives the answer to a call: JSON, or an HTTP status for a failure.
        ready: What /readyz says; while it is False every call fails like that of a Rasa that
            is still loading.
        calls: Path and body of every call, in order.
    """

    def __init__(self) -> None:
        self.script: Script = opens_a_case
        self.ready = True
        self.calls: list[tuple[str, Body]] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def messages(self, path: str = "/desk/messages") -> list[Body]:
        """The bodies of all calls to a path."""
        with self._lock:
            return [body for called, body in self.calls if called == path]

    def again(self) -> None:
        """Forget what was called, and answer as at the beginning."""
        with self._lock:
            self.calls.clear()
        self.script, self.ready = opens_a_case, True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        rasa = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def _answer(self, status: int, content: Body) -> None:
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                self._answer(200 if rasa.ready else 503, {})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/desk/forget" and rasa.ready:
                    with rasa._lock:
                        rasa.calls.append((self.path, body))
                    self._answer(200, {"forgotten": len(body["conversations"]), "events": 0})
                    return
                with rasa._lock:
                    rasa.calls.append((self.path, body))
                    script, ready = rasa.script, rasa.ready
                answer = script(self.path, body) if ready else 503
                try:
                    if isinstance(answer, int):
                        self._answer(answer, {"error": {"code": "scripted", "message": ""}})
                    else:
                        self._answer(200, answer)
                except OSError:
                    # The desk has lost its patience and hung up.
                    self.close_connection = True

        return Handler


@contextmanager
def scripted_rasa() -> Iterator[ScriptedRasa]:
    """The server, for the length of the block."""
    rasa = ScriptedRasa()
    rasa.start()
    try:
        yield rasa
    finally:
        rasa.stop()

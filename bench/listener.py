"""What stands in Rasa's place where only staff answer: it hears everything at once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

_UNDERSTOOD: Final = {
    "intent": {"name": "inform", "confidence": 0.9},
    "entities": [],
    "emotion": {
        "anger": 1,
        "score": 0.1,
        "probabilities": [0.2, 0.7, 0.1, 0.0],
        "signals": {},
        "flags": [],
    },
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet: else the other side waits for the second one.
    wbufsize = -1

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def do_GET(self) -> None:
        """It is ready."""
        self._answer({})

    def do_POST(self) -> None:
        """It has heard, whatever it was."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"understood": _UNDERSTOOD, "repeated": False})


@contextmanager
def listening() -> Iterator[str]:
    """Listen for the length of the block.

    Yields:
        The address.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

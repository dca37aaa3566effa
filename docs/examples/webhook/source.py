#!/usr/bin/env python3
"""A source of Huixin's generic channel, as small as it can be: standard library only.

It brings what customers write to the desk, signed, and takes what the desk says to them, checked.
Copy it, and put your own app, platform or gateway in the place of `print`. All of it is described
in docs/webhook.md; docs/webhook.openapi.yaml says it for programs.

    export HUIXIN_WEBHOOK_SECRET=...          # the same as at the desk
    python source.py serve --port 8099        # takes the desk's words; `url` of the settings
    python source.py say --to http://127.0.0.1:8000/api/webhooks/app/messages \
        --from 10086 "房间到现在还没打扫"
"""

import argparse
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Event = dict[str, Any]

HEADER = "X-Huixin-Signature"
TOLERANCE = 300  # seconds that a letter may be old
MOST_BYTES = 256 * 1024
TRIES = 5


def sign(secret: str, body: bytes, now: float) -> str:
    """The header for a body: the time, and an HMAC over the time and the body."""
    at = str(int(now))
    digest = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def is_signed(secret: str, header: str, body: bytes, now: float) -> bool:
    """Whether a body was signed with the secret, and lately."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()):
        return False
    if abs(now - int(times[0])) > TOLERANCE:
        return False
    signed = times[0].encode() + b"." + body
    wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    # The desk signs with two secrets while one is being changed: one of them is enough.
    return any(hmac.compare_digest(wanted.encode(), one.encode()) for one in given)


def say(url: str, secret: str, message: Event) -> Event:
    """Bring one message to the desk, again and again until it is stored.

    The id stays the same however often it is tried: the desk takes it once.

    Raises:
        ValueError: The desk refuses it; trying again is of no use.
    """
    body = json.dumps(message, ensure_ascii=False).encode()
    for attempt in range(TRIES):
        request = urllib.request.Request(  # noqa: S310 - the address is your own setting
            url,
            body,
            {"Content-Type": "application/json", HEADER: sign(secret, body, time.time())},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                found: Event = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            if error.code not in (429, 500, 502, 503, 504):
                raise ValueError(f"{error.code}: {error.read().decode()}") from error
            wait = float(error.headers.get("Retry-After") or 2**attempt)
        except OSError:
            wait = 2**attempt
        time.sleep(wait)
    raise ValueError("the desk cannot be reached")


class Receiver(ThreadingHTTPServer):
    """Takes what the desk says, each event once."""

    daemon_threads = True

    def __init__(self, port: int, secret: str, show: Callable[[Event], object] = print) -> None:
        """Listen; `serve_forever` begins to take."""
        super().__init__(("127.0.0.1", port), Handler)
        self.secret = secret
        self.show = show
        self.seen: set[str] = set()  # keep these in your database

    def take(self, event: Event) -> None:
        """Show an event to `event["to"]`, in public or to them alone, unless it was shown."""
        if (key := f"{event['to']} {event['id']}") in self.seen:
            return
        self.seen.add(key)
        self.show(event)


class Handler(BaseHTTPRequestHandler):
    """One call of the desk."""

    server: Receiver

    def do_POST(self) -> None:
        """Take it, if it was signed; whatever is not answered with 2xx comes again."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            self.answer(413)
            return
        body = self.rfile.read(length)
        if not is_signed(self.server.secret, self.headers.get(HEADER, ""), body, time.time()):
            self.answer(401)
            return
        event = json.loads(body)
        if event["kind"] != "ping":  # of `python -m desk.channels.webhook check`
            self.server.take(event)
        self.answer(204)

    def answer(self, status: int) -> None:
        """Answer with a status and nothing else."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of calls."""


def shown(event: Event) -> None:
    """What a customer would see; an option is brought back by its payload."""
    where = "公开" if event["visibility"] == "public" else "私信"
    print(f"[{where}] 给 {event['to']}：{event['text']}", flush=True)
    for number, option in enumerate(event["options"], start=1):
        print(f"  {number}. {option['title']}  （payload: {option['payload']}）", flush=True)


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="take what the desk says")
    serving.add_argument("--port", type=int, default=8099)
    saying = commands.add_parser("say", help="bring a message of a customer")
    saying.add_argument("text")
    saying.add_argument("--to", required=True, help="address of the desk for this source")
    saying.add_argument("--from", required=True, dest="writer", help="the customer's id here")
    saying.add_argument("--name", default="", help="what the customer is called")
    saying.add_argument("--public", action="store_true", help="everybody can read it")
    saying.add_argument("--payload", help="of an option that was pressed; text counts for nothing")
    given = parser.parse_args()
    secret = os.environ.get("HUIXIN_WEBHOOK_SECRET", "")
    if not secret:
        print("HUIXIN_WEBHOOK_SECRET is not set", file=sys.stderr)
        return 2
    if given.command == "serve":
        receiver = Receiver(given.port, secret, shown)
        print(f"http://127.0.0.1:{receiver.server_address[1]}/", flush=True)
        receiver.serve_forever()
    message = {
        "id": uuid.uuid4().hex,
        "from": {"id": given.writer, "name": given.name},
        "visibility": "public" if given.public else "private",
    }
    message |= {"payload": given.payload} if given.payload else {"text": given.text}
    try:
        print(json.dumps(say(given.to, secret, message), ensure_ascii=False), flush=True)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a page does besides what it shows: errors, failed requests, requests to strangers."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Request,
    Response,
    WebError,
    WebSocket,
)

# A request that the page itself gave up, by leaving or by a newer one.
_GIVEN_UP = "net::ERR_ABORTED"


class Witness:
    """Sees everything that happens in one browser context and remembers what should not.

    Attributes:
        complaints: What should not have happened, in order, one line each.
        console: Everything on the console, for reading after a failure.
    """

    def __init__(self, context: BrowserContext, base: str) -> None:
        """Watch a context from its beginning.

        Args:
            context: Without pages yet.
            base: Address of the desk, the only one that the pages may talk to.
        """
        self.complaints: list[str] = []
        self.console: list[str] = []
        self._host = urlsplit(base).netloc
        self._allowed: list[re.Pattern[str]] = []
        context.on("console", self._said)
        context.on("weberror", self._broke)
        context.on("request", self._asked)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.on("dialog", self._dialog)
        context.on("page", lambda page: page.on("websocket", self._opened))

    def allow(self, *patterns: str) -> None:
        """Name what a test brings about on purpose: regular expressions of complaints."""
        self._allowed += [re.compile(pattern) for pattern in patterns]

    @property
    def unexpected(self) -> list[str]:
        """The complaints that no test has named."""
        return [
            one
            for one in self.complaints
            if not any(pattern.search(one) for pattern in self._allowed)
        ]

    def _said(self, message: ConsoleMessage) -> None:
        line = f"console {message.type}: {message.text} ({message.location.get('url', '')})"
        self.console.append(line)
        if message.type in ("error", "assert"):
            self.complaints.append(line)

    def _broke(self, error: WebError) -> None:
        self.complaints.append(f"exception: {error.error}")

    def _asked(self, request: Request) -> None:
        self._stays_here(request.url)

    def _opened(self, socket: WebSocket) -> None:
        self._stays_here(socket.url)

    def _stays_here(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._host:
            self.complaints.append(f"request to a stranger: {url}")

    def _failed(self, request: Request) -> None:
        if request.failure != _GIVEN_UP:
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"status {response.status}: {response.url}")

    def _dialog(self, dialog: Dialog) -> None:
        # No page of ours opens one: it would be a customer's script that runs.
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

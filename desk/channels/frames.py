"""Text in a WebSocket that is not UTF-8 closes the socket (RFC 6455, 8.1: code 1007).

Sanic 25 loses such a frame, keeps the page waiting, and prints what was in it into the log.
"""

from sanic.server.websockets import impl
from sanic.server.websockets.frame import WebsocketFrameAssembler
from websockets.frames import Frame


class StrictAssembler(WebsocketFrameAssembler):
    """Puts frames together to messages, and ends the connection over broken text."""

    __slots__ = ()

    async def put(self, frame: Frame) -> None:
        """Add a frame to the message that is under way."""
        try:
            await super().put(frame)
        except UnicodeDecodeError:
            self.protocol.fail_connection(1007, "not UTF-8")


def install() -> None:
    """Let every socket that is opened from now on be strict; harmless when repeated."""
    impl.WebsocketFrameAssembler = StrictAssembler  # type: ignore[attr-defined]

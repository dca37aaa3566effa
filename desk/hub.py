"""Tells open pages what was committed. Holds nothing: a page that missed something reads it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from recovery.store.streams import Entry

Listener = Callable[[Entry], None]
SignalListener = Callable[[dict[str, Any]], None]
# The topic that staff's pages hear.
DESK = "desk"


class Hub:
    """Numbered events by stream, and passing signals (typing, status) by topic."""

    def __init__(self) -> None:
        """Begin with no listeners."""
        self._streams: defaultdict[str, set[Listener]] = defaultdict(set)
        self._signals: defaultdict[str, set[SignalListener]] = defaultdict(set)

    def listen(self, stream: str, listener: Listener) -> None:
        """Hear every event of a stream from now on."""
        self._streams[stream].add(listener)

    def hear_signals(self, topic: str, listener: SignalListener) -> None:
        """Hear every signal of a topic from now on."""
        self._signals[topic].add(listener)

    def leave(self, stream: str, listener: Listener) -> None:
        """Stop hearing a stream."""
        self._drop(self._streams, stream, listener)

    def leave_signals(self, topic: str, listener: SignalListener) -> None:
        """Stop hearing a topic."""
        self._drop(self._signals, topic, listener)

    @staticmethod
    def _drop(table: "defaultdict[str, set[Any]]", key: str, listener: object) -> None:
        table[key].discard(listener)
        if not table[key]:
            del table[key]

    def publish(self, entries: Iterable[Entry]) -> None:
        """Pass committed events on. Never before the commit."""
        for entry in entries:
            for listener in tuple(self._streams.get(entry.stream, ())):
                listener(entry)

    def changed(self, business: str, conversation: str) -> None:
        """Tell staff's pages that the place of a conversation in their lists may have changed."""
        frame = {"type": "changed", "business": business, "conversation": conversation}
        self.signal(DESK, frame)

    def signal(self, topic: str, frame: dict[str, Any]) -> None:
        """Pass something on that need not be repeated to those who are away."""
        for listener in tuple(self._signals.get(topic, ())):
            listener(frame)

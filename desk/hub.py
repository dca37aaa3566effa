"""Tells open pages what was committed. Holds nothing: a page that missed something reads it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from recovery.store.streams import Entry

Listener = Callable[[Entry], None]
SignalListener = Callable[[dict[str, Any]], None]
TopicListener = Callable[[str, dict[str, Any]], None]
# The topic that staff's pages hear.
DESK = "desk"
# Where staff are heard to write, with the id of a conversation behind it.
WRITES = "writes:"
# The topic on which it is said that somebody was parted from whom they were taken for.
PARTED = "parted"
# The topic of who comes and goes among staff.
ATTENDANCE = "attendance"


def staff_topic(staff_id: int) -> str:
    """The topic that all pages of one member of staff hear."""
    return f"staff:{staff_id}"


def writes_topic(conversation: str) -> str:
    """The topic on which a member of staff is heard to write in a conversation."""
    return f"{WRITES}{conversation}"


class Hub:
    """Numbered events by stream, and passing signals (typing, status) by topic."""

    def __init__(self) -> None:
        """Begin with no listeners."""
        self._streams: defaultdict[str, set[Listener]] = defaultdict(set)
        self._signals: defaultdict[str, set[SignalListener]] = defaultdict(set)
        self._everything: set[Listener] = set()
        self._all_signals: set[TopicListener] = set()

    def listen_all(self, listener: Listener) -> None:
        """Hear every event of every stream from now on."""
        self._everything.add(listener)

    def leave_all(self, listener: Listener) -> None:
        """Stop hearing every stream."""
        self._everything.discard(listener)

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
            for listener in (*self._streams.get(entry.stream, ()), *self._everything):
                listener(entry)

    def changed(self, business: str, conversation: str, *, seen_only: bool = False) -> None:
        """Tell staff's pages that the place of a conversation in their lists may have changed.

        Args:
            business: Whose it is.
            conversation: Which one.
            seen_only: Nothing has changed but how far its owner has read.
        """
        frame = {
            "type": "changed",
            "business": business,
            "conversation": conversation,
            "seen_only": seen_only,
        }
        self.signal(DESK, frame)

    def presence(self) -> None:
        """Tell who looks after the queue that somebody has come or gone."""
        self.signal(ATTENDANCE, {"type": "presence"})

    def signal(self, topic: str, frame: dict[str, Any]) -> None:
        """Pass something on that need not be repeated to those who are away."""
        for listener in tuple(self._signals.get(topic, ())):
            listener(frame)
        for heard in tuple(self._all_signals):
            heard(topic, frame)

    def hears(self, topic: str) -> bool:
        """Whether somebody hears the signals of a topic: of a chat, a page of its customer."""
        return bool(self._signals.get(topic))

    def hear_all_signals(self, listener: TopicListener) -> None:
        """Hear every signal of every topic from now on."""
        self._all_signals.add(listener)

    def leave_all_signals(self, listener: TopicListener) -> None:
        """Stop hearing every signal."""
        self._all_signals.discard(listener)

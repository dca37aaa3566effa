"""The answer to a message, read from the tracker.

It is always read there, also at the first time, so that the answer given again after a crash is
the same as the one that was lost.
"""

from typing import Any

from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu.contract import calm

# Marks that we put on events of our own; Rasa keeps an event's metadata with the event.
OVERHEARD = "overheard"
FAILED = "failed"
SPOKEN_BY = "by"
SPOKEN_ID = "message_id"


def turn_of(
    tracker: DialogueStateTracker, message_id: str, *, overheard_too: bool
) -> list[Event] | None:
    """Find the turn that a message began.

    Args:
        tracker: The conversation.
        message_id: The message.
        overheard_too: Whether a message that a person answered counts.

    Returns:
        The customer's event and what followed up to the customer's next one; None when the
        message is not in the tracker.
    """
    later: list[Event] = []
    for event in reversed(tracker.events):
        later.append(event)
        if not isinstance(event, UserUttered):
            continue
        if event.message_id == message_id and (overheard_too or not event.metadata.get(OVERHEARD)):
            return later[::-1]
        later.clear()
    return None


def was_spoken(tracker: DialogueStateTracker, message_id: str) -> bool:
    """Tell whether staff's message is in the tracker already."""
    return any(
        isinstance(event, BotUttered)
        and SPOKEN_BY in event.metadata
        and event.metadata.get(SPOKEN_ID) == message_id
        for event in reversed(tracker.events)
    )


def understood(turn: list[Event]) -> dict[str, Any]:
    """Say what was understood of the message that began the turn.

    Args:
        turn: As `turn_of` gives it.

    Returns:
        `text`, `intent` (`name`, `confidence`), `entities` and `emotion`.
    """
    parse = turn[0].parse_data
    intent = parse.get("intent") or {}
    return {
        "text": parse.get("text") or "",
        "intent": {
            "name": intent.get("name"),
            "confidence": float(intent.get("confidence") or 0.0),
        },
        "entities": parse.get("entities") or [],
        "emotion": parse.get("emotion") or calm(),
    }


def answer(turn: list[Event], *, repeated: bool) -> dict[str, Any]:
    """Put together the answer of /desk/messages.

    Args:
        turn: As `turn_of` gives it.
        repeated: Whether the message had been answered before.

    Returns:
        `messages`, `understood`, `repeated`, and `failed: true` when an action of the turn
        failed or nothing was said. A custom payload alone counts as said: an action may keep
        silent on purpose, and says so with its commands.
    """
    messages = [
        message
        for event in turn
        if isinstance(event, BotUttered) and SPOKEN_BY not in event.metadata
        for message in _messages(event)
    ]
    failed = not messages or any(event.metadata.get(FAILED) for event in _listening(turn))
    result = {"messages": messages, "understood": understood(turn), "repeated": repeated}
    if failed:
        result["failed"] = True
    return result


def mark_failed(tracker: DialogueStateTracker) -> None:
    """Note on the turn that is just ending that one of its actions failed."""
    last = tracker.events[-1]
    last.metadata = {**last.metadata, FAILED: True}


def _listening(turn: list[Event]) -> list[ActionExecuted]:
    return [
        event
        for event in turn
        if isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME
    ]


def _messages(event: BotUttered) -> list[dict[str, Any]]:
    """Split an utterance into words and custom payload."""
    messages: list[dict[str, Any]] = []
    media = {key: event.data[key] for key in ("image", "attachment") if event.data.get(key)}
    if event.text or event.data.get("buttons") or media:
        messages.append(
            {
                "text": event.text or "",
                "buttons": event.data.get("buttons") or [],
                "response": event.metadata.get("utter_action"),
                "variant": event.metadata.get("variant"),
                **media,
            }
        )
    if event.data.get("custom"):
        messages.append({"custom": event.data["custom"]})
    return messages

"""A Rasa that understands a few sentences and lets the real actions answer: no model, no words."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import turns
from actions.context import Context as ActionsContext
from desk.context import Context
from tests.desk.scripted_rasa import CALM, Body, Script

_COMPLAINTS = {
    "打扫": "complain_room_not_clean",
    "太吵": "complain_noise",
}
_ORDER = re.compile(r"LT\d{12}")


def understood(text: str, intent: str | None) -> Body:
    """A parse of the sentences that these tests use."""
    named = next((name for word, name in _COMPLAINTS.items() if word in text), None)
    emotion = dict(CALM)
    if named and intent is None:
        signals = {"complaint": 0.99}
        emotion |= {"anger": 2, "score": 1.0, "signals": signals, "flags": ["complaint"]}
    name = intent or named or "inform"
    return {
        "text": text,
        "intent": {"name": name, "confidence": 0.97},
        "entities": [],
        "emotion": emotion,
    }


def _script(path: str, body: Body) -> Body:
    parsed = understood(body["text"], body.get("intent"))
    if path == "/desk/overheard":
        return {"understood": parsed, "repeated": False}
    if path != "/desk/messages":
        return {"repeated": False}
    metadata = body["metadata"]
    latest = {**parsed, "message_id": body["message_id"], "metadata": metadata}
    tracker = Tracker(body["sender"], {}, latest, [], False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    action: Any = turns.ActionPrivate()
    if metadata["visibility"] == "public":
        action = turns.ActionPublic()
    elif body.get("intent") == "entered":
        action = turns.ActionOpen()
    asyncio.run(action.run(dispatcher, tracker, {}))
    messages = []
    for place, one in enumerate(dispatcher.messages):
        if one.get("custom"):
            messages.append({"custom": one["custom"]})
        elif one.get("response"):
            said = {"text": f"<{one['response']}>", "response": one["response"]}
            messages.append({**said, "variant": f"v{place}", "buttons": one.get("buttons") or []})
    return {"messages": messages, "understood": parsed, "repeated": False}


@contextmanager
def acting(context: Context) -> Iterator[Script]:
    """A script that answers with the actions, reading what this desk reads."""
    given = ActionsContext(
        context.settings,
        context.directory,
        context.storage.database,
        context.orders,
        context.policy,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "current", lambda: given)
        patch.setattr(turns, "utc_now", context.clock)
        yield _script

"""Quick replies: signed, so that a page can only send back what it was given."""

from typing import Any

from recovery.aftercare.gestures import ACTS as AFTERCARE
from recovery.aftercare.gestures import LEAVE, NO_MORE, TAKE
from recovery.clock import Clock
from recovery.dialogue.reply import Button, Pressed
from recovery.follow_up.answers import RATE, STOP
from recovery.ids import read_signed, sign
from recovery.personal_data.asking import ACTS as ABOUT_DATA
from recovery.personal_data.asking import EXPORT, KEEP

_PURPOSE = "button"
_STYLES = {STOP: "quiet", TAKE: "primary", LEAVE: "quiet", NO_MORE: "quiet"}
_STYLES |= {KEEP: "primary", EXPORT: "quiet"}
_OFFER_ACTS = frozenset({"accept", "refuse", "more", "form"})
# Of a follow-up, whose id stands where that of an offer would.
_FOLLOW_UP_ACTS = frozenset({RATE, STOP})
# What the bot hears instead of guessing from the button's words.
_INTENTS = {
    "accept": "accept",
    "refuse": "refuse",
    "more": "ask_more",
    "form": "ask_other",
    "no_photo": "inform",
    "item": "inform",
    "order": "inform",
    RATE: "inform",
    STOP: "inform",
    **dict.fromkeys(AFTERCARE | ABOUT_DATA, "inform"),
}


def signed(
    buttons: list[dict[str, Any]], conversation: str, offer: str | None, key: str
) -> list[dict[str, Any]]:
    """Turn the bot's buttons into what a page shows and sends back.

    Args:
        buttons: `{"title", "payload"}` with a payload as in `recovery.dialogue.reply.Button`.
        conversation: The only conversation in which they count.
        offer: The offer, or follow-up, they belong to.
        key: The signing key.

    Returns:
        `{"title", "token", "style"}`.
    """
    shown = []
    for button in (Button(str(one["title"]), str(one["payload"])) for one in buttons):
        act, _, value = button.payload.partition(":")
        if act not in _INTENTS:
            continue
        content: dict[str, Any] = {"c": conversation, "a": act}
        if act in _OFFER_ACTS | _FOLLOW_UP_ACTS:
            content["o"] = offer
        if value:
            content["v"] = value
        style = {"accept": "primary", "refuse": "quiet", **_STYLES}.get(act, "plain")
        shown.append({"title": button.title, "token": sign(content, key, _PURPOSE), "style": style})
    return shown


def read(token: str, conversation: str, key: str, clock: Clock) -> tuple[Pressed, str] | None:
    """Check a quick reply that a page sent.

    Returns:
        What was pressed and the intent it stands for; None for a forged one and for one of
        another conversation.
    """
    content = read_signed(token, key, _PURPOSE, clock())
    if content is None or content.get("c") != conversation or content.get("a") not in _INTENTS:
        return None
    pressed = Pressed(content["a"], content.get("o"), content.get("v"))
    return pressed, _INTENTS[pressed.act]

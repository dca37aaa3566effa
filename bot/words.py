"""The bot's words: which variant of a response is said.

Stock Rasa takes one of the fitting texts at random. Here a text fits the customer's anger and
the trade, is not said twice in a conversation, and is the same again when a message is handled
again after a crash. `endpoints.yml` names the selector (`nlg: type`), `data/responses/` holds
the texts:

    utter_apologise:
    - text: "{matter}这件事，是我们没有做好。"
      metadata: {anger: [0, 1], industry: [hotel]}   # absent = any

The text may hold variables in braces, filled from the keywords of the action and the slots. A
variant whose variables are not all known is no candidate, so that no customer sees a brace.
"""

import copy
import hashlib
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rasa.core.nlg.generator import ResponseVariationFilter
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

# Mend Rasa's prediction and its action call wherever words are chosen.
from bot import prediction, remote_action  # noqa: F401

logger = logging.getLogger(__name__)

ANGER_LEVELS = range(4)
_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_FILLED_PARTS = ("text", "buttons", "quick_replies", "custom", "image", "attachment")


def variant_id(response: str, text: str) -> str:
    """Name a variant: the first ten hex digits of the SHA-1 of `response|text`.

    Args:
        response: Name of the response, as in `utter_apologise`.
        text: The text as written, with its variables unfilled.

    Returns:
        Ten hex digits. Changing a text makes it a new variant.
    """
    digest = hashlib.sha1(f"{response}|{text}".encode(), usedforsecurity=False)
    return digest.hexdigest()[:10]


class ResponseSelector(TemplatedNaturalLanguageGenerator):
    """Chooses among the variants of a response and fills in its variables.

    It is a templated generator to Rasa, which hands it the responses of each loaded model.
    """

    def __init__(self, endpoint_config: EndpointConfig | None, domain: Domain | None) -> None:
        """Begin with the responses of the domain, if there is one already.

        Args:
            endpoint_config: Section `nlg` of endpoints.yml; nothing in it is used.
            domain: Absent until a model is loaded.
        """
        del endpoint_config
        super().__init__(domain.responses if domain else {})

    async def generate(
        self,
        utter_action: str,
        tracker: DialogueStateTracker,
        output_channel: str,
        **kwargs: object,
    ) -> dict[str, Any] | None:
        """Choose a variant and fill it in.

        Args:
            utter_action: Name of the response.
            tracker: The conversation; its latest message and utterances decide.
            output_channel: For variants that are bound to a channel.
            **kwargs: `anger` (0 to 3) and `industry` choose; `optional` leaves the response out
                rather than repeat it; `said_in_turn` names variants said in this turn that the
                tracker does not have yet; everything else is a variable of the text.

        Returns:
            The message with `text`, `variant` and what else the variant has (`buttons`, ...);
            None when there is nothing to say. It never raises on account of the data: what is
            wrong is logged by the response's name.
        """
        kwargs.pop("domain_responses", None)
        optional = bool(kwargs.pop("optional", False))
        said_in_turn = kwargs.pop("said_in_turn", None) or ()
        metadata = (tracker.latest_message.metadata if tracker.latest_message else None) or {}
        anger = _anger(kwargs.get("anger"), tracker, metadata)
        industry = kwargs.get("industry") or metadata.get("industry")
        slots = tracker.current_slot_values()
        variables = {
            name: value
            for name, value in {**slots, **kwargs, "anger": anger, "industry": industry}.items()
            if value is not None and value != ""
        }

        variants = self._speakable(utter_action, output_channel, slots, industry, variables)
        if not variants:
            return None
        said = _said(metadata.get("said"), tracker, said_in_turn)
        message_id = getattr(tracker.latest_message, "message_id", None) or tracker.sender_id
        chosen = _choose(variants, anger, said, f"{message_id}|{utter_action}", optional)
        return None if chosen is None else _filled(chosen, variables)

    def _speakable(
        self,
        response: str,
        channel: str,
        slots: dict[str, Any],
        industry: str | None,
        variables: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """List the variants that fit trade and channel and whose variables are all known."""
        if response not in self.responses:
            logger.error("No response of this name: %s", response)
            return []
        fitting = [
            variant
            for variant in ResponseVariationFilter(self.responses).responses_for_utter_action(
                response, channel, slots
            )
            if _fits(variant, "industry", industry)
        ]
        if not fitting:
            logger.error("Response %s has no variant for industry %s", response, industry)
            return []
        speakable = []
        missing: set[str] = set()
        for variant in fitting:
            lacking = _variables_of(variant) - variables.keys()
            if lacking:
                missing |= lacking
            else:
                text = variant.get("text") or ""
                speakable.append({**variant, "variant": variant_id(response, text)})
        if missing:
            logger.error(
                "Response %s: variables %s are not given, %d of %d variants left out",
                response,
                sorted(missing),
                len(fitting) - len(speakable),
                len(fitting),
            )
        return speakable


def _choose(
    variants: Sequence[dict[str, Any]],
    anger: int,
    said: Mapping[str, int],
    key: str,
    optional: bool,
) -> dict[str, Any] | None:
    """Take an unsaid variant of the level, else of the next milder, else of the next stronger.

    Args:
        variants: Candidates, each with `variant`.
        anger: The level to fit.
        said: Variant id to the time it was said last, in any rising numbers.
        key: What the choice is made by; the same key chooses the same.
        optional: Give None rather than something said before.

    Returns:
        The variant; when all of those levels were said, the one said longest ago.
    """
    near = [
        [variant for variant in variants if _fits(variant, "anger", level)]
        for level in (anger, anger - 1, anger + 1)
        if level in ANGER_LEVELS
    ]
    if not any(near):
        # Written for far levels only: the nearest is better than silence.
        near = [
            [variant for variant in variants if _fits(variant, "anger", level)]
            for level in sorted(ANGER_LEVELS, key=lambda level: (abs(level - anger), level))
        ]
    for level_variants in near:
        unsaid = [variant for variant in level_variants if variant["variant"] not in said]
        if unsaid:
            return unsaid[_hash(key) % len(unsaid)]
    repeats = [variant for level_variants in near for variant in level_variants]
    if optional or not repeats:
        return None
    return min(repeats, key=lambda variant: said[variant["variant"]])


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")


def _fits(variant: Mapping[str, Any], chooser: str, value: object) -> bool:
    allowed = (variant.get("metadata") or {}).get(chooser)
    if allowed is None:
        return True
    return value in allowed if isinstance(allowed, list) else value == allowed


def _anger(given: object, tracker: DialogueStateTracker, metadata: Mapping[str, Any]) -> int:
    """Take the level from the action, else from the case, else from the message, else calm."""
    emotion = (tracker.latest_message.parse_data if tracker.latest_message else {}).get("emotion")
    heard = emotion.get("anger") if isinstance(emotion, dict) else None
    for level in (given, metadata.get("anger"), heard):
        if isinstance(level, int) and not isinstance(level, bool):
            return min(max(level, ANGER_LEVELS[0]), ANGER_LEVELS[-1])
    return 0


def _said(
    in_conversation: object, tracker: DialogueStateTracker, in_turn: Iterable[str]
) -> dict[str, int]:
    """Number what was said: first the conversation before this episode, oldest first."""
    order: list[str] = []
    if isinstance(in_conversation, list):
        order.extend(name for name in in_conversation if isinstance(name, str))
    order.extend(
        event.metadata["variant"]
        for event in tracker.events
        if isinstance(event, BotUttered) and isinstance(event.metadata.get("variant"), str)
    )
    order.extend(in_turn)
    return {name: time for time, name in enumerate(order)}


def _variables_of(part: Any) -> set[str]:  # noqa: ANN401  walks any YAML value
    if isinstance(part, str):
        return set(_VARIABLE.findall(part))
    if isinstance(part, Mapping):
        return {name for key in part if key != "metadata" for name in _variables_of(part[key])}
    if isinstance(part, list):
        return {name for item in part for name in _variables_of(item)}
    return set()


def _filled(variant: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the variables. A value is put in as it is: braces in it are not filled again."""
    message = {
        key: copy.deepcopy(value)
        for key, value in variant.items()
        if key not in ("metadata", "condition", "channel", "id")
    }
    for part in _FILLED_PARTS:
        if part in message:
            message[part] = _fill(message[part], variables)
    return message


def _fill(part: Any, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401  any YAML value
    if isinstance(part, str):
        return _VARIABLE.sub(lambda match: str(variables.get(match[1], match[0])), part)
    if isinstance(part, Mapping):
        return {key: _fill(value, variables) for key, value in part.items()}
    if isinstance(part, list):
        return [_fill(item, variables) for item in part]
    return part

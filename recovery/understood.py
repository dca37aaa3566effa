"""What the bot understood of one message, as it comes out of the Rasa parse."""

from dataclasses import dataclass, field
from typing import Any

SIGNALS = ("complaint", "escalation", "human", "closure", "private", "safety")


@dataclass(frozen=True)
class Understood:
    """Intent, entities and emotion of one message.

    Attributes:
        text: The message.
        intent: Name, `nlu_fallback` where Rasa was unsure.
        confidence: Of the intent, 0 to 1; 1.0 for buttons.
        entities: Pairs (name, value) in order of appearance.
        anger: 0 to 3.
        signals: Probability of each of `SIGNALS`.
        flags: Signals above their threshold.
    """

    text: str
    intent: str
    confidence: float
    entities: tuple[tuple[str, str], ...] = ()
    anger: int = 0
    signals: dict[str, float] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()

    def entity(self, name: str) -> str | None:
        """The last value of an entity in the message."""
        return next((value for key, value in reversed(self.entities) if key == name), None)

    @classmethod
    def from_parse(cls, parse: dict[str, Any]) -> "Understood":
        """Read Rasa's parse (`tracker.latest_message`, or `understood` of the channel)."""
        intent = parse.get("intent") or {}
        name = intent.get("name") or "nlu_fallback"
        emotion = parse.get("emotion") or {}
        return cls(
            text=parse.get("text") or "",
            intent=name,
            confidence=float(intent.get("confidence") or 0.0),
            entities=tuple(
                (str(entity.get("entity")), str(entity.get("value")))
                for entity in parse.get("entities") or []
            ),
            anger=int(emotion.get("anger") or 0),
            signals={str(k): float(v) for k, v in (emotion.get("signals") or {}).items()},
            flags=frozenset(emotion.get("flags") or ()),
        )

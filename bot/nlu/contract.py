"""The `emotion` that a parsed message carries; the contract between the NLU and everybody else.

    {"anger": 0..3, "score": 0..1, "probabilities": [4 floats],
     "signals": {name: probability}, "flags": [signals above their threshold]}

`anger` is 0 calm, 1 dissatisfied, 2 angry, 3 furious; `score` is the probability of angry or
furious. All numbers are plain Python, since the parse is stored as JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Any

ANGER_LEVELS = 4
SIGNALS = ("complaint", "escalation", "human", "closure", "private", "safety")


def emotion(
    anger: int,
    probabilities: Sequence[float],
    signals: Mapping[str, float],
    thresholds: Mapping[str, float],
) -> dict[str, Any]:
    """Put the contract together.

    Args:
        anger: The level decided on, 0 to 3.
        probabilities: Of the four levels.
        signals: Probability of each signal.
        thresholds: From which probability on a signal is a flag.

    Returns:
        The emotion, probabilities rounded to four digits.
    """
    rounded = [round(float(p), 4) for p in probabilities]
    likely = {name: round(float(signals.get(name, 0.0)), 4) for name in SIGNALS}
    return {
        "anger": int(anger),
        "score": round(min(rounded[2] + rounded[3], 1.0), 4),
        "probabilities": rounded,
        "signals": likely,
        "flags": [name for name in SIGNALS if likely[name] >= thresholds.get(name, 0.5) > 0],
    }


def calm(anger: int = 0) -> dict[str, Any]:
    """Give the emotion of a message that says nothing itself.

    Args:
        anger: The level that is known from elsewhere, as of the case.

    Returns:
        The emotion with this level for sure and no signals.
    """
    certain = [1.0 if level == anger else 0.0 for level in range(ANGER_LEVELS)]
    return emotion(anger, certain, {}, {})

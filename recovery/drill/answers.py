"""What the simulated customer answers: never the same line twice in a practice."""

from collections.abc import Sequence
from zlib import crc32

from recovery.drill.mood import SORRIES
from recovery.drill.reading import BAD, Reading
from recovery.drill.standing import Drill, Standing
from recovery.drill.voices import LEAVES, TAKES, WANTS, Mood


def words(drill: Drill, reading: Reading, revealed: tuple[int, ...]) -> str:
    """An answer that was not given before."""
    scenario, mood = drill.scenario, _mood(drill)
    touched = _touched(drill, reading)
    if touched:
        return touched
    facts = "".join(scenario.facts[one].line for one in revealed)
    take = _take(drill, reading, facts, mood)
    want = None if facts else _pick(WANTS[_missing(drill.standing)][mood], drill, shift=7)
    if take is None:
        take = _pick(TAKES["neutral"][mood], drill) or ""
    text = take + facts + ((want or "") if _wants(drill.standing) else "")
    return text if text and not _said(drill, text) else _otherwise(drill) + facts


def _touched(drill: Drill, reading: Reading) -> str | None:
    """What only this customer says, where something touched them that did not before."""
    scenario = drill.scenario
    lines = [scenario.inflames[place].line for place in reading.inflames]
    if not reading.bad and not lines and not reading.asked:
        lines = [scenario.calms[place].line for place in reading.calms]
    return next((one for one in lines if not _said(drill, one)), None)


def _take(drill: Drill, reading: Reading, facts: str, mood: Mood) -> str | None:
    """How the customer takes a line: the worst of it first."""
    for bad in BAD:
        if bad in reading.bad:
            return _pick(TAKES[bad][mood], drill)
    if "apologised" in reading.good and drill.standing.sorries > SORRIES:
        return _pick(TAKES["sorry_again"][mood], drill)
    if facts:
        return _pick(TAKES["asked" if reading.asked else "acknowledged"][mood], drill)
    for good in ("remedy", "step", "acknowledged", "apologised"):
        if good in reading.good:
            return _pick(TAKES[good][mood], drill)
    return _pick(TAKES["slow" if drill.standing.chases else "neutral"][mood], drill)


def _missing(standing: Standing) -> str:
    """What the customer still waits for."""
    if not {"acknowledged", "apologised"} & set(standing.done):
        return "feeling"
    return "remedy" if "remedy" not in standing.done else "step"


def _wants(standing: Standing) -> bool:
    return not {"acknowledged", "remedy", "step"} <= set(standing.done)


def _otherwise(drill: Drill) -> str:
    """Two halves that did not stand together yet: there are more than a practice has lines."""
    mood = _mood(drill)
    wants = [one for pools in WANTS.values() for one in pools[mood]]
    return next(
        first + second
        for first in TAKES["neutral"][mood]
        for second in wants
        if not _said(drill, first + second)
    )


def _pick(pool: Sequence[str], drill: Drill, shift: int = 0) -> str | None:
    """One that was not said, not even within a line; None where all were."""
    start = crc32(f"{drill.seed}:{len(drill.lines)}:{shift}".encode())
    turned = (pool[(start + place) % len(pool)] for place in range(len(pool)))
    return next((one for one in turned if not _within(drill, one)), None)


def _said(drill: Drill, text: str) -> bool:
    return text in drill.theirs


def _within(drill: Drill, text: str) -> bool:
    return any(text in one for one in drill.theirs)


def leaving(drill: Drill) -> str:
    """The last words of a customer who has had enough."""
    return _pick(LEAVES, drill) or LEAVES[0]


def chasing(drill: Drill) -> str:
    """How a customer asks again."""
    return _pick(WANTS["chase"][_mood(drill)], drill) or _otherwise(drill)


def _mood(drill: Drill) -> Mood:
    mood = drill.standing.mood
    return "hot" if mood >= 1.75 else "warm" if mood >= 0.75 else "calm"

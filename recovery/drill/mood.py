"""How what a trainee says moves the simulated customer."""

from collections.abc import Sequence
from dataclasses import replace

from recovery.anger import FURIOUS
from recovery.drill.reading import Bad, Good, Reading
from recovery.drill.scenario import Scenario
from recovery.drill.standing import Drill, Standing

SORRIES = 2
"""So many lines may say sorry."""

# How each moves the mood: the first time, and every time after it.
_SOOTHES: dict[Good, tuple[float, float]] = {
    "acknowledged": (-0.5, -0.15),
    "apologised": (-0.4, 0.0),
    "named": (-0.2, 0.0),
    "remedy": (-0.7, -0.1),
    "step": (-0.5, -0.1),
}
_STINGS: dict[Bad, float] = {
    "blame": 0.9,
    "argue": 0.7,
    "asked_again": 0.5,
    "again": 0.4,
    "promise": 0.2,
    "shout": 0.3,
    "stock": 0.3,
    "empty": 0.15,
}
_CALMED_BY_TOUCH, _INFLAMED_BY_TOUCH, _HEARD_OUT = -0.4, 0.6, -0.25
_SORRY_AGAIN, _KEPT_WAITING = 0.25, 0.25
# Of whom nothing is owed any more every line without harm is a step towards calm.
_NOTHING_LEFT = -0.4
# What is offered to somebody who does not feel heard counts for half.
_UNHEARD = 0.5
_EASE = {1: 1.2, 2: 1.0, 3: 0.8}
_COOLS_MOST, _HEATS_MOST = -1.0, 1.5


def moved(drill: Drill, reading: Reading) -> tuple[Standing, tuple[int, ...]]:
    """How the customer stands after a line, and which facts it brings them to tell."""
    was, scenario = drill.standing, drill.scenario
    hurt = bool({"blame", "argue"} & reading.bad.keys())
    sorries = was.sorries + ("apologised" in reading.good)
    asked = [one for one in reading.asked if one not in was.told and not _given(scenario, one)]
    revealed = () if hurt else tuple(asked)
    if not asked and not reading.bad and "acknowledged" in reading.good:
        # Whoever feels understood begins to tell.
        revealed = _untold(scenario, was.told)[:1]
    soothed = 0.0
    if not hurt:
        heard_out = bool({"acknowledged", "apologised"} & {*was.done, *reading.good})
        for good in reading.good:
            if good == "named" and len(reading.good) == 1:
                # To say what it is about alone does nobody good.
                continue
            first, later = _SOOTHES[good]
            share = 1.0 if heard_out or good not in ("remedy", "step") else _UNHEARD
            soothed += share * (later if good in was.done else first)
        soothed += _CALMED_BY_TOUCH * len(set(reading.calms) - set(was.touched))
        if {"acknowledged", "remedy", "step"} <= set(was.done):
            soothed += _NOTHING_LEFT
        soothed += _HEARD_OUT * sum(scenario.facts[one].hidden for one in revealed)
    stung = sum(_STINGS[bad] for bad in reading.bad)
    stung += _INFLAMED_BY_TOUCH * len(reading.inflames)
    if "apologised" in reading.good and sorries > SORRIES:
        stung += _SORRY_AGAIN
    move = soothed * _EASE[scenario.level] + stung
    mood = was.mood + max(_COOLS_MOST, min(_HEATS_MOST, move))
    return (
        replace(
            was,
            mood=max(0.0, min(float(FURIOUS), mood)),
            told=(*was.told, *revealed),
            touched=tuple(sorted({*was.touched, *(() if hurt else reading.calms)})),
            done=tuple(sorted({*was.done, *(() if hurt else reading.good)})),
            sorries=sorries,
            streak=was.streak + 1 if stung and move > 0 else 0,
        ),
        revealed,
    )


def _given(scenario: Scenario, place: int) -> bool:
    return scenario.facts[place].given


def _untold(scenario: Scenario, told: Sequence[int]) -> tuple[int, ...]:
    return tuple(
        place
        for place, one in enumerate(scenario.facts)
        if one.hidden and not one.given and place not in told
    )


def kept_waiting(was: Standing) -> Standing:
    """How a customer stands who asks again because nobody answers."""
    mood = min(float(FURIOUS), was.mood + _KEPT_WAITING)
    return replace(was, mood=mood, chases=was.chases + 1)

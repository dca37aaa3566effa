"""The simulated customer: a mood that moves with what the trainee says, and what is answered.

The mood is what the customer feels, 0 to 3; it shows in each line as its level. From the lines the
anger of the case is worked out as for any case (`recovery.anger`), so that here too nobody is calm
because of one kind word. The same words at the same moments make the same practice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from recovery.anger import CALM, CaseAnger, heard
from recovery.drill.answers import chasing, leaving, words
from recovery.drill.given import Given
from recovery.drill.mood import kept_waiting, moved
from recovery.drill.reading import Reading, read
from recovery.drill.scenario import Scenario
from recovery.drill.standing import CUSTOMER, TRAINEE, Drill, Line, Outcome, Standing, level_of
from recovery.privacy import mask

MOST_LINES = 30
LONGEST = 500
_MOST_CHASES = 2
_LEAVES_AFTER, _LEAVES_AT = 3, 2.5


def begin(scenario: Scenario, given: Given, seed: str, now: datetime) -> Drill:
    """Let the customer write the opening."""
    anger = heard(None, scenario.anger, now)
    lines = tuple(
        _line(f"{seed}:{place}", text, scenario.anger, anger, now)
        for place, text in enumerate(scenario.opening)
    )
    standing = Standing(float(scenario.anger), anger)
    due = now + timedelta(minutes=scenario.minutes)
    return Drill(scenario, given, seed, due, standing, lines)


def pass_time(drill: Drill, now: datetime) -> Drill:
    """What happens by itself up to a moment: the customer asks again, the time is over."""
    if drill.standing.outcome:
        return drill
    until = min(now, drill.due)
    while drill.standing.chases < _MOST_CHASES:
        asked = _latest(drill.lines) + timedelta(seconds=drill.scenario.patience)
        if asked > until:
            break
        drill = _chased(drill, asked)
    if now >= drill.due:
        drill = replace(drill, standing=replace(drill.standing, outcome="time"))
    return drill


def say(drill: Drill, line_id: str, text: str, now: datetime) -> Drill:
    """Take in a line of the trainee, and let the customer answer it.

    Args:
        drill: Going on at this moment (`pass_time` was called).
        line_id: Of the page; a line that stands there already changes nothing.
        text: As typed.
        now: The present moment.
    """
    if any(one["id"] == line_id for one in drill.lines):
        return drill
    mine = [one["text"] for one in drill.lines if one["by"] == TRAINEE]
    reading = read(text, drill.scenario, drill.given, mine, drill.standing.told)
    marks: list[tuple[str, str]] = [*reading.good.items(), *reading.bad.items()]
    line: Line = {
        "id": line_id,
        "by": TRAINEE,
        # Whoever practises with what a real customer wrote leaves nothing of them here.
        "text": mask(text).text,
        "at": now.isoformat(),
        "waited": round((now - _asked_at(drill.lines)).total_seconds()),
        "marks": [{"mark": mark, "words": mask(said).text} for mark, said in marks],
        "asked": list(reading.asked),
        "inflames": list(reading.inflames),
    }
    drill = replace(drill, lines=(*drill.lines, line))
    standing, revealed = moved(drill, reading)
    drill = replace(drill, standing=standing)
    return _answered(drill, reading, revealed, len(mine) + 1, now)


def stop(drill: Drill) -> Drill:
    """End it because the trainee wants to."""
    if drill.standing.outcome:
        return drill
    return replace(drill, standing=replace(drill.standing, outcome="stopped"))


def _answered(
    drill: Drill, reading: Reading, revealed: tuple[int, ...], turns: int, now: datetime
) -> Drill:
    standing, scenario = drill.standing, drill.scenario
    settled = {"remedy", "step"} <= set(standing.done)
    outcome: Outcome | None = None
    if settled and level_of(standing.mood) == CALM:
        text, outcome = scenario.closing, "calmed"
    elif standing.streak >= _LEAVES_AFTER and standing.mood >= _LEAVES_AT:
        text, outcome = leaving(drill), "walked_out"
    else:
        text = words(drill, reading, revealed)
        if turns >= MOST_LINES:
            outcome = "time"
    said = replace(drill, standing=replace(standing, chases=0, outcome=outcome))
    return _spoken(said, text, now)


def _chased(drill: Drill, at: datetime) -> Drill:
    drill = replace(drill, standing=kept_waiting(drill.standing))
    return _spoken(drill, chasing(drill), at)


def _spoken(drill: Drill, text: str, at: datetime) -> Drill:
    """The customer says something; their case is as angry as that sounds."""
    level = level_of(drill.standing.mood)
    anger = heard(drill.standing.anger, level, at)
    line = _line(f"{drill.seed}:{len(drill.lines)}", text, level, anger, at)
    standing = replace(drill.standing, anger=anger)
    return replace(drill, standing=standing, lines=(*drill.lines, line))


def _line(line_id: str, text: str, level: int, anger: CaseAnger, at: datetime) -> Line:
    heat = round(anger.heat, 2)
    said = {"id": line_id, "by": CUSTOMER, "text": text, "at": at.isoformat()}
    return {**said, "level": level, "heat": heat}


def _latest(lines: Sequence[Line]) -> datetime:
    return datetime.fromisoformat(lines[-1]["at"])


def _asked_at(lines: Sequence[Line]) -> datetime:
    """Since when the customer waits: their first line after the last answer."""
    first = lines[0]["at"]
    for one in reversed(lines):
        if one["by"] == TRAINEE:
            break
        first = one["at"]
    return datetime.fromisoformat(first)

"""Works figures out of what cases add up to, and says where they say little."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from recovery.failures import FAILURES
from recovery.insights.causes import cause_name
from recovery.insights.figures import (
    DIMENSIONS,
    FIGURES,
    GROUPS,
    LOW_ANSWERS,
    PERSONS_LEAST,
    Figure,
)
from recovery.insights.parts import Part, Slice, Weight
from recovery.remedy.wording import value_words

_NONE = "这段时间还没有"
_ANGER = ("平静", "不满", "生气", "愤怒")
# Of means of counts more than is shown: what was rounded up once would be rounded up again.
_DECIMALS = {"percent": 1, "score": 2, "points": 0, "count": 4}
# Adding up nothing gives nothing, and that is a value.
_FROM_NOUGHT = ("cases", "count", "sum", "budget")


def worked_out(part: Part, before: Part, budget_fen: int) -> list[dict[str, Any]]:
    """All figures, as a page shows them.

    Args:
        part: Of the period.
        before: Of the period before, which is as long.
        budget_fen: What goodwill may be spent in such a period.
    """
    return [_shown(one, part, before, budget_fen) for one in FIGURES.values()]


def _shown(figure: Figure, part: Part, before: Part, budget_fen: int) -> dict[str, Any]:
    number, low = number_behind(figure, part), _too_few(figure, part)
    value = None if low else value_of(figure, part, budget_fen)
    if value is None and not low:
        low = _NONE
    if value is not None:
        low = _few_answers(figure, part)
    compared = None if _too_few(figure, before) else value_of(figure, before, budget_fen)
    return {
        "id": figure.id,
        "group": figure.group,
        "group_name": GROUPS[figure.group],
        "name": figure.name,
        "unit": figure.unit,
        "value": value,
        "n": number,
        "of": _of(figure, part),
        "low": low,
        "how": figure.how,
        "before": compared if before.cases else None,
        "case_unit": figure.case_unit,
    }


def number_behind(figure: Figure, part: Part) -> int:
    """How many cases stand behind a figure."""
    column = figure.stands_behind
    return part.total(column)[1] if column else part.cases


def _of(figure: Figure, part: Part) -> int | None:
    """What it is a share of."""
    match figure.kind:
        case "share":
            return part.total(figure.column)[1]
        case "ratio":
            return part.total(figure.over)[0]
        case "count":
            return part.cases
    return None


def _too_few(figure: Figure, part: Part) -> str:
    number = number_behind(figure, part)
    if number == 0:
        return "" if figure.kind in _FROM_NOUGHT or _has_share(figure, part) else _NONE
    return (
        f"样本太少（{number}个，至少{figure.least}个才说明问题）" if number < figure.least else ""
    )


def _has_share(figure: Figure, part: Part) -> bool:
    """Whether nought is a share of something: no repeated complaint of all that were closed."""
    return figure.kind == "ratio" and part.total(figure.over)[0] > 0


def _few_answers(figure: Figure, part: Part) -> str:
    if not figure.beside:
        return ""
    answered, asked = part.total(FIGURES[figure.beside].column)
    share = 100 * answered / asked if asked else 0
    return f"答复率只有{share:.0f}%，只供参考" if share < LOW_ANSWERS else ""


def value_of(figure: Figure, part: Part, budget_fen: int) -> float | int | None:
    """The value of a figure, however few cases there are; None where nothing can be divided."""
    total, count = part.total(figure.column)
    over = part.total(figure.over)[0]
    value: float | int | None
    match figure.kind:
        case "cases":
            return part.cases
        case "count":
            return count
        case "sum":
            return total
        case "share":
            value = 100 * total / count if count else None
        case "mean":
            value = total / count / figure.scale if count else None
        case "ratio":
            times = 100 if figure.unit == "percent" else 1
            value = times * total / over if over else None
        case "gap":
            value = (total - over) / count if count else None
        case "budget":
            value = 100 * total / budget_fen if budget_fen else None
        case "quantile":
            value = part.quantile(figure.column, figure.quantile)
    return _rounded(value, figure.unit)


def _rounded(value: float | int | None, unit: str) -> float | int | None:
    if value is None:
        return None
    decimals = _DECIMALS.get(unit, 0)
    return round(value, decimals) if decimals else round(value)


# --- charts -----------------------------------------------------------------------------------


def charts(part: Part) -> dict[str, Any]:
    """What is drawn beside the figures."""
    return {
        "series": {"days": _days(part)},
        "pareto": _pareto(part),
        "failures": [
            {"id": key, "name": failure_name(key), "count": weight.cases}
            for key, weight in _by(part, lambda one: one.failure)
        ],
        "channels": [
            {"id": key, "count": weight.cases} for key, weight in _by(part, lambda one: one.channel)
        ],
        "servqual": [_dimension(part, name) for name in DIMENSIONS],
        "fairness": _fairness(part),
    }


def failure_name(failure: str) -> str:
    """What a failure is called."""
    known = FAILURES.get(failure)
    return known.matter if known else "还不知道是什么事"


def _by(part: Part, key: Callable[[Slice], Any]) -> list[tuple[Any, Weight]]:
    found: defaultdict[Any, Weight] = defaultdict(Weight)
    for one, weight in part.slices.items():
        found[key(one)].add(weight)
    return sorted(found.items(), key=lambda pair: (-pair[1].cases, str(pair[0])))


def _days(part: Part) -> list[dict[str, Any]]:
    return [
        {
            "day": day,
            "cases": one.cases,
            "anger_opening": round(one.anger / one.heard, 2) if one.heard else None,
            "closed": one.closed,
        }
        for day, one in sorted(part.days.items())
    ]


def _pareto(part: Part) -> list[dict[str, Any]]:
    """Causes, the most frequent first; confirmed and proposed are told apart."""
    confirmed: defaultdict[str, int] = defaultdict(int)
    for one, weight in part.slices.items():
        confirmed[one.cause] += weight.cases if one.confirmed else 0
    causes = [pair for pair in _by(part, lambda one: one.cause) if pair[0]]
    whole = sum(weight.cases for _, weight in causes)
    found, passed = [], 0
    for cause, weight in causes:
        passed += weight.cases
        found.append(
            {
                "cause": cause,
                "name": cause_name(cause),
                "count": weight.cases,
                "confirmed": confirmed[cause],
                "proposed": weight.cases - confirmed[cause],
                "share": round(100 * weight.cases / whole, 1),
                "cumulative": round(100 * passed / whole, 1),
            }
        )
    return found


def _dimension(part: Part, name: str) -> dict[str, Any]:
    expected, number = part.total(f"expected_{name}")
    perceived, _ = part.total(f"perceived_{name}")
    known = number >= PERSONS_LEAST
    return {
        "dimension": name,
        "name": DIMENSIONS[name],
        "expected": round(expected / number, 2) if known else None,
        "perceived": round(perceived / number, 2) if known else None,
        "gap": round((perceived - expected) / number, 2) if known else None,
        "n": number,
    }


def _fairness(part: Part) -> list[dict[str, Any]]:
    groups: Mapping[str, tuple[Callable[[Slice], Any], Callable[[Any], str]]] = {
        "anger": (lambda one: one.anger, lambda key: "没有读出" if key is None else _ANGER[key]),
        "tier": (lambda one: one.tier, lambda key: value_words("tier", key) if key else "不知道"),
        "channel": (lambda one: one.channel, str),
    }
    return [
        {
            "group": group,
            "key": key,
            "name": words(key),
            "n": weight.cases,
            "offered_share": round(100 * weight.offered / weight.cases, 1),
            "mean_fen": round(weight.goodwill_fen / weight.offered) if weight.offered else None,
        }
        for group, (of, words) in groups.items()
        for key, weight in sorted(_by(part, of), key=lambda pair: str(pair[0]))
    ]

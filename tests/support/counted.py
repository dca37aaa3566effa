"""Figures counted by hand, straight from what was told: nothing here knows the product's tables."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from math import ceil

from tests.support.lessons import DIMENSIONS, MINUTE, NOW, Told, World

HOUR = timedelta(hours=1)
DAYS = timedelta(days=1)
PER_DAY_FEN = 1_000_000


def _share(yes: int, of: int) -> float | None:
    return 100 * yes / of if of else None


def _mean(values: list[int] | list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _rank(values: list[int], hundredth: int) -> int | None:
    return sorted(values)[ceil(len(values) * hundredth / 100) - 1] if values else None


def _open(minute: datetime) -> bool:
    """Whether the hotel answers: from eight to eleven in the evening in Shanghai."""
    return 8 <= (minute + 8 * HOUR).hour < 23


def _service_seconds(start: datetime, end: datetime) -> int:
    """Minute by minute."""
    seconds = 0
    while start < end:
        seconds += 60 if _open(start) else 0
        start += MINUTE
    return seconds


def _in_time(one: Told) -> bool | None:
    """Whether the one message was answered in time; None: it does not count."""
    if one.handed_at is None or not _open(one.handed_at):
        return None
    left, until = 15, one.handed_at
    while left:
        until += MINUTE
        left -= 1 if _open(until - MINUTE) else 0
    if one.answered_at and one.answered_at <= until:
        return True
    return None if NOW <= until else False


def _spent(one: Told) -> tuple[int, int]:
    taken = [given for given in one.offers if given.state == "accepted"]
    goodwill = sum(given.goodwill for given in taken) + one.gesture
    return sum(given.floor for given in taken), goodwill


def _recovered(one: Told) -> bool | None:
    if one.angers[0] < 2:
        return None
    if one.asked and one.rating is not None:
        return one.rating >= 4
    return one.ended is not None and one.outcome in ("solved", "explained", "thanked")


def _repeats(one: Told, world: World) -> bool:
    if one.failure == "unknown":
        return False
    return any(
        other.person == one.person
        and other.failure == one.failure
        and one.at - 30 * DAYS <= other.at < one.at
        for other in world.cases
    )


def _room(one: Told, world: World, *, before: bool) -> list[int]:
    assert one.moved_at
    since = one.moved_at - HOUR if before else one.moved_at
    said = [(other.at, other.anger) for other in world.others]
    for case in world.cases:
        if case.public and case is not one:
            said += [
                (case.at + 10 * place * MINUTE, heat) for place, heat in enumerate(case.angers)
            ]
            if case.angry_later:
                said.append((case.at + 3 * MINUTE + 3 * DAYS, 2))
    return [anger for at, anger in said if since <= at < since + HOUR]


def _unlike(one: Told, world: World) -> bool | None:
    def key(case: Told) -> tuple[tuple[int, str], int] | None:
        bots = [given for given in case.offers if not given.staff]
        return ((bots[0].paid, bots[0].tier), bots[0].extra) if bots else None

    mine = key(one)
    if mine is None:
        return None
    return any(
        other[0] == mine[0] and other[1] != mine[1]
        for other in map(key, world.cases)
        if other is not None
    )


def counted(world: World, since: date, until: date) -> dict[str, float | None]:
    """Every figure of the cases that began within some days."""
    cases = [one for one in world.cases if since <= one.day <= until]
    angry = [one for one in cases if one.angers[0] >= 2]
    closed = [one for one in cases if one.ended]
    calmer = [one for one in closed if one.angers[0] >= 2]
    found: dict[str, float | None] = {
        "complaints": len(cases),
        "angry": _share(len(angry), len(cases)),
        "closed": len(closed),
        "repeat": _share(sum(_repeats(one, world) for one in cases), len(closed)),
        "anger_opening": _mean([one.angers[0] for one in cases]),
        "anger_peak": _mean([max((*one.angers, 2 if one.angry_later else 0)) for one in cases]),
        "anger_close": _mean([one.anger_end for one in closed]),
        "relief": _mean([one.angers[0] - one.anger_end for one in calmer]),
        "neutral": _share(sum(one.anger_end == 0 for one in calmer), len(calmer)),
    }
    found |= _speed(cases) | _private(cases, world) | _money(cases, world, since, until)
    return found | _after(cases)


def _speed(cases: list[Told]) -> dict[str, float | None]:
    bots, people, service, sorry = [], [], [], []
    for one in cases:
        bot = [second for second in (one.bot, one.sorry) if second is not None]
        bots += [min(bot)] if bot else []
        if one.answered_at:
            people.append(int((one.answered_at - one.at).total_seconds()))
            service.append(_service_seconds(one.at, one.answered_at))
        angry = next((place for place, heat in enumerate(one.angers) if heat >= 2), None)
        if angry is not None and one.sorry is not None and one.sorry >= 600 * angry:
            sorry.append(one.sorry - 600 * angry)
    known = [answer for answer in map(_in_time, cases) if answer is not None]
    times = {"apology": sorry, "bot": bots, "person": people, "person_service": service}
    found: dict[str, float | None] = {"in_time": _share(sum(known), len(known))}
    for name, values in times.items():
        found |= {f"{name}_median": _rank(values, 50), f"{name}_p90": _rank(values, 90)}
    return found


def _private(cases: list[Told], world: World) -> dict[str, float | None]:
    invited = [one for one in cases if one.invited]
    over = [one for one in invited if NOW > one.at + 3 * MINUTE + 7 * DAYS]
    loud = [
        one.angry_later
        or any(heat >= 2 and 10 * place > 3 for place, heat in enumerate(one.angers))
        for one in over
    ]
    moved = [one for one in cases if one.moved_at and NOW >= one.moved_at + HOUR]
    found: dict[str, float | None] = {
        "moved": _share(sum(one.moved is not None for one in invited), len(invited)),
        "angry_in_public": _share(sum(loud), len(loud)),
    }
    for when in ("before", "after"):
        rooms = [_room(one, world, before=when == "before") for one in moved]
        found[f"room_messages_{when}"] = _mean([len(one) for one in rooms])
        means = [sum(one) / len(one) for one in rooms if one]
        found[f"room_anger_{when}"] = _mean([round(one, 2) for one in means])
    return found


def _money(cases: list[Told], world: World, since: date, until: date) -> dict[str, float | None]:
    standing = [given for one in cases for given in one.offers if given.state != "replaced"]
    accepted = [given for given in standing if given.state == "accepted"]
    floor, goodwill = (sum(column) for column in zip(*map(_spent, cases), strict=True))
    recovered = sum(_recovered(one) or False for one in cases)
    beyond = sum(given.extra for given in accepted if given.staff)
    days = (until - since).days + 1
    promises = sum(one.promises[0] for one in cases)
    unlike = [answer for one in cases if (answer := _unlike(one, world)) is not None]
    return {
        "accepted": _share(len(accepted), len(standing)),
        "spent": floor + goodwill,
        "floor": floor,
        "goodwill": goodwill,
        "budget": _share(goodwill, PER_DAY_FEN * days),
        "cost_per_recovered": (floor + goodwill) / recovered if recovered else None,
        "late": _share(sum(one.promises[1] for one in cases), promises),
        "leakage": _share(beyond, floor + goodwill),
        "departures": _share(sum(given.staff for given in standing), len(standing)),
        "unlike": _share(sum(unlike), len(unlike)),
    }


def _after(cases: list[Told]) -> dict[str, float | None]:
    angry = [answer for one in cases if (answer := _recovered(one)) is not None]
    asked = [one for one in cases if one.asked]
    rated = [one.rating for one in asked if one.rating is not None]
    sent = [one.survey for one in cases if one.survey is not None]
    answers = [one for one in sent if one]
    recommend = [int(one["recommend"]) for one in answers]
    found: dict[str, float | None] = {
        "recovered": _share(sum(angry), len(angry)),
        "csat": _share(sum(rating >= 4 for rating in rated), len(rated)),
        "csat_answers": _share(len(rated), len(asked)),
        "survey_answers": _share(len(answers), len(sent)),
        "confirmed": _share(sum(one["confirmed"] >= 3 for one in answers), len(answers)),
    }
    promoters = sum(one >= 9 for one in recommend)
    detractors = sum(one <= 6 for one in recommend)
    found["nps"] = _share(promoters - detractors, len(recommend))
    for name in DIMENSIONS:
        gaps = [one["perceived"][name] - one["expected"][name] for one in answers]
        found[f"servqual_{name}"] = _mean(gaps)
    groups: defaultdict[str, list[Told]] = defaultdict(list)
    for one in cases:
        if one.ended and one.offers and NOW >= one.ended + 90 * DAYS:
            groups["recovered" if _recovered(one) else "others"].append(one)
    for name in ("recovered", "others"):
        mine = groups[name]
        found[f"returned_{name}"] = _share(sum(bool(one.bought) for one in mine), len(mine))
        found[f"repurchase_{name}"] = _mean([sum(one.bought) for one in mine])
    return found

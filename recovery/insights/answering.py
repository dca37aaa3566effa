"""How soon a customer was answered, by whom, and whether within the promised minutes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from recovery.anger import ANGRY
from recovery.business import Business
from recovery.insights.material import Heard, Material, Said

_PEOPLE = ("queue", "staff")


@dataclass(frozen=True)
class Answering:
    """Seconds; None where it has not come to that.

    Attributes:
        apology: From the first angry message to the first apology.
        bot: From the complaint to the first answer of the bot.
        person: The same of a person.
        person_service: The same, service time only.
        heard: Messages that a person was due to answer, received in service hours, of which it
            is known by now whether they were answered in time.
        in_time: How many of them were.
        next_known: When it is known of one more; None: of all.
    """

    apology: int | None = None
    bot: int | None = None
    person: int | None = None
    person_service: int | None = None
    heard: int = 0
    in_time: int = 0
    next_known: datetime | None = None


def answering(case: Material, business: Business, now: datetime) -> Answering:
    """Look at who answered when.

    Args:
        case: As read.
        business: Whose hours and minutes count.
        now: The present moment.
    """
    asked = {one.id for one in case.heard}
    # What the desk says unasked (how it went, what is late) answers no complaint.
    bot = _first(case, "bot", asked)
    person = _first(case, "staff")
    due = list(_due(case))
    heard = in_time = 0
    next_known: datetime | None = None
    for one in due:
        if not business.service.open_at(one.at):
            continue
        until = business.person_by(one.at)
        answered = any(
            said.author == "staff" and one.at <= said.at <= until
            for said in case.said
            if said.conversation == one.conversation
        )
        if not answered and now <= until:
            next_known = min(next_known or until, until)
            continue
        heard += 1
        in_time += answered
    return Answering(
        apology=_apology(case),
        bot=_seconds(case.began, bot.at) if bot else None,
        person=_seconds(case.began, person.at) if person else None,
        person_service=business.service.between(case.began, person.at) if person else None,
        heard=heard,
        in_time=in_time,
        next_known=next_known,
    )


def _seconds(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds()))


def _first(case: Material, author: str, asked: Collection[str] | None = None) -> Said | None:
    """The first answer of somebody; where messages are named, to one of these."""
    mine = (one for one in case.said if one.kind == "message" and one.author == author)
    if asked is not None:
        mine = (one for one in mine if one.id.partition(".")[0] in asked)
    return next((one for one in mine if one.at >= case.began), None)


def _apology(case: Material) -> int | None:
    angry = next((one.at for one in case.heard if (one.anger or 0) >= ANGRY), None)
    if angry is None:
        return None
    sorry = next((one.at for one in case.said if one.sorry and one.at >= angry), None)
    return _seconds(angry, sorry) if sorry else None


def _due(case: Material) -> Iterator[Heard]:
    """Messages that a person was to answer: what came while people had it, and what brought it."""
    if case.by_hand:
        return
    for one in case.heard:
        if not one.words:
            continue
        here = [
            said
            for said in case.said
            if said.kind == "owner" and said.conversation == one.conversation
        ]
        before = [said.owner for said in here if said.at < one.at]
        brought = any(
            said.id.partition(".")[0] == one.id and said.owner in _PEOPLE for said in here
        )
        if brought or (before and before[-1] in _PEOPLE):
            yield one

"""Reads all that belongs to some cases, for their facts: a fixed number of queries a batch."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from recovery.audit.stored import Archive
from recovery.insights.deciding import decided
from recovery.insights.facts import (
    REPEATED_WITHIN,
    RETURNED_WITHIN,
    ROOM_FOR,
    complains,
    failure_of,
)
from recovery.insights.material import Later, Material, Survey
from recovery.store.case_messages import Shared, moment_of, read_shared
from recovery.store.database import stamp
from recovery.store.room_mood import mood
from recovery.store.tables import (
    case_causes,
    decisions,
    follow_ups,
    gestures,
    invitations,
    promises,
    purchases,
    surveys,
)

_BY_HAND = ("phone", "street", "other")
_TAKEN = ("taken", "done")
_LATE_STAGES = ("late", "given_up")

Rows = Mapping[str, list[Row[Any]]]


def read(
    db: Connection, ids: Collection[str], archive: Archive, now: datetime
) -> tuple[list[Material], list[str]]:
    """Read cases.

    Args:
        db: A transaction.
        ids: Of the cases; not too many at once.
        archive: Of the policies.
        now: The present moment.

    Returns:
        What there is of each case, the one opened first first; and ids that do not count: cases
        that went into another one, in which nobody has complained, and unknown ones.
    """
    shared = read_shared(db, ids)
    counted = [
        one
        for one in ids
        if one in shared.rows and shared.root[one] == one and complains(shared.rows[one].state)
    ]
    gone = [one for one in ids if one not in counted]
    of_case = {
        name: _grouped(db, query, shared, counted)
        for name, query in (
            ("decisions", select(decisions).order_by(decisions.c.made_at, decisions.c.id)),
            ("promises", select(promises)),
            ("gestures", select(gestures)),
            ("follow_ups", select(follow_ups).order_by(follow_ups.c.round)),
            ("surveys", select(surveys)),
            ("causes", select(case_causes)),
        )
    }
    asked = _invited(db, shared, counted)
    found = [_material(db, shared, of_case, asked, one, archive, now) for one in counted]
    return sorted(found, key=lambda one: one.opened_at), gone


def _grouped(
    db: Connection, query: Select[Any], shared: Shared, ids: Collection[str]
) -> dict[str, list[Row[Any]]]:
    """Rows by case; what belonged to one that went into another counts there."""
    every = [one for one, root in shared.root.items() if root in ids]
    found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    case_id = query.selected_columns["case_id"]
    for row in db.execute(query.where(case_id.in_(every))):
        found[shared.root[row.case_id]].append(row)
    return found


# --- one case ---------------------------------------------------------------------------------


def _spans(shared: Shared, case_id: str, part: str) -> tuple[datetime | None, datetime | None]:
    """From when until when a conversation was about a case; None: without an end."""
    mine = shared.began[part][case_id]
    others = [at for other, at in shared.began[part].items() if other != case_id]
    earlier = any(at <= mine for at in others)
    return mine if earlier else None, min((at for at in others if at > mine), default=None)


def _invited(
    db: Connection, shared: Shared, ids: Iterable[str]
) -> dict[str, list[tuple[datetime, datetime | None]]]:
    """Invitations by public conversation: when, and when it was used."""
    parts = {part for one in ids for part in shared.of[one]}
    query = select(
        invitations.c.public_conversation, invitations.c.created_at, invitations.c.used_at
    )
    found: defaultdict[str, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for part, made, used in db.execute(query.where(invitations.c.public_conversation.in_(parts))):
        found[part].append((moment_of(made), moment_of(used) if used else None))
    return found


def _material(
    db: Connection,
    shared: Shared,
    of_case: Mapping[str, Rows],
    asked: Mapping[str, list[tuple[datetime, datetime | None]]],
    case_id: str,
    archive: Archive,
    now: datetime,
) -> Material:
    row = shared.rows[case_id]
    parts = sorted(shared.of[case_id], key=lambda one: shared.parts[one].created_at)
    firsts = [shared.began[one][case_id] for one in parts]
    began = min([*firsts, moment_of(row.opened_at)])

    def within(moment: datetime, part: str) -> bool:
        since, until = _spans(shared, case_id, part)
        return moment >= (since or began) and (until is None or moment < until)

    public = frozenset(one for one in parts if shared.parts[one].kind == "public")
    invited = sorted(pair for one in public for pair in asked.get(one, ()) if within(pair[0], one))
    moved = min((used for _, used in invited if used), default=None)
    room = next((shared.parts[one].room for one in parts if one in public), None)
    offers = tuple(
        decided(dict(one._mapping), archive) for one in of_case["decisions"].get(case_id, ())
    )
    closed = moment_of(row.closed_at) if row.closed_at else None
    promised = of_case["promises"].get(case_id, ())
    survey = next(iter(of_case["surveys"].get(case_id, ())), None)
    cause = next(iter(of_case["causes"].get(case_id, ())), None)
    mine = shared.persons[row.customer_id]
    return Material(
        id=row.id,
        business=row.business,
        state=row.state,
        person=mine,
        channel=shared.parts[parts[0]].channel if parts else "web",
        by_hand=any(shared.parts[one].channel in _BY_HAND for one in parts),
        opened_at=moment_of(row.opened_at),
        closed_at=closed,
        outcome=row.outcome,
        began=began,
        heard=_joined(shared.heard, parts, within),
        said=_joined(shared.said, parts, within),
        public=public,
        invited_at=invited[0][0] if invited else None,
        moved_at=moved,
        room=_room(db, room, parts, moved, now),
        decided=offers,
        promises=len(promised),
        late=sum(one.times_late > 0 or one.stage in _LATE_STAGES for one in promised),
        gestures_fen=sum(
            one.cost_fen for one in of_case["gestures"].get(case_id, ()) if one.state in _TAKEN
        ),
        ratings=tuple(one.rating for one in of_case["follow_ups"].get(case_id, ()) if one.asked_at),
        survey=_survey(survey) if survey else None,
        later=_later(db, row.business, [one.order_customer for one in offers], closed, now),
        cause=cause.confirmed if cause else None,
        repeat=_repeats(shared, row, mine),
    )


def _joined(found: Mapping[str, list[Any]], parts: Iterable[str], within: Any) -> tuple[Any, ...]:  # noqa: ANN401 - of either kind
    mine = [one for part in parts for one in found.get(part, ()) if within(one.at, part)]
    return tuple(sorted(mine, key=lambda one: one.at))


def _room(
    db: Connection, room: str | None, parts: Collection[str], moved: datetime | None, now: datetime
) -> Any:  # noqa: ANN401 - a pair of moods
    if room is None or moved is None or now < moved + ROOM_FOR:
        return None
    before = mood(db, room, parts, moved - ROOM_FOR, moved)
    return before, mood(db, room, parts, moved, moved + ROOM_FOR)


def _survey(row: Row[Any]) -> Survey:
    return Survey(
        answered=row.answered_at is not None,
        expected=row.expected or {},
        perceived=row.perceived or {},
        confirmed=row.confirmed,
        recommend=row.recommend,
    )


def _repeats(shared: Shared, row: Row[Any], person: str) -> bool:
    """Whether the same person had complained of the same in the thirty days before."""
    failure = failure_of(row.state)
    since = stamp(moment_of(row.opened_at) - REPEATED_WITHIN)
    return failure != "" and any(
        other.business == row.business
        and since <= other.opened_at < row.opened_at
        and failure_of(other.state) == failure
        and shared.persons.get(other.customer_id) == person
        and shared.root[other.id] != row.id
        for other in shared.rows.values()
    )


def _later(
    db: Connection,
    business: str,
    names: Sequence[str],
    closed: datetime | None,
    now: datetime,
) -> Later | None:
    """What was bought later; None where the time is not over, or nobody knows whose orders."""
    mine = next((one for one in reversed(names) if one), None)
    if closed is None or mine is None or now < closed + RETURNED_WITHIN:
        return None
    told = select(purchases.c.order_number).where(purchases.c.business == business).limit(1)
    if db.execute(told).first() is None:
        return None
    query = select(purchases.c.amount_fen).where(
        purchases.c.business == business,
        purchases.c.order_customer == mine,
        purchases.c.ordered_at > stamp(closed),
        purchases.c.ordered_at <= stamp(closed + RETURNED_WITHIN),
    )
    return Later(tuple(int(one) for one in db.execute(query).scalars()))

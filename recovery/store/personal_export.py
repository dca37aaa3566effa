"""Gathers all that is kept about one person, for that person to read."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from recovery.case import Case
from recovery.outcomes import OUTCOMES
from recovery.remedy.catalogue import BadRemedyError, kind_of
from recovery.store import persons
from recovery.store.database import stamp
from recovery.store.personal_scope import Scope, Whose, rows_of
from recovery.store.tables import (
    cases,
    conversations,
    decisions,
    follow_ups,
    fulfilments,
    gestures,
    inbox,
    notes,
    outbox,
    person_joins,
    pictures,
    preferences,
    promises,
    proof_tries,
    surveys,
)

COLLEAGUE = "客服"
"""Stands for who of staff it was: their data are theirs."""
_CHANNELS = {"web": "网页", "wechat": "微信", "site": "网站账号", "webhook": "其他渠道"}
_STATES = {
    **{"open": "等您决定", "accepted": "您接受了", "refused": "您没有要", "replaced": "已换成别的"},
    **{"todo": "在办", "done": "办好了", "failed": "没有办成，由同事处理"},
}
_SPOKEN = ("message", "offer", "progress", "notice", "owner", "closed", "reminder")


def gather(db: Connection, scope: Scope, business: str, now: datetime) -> dict[str, Any]:
    """Read all that is kept about a person.

    Args:
        db: A transaction.
        scope: The person.
        business: Its name.
        now: The present moment.

    Returns:
        Plain JSON. Who of staff did or wrote something is not named.
    """
    whose = rows_of(scope)
    return {
        "business": business,
        "made_at": stamp(now),
        "identities": [
            {
                "channel": _CHANNELS[persons.channel_of(db, one)],
                "name": one.name,
                "account": one.external_id or "",
            }
            for one in persons.identities_of(db, scope.person)
        ],
        "other_accounts": list(scope.identities),
        "preferences": [
            {
                "no_follow_up": row.no_follow_up,
                "no_marketing": row.no_marketing,
                "wishes": [one.get("text", "") for one in row.wishes or ()],
                "told_of_privacy_at": row.notice_at,
            }
            for row in _rows(db, preferences, whose)
        ],
        "conversations": [_conversation(db, scope, row) for row in _rows(db, conversations, whose)],
        "moods": _moods(db, whose),
        "pictures": [
            {"id": row.id, "sha256": row.sha256, "at": row.created_at}
            for row in _rows(db, pictures, whose)
        ],
        "cases": [_case(row) for row in _rows(db, cases, whose)],
        "offers": [
            {
                "at": row.made_at,
                "order_number": row.order_number,
                "remedies": [_title(one) for one in row.remedies or ()],
                "state": _STATES.get(row.state, row.state),
            }
            for row in _rows(db, decisions, whose)
        ],
        "remedies": [
            {
                "at": row.created_at,
                "order_number": row.order_number,
                "remedy": _title(row.remedy),
                "state": _STATES.get(row.state, "由同事处理"),
            }
            for row in _rows(db, fulfilments, whose)
        ],
        "promised": [
            {"at": row.promised_at, "until": row.due_at} for row in _rows(db, promises, whose)
        ],
        "follow_ups": [
            {"at": row.asked_at, "rating": row.rating, "words": row.words or ""}
            for row in _rows(db, follow_ups, whose)
            if row.asked_at
        ],
        "surveys": [
            {
                **{"at": row.answered_at, "expected": row.expected, "perceived": row.perceived},
                **{"confirmed": row.confirmed, "recommend": row.recommend},
                "words": row.words or "",
            }
            for row in _rows(db, surveys, whose)
            if row.answered_at
        ],
        "gestures": [
            {"at": row.at, "title": str((row.content or {}).get("title", ""))}
            for row in _rows(db, gestures, whose)
        ],
        "notes": [
            {"at": row.at, "by": COLLEAGUE, "text": row.text} for row in _rows(db, notes, whose)
        ],
        "joined": [{"at": row.at, "how": row.how} for row in _rows(db, person_joins, whose)],
        "proofs": [
            {"at": row.at, "order_number": row.order_number, "correct": row.correct}
            for row in _rows(db, proof_tries, whose)
        ],
    }


def _rows(db: Connection, table: Table, whose: Whose) -> list[Row[Any]]:
    return list(db.execute(select(table).where(whose[table]).order_by(*table.primary_key)).all())


def _conversation(db: Connection, scope: Scope, row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "private": row.kind == "private",
        "channel": _CHANNELS.get(row.channel, row.channel),
        "began": row.created_at,
        "lines": _lines(db, scope, row),
    }


def _lines(db: Connection, scope: Scope, row: Row[Any]) -> list[dict[str, Any]]:
    own = outbox.c.stream.in_((f"private:{row.id}", f"own:{row.id}"))
    events = list(db.execute(select(outbox.c.event).where(own)).scalars())
    if row.room:
        room = outbox.c.stream == f"room:{row.room}"
        mine = room & (outbox.c.customer == row.customer_id)
        posts = list(db.execute(select(outbox.c.event).where(mine)).scalars())
        ids = [one["id"] for one in posts]
        replies = room & outbox.c.reply_to.in_(ids) & outbox.c.customer.is_(None)
        events += [*posts, *db.execute(select(outbox.c.event).where(replies)).scalars()]
    shown = [one for one in events if one.get("kind") in _SPOKEN]
    return [_line(one) for one in sorted(shown, key=lambda one: str(one.get("at")))]


def _line(event: dict[str, Any]) -> dict[str, Any]:
    author = event.get("author")
    by = {"customer": "您", "staff": COLLEAGUE, "bot": "智能客服"}.get(str(author), "系统")
    text = str(event.get("original") or event.get("text") or event.get("title") or "")
    if event.get("kind") == "offer" and not text:
        text = "补救方案"
    picture = event.get("picture")
    line = {"at": event.get("at"), "by": by, "text": text}
    return {**line, "picture": picture["id"]} if isinstance(picture, dict) else line


def _moods(db: Connection, whose: Whose) -> list[dict[str, Any]]:
    """How angry each message was taken to be: a machine judged it."""
    query = select(inbox.c.id, inbox.c.received_at, inbox.c.understood).where(whose[inbox])
    return [
        {"at": row.received_at, "anger": (row.understood.get("emotion") or {}).get("anger")}
        for row in db.execute(query.order_by(inbox.c.position))
        if row.understood
    ]


def _case(row: Row[Any]) -> dict[str, Any]:
    case = Case.from_state(row.state)
    return {
        "id": row.id,
        "matter": case.matter if case.has_matter else "",
        "opened_at": row.opened_at,
        "closed_at": row.closed_at,
        "outcome": OUTCOMES.get(row.outcome or "", ""),
        "order_number": case.order_number or "",
        "known": case.facts,
    }


def _title(remedy: Any) -> str:  # noqa: ANN401 - stored JSON
    try:
        return kind_of(remedy).title(remedy)
    except (BadRemedyError, KeyError, TypeError, ValueError):
        # Of a former version of the policy, or scrubbed.
        return str(remedy.get("kind", "")) if isinstance(remedy, dict) else ""

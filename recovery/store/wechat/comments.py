"""Comments under articles of a WeChat account: each is taken once and answered at most once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, literal, select, update

from recovery.store.database import stamp
from recovery.store.tables import conversations, outbox
from recovery.store.tables import wechat_comments as table

State = Literal["new", "sending", "done", "skipped", "unknown", "failed"]
ANSWERED_WITHIN = timedelta(days=30)
"""An answer that comes later than this is none any more."""
_MOST = 20
# As many as one query may name at once on every SQLite.
_PORTION = 500


@dataclass(frozen=True)
class Comment:
    """One comment. Fields as in the table."""

    account: str
    article: str
    comment: str
    openid: str | None
    conversation_id: str | None
    message_id: str | None
    state: State
    reply: str | None
    attempts: int
    created_at: str
    taken_up_at: str | None


_COLUMNS = tuple(table.c[name] for name in Comment.__dataclass_fields__)


def polled(db: Connection, account: str, article: str) -> bool:
    """Whether any comment under an article was seen before."""
    query = select(table.c.comment).where(*_under(account, article)).limit(1)
    return db.execute(query).first() is not None


def known(db: Connection, account: str, article: str, ids: Iterable[str]) -> dict[str, State]:
    """Which of these comments were seen before, and how they stand."""
    wanted = list(ids)
    found: dict[str, State] = {}
    for begin in range(0, len(wanted), _PORTION):
        query = select(table.c.comment, table.c.state).where(
            *_under(account, article), table.c.comment.in_(wanted[begin : begin + _PORTION])
        )
        found |= {row.comment: row.state for row in db.execute(query)}
    return found


def add(
    db: Connection,
    account: str,
    article: str,
    comment: str,
    openid: str | None,
    conversation_id: str,
    message_id: str,
    now: datetime,
) -> None:
    """Keep a comment that was put on the road of every message."""
    db.execute(
        insert(table).values(
            account=account,
            article=article,
            comment=comment,
            openid=openid,
            conversation_id=conversation_id,
            message_id=message_id,
            state="new",
            created_at=stamp(now),
        )
    )


def skip(db: Connection, account: str, article: str, ids: Iterable[str], now: datetime) -> None:
    """Remember comments that nothing is done about; nothing of them is kept but that."""
    skipped = {"account": account, "article": article, "state": "skipped"}
    rows = [
        {**skipped, "comment": one, "created_at": stamp(now), "settled_at": stamp(now)}
        for one in ids
    ]
    if rows:
        db.execute(insert(table), rows)


def answered(
    db: Connection, account: str, articles: Iterable[str], now: datetime
) -> list[tuple[Comment, dict[str, Any]]]:
    """Comments that have an answer which nobody has sent yet, oldest first, with that answer.

    The first word to everybody counts: what came later stays on the desk.
    """
    first = (
        select(func.min(outbox.c.seq))
        .where(outbox.c.stream == _STREAM, outbox.c.reply_to == table.c.message_id)
        .correlate(table, conversations)
        .scalar_subquery()
    )
    query = (
        select(*_COLUMNS, outbox.c.event)
        .join(conversations, conversations.c.id == table.c.conversation_id)
        .join(outbox, (outbox.c.stream == _STREAM) & (outbox.c.seq == first))
        .where(
            table.c.account == account,
            table.c.article.in_(list(articles)),
            table.c.state == "new",
            table.c.created_at > stamp(now - ANSWERED_WITHIN),
        )
        .order_by(table.c.created_at, table.c.comment)
        .limit(_MOST)
    )
    return [(Comment(*row[:-1]), row.event) for row in db.execute(query)]


def begin_sending(db: Connection, comment: Comment, reply: str) -> bool:
    """Keep that this reply is on its way from now on; False where somebody was faster."""
    query = (
        update(table)
        .where(*_this(comment), table.c.state == "new")
        .values(state="sending", reply=reply, attempts=table.c.attempts + 1)
    )
    return bool(db.execute(query).rowcount)


def settle(
    db: Connection, comment: Comment, state: State, now: datetime, error: int | None = None
) -> None:
    """Keep what became of a reply; `new`: it was not carried out and may be sent again."""
    values: dict[str, Any] = {"state": state, "error": error}
    values |= {"reply": None} if state == "new" else {"settled_at": stamp(now)}
    db.execute(update(table).where(*_this(comment)).values(**values))


def left_over(db: Connection, now: datetime) -> list[Comment]:
    """Mark replies that were on their way when a desk ended: whether they arrived is not known."""
    query = (
        update(table)
        .where(table.c.state == "sending")
        .values(state="unknown", settled_at=stamp(now))
        .returning(*_COLUMNS)
    )
    return [Comment(*row) for row in db.execute(query)]


def arrived(db: Connection, account: str, article: str, ids: Iterable[str], now: datetime) -> None:
    """Settle replies of which nothing was known and that now stand under the article."""
    db.execute(
        update(table)
        .where(*_under(account, article), table.c.comment.in_(list(ids)))
        .where(table.c.state == "unknown")
        .values(state="done", settled_at=stamp(now))
    )


def last_reply(db: Connection, account: str, article: str) -> str | None:
    """What was said last under an article."""
    query = (
        select(table.c.reply)
        .where(*_under(account, article), table.c.reply.is_not(None))
        .order_by(func.coalesce(table.c.settled_at, "9").desc())
        .limit(1)
    )
    return db.execute(query).scalar()


def of_conversation(db: Connection, conversation_id: str) -> Comment | None:
    """The comment that a public conversation is about."""
    query = select(*_COLUMNS).where(table.c.conversation_id == conversation_id)
    row = db.execute(query).first()
    return Comment(*row) if row else None


def of_writer(db: Connection, account: str, openid: str, since: datetime) -> list[Comment]:
    """A writer's comments since a moment that were not taken up in private, latest first."""
    query = (
        select(*_COLUMNS)
        .where(
            table.c.account == account,
            table.c.openid == openid,
            table.c.taken_up_at.is_(None),
            table.c.conversation_id.is_not(None),
            table.c.created_at > stamp(since),
        )
        .order_by(table.c.created_at.desc(), table.c.comment.desc())
    )
    return [Comment(*row) for row in db.execute(query)]


def note_taken_up(db: Connection, comment: Comment, now: datetime) -> None:
    """Keep that its writer has gone on with it in private."""
    db.execute(update(table).where(*_this(comment)).values(taken_up_at=stamp(now)))


_STREAM = literal("room:") + conversations.c.room


def _under(account: str, article: str) -> tuple[Any, ...]:
    return table.c.account == account, table.c.article == article


def _this(comment: Comment) -> tuple[Any, ...]:
    return (*_under(comment.account, comment.article), table.c.comment == comment.comment)

"""Finding conversations: by customer, order, matter, words said, label and state."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)

from recovery.failures import FAILURES, matter_words
from recovery.store.conversations import QUEUE, staff_owner
from recovery.store.tables import (
    cases,
    conversation_labels,
    conversations,
    customers,
    outbox,
)

State = Literal["open", "closed", "mine"]
STATES: tuple[State, ...] = ("open", "closed", "mine")

_POSTS = outbox.alias("posts")
_ANSWERS = outbox.alias("answers")


@dataclass(frozen=True)
class Wanted:
    """What is looked for.

    Attributes:
        words: Anything of the conversation, None for all.
        label: Id of a label that it has.
        state: Which ones; None for all.
        business: Of this one only; None for all.
        staff_id: Who looks.
        whole: Who looks sees every conversation whole.
        own: Who looks sees the own ones and those of the queue whole. Where a conversation is
            not seen whole, neither the customer's name nor the order leads to it.
    """

    words: str | None
    label: int | None
    state: State | None
    business: str | None
    staff_id: int
    whole: bool
    own: bool


@dataclass(frozen=True)
class Hit:
    """A conversation that was found.

    Attributes:
        sure: Found by what everybody may see of it who may know of it; else by words whose
            masked form has still to be compared.
    """

    conversation: str
    owner: str
    sure: bool


def find(db: Connection, wanted: Wanted, most: int, offset: int = 0) -> list[Hit]:
    """The conversations that fit, the latest first.

    Args:
        db: A transaction.
        wanted: What is looked for.
        most: How many at most.
        offset: How many of the first are left out.
    """
    seen_whole = _seen_whole(wanted)
    sure: ColumnElement[bool] = literal(True)
    fits: list[ColumnElement[bool]] = [
        or_(conversations.c.kind == "private", conversations.c.case_id.is_not(None))
    ]
    if wanted.words is not None:
        personal = or_(
            customers.c.name.icontains(wanted.words, autoescape=True),
            cases.c.state["order_number"].as_string().icontains(wanted.words, autoescape=True),
        )
        matter, said = _about(wanted.words), _said(wanted.words)
        known = or_(matter, and_(seen_whole, personal))
        # What is found and neither known nor seen whole was found by what was said.
        sure = case((or_(seen_whole, known), True), else_=False)
        fits.append(or_(known, said))
    if wanted.business is not None:
        fits.append(conversations.c.business == wanted.business)
    if wanted.label is not None:
        fits.append(
            exists().where(
                conversation_labels.c.conversation_id == conversations.c.id,
                conversation_labels.c.label_id == wanted.label,
            )
        )
    fits += _in_state(wanted)
    query = (
        select(conversations.c.id, conversations.c.owner, sure.label("sure"))
        .join(customers, customers.c.id == conversations.c.customer_id)
        .outerjoin(cases, cases.c.id == conversations.c.case_id)
        .where(*fits)
        .order_by(conversations.c.last_at.desc(), conversations.c.id)
        .limit(most)
        .offset(offset)
    )
    return [Hit(row.id, row.owner, bool(row.sure)) for row in db.execute(query)]


def _seen_whole(wanted: Wanted) -> ColumnElement[bool]:
    if wanted.whole:
        return literal(True)
    if not wanted.own:
        return false()
    return conversations.c.owner.in_((QUEUE, staff_owner(wanted.staff_id)))


def _about(words: str) -> ColumnElement[bool]:
    """Whether the matter of the case, as it is shown, has these words in it."""
    named = [name for name in FAILURES if words in matter_words(name, None)]
    failure = cases.c.state["facts"]["failure"].as_string()
    keywords = cases.c.state["facts"]["keywords"].as_string()
    return func.coalesce(
        or_(failure.in_(named), keywords.icontains(words, autoescape=True)), literal(False)
    )


def _said(words: str) -> ColumnElement[bool]:
    """Whether somebody has said these words: in private, in the room, or in answer to a post."""
    private = exists().where(
        outbox.c.stream.in_(
            (
                literal("private:").concat(conversations.c.id),
                literal("own:").concat(conversations.c.id),
            )
        ),
        _in_words(outbox.c.event, words),
    )
    posted = exists().where(
        _POSTS.c.stream == literal("room:").concat(conversations.c.room),
        _POSTS.c.customer == conversations.c.customer_id,
        _in_words(_POSTS.c.event, words),
    )
    answered = exists().where(
        _POSTS.c.stream == literal("room:").concat(conversations.c.room),
        _POSTS.c.customer == conversations.c.customer_id,
        _ANSWERS.c.stream == _POSTS.c.stream,
        _ANSWERS.c.reply_to == _POSTS.c.id,
        _ANSWERS.c.customer.is_(None),
        _in_words(_ANSWERS.c.event, words),
    )
    return or_(private, and_(conversations.c.kind == "public", or_(posted, answered)))


def _in_words(event: Any, words: str) -> ColumnElement[bool]:  # noqa: ANN401 - a JSON column
    """Whether an event of people or the bot has these words; as they were typed, not masked."""
    text = func.coalesce(event["original"].as_string(), event["text"].as_string())
    return and_(event["kind"].as_string() == "message", text.icontains(words, autoescape=True))


def _in_state(wanted: Wanted) -> list[ColumnElement[bool]]:
    closed = func.coalesce(cases.c.stage == "closed", literal(False))
    if wanted.state == "closed":
        return [closed]
    if wanted.state == "open":
        return [~closed]
    if wanted.state == "mine":
        return [conversations.c.owner == staff_owner(wanted.staff_id)]
    return []


def said_with(db: Connection, ids: Collection[str], words: str) -> dict[str, Sequence[str]]:
    """All texts of these conversations that have these words in them, as they were typed."""
    found: dict[str, list[str]] = {one: [] for one in ids}
    rows = db.execute(
        select(conversations.c.id, conversations.c.room, conversations.c.customer_id).where(
            conversations.c.id.in_(ids)
        )
    )
    for row in rows:
        posts = select(_POSTS.c.id).where(
            _POSTS.c.stream == f"room:{row.room}", _POSTS.c.customer == row.customer_id
        )
        own = outbox.c.stream.in_((f"private:{row.id}", f"own:{row.id}"))
        room = and_(
            outbox.c.stream == f"room:{row.room}",
            or_(
                outbox.c.customer == row.customer_id,
                and_(outbox.c.customer.is_(None), outbox.c.reply_to.in_(posts)),
            ),
        )
        where = or_(own, room) if row.room else own
        texts = db.execute(select(outbox.c.event).where(where, _in_words(outbox.c.event, words)))
        found[row.id] = [one.event.get("original", one.event["text"]) for one in texts]
    return dict(found)

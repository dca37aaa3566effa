"""One person behind several customers of a business. Who is joined was proved, never guessed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, exists, insert, or_, select, update

from recovery.commands import ContinueCase
from recovery.ids import new_id
from recovery.one_customer.same_matter import Earlier
from recovery.store.customers import OF_WECHAT, Customer
from recovery.store.database import hold, stamp
from recovery.store.tables import (
    case_log,
    cases,
    conversations,
    customers,
    person_joins,
    webhook_contacts,
)

# Of cases that went into cases that went into cases; staff merge one at a time.
_MOST_MERGES = 20

How = Literal["code", "link", "wechat", "identity"]


@dataclass(frozen=True)
class PersonCase:
    """A case of a person, as lists show it.

    Attributes:
        state: `recovery.case.Case.to_state`.
    """

    id: str
    business: str
    customer_id: str
    stage: str
    state: dict[str, Any]
    opened_at: str
    updated_at: str
    closed_at: str | None
    outcome: str | None
    reopened_at: str | None

    @property
    def earlier(self) -> Earlier:
        """The case as a complaint is compared with it."""
        facts: dict[str, Any] = self.state.get("facts") or {}
        named = [facts.get("failure"), facts.get("also")]
        closed = (self.closed_at or self.updated_at) if self.stage == "closed" else None
        return Earlier(
            id=self.id,
            failures=frozenset(one for one in named if one),
            order_number=self.state.get("order_number"),
            closed_at=datetime.fromisoformat(closed) if closed else None,
            touched_at=datetime.fromisoformat(self.updated_at),
        )


@dataclass(frozen=True)
class PersonJoin:
    """Two persons who were proved to be one. Fields as in the table."""

    id: str
    business: str
    kept: str
    joined: str
    customers: list[str]
    how: str
    by: str
    at: str
    undone_by: str | None
    undone_at: str | None


_CASE = tuple(cases.c[name] for name in PersonCase.__dataclass_fields__)
_JOIN = tuple(person_joins.c[name] for name in PersonJoin.__dataclass_fields__)
_CUSTOMER = tuple(customers.c[name] for name in Customer.__dataclass_fields__)


def person_of(db: Connection, customer_id: str) -> str:
    """The person that a customer belongs to; customers of before this table stand for themselves.

    Unknown ids are persons of their own: nothing is known of them.
    """
    query = select(customers.c.person).where(customers.c.id == customer_id)
    return db.execute(query).scalar() or customer_id


def customers_of(db: Connection, person: str) -> tuple[str, ...]:
    """Ids of the customers who were proved to be this person, the one who came first first."""
    query = (
        select(customers.c.id)
        .where(or_(customers.c.person == person, customers.c.id == person))
        .where(or_(customers.c.person == person, customers.c.person == ""))
        .order_by(customers.c.created_at, customers.c.id)
    )
    return tuple(db.execute(query).scalars())


def identities_of(db: Connection, person: str) -> list[Customer]:
    """The customers of a person, the one who came first first."""
    query = (
        select(*_CUSTOMER)
        .where(customers.c.id.in_(customers_of(db, person)))
        .order_by(customers.c.created_at, customers.c.id)
    )
    return [Customer(*row) for row in db.execute(query)]


def channel_of(db: Connection, customer: Customer) -> str:
    """Where a customer is known: `wechat`, `webhook`, `site` (signed by the host site), `web`."""
    if customer.external_id and customer.external_id.startswith(OF_WECHAT):
        return "wechat"
    here = exists().where(webhook_contacts.c.customer_id == customer.id)
    if db.execute(select(here)).scalar():
        return "webhook"
    return "site" if customer.proved else "web"


def cases_of(db: Connection, person: str) -> list[PersonCase]:
    """The cases of a person, newest first, without those that go on in another one."""
    query = (
        select(*_CASE)
        .where(cases.c.customer_id.in_(customers_of(db, person)), cases.c.merged_into.is_(None))
        .order_by(cases.c.opened_at.desc(), cases.c.id.desc())
    )
    return [PersonCase(**row._mapping) for row in db.execute(query)]


def case_of(db: Connection, case_id: str) -> PersonCase | None:
    """A case, or the one in which it goes on; None where there is none."""
    for _ in range(_MOST_MERGES):
        found = db.execute(select(*_CASE, cases.c.merged_into).where(cases.c.id == case_id)).first()
        if found is None:
            return None
        if found.merged_into is None:
            given = {name: found._mapping[name] for name in PersonCase.__dataclass_fields__}
            return PersonCase(**given)
        case_id = found.merged_into
    return None


def join(
    db: Connection, first: Customer, second: Customer, how: How, by: str, now: datetime
) -> PersonJoin | None:
    """Write down that two customers of one business were proved to be one person.

    The person who came first stands; all customers of the other one go along.

    Args:
        db: A writing transaction.
        first: One of them.
        second: The other.
        how: What proved it.
        by: Who did it: `customer:<id>`, `staff:<id>`.
        now: The present moment.

    Returns:
        The entry; None where they were one person before.

    Raises:
        ValueError: Customers of different businesses are never joined.
    """
    if first.business != second.business:
        raise ValueError("customers of different businesses")
    hold(db, f"persons of {first.business}")
    persons = {person_of(db, first.id), person_of(db, second.id)}
    if len(persons) == 1:
        return None
    kept, joined = _older_first(db, persons)
    moved = list(customers_of(db, joined))
    entry = PersonJoin(
        id=new_id("j"),
        business=first.business,
        kept=kept,
        joined=joined,
        customers=moved,
        how=how,
        by=by,
        at=stamp(now),
        undone_by=None,
        undone_at=None,
    )
    db.execute(insert(person_joins).values(**vars(entry)))
    db.execute(update(customers).where(customers.c.id.in_(moved)).values(person=kept))
    # Rows of before the column stood for themselves without naming it.
    db.execute(
        update(customers)
        .where(customers.c.id == kept, customers.c.person == "")
        .values(person=kept)
    )
    return entry


def _older_first(db: Connection, persons: set[str]) -> list[str]:
    query = select(customers.c.id).where(customers.c.id.in_(persons))
    return list(db.execute(query.order_by(customers.c.created_at, customers.c.id)).scalars())


def joins_of(db: Connection, person: str) -> list[PersonJoin]:
    """What made up a person, and what was taken apart again, newest first."""
    query = (
        select(*_JOIN)
        .where(or_(person_joins.c.kept == person, person_joins.c.joined == person))
        .order_by(person_joins.c.at.desc(), person_joins.c.id.desc())
    )
    return [_entry(row) for row in db.execute(query)]


def join_entry(db: Connection, join_id: str) -> PersonJoin | None:
    """One entry of the log."""
    row = db.execute(select(*_JOIN).where(person_joins.c.id == join_id)).first()
    return _entry(row) if row else None


def undo_join(db: Connection, join_id: str, by: str, now: datetime) -> PersonJoin | None:
    """Take a joining back: those customers who came by it are the person they were before.

    Args:
        db: A writing transaction.
        join_id: Which one.
        by: `staff:<id>`.
        now: The present moment.

    Returns:
        The entry as it stands now; None where there is none, or it was taken back before, or
        what it made went into yet another person since: that one has to be taken back first.
    """
    entry = join_entry(db, join_id)
    if entry is None:
        return None
    hold(db, f"persons of {entry.business}")
    entry = join_entry(db, join_id)
    if entry is None or entry.undone_at is not None:
        return None
    present = {person_of(db, one) for one in entry.customers}
    if present != {entry.kept}:
        return None
    db.execute(
        update(customers).where(customers.c.id.in_(entry.customers)).values(person=entry.joined)
    )
    values = {"undone_by": by, "undone_at": stamp(now)}
    db.execute(update(person_joins).where(person_joins.c.id == join_id).values(**values))
    return join_entry(db, join_id)


def cases_across(db: Connection, entry: PersonJoin) -> bool:
    """Whether a conversation of one side is about a case of the other: they cannot be parted."""
    apart = (
        conversations.c.customer_id.in_(entry.customers)
        != cases.c.customer_id.in_(entry.customers),
    )
    query = (
        select(conversations.c.id)
        .join(cases, cases.c.id == conversations.c.case_id)
        .where(
            or_(
                conversations.c.customer_id.in_(entry.customers),
                cases.c.customer_id.in_(entry.customers),
            ),
            *apart,
        )
    )
    return db.execute(query.limit(1)).first() is not None


def went_on(db: Connection, case_id: str) -> list[tuple[str, str]]:
    """When a new complaint went on in a case, and by which rule, oldest first."""
    query = (
        select(case_log.c.at, case_log.c.command)
        .where(
            case_log.c.case_id == case_id,
            case_log.c.command["do"].as_string() == ContinueCase.do,
        )
        .order_by(case_log.c.id)
    )
    return [(row.at, str(row.command.get("rule", ""))) for row in db.execute(query)]


def _entry(row: Row[tuple[object, ...]]) -> PersonJoin:
    return PersonJoin(**row._mapping)

"""All that belongs to one person, on every channel: ids, names, and the rows of every table."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, Text, and_, cast, or_, select

from recovery.store import persons
from recovery.store.customers import NAMELESS, OF_WECHAT
from recovery.store.database import stamp
from recovery.store.tables import (
    audit_log,
    case_causes,
    case_joins,
    case_log,
    cases,
    conversation_labels,
    conversations,
    customers,
    data_requests,
    decisions,
    drill_scenarios,
    follow_ups,
    fulfilments,
    gestures,
    inbox,
    incident_members,
    incident_messages,
    incidents,
    invitations,
    join_codes,
    join_tries,
    notes,
    notices,
    order_events,
    outbox,
    person_joins,
    pictures,
    preferences,
    promises,
    proof_tries,
    purchases,
    remedy_requests,
    said,
    surveys,
    web_sessions,
    webhook_contacts,
    webhook_received,
    webhook_sends,
    webhook_threads,
    wechat_comments,
    wechat_contacts,
    wechat_credits,
    wechat_options,
    wechat_received,
    wechat_scenes,
    wechat_sends,
    wechat_threads,
    weekly_reports,
)

Whose = dict[Table, ColumnElement[bool]]
_SHORTEST_NUMBER = 5


@dataclass(frozen=True)
class Scope:
    """One person of one business.

    Attributes:
        business: Whose customer it is.
        person: `customers.person`.
        customers: Ids, the one who came first first.
        conversations: Ids of all, in rooms and in private.
        cases: Ids of those that one of the customers opened.
        names: What they are called.
        identities: Ids at host sites, sources and WeChat, bare.
        orders: Numbers of the orders that were proved to be theirs.
        order_customers: What order systems call them.
    """

    business: str
    person: str
    customers: tuple[str, ...]
    conversations: tuple[str, ...]
    cases: tuple[str, ...]
    names: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    order_customers: tuple[str, ...] = ()

    @property
    def sure(self) -> frozenset[str]:
        """Of these only what nobody chose for themselves and that is no word of a language."""
        given = {*self.identities, *self.orders, *self.order_customers}
        return frozenset(one for one in given if len(one) >= _SHORTEST_NUMBER)

    @property
    def named(self) -> frozenset[str]:
        """All that names the person in words of others."""
        given = {*self.names, *self.identities, *self.orders, *self.order_customers}
        return frozenset(given - {NAMELESS, ""})

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that nobody else reads."""
        return tuple(f"{kind}:{one}" for kind in ("private", "own") for one in self.conversations)


def scope_of(db: Connection, person: str) -> Scope | None:
    """Gather what a person is known by; None where there is no such person."""
    ids = persons.customers_of(db, person)
    rows = db.execute(select(customers).where(customers.c.id.in_(ids))).all()
    if not rows:
        return None
    parts = db.execute(select(conversations.c.id).where(conversations.c.customer_id.in_(ids)))
    opened = db.execute(select(cases.c.id, cases.c.state).where(cases.c.customer_id.in_(ids))).all()
    case_ids = tuple(row.id for row in opened)
    members = or_(incident_members.c.customer_id.in_(ids), incident_members.c.case_id.in_(case_ids))
    concerned = db.execute(select(incident_members).where(members)).all()
    decided = db.execute(select(decisions).where(decisions.c.case_id.in_(case_ids))).all()
    promised = db.execute(
        select(fulfilments.c.order_number).where(fulfilments.c.case_id.in_(case_ids))
    ).scalars()
    proved = db.execute(
        select(proof_tries.c.order_number).where(
            proof_tries.c.customer_id.in_(ids), proof_tries.c.correct
        )
    ).scalars()
    wechat = select(wechat_contacts.c.openid).where(wechat_contacts.c.customer_id.in_(ids))
    sources = select(webhook_contacts.c.external_id).where(webhook_contacts.c.customer_id.in_(ids))
    external = [row.external_id.removeprefix(OF_WECHAT) for row in rows if row.external_id]
    return Scope(
        business=rows[0].business,
        person=person,
        customers=ids,
        conversations=tuple(parts.scalars()),
        cases=case_ids,
        names=_distinct(row.name for row in rows),
        identities=_distinct(
            [
                *external,
                *db.execute(wechat).scalars(),
                *db.execute(sources).scalars(),
                *(row.identity for row in concerned),
            ]
        ),
        orders=_distinct(
            [
                *(row.order_number for row in (*decided, *concerned)),
                *((row.state or {}).get("order_number") for row in opened),
                *promised,
                *proved,
            ]
        ),
        order_customers=_distinct(row.order_customer for row in (*decided, *concerned)),
    )


def _distinct(given: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in given if one))


def rows_of(scope: Scope) -> Whose:
    """Which rows of every table belong to a person; tables that are missing have none."""
    ids, parts, mine = scope.customers, scope.conversations, scope.cases
    followed = select(wechat_contacts.c.id).where(wechat_contacts.c.customer_id.in_(ids))
    sourced = select(webhook_contacts.c.id).where(webhook_contacts.c.customer_id.in_(ids))
    sent = select(inbox.c.id).where(inbox.c.conversation_id.in_(parts))
    member = or_(incident_members.c.customer_id.in_(ids), incident_members.c.case_id.in_(mine))
    concerned = select(incident_members.c.incident_id).where(member)
    return {
        **{
            table: table.c.customer_id.in_(ids)
            for table in (web_sessions, said, proof_tries, join_tries, join_codes, pictures)
        },
        **{
            table: table.c.conversation_id.in_(parts)
            for table in (notes, notices, conversation_labels, inbox)
        },
        **{
            table: table.c.case_id.in_(mine)
            for table in (case_log, promises, follow_ups, surveys, fulfilments, decisions)
        },
        **{table: table.c.case_id.in_(mine) for table in (remedy_requests, gestures, case_causes)},
        **{
            table: table.c.contact_id.in_(followed)
            for table in (wechat_threads, wechat_options, wechat_credits, wechat_sends)
        },
        **{table: table.c.contact_id.in_(sourced) for table in (webhook_threads, webhook_sends)},
        customers: customers.c.id.in_(ids),
        conversations: conversations.c.id.in_(parts),
        cases: cases.c.id.in_(mine),
        invitations: invitations.c.customer_id.in_(ids),
        outbox: _shown(scope),
        preferences: preferences.c.person == scope.person,
        person_joins: or_(
            person_joins.c.kept.in_((scope.person, *ids)),
            person_joins.c.joined.in_((scope.person, *ids)),
        ),
        case_joins: or_(case_joins.c.kept_case.in_(mine), case_joins.c.other_case.in_(mine)),
        purchases: and_(
            purchases.c.business == scope.business,
            or_(
                purchases.c.order_customer.in_(scope.order_customers),
                purchases.c.order_number.in_(scope.orders),
            ),
        ),
        webhook_contacts: webhook_contacts.c.customer_id.in_(ids),
        webhook_received: or_(
            webhook_received.c.contact_id.in_(sourced), webhook_received.c.message_id.in_(sent)
        ),
        wechat_contacts: wechat_contacts.c.customer_id.in_(ids),
        wechat_received: or_(
            wechat_received.c.contact_id.in_(followed),
            wechat_received.c.message_id.in_(sent),
            wechat_received.c.content["openid"].as_string().in_(scope.identities),
        ),
        wechat_scenes: wechat_scenes.c.customer_id.in_(ids)
        | wechat_scenes.c.contact_id.in_(followed),
        wechat_comments: or_(
            wechat_comments.c.openid.in_(scope.identities),
            wechat_comments.c.conversation_id.in_(parts),
        ),
        incident_members: member,
        incidents: incidents.c.id.in_(concerned),
        incident_messages: incident_messages.c.incident_id.in_(concerned),
        order_events: and_(
            order_events.c.business == scope.business,
            _names(order_events.c.content, {*scope.orders, *scope.identities}),
        ),
        weekly_reports: and_(
            weekly_reports.c.business == scope.business,
            _names(weekly_reports.c.content, scope.sure),
        ),
        drill_scenarios: drill_scenarios.c.case_id.in_(mine),
        audit_log: _written_of(scope),
        data_requests: data_requests.c.person == scope.person,
    }


def _shown(scope: Scope) -> ColumnElement[bool]:
    """What only they read, what they posted in rooms, and what answers it."""
    posts = outbox.alias("posts")
    theirs = select(posts.c.id).where(
        posts.c.customer.in_(scope.customers), posts.c.stream == outbox.c.stream
    )
    return or_(
        outbox.c.stream.in_(scope.streams),
        outbox.c.customer.in_(scope.customers),
        and_(outbox.c.stream.like("room:%"), outbox.c.reply_to.in_(theirs)),
    )


def _names(column: ColumnElement[object], named: Iterable[str]) -> ColumnElement[bool]:
    """Whether some JSON names one of these, as it may be written in it."""
    text = cast(column, Text)
    ways = {way for one in named if one for way in (one, json.dumps(one)[1:-1])}
    return or_(False, *(text.contains(way, autoescape=True) for way in sorted(ways)))


def _written_of(scope: Scope) -> ColumnElement[bool]:
    """What the audit log has of them: by what it was done to, or by what stands in the detail."""
    targets = (scope.person, *scope.customers, *scope.conversations, *scope.cases)
    here = or_(audit_log.c.business == scope.business, audit_log.c.business.is_(None))
    return or_(audit_log.c.target.in_(targets), and_(here, _names(audit_log.c.detail, scope.sure)))


def unfinished(db: Connection, scope: Scope) -> list[str]:
    """Keys of remedies that were agreed and are not carried out, nor given up."""
    # What the order system did not take is for a person to settle, until the case is closed.
    to_settle = (fulfilments.c.state != "done") & (cases.c.stage != "closed")
    todo = (
        select(fulfilments.c.key)
        .join(cases, cases.c.id == fulfilments.c.case_id)
        .where(
            fulfilments.c.case_id.in_(scope.cases), or_(fulfilments.c.state == "todo", to_settle)
        )
    )
    running = select(promises.c.key).where(
        promises.c.case_id.in_(scope.cases), promises.c.stage.not_in(("done", "given_up"))
    )
    return sorted({*db.execute(todo).scalars(), *db.execute(running).scalars()})


def touched_since(db: Connection, scope: Scope, since: datetime) -> bool:
    """Whether anything was said, or any case was open, since a moment."""
    said_since = select(conversations.c.id).where(
        conversations.c.id.in_(scope.conversations), conversations.c.last_at >= stamp(since)
    )
    worked = select(cases.c.id).where(
        cases.c.id.in_(scope.cases),
        or_(cases.c.closed_at.is_(None), cases.c.closed_at >= stamp(since)),
    )
    return any(db.execute(one.limit(1)).first() for one in (said_since, worked))

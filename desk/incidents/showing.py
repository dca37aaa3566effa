"""Incidents as staff's pages see them, masked as far as their reader need not know customers."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.veil import masked_name, masked_order, veil_of
from desk.staff.masking import sees_whole
from recovery.business import Business
from recovery.incidents.proposing import rules
from recovery.incidents.quiet_hours import may_write_at
from recovery.incidents.wording import VARIABLES
from recovery.remedy.catalogue import card
from recovery.remedy.wording import FAILURE_WORDS
from recovery.roles import Act, may
from recovery.store import cases, conversations, customers, incident_tellings, incidents, staff
from recovery.store.conversations import owner_id
from recovery.store.incidents import Incident, Member
from recovery.store.staff import Staff

_STATES = {
    "living": (incidents.OPEN, incidents.PROPOSED),
    "single": (incidents.SINGLE,),
    "closed": (incidents.CLOSED, incidents.DISMISSED),
}
MOST = 200


def listed(
    db: Connection, context: Context, who: Staff, which: str, conversation_id: str | None
) -> dict[str, Any] | None:
    """A list of incidents.

    Args:
        db: A transaction.
        context: The desk.
        who: Who looks.
        which: `living`, `single` or `closed`.
        conversation_id: Whose case is also looked for; None for none.

    Returns:
        `{"incidents": [...], "of": [ids of those that the conversation's case belongs to]}`; None
        for a conversation that this account may not know of.
    """
    own: list[str] = []
    business = who.business
    if conversation_id is not None:
        conversation = conversations.load(db, conversation_id)
        if conversation is None or not who.sees(conversation.business):
            return None
        business = conversation.business
        if conversation.case_id:
            own = [one.id for one, _ in incidents.of_case(db, conversation.case_id)]
    found = incidents.listed(db, business, _STATES[which], MOST)
    names = staff.names(db)
    shown = [
        row(context, one, counts, names)
        for one, counts in found
        if context.directory.business(one.business) is not None
    ]
    return {"incidents": shown, "of": own}


def row(
    context: Context, incident: Incident, counts: dict[str, int], names: dict[int, str]
) -> dict[str, Any]:
    """One line of the list."""
    business = context.directory.business(incident.business)
    rule = next((one for one in rules() if one.rule == incident.rule), None)
    return {
        "id": incident.id,
        "business": incident.business,
        "business_name": business.name if business else incident.business,
        "failure": incident.failure,
        "failure_name": FAILURE_WORDS.get(incident.failure, "其他"),
        "title": incident.title,
        "place": incident.place,
        "source": incident.source,
        "state": incident.state,
        "urgent": incident.urgent,
        "rule": incident.rule,
        "reason": rule.reason if rule else None,
        "opened_at": incident.opened_at,
        "opened_by": _name(incident.opened_by, names),
        "closed_at": incident.closed_at,
        "closed_by": _name(incident.closed_by, names) if incident.closed_by else None,
        "members": sum(counts.get(state, 0) for state in incidents.IN),
        "proposed": counts.get("proposed", 0),
        "waiting": counts.get(incidents.WAITING, 0),
        "unreachable": counts.get(incidents.UNREACHABLE, 0),
    }


def detail(db: Connection, context: Context, who: Staff, incident_id: str) -> dict[str, Any] | None:
    """All of one incident; None where this account may not know of it."""
    incident = incidents.load(db, incident_id)
    if incident is None or not who.sees(incident.business):
        return None
    business = context.directory.business(incident.business)
    if business is None:
        return None
    names, now = staff.names(db), context.clock()
    members = incidents.members(db, incident.id)
    counts: dict[str, int] = {}
    for one in members:
        counts[one.state] = counts.get(one.state, 0) + 1
    may_oversee = may(who.role, Act.OVERSEE)
    return {
        **row(context, incident, counts, names),
        "remedies": _common(incident),
        "members_list": [
            shown_member(db, who, one, now) for one in members if one.state != incidents.LEFT
        ],
        "messages": messages(db, incident.id, names),
        "quiet_until": quiet_until(business, now),
        "variables": list(VARIABLES),
        "may": {"oversee": may_oversee},
    }


def quiet_until(business: Business, now: datetime) -> str | None:
    """Until when what is not urgent waits; None where it goes out at once."""
    when = may_write_at(business, now, urgent=False)
    return when.isoformat() if when > now else None


def messages(db: Connection, incident_id: str, names: dict[int, str]) -> list[dict[str, Any]]:
    """What was told or offered to all, with who got it, the latest first."""
    found = incident_tellings.messages(db, incident_id)
    tellings = incident_tellings.tellings(db, [one.id for one in found])
    shown = []
    for message in reversed(found):
        own = [one for one in tellings if one.message_id == message.id]
        shown.append(
            {
                "id": message.id,
                "kind": message.kind,
                "text": message.text,
                "reason": message.reason,
                "by": _name(message.by, names),
                "at": message.at,
                "told": [one.member_id for one in own if one.state == incident_tellings.TOLD],
                "waiting": [one.member_id for one in own if one.state == incident_tellings.WAITING],
                "due": min((one.due_at for one in own if one.due_at), default=None),
                "left_out": [
                    {"member": one.member_id, "why": one.why}
                    for one in own
                    if one.state in (incident_tellings.SKIPPED, incident_tellings.UNREACHABLE)
                ],
            }
        )
    return shown


def shown_member(db: Connection, who: Staff, one: Member, now: datetime) -> dict[str, Any]:
    """One whom it concerns."""
    case = cases.load(db, one.case_id)
    parts = [conversations.load(db, one.conversation_id) if one.conversation_id else None]
    if one.case_id:
        parts += [conversations.of_case(db, one.case_id, kind) for kind in ("private", "public")]
    conversation = next((part for part in parts if part is not None), None)
    whole = conversation is None and may(who.role, Act.OVERSEE)
    whole = whole or (conversation is not None and sees_whole(who, conversation.owner))
    name = ""
    if one.customer_id:
        name = customers.load(db, one.customer_id).name
    number = one.order_number or (case.order_number if case else None) or ""
    offer = None
    if case and case.offers:
        last = case.offer(one.offer_id) if one.offer_id else None
        last = last or case.offers[-1]
        state = last.state
        if state == "open" and not last.open_at(now):
            state = "replaced"
        offer = {"id": last.id, "state": state, "items": card(last.remedies)}
    matter = case.matter if case and case.has_matter else ""
    if conversation is not None and not whole:
        matter = veil_of(db, conversation).text(matter)
    return {
        "id": one.id,
        "state": one.state,
        "customer": name if whole else masked_name(name) if name else "",
        "order": number if whole else masked_order(number) if number else "",
        "matter": matter,
        "case": one.case_id,
        "conversation": conversation.id if conversation else None,
        "private": bool(conversation and conversation.private),
        "owner": _owner(conversation.owner) if conversation else None,
        "stage": case.stage if case else None,
        "offer": offer,
        "differs": one.differs or [],
        "why": one.why,
        "told_at": one.told_at,
        "due_at": one.due_at,
        "added_at": one.added_at,
    }


def _common(incident: Incident) -> dict[str, Any] | None:
    """The incident's own remedies as a page shows them."""
    remedies = incident.remedies
    if not remedies:
        return None
    return {"by": remedies.get("by"), "items": remedies.get("items", [])}


def _owner(owner: str) -> str:
    return "staff" if owner_id(owner) is not None else owner


def _name(by: str | None, names: dict[int, str]) -> str:
    if by is None:
        return ""
    number = owner_id(by)
    if number is not None:
        return names.get(number, "同事")
    return {"bot": "机器人", "desk": "订单系统"}.get(by, by)

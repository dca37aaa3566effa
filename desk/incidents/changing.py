"""What staff do with incidents: open, join, leave, confirm, dismiss, tell and offer, close."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.ownership import known as known_conversation
from desk.conversations.standing import require_unchanged
from desk.errors import PageError
from recovery.business import Business
from recovery.ids import fingerprint
from recovery.privacy import mask
from recovery.roles import Act, may
from recovery.store import audit_log, cases, conversations, incident_tellings, incidents
from recovery.store.conversations import staff_owner
from recovery.store.database import stamp
from recovery.store.incidents import Incident, Member
from recovery.store.staff import Staff

LONGEST_TITLE = 40


def held(db: Connection, incident_id: str, who: Staff) -> Incident:
    """An incident that this member may know of, kept from others until the transaction ends.

    Raises:
        LookupError: There is none; another business's is none.
        PageError: The account has been changed.
    """
    incident = incidents.load(db, incident_id, lock=True)
    if incident is None or not who.sees(incident.business):
        raise LookupError(incident_id)
    require_unchanged(db, who)
    return incident


def require_living(incident: Incident) -> None:
    """Refuse to change what is over.

    Raises:
        PageError: 409 `closed`.
    """
    if incident.state not in incidents.LIVING:
        raise PageError(409, "closed", "这件事已经结束，不能再改")


def open_by_staff(
    db: Connection,
    context: Context,
    who: Staff,
    client_id: str,
    business: Business,
    failure: str,
    title: str,
    conversation_id: str | None,
) -> str:
    """Open an incident, with the case of a conversation; an agent's is a proposal."""
    require_unchanged(db, who)
    incident_id = "i" + fingerprint(f"incident:{business.id}:{who.id}:{client_id}")[:24]
    incidents.hold_key(db, business.id, incident_id)
    now = context.clock()
    if incidents.load(db, incident_id) is None:
        overseer = may(who.role, Act.OVERSEE)
        incidents.begin(
            db,
            business.id,
            business.industry,
            failure,
            # Colleagues who may not know the customer read it as well.
            mask(title).text,
            now,
            source="staff",
            state=incidents.OPEN if overseer else incidents.PROPOSED,
            opened_by=staff_owner(who.id),
            id_=incident_id,
        )
        note(db, who, "incident_open", business.id, incident_id, now, {"failure": failure})
    if conversation_id is not None:
        join(db, context, who, incident_id, conversation_id)
    return incident_id


def join(
    db: Connection, context: Context, who: Staff, incident_id: str, conversation_id: str
) -> int:
    """Let the case of a conversation belong to an incident; gives the member.

    Raises:
        LookupError: No such incident or conversation.
        PageError: There is no case, or the incident is over.
    """
    # In this order everywhere: whoever writes to members holds the incident first.
    incident = held(db, incident_id, who)
    conversation = known_conversation(db, conversation_id, who)
    if conversation.business != incident.business:
        raise LookupError(conversation_id)
    require_living(incident)
    case = cases.load(db, conversation.case_id)
    if case is None:
        raise PageError(409, "no_case", "这段会话还没有案子，说不上和哪件事同类")
    now = context.clock()
    there = [one for one in incidents.members(db, incident.id) if one.case_id == case.id]
    private = conversation if conversation.private else None
    private = private or conversations.of_case(db, case.id, "private")
    if there and there[0].state in incidents.IN:
        return there[0].id
    if there:
        member = there[0].id
        incidents.settle_member(db, member, state=incidents.JOINED, why=None)
    else:
        member = incidents.add_member(
            db,
            incident.id,
            incidents.JOINED,
            staff_owner(who.id),
            now,
            case_id=case.id,
            customer_id=conversation.customer_id,
            conversation_id=private.id if private else None,
            order_number=case.order_number or "",
        )
    state = incidents.OPEN if incident.state == incidents.SINGLE else incident.state
    incidents.change(db, incident.id, now, state=state)
    detail = {"conversation": conversation.id}
    note(db, who, "incident_join", incident.business, incident.id, now, detail)
    return member


def leave(db: Connection, context: Context, who: Staff, incident_id: str, member_id: int) -> None:
    """Take a case out of an incident: nothing more of it reaches that customer.

    Raises:
        LookupError: No such incident or member.
    """
    incident = held(db, incident_id, who)
    require_living(incident)
    member = _member(db, incident, member_id)
    now = context.clock()
    if member.state != incidents.LEFT:
        incidents.settle_member(db, member.id, state=incidents.LEFT, due_at=None)
        incidents.change(db, incident.id, now)
        detail = {"conversation": member.conversation_id, "was": member.state}
        note(db, who, "incident_leave", incident.business, incident.id, now, detail)


def accept_member(
    db: Connection, context: Context, who: Staff, incident_id: str, member_id: int
) -> None:
    """Take a case in that the bot has proposed."""
    incident = held(db, incident_id, who)
    require_living(incident)
    member = _member(db, incident, member_id)
    if member.state != "proposed":
        return
    now = context.clock()
    incidents.settle_member(db, member.id, state=incidents.JOINED)
    incidents.change(db, incident.id, now)
    detail = {"conversation": member.conversation_id, "proposed": True}
    note(db, who, "incident_join", incident.business, incident.id, now, detail)


def confirm(db: Connection, context: Context, who: Staff, incident_id: str) -> None:
    """Say that a proposed incident is one: all who were proposed belong to it."""
    incident, now = held(db, incident_id, who), context.clock()
    require_living(incident)
    for member in incidents.members(db, incident.id):
        if member.state == "proposed":
            incidents.settle_member(db, member.id, state=incidents.JOINED)
    incidents.change(db, incident.id, now, state=incidents.OPEN)
    if incident.state != incidents.OPEN:
        note(db, who, "incident_confirm", incident.business, incident.id, now, {})


def dismiss(db: Connection, context: Context, who: Staff, incident_id: str) -> None:
    """Say that a proposed incident is none; it is not proposed again."""
    incident, now = held(db, incident_id, who), context.clock()
    if incident.state == incidents.DISMISSED:
        return
    if incident.state != incidents.PROPOSED:
        raise PageError(409, "not_proposed", "只有还没确认的才能说“不是一件事”")
    _end(db, who, incident, incidents.DISMISSED, "incident_dismiss", now)


def close(db: Connection, context: Context, who: Staff, incident_id: str) -> None:
    """Close an incident; the cases of its customers go on by themselves."""
    incident, now = held(db, incident_id, who), context.clock()
    if incident.state == incidents.CLOSED:
        return
    require_living(incident)
    waiting = sum(one.state == incidents.WAITING for one in incidents.members(db, incident.id))
    if waiting:
        raise PageError(409, "waiting", f"还有{waiting}位顾客没有告诉，请等发完再结束")
    if incident_tellings.waiting_of(db, incident.id):
        raise PageError(409, "waiting", "还有话没有发完，请等发完再结束")
    _end(db, who, incident, incidents.CLOSED, "incident_close", now)


def _end(
    db: Connection, who: Staff, incident: Incident, state: str, act: str, now: datetime
) -> None:
    by = {"closed_by": staff_owner(who.id)}
    incidents.change(db, incident.id, now, state=state, closed_at=stamp(now), **by)
    note(db, who, act, incident.business, incident.id, now, {})


def _member(db: Connection, incident: Incident, member_id: int) -> Member:
    found = incidents.member(db, member_id)
    if found is None or found.incident_id != incident.id:
        raise LookupError(str(member_id))
    return found


def note(
    db: Connection,
    who: Staff,
    act: str,
    business: str,
    target: str,
    now: datetime,
    detail: dict[str, Any],
) -> None:
    """Write down in the audit log what was done with an incident."""
    audit_log.note(db, who, act, now, business=business, target=target, detail=detail)

"""One text or one remedy to all of an incident: looked at, decided once, on its way to each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.errors import PageError
from desk.incidents.changing import held, note, require_living
from recovery.ids import fingerprint
from recovery.incidents.quiet_hours import may_write_at
from recovery.incidents.wording import LONGEST_WORDS, VARIABLES, unknown_variables
from recovery.remedy.catalogue import card
from recovery.store import incident_tellings, incidents
from recovery.store.conversations import staff_owner
from recovery.store.database import stamp
from recovery.store.incident_tellings import Message
from recovery.store.staff import Staff


@dataclass(frozen=True)
class Told:
    """What became of a text or an offer to all.

    Attributes:
        message: Its id.
        to: How many are to get it.
        due: When it goes out.
        waits: Whether that is later, since it is night or nobody serves.
    """

    message: str
    to: int
    due: datetime
    waits: bool


def check_words(text: str) -> None:
    """See whether a text can go to all.

    Raises:
        PageError: Empty, too long, or with a variable that nobody can fill.
    """
    if not text or len(text) > LONGEST_WORDS:
        raise PageError(400, "bad_text", f"请写1到{LONGEST_WORDS}个字")
    if unknown_variables(text):
        names = "、".join("{" + one + "}" for one in VARIABLES)
        raise PageError(400, "bad_variable", f"花括号里只能写 {names}")


def tell_all(
    db: Connection,
    context: Context,
    who: Staff,
    incident_id: str,
    client_id: str,
    text: str,
    *,
    urgent: bool,
) -> Told:
    """Send one text to all members; sent again it is the same."""
    return _to_all(db, context, who, incident_id, client_id, "words", text, urgent=urgent)


def offer_all(
    db: Connection,
    context: Context,
    who: Staff,
    incident_id: str,
    client_id: str,
    wishes: list[dict[str, Any]] | None,
    reason: str,
    *,
    urgent: bool,
) -> Told:
    """Decide the remedies of the incident once, and offer them to all who have no offer yet.

    Args:
        db: A writing transaction.
        context: The desk.
        who: Decides, and answers for it.
        incident_id: Which one.
        client_id: Of the page; the same is the same decision.
        wishes: Added for all to what the policy gives each, as a page sends remedies; None for
            nothing more.
        reason: Why it departs from the policy.
        urgent: It goes out at night as well.
    """
    told = _to_all(
        *(db, context, who, incident_id, client_id, "offer", ""),
        urgent=urgent,
        wishes=wishes,
        reason=reason,
    )
    if wishes is not None:
        shown = [{**one, "part": "goodwill"} for one in wishes]
        remedies = {"by": staff_owner(who.id), "items": card(shown)}
        incidents.change(db, incident_id, context.clock(), remedies=remedies)
    return told


def _to_all(
    db: Connection,
    context: Context,
    who: Staff,
    incident_id: str,
    client_id: str,
    kind: str,
    text: str,
    *,
    urgent: bool,
    wishes: list[dict[str, Any]] | None = None,
    reason: str = "",
) -> Told:
    incident, now = held(db, incident_id, who), context.clock()
    business = context.business(incident.business)
    message_id = "n" + fingerprint(f"{incident.id}:{who.id}:{client_id}")[:24]
    when = may_write_at(business, now, urgent=urgent)
    known = incident_tellings.message(db, message_id)
    if known is not None:
        own = incident_tellings.tellings(db, [message_id])
        return Told(message_id, len(own), when, when > now)
    require_living(incident)
    if incident.state == incidents.PROPOSED:
        raise PageError(409, "proposed", "先确认这些是同一件事，再一起告诉")
    members = [one for one in incidents.members(db, incident.id) if one.state in incidents.IN]
    if not members:
        raise PageError(409, "nobody", "这件事里还没有顾客")
    message = Message(
        id=message_id,
        incident_id=incident.id,
        kind=kind,
        text=text,
        wishes=wishes,
        reason=reason or None,
        by=staff_owner(who.id),
        at=stamp(now),
    )
    incident_tellings.begin(db, message, [one.id for one in members], when)
    changes: dict[str, Any] = {"told": text} if kind == "words" else {}
    if urgent:
        # Whoever does not know of it at all yet hears of it first, and now as well.
        changes["urgent"] = True
        for one in members:
            if one.state == incidents.WAITING and one.due_at and one.due_at > stamp(now):
                incidents.put_off(db, one.id, now)
    incidents.change(db, incident.id, now, **changes)
    detail: dict[str, Any] = {"members": len(members), "urgent": urgent}
    if kind == "words":
        note(db, who, "incident_tell", incident.business, incident.id, now, detail)
    else:
        detail["departs"] = wishes is not None
        note(db, who, "incident_offer", incident.business, incident.id, now, detail)
    return Told(message_id, len(members), when, when > now)

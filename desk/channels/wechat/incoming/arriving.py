"""Who has come: contacts found and made, followers, scans, and what WeChat allows from then on."""

from datetime import UTC, datetime

from sqlalchemy import Connection

from desk.channels.wechat import scenes
from desk.channels.wechat.accounts import Account
from desk.channels.wechat.incoming import places
from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.incoming.intake import Outcome
from desk.channels.wechat.outgoing import later
from desk.context import Context
from desk.conversations import phrases, still_waiting
from recovery.store import cases, conversations, staff
from recovery.store.conversations import QUEUE
from recovery.store.wechat import contacts, sends
from recovery.store.wechat.contacts import Contact


def contact_of(
    db: Connection, account: Account, inbound: Inbound, now: datetime, customer: str | None = None
) -> Contact:
    """Who it is; whoever comes for the first time is somebody new, or the given customer."""
    known = contacts.find(db, account.id, inbound.openid)
    if known is not None:
        return known
    customer = customer or places.stranger(db, account, inbound.openid, now).id
    return contacts.add(db, account.id, inbound.openid, customer, now)


def arrived(
    db: Connection, context: Context, account: Account, inbound: Inbound, now: datetime
) -> tuple[Contact, Outcome]:
    """Somebody follows the account, or has scanned one of its codes."""
    scene = inbound.scene
    customer = scenes.customer_of(db, account, scene, now) if scene else None
    contact = contact_of(db, account, inbound, now, customer)
    allow_more(db, account, contact, inbound, now)
    led = scenes.scan(db, context, account, contact, scene, now) if scene else None
    if led is not None:
        first = (led.message,) if led.message else ()
        return contact, Outcome(first=first, committed=(led.committed,), expects=True)
    back = _back(db, context, account, contact, inbound, now)
    if back is not None:
        return contact, Outcome(text=back)
    business = context.business(account.settings.business)
    return contact, Outcome(text=phrases.welcome(business.name, business.assistant))


def _back(
    db: Connection,
    context: Context,
    account: Account,
    contact: Contact,
    inbound: Inbound,
    now: datetime,
) -> str | None:
    """What is said to who comes back in the middle of a matter; None where there is none."""
    if contact.conversation_id is None:
        return None
    known = conversations.load(db, contact.conversation_id, lock=True)
    if known is None or known.business != account.settings.business:
        return None
    case = cases.load(db, known.case_id)
    if case is not None and case.stage == "closed":
        return None
    matter = case.matter if case is not None and case.has_matter else ""
    if known.agent is not None:
        who = staff.load(db, known.agent)
        return phrases.welcome_back(matter, f"{who.name if who else '同事'}接着为您服务")
    if known.owner == QUEUE:
        seen = still_waiting.see(db, context, known, case, now)
        if seen.in_danger:
            return phrases.care_due(f"{contact.id} {inbound.key}", seen.time)
        return phrases.welcome_back(matter, seen.standing)
    if case is None or not case.has_matter:
        return None
    if case.open_offer(now):
        standing = "为您拟的方案还在等您的决定，直接回复就行"
    elif case.stage == "agreed":
        standing = "说定的方案在办，想问进展直接说就好"
    else:
        standing = "直接接着说就好，不用从头讲"
    return phrases.welcome_back(matter, standing)


def noticed(
    db: Connection, context: Context, account: Account, inbound: Inbound, now: datetime
) -> tuple[Contact | None, Outcome]:
    """Something to know about a contact; there is nothing to answer."""
    contact = contacts.find(db, account.id, inbound.openid)
    if contact is None:
        return None, Outcome()
    if inbound.kind == "unfollow":
        contacts.follow(db, contact.id, False)
        sends.give_up(db, contact.id, now)
    elif inbound.kind == "credit":
        later.credited(db, context, contact, inbound, now)
    elif account.official:
        told = later.finished(db, context, account, contact, inbound, now)
        return contact, Outcome(committed=(told,))
    return contact, Outcome()


def allow_more(
    db: Connection, account: Account, contact: Contact, inbound: Inbound, now: datetime
) -> None:
    """Remember what WeChat allows from now on, and let go what was held for it."""
    # WeChat's windows begin when it was sent, which may be long ago when it comes late.
    # Compared as numbers: there are times that are no moment of any calendar.
    since = datetime.fromtimestamp(min(inbound.sent_at, now.timestamp()), UTC)
    if not inbound.is_event:
        contacts.wrote(db, contact.id, since)
    elif account.official and inbound.opens_a_minute:
        contacts.acted(db, contact.id, since)
    elif not contact.following:
        contacts.follow(db, contact.id, True)
    sends.release(db, contact.id, now, since)

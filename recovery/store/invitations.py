"""Invitations from public into private: signed, single use, short-lived, for one customer."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from recovery import ids
from recovery.store import cases, conversations
from recovery.store.conversations import BOT, QUEUE, Conversation
from recovery.store.database import stamp
from recovery.store.tables import invitations

_PURPOSE = "invitation"


@dataclass(frozen=True)
class Invitation:
    """One invitation. Fields as in the table."""

    id: str
    token_hash: str
    customer_id: str
    public_conversation: str
    private_conversation: str | None
    expires_at: str
    used_at: str | None

    def state(self, now: datetime) -> str:
        """`open`, `used` or `expired`."""
        if self.used_at:
            return "used"
        return "open" if datetime.fromisoformat(self.expires_at) > now else "expired"


_COLUMNS = tuple(invitations.c[name] for name in Invitation.__dataclass_fields__)


def issue(
    db: Connection, conversation: Conversation, valid: timedelta, key: str, now: datetime
) -> tuple[str, Invitation]:
    """Make an invitation.

    Args:
        db: A writing transaction.
        conversation: The public conversation of the invited customer.
        valid: How long it can be used.
        key: The signing key.
        now: The present moment.

    Returns:
        The token, which is stored as a hash only, and the invitation.
    """
    invitation_id = ids.new_id("i")
    token = ids.sign({"i": invitation_id, "n": ids.new_secret()[:16]}, key, _PURPOSE)
    invitation = Invitation(
        id=invitation_id,
        token_hash=ids.fingerprint(token),
        customer_id=conversation.customer_id,
        public_conversation=conversation.id,
        private_conversation=None,
        expires_at=stamp(now + valid),
        used_at=None,
    )
    db.execute(insert(invitations).values(**vars(invitation), created_at=stamp(now)))
    return token, invitation


def find(
    db: Connection, token: str, customers: set[str], key: str, now: datetime
) -> Invitation | None:
    """Find an invitation for the one who may know of it.

    Args:
        db: A transaction.
        token: As opened by somebody; anything.
        customers: Ids of the customers whose session asks.
        key: The signing key.
        now: The present moment.

    Returns:
        The invitation; None alike for nonsense, forged tokens and other people's invitations.
    """
    if ids.read_signed(token, key, _PURPOSE, now) is None:
        return None
    row = db.execute(
        select(*_COLUMNS).where(invitations.c.token_hash == ids.fingerprint(token))
    ).first()
    invitation = Invitation(*row) if row else None
    return invitation if invitation and invitation.customer_id in customers else None


def load(db: Connection, invitation_id: str) -> Invitation:
    """Read an invitation that exists."""
    row = db.execute(select(*_COLUMNS).where(invitations.c.id == invitation_id)).one()
    return Invitation(*row)


def open_for(db: Connection, conversation_id: str, now: datetime) -> Invitation | None:
    """The latest invitation of a public conversation that can still be used."""
    row = db.execute(
        select(*_COLUMNS)
        .where(
            invitations.c.public_conversation == conversation_id,
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > stamp(now),
        )
        .order_by(invitations.c.expires_at.desc())
    ).first()
    return Invitation(*row) if row else None


def enter(db: Connection, invitation: Invitation, now: datetime) -> tuple[Conversation, bool]:
    """Use an invitation: begin the private chat of the case, or find the one that is there.

    Whoever looks after the matter in public does so in private: nobody begins to wait anew.

    Args:
        db: A writing transaction.
        invitation: Open, or used by the same customer before.
        now: The present moment.

    Returns:
        The private conversation, and whether it was begun now.
    """
    private, begun = begin_private(db, invitation.public_conversation, now, invitation)
    db.execute(
        update(invitations)
        .where(invitations.c.id == invitation.id)
        .values(used_at=invitation.used_at or stamp(now), private_conversation=private.id)
    )
    return private, begun


def begin_private(
    db: Connection, public_id: str, now: datetime, invitation: Invitation | None = None
) -> tuple[Conversation, bool]:
    """Begin the private chat of a public conversation's case, or find the one that is there.

    Args:
        db: A writing transaction.
        public_id: The public conversation.
        now: The present moment.
        invitation: By which the customer comes, where there is one.

    Returns:
        The private conversation, and whether it was begun now.
    """
    public = conversations.load(db, public_id, lock=True)
    if public is None:
        raise LookupError(public_id)
    private = _led_to(db, invitation, public)
    if private is not None:
        return private, False
    case = cases.load(db, public.case_id)
    waits = public.owner == QUEUE or (case is not None and case.stage == "person")
    owner = public.owner if public.agent is not None else QUEUE if waits else BOT
    reason = (case.reason if case else None) or public.reason
    private = conversations.begin(
        db,
        public.business,
        public.customer_id,
        now,
        case_id=public.case_id,
        owner=owner,
        reason=reason if owner == QUEUE else None,
        after=public,
    )
    return private, True


def _led_to(
    db: Connection, invitation: Invitation | None, public: Conversation
) -> Conversation | None:
    """The private chat that is there already; `public` is locked.

    It may have been begun by a click a moment ago, or through another invitation to the same
    matter: of the case, or of what was posted before there was one.
    """
    if invitation is not None:
        used = select(invitations.c.private_conversation).where(invitations.c.id == invitation.id)
        known = db.execute(used).scalar()
        if known:
            return conversations.load(db, known)
    if public.case_id:
        return conversations.of_case(db, public.case_id, "private")
    others = db.execute(
        select(invitations.c.private_conversation)
        .where(
            invitations.c.public_conversation == public.id,
            invitations.c.private_conversation.is_not(None),
        )
        .order_by(invitations.c.used_at.desc())
    ).first()
    return conversations.load(db, others[0]) if others else None

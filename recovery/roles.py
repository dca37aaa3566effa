"""What the roles of staff may do. One place: routes, pages and remedies ask here."""

from enum import StrEnum

from recovery.remedy.schema import AUTHORITIES

ROLES = ("agent", "supervisor", "manager", "trainer", "admin")


class Act(StrEnum):
    """One kind of thing that a member of staff may be allowed to do."""

    READ = "read"
    """See the conversations of the own business; personal data masked without `HANDLE`."""
    HANDLE = "handle"
    """Take, answer, note, remedy, hand on, close."""
    OVERSEE = "oversee"
    """The live board, whisper, step in, reassign, hear of silent colleagues."""
    WORDING = "wording"
    """Change canned replies and labels."""
    GRANT = "grant"
    """Decide what is beyond the authority of colleagues."""
    INSIGHTS = "insights"
    """Read what cases taught: figures, causes, weekly reports; customers masked."""
    AUDIT = "audit"
    """Read the audit log."""
    PRIVACY = "privacy"
    """See to what customers ask about their data: refuse, erase; counts only."""
    ACCOUNTS = "accounts"
    """Make and change accounts."""


_MAY: dict[str, frozenset[Act]] = {
    "agent": frozenset({Act.READ, Act.HANDLE}),
    "supervisor": frozenset({Act.READ, Act.HANDLE, Act.OVERSEE, Act.WORDING, Act.INSIGHTS}),
    "manager": frozenset(
        {Act.READ, Act.HANDLE, Act.OVERSEE, Act.WORDING, Act.INSIGHTS, Act.GRANT, Act.AUDIT}
        | {Act.PRIVACY}
    ),
    "trainer": frozenset({Act.READ}),
    "admin": frozenset({Act.ACCOUNTS, Act.AUDIT, Act.INSIGHTS, Act.PRIVACY}),
}
_AUTHORITY = {"manager": "manager", "supervisor": "agent", "agent": "agent"}


def may(role: str, act: Act) -> bool:
    """Whether a role may do something; an unknown role may nothing."""
    return act in _MAY.get(role, frozenset())


def acts_of(role: str) -> list[str]:
    """All that a role may do, for its page."""
    return sorted(_MAY.get(role, frozenset()))


def authority_of(role: str) -> str | None:
    """The authority of a role over remedies, as in the policy's column; None for none."""
    return _AUTHORITY.get(role)


def suffices(authority: str | None, needed: str) -> bool:
    """Whether an authority is enough for what a policy row needs.

    Args:
        authority: Of the member of staff; None for none.
        needed: One of `recovery.remedy.schema.AUTHORITIES`.
    """
    if authority is None:
        return False
    return AUTHORITIES.index(authority) >= AUTHORITIES.index(needed)

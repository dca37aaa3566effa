"""Members of staff as those see them who have something to hand on."""

from dataclasses import dataclass
from typing import Any

ONLINE, BUSY, AWAY, OFFLINE = PRESENCES = ("online", "busy", "away", "offline")


@dataclass(frozen=True)
class Colleague:
    """One member of staff, as others see whether something can be handed on.

    Attributes:
        business: The only one served; None for all.
        presence: As chosen; `offline` where no page of theirs is open.
        chosen: As chosen, whatever pages are open.
        open: Conversations that they own and have not put aside.
        assigned_at: When they last came to own one of these, as stored; empty for never.
    """

    id: int
    name: str
    role: str
    business: str | None
    presence: str
    chosen: str
    skills: tuple[str, ...]
    capacity: int
    open: int
    assigned_at: str

    @property
    def full(self) -> bool:
        """Whether they have as many conversations as they may."""
        return self.open >= self.capacity

    def serves(self, business: str, industry: str) -> bool:
        """Whether conversations of a business in an industry are theirs to take."""
        fits = self.business is None or self.business == business
        return fits and (not self.skills or industry in self.skills)

    @property
    def shown(self) -> dict[str, Any]:
        """What staff's pages are told."""
        return {
            "id": self.id,
            "name": self.name,
            "role": self.role,
            "presence": self.presence,
            "open": self.open,
            "capacity": self.capacity,
            "skills": list(self.skills),
        }

"""The case: what a customer complains about, how far we are, what was offered.

A case is the fold of its commands. The desk folds them as it commits; outside the desk
(`rasa shell`) actions fold those that stand in the tracker.
"""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from recovery.anger import CaseAnger, heard
from recovery.commands import (
    AcceptOffer,
    ClearMisses,
    CloseCase,
    Command,
    ContinueCase,
    CountMiss,
    CountPublicReply,
    HandOver,
    Invite,
    MakeOffer,
    Note,
    OpenCase,
    RefuseOffer,
    TriedProof,
)
from recovery.failures import matter_words

Stage = Literal["hearing", "offered", "agreed", "closed", "person"]
OfferState = Literal["open", "accepted", "refused", "replaced"]

PUBLIC_REPLIES_MOST = 2
PROOF_TRIES_MOST = 5
MISSES_MOST = 2


class OfferNotOpenError(ValueError):
    """Acceptance or refusal of an offer that is not open (any more)."""


class BadStageError(ValueError):
    """A case is to go on where it cannot be."""


@dataclass(frozen=True)
class Offer:
    """One remedy put before the customer. Fields as in `recovery.commands.MakeOffer`."""

    id: str
    order_number: str
    remedies: list[dict[str, Any]]
    rules: list[str]
    policy: str
    facts: dict[str, Any]
    reason: str
    round: int
    expires_at: str
    state: OfferState = "open"
    order_customer: str = ""
    day: str = ""
    why: list[str] = field(default_factory=list)
    floor_fen: int = 0
    goodwill_fen: int = 0
    provisional: bool = False
    by: str = "bot"
    authority: str = "bot"
    departure: str | None = None

    @property
    def by_staff(self) -> bool:
        """Whether a person has offered it."""
        return self.by != "bot"

    def open_at(self, now: datetime) -> bool:
        """Whether it can still be accepted."""
        return self.state == "open" and datetime.fromisoformat(self.expires_at) > now


@dataclass(frozen=True)
class Case:
    """One complaint of one customer.

    Attributes:
        facts: What is known: `failure`, `keywords`, `order_number` (claimed), `phone_last4`
            (claimed), `item`, `harm`, `evidence` (`asked`, `photo`, `declined`), `advice` (what
            the policy would give where a person decides); `fault` and `finding` once staff have
            set them. Nothing in it is asked twice.
        opened_at: ISO 8601, UTC; None for cases of before this was kept.
        order_number: The order proved to be the customer's, None before.
        public_replies: How many public replies the case got.
        misses: How many messages in a row were not understood.
        settled: A person has dealt with it and gave it back: the bot offers nothing by itself.
        reason: Why it waits for a person.
    """

    id: str
    stage: Stage = "hearing"
    facts: dict[str, Any] = field(default_factory=dict)
    anger: CaseAnger | None = None
    safety: bool = False
    invited: bool = False
    public_replies: int = 0
    apologised: bool = False
    order_number: str | None = None
    proof_tries: int = 0
    offers: tuple[Offer, ...] = ()
    misses: int = 0
    settled: bool = False
    reason: str | None = None
    promised_by: str | None = None
    outcome: str | None = None
    opened_at: str | None = None

    @property
    def failure(self) -> str | None:
        """Name of the failure, `unknown`, or None before anything is known."""
        return self.facts.get("failure")

    @property
    def has_matter(self) -> bool:
        """Whether it is known what the complaint is about."""
        return self.failure is not None

    @property
    def is_empty(self) -> bool:
        """Whether nobody has said yet what it is about, and nothing was done in it."""
        return self.stage == "hearing" and self.failure is None and not self.offers

    @property
    def matter(self) -> str:
        """The matter as a noun phrase."""
        return matter_words(self.failure, self.facts.get("keywords"))

    @property
    def level(self) -> int:
        """Anger now, 0 to 3."""
        return self.anger.now if self.anger else 0

    @property
    def priority(self) -> int:
        """0 (ordinary) to 4 (safety), from anger and safety; steers the queue, never worth."""
        return 4 if self.safety else self.level

    def offer(self, offer_id: str) -> Offer | None:
        """Find an offer by id."""
        return next((offer for offer in self.offers if offer.id == offer_id), None)

    def open_offer(self, now: datetime) -> Offer | None:
        """The one offer that can be accepted now."""
        return next((offer for offer in self.offers if offer.open_at(now)), None)

    @property
    def accepted_offer(self) -> Offer | None:
        """The offer the customer took; the first one, where staff have added to it."""
        return next((offer for offer in self.offers if offer.state == "accepted"), None)

    @property
    def given(self) -> list[dict[str, Any]]:
        """All remedies that were accepted."""
        return [one for offer in self.offers if offer.state == "accepted" for one in offer.remedies]

    def resume_stage(self, now: datetime) -> Stage:
        """Where the bot goes on when a person gives the case back."""
        if self.outcome:
            return "closed"
        if self.accepted_offer:
            return "agreed"
        if self.open_offer(now):
            return "offered"
        return "hearing"

    def resume_stages(self, now: datetime) -> list[Stage]:
        """Where a person may let the bot go on, first where the case stands."""
        possible: list[Stage] = [self.resume_stage(now), "hearing"]
        if self.open_offer(now):
            possible.append("offered")
        if self.accepted_offer:
            possible.append("agreed")
        return list(dict.fromkeys(possible))

    def to_state(self) -> dict[str, Any]:
        """The case as plain JSON types."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Case":
        """Read what `to_state` gave."""
        anger = state.get("anger")
        return cls(
            **{
                **state,
                "anger": CaseAnger(**anger) if anger else None,
                "offers": tuple(Offer(**offer) for offer in state.get("offers", ())),
            }
        )


def hear(case: Case, level: int, now: datetime) -> Case:
    """Take the anger of one more message, written now, into the case."""
    return replace(case, anger=heard(case.anger, level, now))


def _settle(case: Case, offer_id: str, state: OfferState, now: datetime) -> tuple[Offer, ...]:
    offer = case.offer(offer_id)
    if offer is None or not offer.open_at(now):
        raise OfferNotOpenError(offer_id)
    if state == "accepted" and case.accepted_offer and not offer.by_staff:
        # One case, one remedy of the bot's: what else it needs is for a person.
        raise OfferNotOpenError(offer_id)
    return tuple(replace(one, state=state) if one.id == offer_id else one for one in case.offers)


def apply(case: Case | None, command: Command, now: datetime) -> Case | None:
    """Fold one command into a case.

    Args:
        case: The case so far; None where there is none.
        command: What is to be done.
        now: The present moment, for the expiry of offers.

    Returns:
        The case after the command; None where there is still none.

    Raises:
        OfferNotOpenError: The offer accepted or refused is not open.
    """
    if isinstance(command, OpenCase):
        facts = {
            "failure": command.failure,
            "keywords": command.keywords,
            "harm": command.harm,
        }
        return Case(
            id=command.case,
            facts={name: value for name, value in facts.items() if value is not None},
            safety=command.safety,
            order_number=command.order_number,
            opened_at=now.isoformat(),
        )
    if case is None:
        return None
    match command:
        case ContinueCase():
            case = gone_on(case, now) if command.case == case.id else case
        case Note():
            facts = _known({**case.facts, **command.facts})
            case = replace(case, facts=facts, misses=0, settled=False)
        case Invite():
            case = replace(case, invited=True)
        case CountPublicReply():
            case = replace(case, public_replies=case.public_replies + 1)
        case TriedProof():
            case = _proof_tried(case, command)
        case MakeOffer():
            given = {name: value for name, value in vars(command).items() if name != "offer"}
            before = tuple(
                replace(one, state="replaced") if one.state == "open" else one
                for one in case.offers
            )
            offers = (*before, Offer(id=command.offer, **given))
            case = replace(case, offers=offers, stage="offered", misses=0)
        case AcceptOffer():
            offers = _settle(case, command.offer, "accepted", now)
            case = replace(case, offers=offers, stage="agreed", misses=0)
        case RefuseOffer():
            offers = _settle(case, command.offer, "refused", now)
            case = replace(case, offers=offers, stage="hearing", misses=0)
        case HandOver():
            case = replace(
                case,
                stage="person",
                reason=command.reason,
                promised_by=command.by,
                safety=case.safety or command.reason == "safety",
                misses=0,
                # What a person is due for again is not closed.
                outcome=None,
            )
        case CountMiss():
            case = replace(case, misses=case.misses + 1)
        case ClearMisses():
            case = replace(case, misses=0)
        case CloseCase():
            case = replace(case, stage="closed", outcome=command.outcome)
    return case


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    """A fact set to None is forgotten."""
    return {name: value for name, value in facts.items() if value is not None}


def _proof_tried(case: Case, command: TriedProof) -> Case:
    if command.correct:
        facts = _known({**case.facts, "order_number": None, "phone_last4": None})
        return replace(case, order_number=command.order_number, facts=facts, misses=0)
    facts = _known({**case.facts, "order_number": None, "phone_last4": None})
    return replace(case, proof_tries=case.proof_tries + 1, facts=facts)


def gone_on(case: Case, now: datetime) -> Case:
    """The case when its customer complains of the same matter again, here or elsewhere.

    What was agreed goes on, what was closed is open again; public replies begin anew with it.
    """
    if case.stage != "closed":
        return replace(case, misses=0)
    return replace(
        case,
        stage="agreed" if case.accepted_offer else "offered" if case.open_offer(now) else "hearing",
        outcome=None,
        misses=0,
        public_replies=0,
    )


def without_offer(case: Case, now: datetime) -> Case:
    """The case when its open offer is taken back, so that it is not accepted any more."""
    offers = tuple(
        replace(one, state="replaced") if one.open_at(now) else one for one in case.offers
    )
    left = replace(case, offers=offers)
    return replace(left, stage=left.resume_stage(now)) if case.stage == "offered" else left


def given_back(case: Case, now: datetime, at: Stage | None = None) -> Case:
    """The case when a person gives the conversation back to the bot.

    Args:
        case: As it stands.
        now: The present moment, for the expiry of offers.
        at: Where the bot goes on, one of `resume_stages`; None: where the case stands. Sent
            back to hearing on purpose, the bot goes through the matter again and may offer;
            what was offered and not answered is taken back.

    Raises:
        BadStageError: The case cannot be there.
    """
    if at is not None and at not in case.resume_stages(now):
        raise BadStageError(at)
    if at == "hearing":
        case = without_offer(case, now)
    anew = at == "hearing" and not case.accepted_offer
    return replace(
        case,
        stage=at or case.resume_stage(now),
        settled=not anew,
        outcome=None if at == "hearing" else case.outcome,
        reason=None,
        promised_by=None,
        misses=0,
        proof_tries=0,
    )

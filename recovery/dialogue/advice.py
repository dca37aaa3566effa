"""What the policy would give where a person decides: as left by a hand-over, and afresh."""

from typing import Any

from recovery.case import Case
from recovery.dialogue.authority import Matter, decide, item_of
from recovery.dialogue.reply import Turn
from recovery.failures import FAILURES
from recovery.orders.system import Order
from recovery.remedy.catalogue import card
from recovery.remedy.facts import CHOICES
from recovery.remedy.policy import Decision


class NoAdviceError(RuntimeError):
    """The policy cannot be asked yet.

    Attributes:
        lacks: `no_matter` or `no_item`.
    """

    def __init__(self, lacks: str) -> None:
        """Remember what is missing."""
        super().__init__(lacks)
        self.lacks = lacks


def advice_of(decision: Decision) -> dict[str, Any]:
    """A decision as staff read it, in plain JSON types.

    Returns:
        `{"authority", "rules", "policy", "day", "reason", "items", "floor_fen", "goodwill_fen",
        "evidence", "lacks_evidence", "provisional", "facts"}`; items as on the customer's card,
        each with its `worth` in fen (None for what has no price).
    """
    remedies = decision.remedies
    return {
        "authority": decision.authority,
        "rules": decision.rules,
        "policy": decision.policy,
        "day": decision.day,
        "reason": decision.reason,
        "items": [
            {**line, "worth": one.get("worth")}
            for line, one in zip(card(remedies), remedies, strict=True)
        ],
        "floor_fen": decision.floor_worth.fen,
        "goodwill_fen": decision.goodwill_worth.fen,
        "evidence": decision.evidence,
        "lacks_evidence": decision.lacks_evidence,
        "provisional": decision.provisional,
        "facts": decision.facts.to_wire(),
    }


def advise(turn: Turn, case: Case, order: Order) -> Decision:
    """What the policy gives with the facts as they stand now.

    Args:
        turn: Brings the policy, the clock and the customer's past; nobody has said anything.
        case: With the facts that staff have set.
        order: Proved to be the customer's.

    Raises:
        NoAdviceError: It is not known what the complaint is about.
        PolicyError: The policy has no answer.
    """
    round_, choice = _asked_for(case)
    return decide(turn, case, matter_of(turn, case, order), round_, choice)


def advise_forms(turn: Turn, case: Case, order: Order) -> list[Decision]:
    """The same in every other form that the policy knows, whatever it is worth.

    Raises:
        NoAdviceError: As for `advise`.
        PolicyError: The policy has no answer.
    """
    matter, (round_, present) = matter_of(turn, case, order), _asked_for(case)
    found = [decide(turn, case, matter, round_, choice) for choice in CHOICES if choice != present]
    return [one for one in found if not one.facts.choice or one.row("choices")]


def matter_of(turn: Turn, case: Case, order: Order) -> Matter:
    """What a decision about a case and its order is about.

    Raises:
        NoAdviceError: It is not known what the complaint is about, or which article.
    """
    failure = case.failure
    if failure is None or failure not in turn.policy.failures:
        raise NoAdviceError("no_matter")
    item = item_of(case, order) if FAILURES[failure].needs_item else None
    if item is None and FAILURES[failure].needs_item:
        raise NoAdviceError("no_item")
    return Matter(failure, order, item)


def _asked_for(case: Case) -> tuple[int, str]:
    """How far the customer went, and the form wished for."""
    asked = _asked_last(case)
    return max(round_so_far(case), int(asked.get("round", 0))), str(asked.get("choice", ""))


def _asked_last(case: Case) -> dict[str, Any]:
    """The facts that the policy was asked last: how far the customer went, and in which form."""
    left = case.facts.get("advice")
    if isinstance(left, dict) and isinstance(left.get("facts"), dict):
        return dict(left["facts"])
    return case.offers[-1].facts if case.offers else {}


def round_so_far(case: Case) -> int:
    """The round of the best offer made; a new offer is never below it."""
    return max((offer.round for offer in case.offers), default=0)

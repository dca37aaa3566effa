"""What the policy gives in a scenario: what a trainee may offer, and what goes beyond it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recovery.coach.warnings import Situation
from recovery.drill.scenario import Scenario
from recovery.remedy.catalogue import card
from recovery.remedy.policy import Decision, Policy

_WHOLE_BP = 10_000
# What is said as a sum. A new parcel or a meal is worth one too, and no cash.
_MONEY = frozenset({"refund_part", "refund_full", "damages", "voucher", "fee_waiver"})


@dataclass(frozen=True)
class Given:
    """The remedy of the policy, as it stood when the practice began.

    Attributes:
        items: `{"title", "detail"}` of each.
        kinds: Of the remedies.
        reason: Why, in one clause.
        authority: Who may offer it: `bot`, `agent` or `manager`.
        most_fen: All that is given in money and vouchers.
        most_bp: The largest share.
        whole: The whole price is given back.
        times: A multiple of the price, as the law gives for fraud.
    """

    items: tuple[Mapping[str, str], ...]
    kinds: tuple[str, ...]
    reason: str
    authority: str
    most_fen: int
    most_bp: int
    whole: bool
    times: bool

    def situation(self, *, apologised: bool) -> Situation:
        """What a text is read against by the warnings of the coach."""
        return Situation(
            private=True,
            apologised=apologised,
            most_fen=self.most_fen,
            most_bp=self.most_bp,
            whole=self.whole,
            times=self.times,
        )

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            **asdict(self),
            "items": [dict(one) for one in self.items],
            "kinds": list(self.kinds),
        }

    @classmethod
    def from_wire(cls, content: Mapping[str, Any]) -> "Given":
        """Read what `to_wire` gave."""
        return cls(
            **{**content, "items": tuple(content["items"]), "kinds": tuple(content["kinds"])}
        )


def decide(scenario: Scenario, policy: Policy) -> Given:
    """Ask the policy what it gives in a scenario.

    Args:
        scenario: Any.
        policy: Of the scenario's industry.

    Raises:
        PolicyError: It has no answer: the running policy may know other failures.
    """
    order = scenario.order
    facts = policy.facts(
        scenario.failure,
        order.paid,
        harm=order.harm,
        tier=order.tier,
        recurrence=order.recurrence,
        evidence=order.evidence,
        first_time=order.first_time,
        fault=order.fault,
        anger=scenario.anger,
    )
    return _of(policy.decide(facts))


def _of(decision: Decision) -> Given:
    remedies = decision.remedies
    money = [one for one in remedies if one["kind"] in _MONEY]
    shares = [int(one.get("bp") or 0) for one in remedies]
    kinds = tuple(str(one["kind"]) for one in remedies)
    return Given(
        items=tuple({"title": one["title"], "detail": one["detail"]} for one in card(remedies)),
        kinds=kinds,
        reason=decision.reason,
        authority=decision.authority,
        most_fen=sum(int(one.get("worth") or one.get("fen") or 0) for one in money),
        most_bp=max([0, *shares]),
        whole="refund_full" in kinds or _WHOLE_BP in shares,
        times="damages" in kinds,
    )

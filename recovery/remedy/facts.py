"""The facts that a remedy is decided from: what each means, who sets it, what holds unknown."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

from recovery.failures import FAILURES, TRADES

Setter = Literal["settings", "customer", "orders", "staff", "cases", "talk"]

HARMS = ("slight", "plans", "loss", "injury")
"""What it did to the customer, mildest first: a nuisance, plans upset, something lost, hurt."""
FAULTS = ("ours", "third_party", "unclear", "customer")
FINDINGS = ("none", "alleged", "confirmed")
TIERS = ("none", "silver", "gold")
EVIDENCE = ("none", "declined", "photo")
CHOICES = ("", "refund", "exchange", "resend", "voucher", "points", "waiver")
"""The form in which the customer would rather have it; empty for the form of the policy."""
FAILURE_NAMES = tuple(FAILURES)
MOST_ROUNDS = 2
MOST_MONEY = 100_000_000
"""One million yuan in fen: what is above it is a mistake, and in any case not for a bot."""


class FactsError(ValueError):
    """Facts that cannot be decided on; names the fact."""


@dataclass(frozen=True)
class Fact:
    """What is known of one fact.

    Attributes:
        label: As a manager reads it.
        set_by: Who sets it.
        values: The values of a named fact; None for a number.
        least: Of a number.
        most: Of a number.
        default: What holds while it is unknown; None where it must be given.
        steers: `worth` for what may change what is given, `manner` for what changes words,
            priority, authority and queue only.
    """

    label: str
    set_by: Setter
    values: tuple[str, ...] | tuple[bool, ...] | None = None
    least: int = 0
    most: int = 0
    default: Any = None
    steers: Literal["worth", "manner"] = "worth"


FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        "industry": Fact("行业", "settings", TRADES),
        "failure": Fact("失误", "customer", FAILURE_NAMES),
        "harm": Fact("影响", "customer", HARMS, default="slight"),
        # Defaults of the next two stand in the table `failures`, one for each failure.
        "fault": Fact("责任", "staff", FAULTS),
        "finding": Fact("认定", "staff", FINDINGS),
        "paid": Fact("实付（分）", "orders", most=MOST_MONEY),
        "days": Fact("收货后天数", "orders", most=36_500, default=0),
        "wait_hours": Fact("投诉后小时数", "cases", most=87_600, default=0),
        "recurrence": Fact("90天内第几次再犯", "cases", most=1000, default=0),
        "claims": Fact("30天内已补救次数", "cases", most=1000, default=0, steers="manner"),
        "tier": Fact("会员等级", "orders", TIERS, default="none"),
        "tenure_days": Fact("成为顾客天数", "orders", most=36_500, default=0),
        "first_time": Fact("首次光顾", "orders", (False, True), default=False),
        "evidence": Fact("证据", "customer", EVIDENCE, default="none", steers="manner"),
        "round": Fact("第几次要求增加", "talk", most=MOST_ROUNDS, default=0),
        "choice": Fact("想换的形式", "customer", CHOICES, default=""),
        "anger": Fact("情绪", "talk", most=3, default=0, steers="manner"),
        "escalation": Fact("要对外投诉", "talk", (False, True), default=False, steers="manner"),
    }
)
"""All facts by name. Tenure and tier come from the order system, never from the text."""


@dataclass(frozen=True)
class Facts:
    """What one decision is made from; see `FACTS` for each."""

    industry: str
    failure: str
    paid: int
    fault: str
    finding: str
    harm: str = "slight"
    days: int = 0
    wait_hours: int = 0
    recurrence: int = 0
    claims: int = 0
    tier: str = "none"
    tenure_days: int = 0
    first_time: bool = False
    evidence: str = "none"
    round: int = 0
    choice: str = ""
    anger: int = 0
    escalation: bool = False

    def __post_init__(self) -> None:
        """Refuse what no table could judge.

        Raises:
            FactsError: A value of the wrong type or out of bounds. A float or text for a number
                is refused even where it looks whole: `zen-engine` finds no row for
                a text, without a word, and takes half a day for one more.
        """
        for name, fact in FACTS.items():
            _check(name, fact, getattr(self, name))

    def to_wire(self) -> dict[str, Any]:
        """The facts as plain JSON types."""
        return asdict(self)

    @classmethod
    def from_wire(cls, given: Mapping[str, Any]) -> "Facts":
        """Read what `to_wire` gave.

        Raises:
            FactsError: Unknown, missing or wrong facts.
        """
        known = {item.name for item in fields(cls)}
        if not set(given) <= known:
            raise FactsError(f"unknown facts {sorted(set(given) - known)}")
        try:
            return cls(**given)
        except TypeError as error:
            raise FactsError(str(error)) from error


def _check(name: str, fact: Fact, value: object) -> None:
    if fact.values is not None:
        # 1 equals True: the type is looked at as well.
        if not any(value == one and type(value) is type(one) for one in fact.values):
            raise FactsError(f"{name}: {value!r} is none of {', '.join(map(repr, fact.values))}")
    elif not isinstance(value, int) or isinstance(value, bool):
        raise FactsError(f"{name}: {value!r} is no whole number ({type(value).__name__})")
    elif not fact.least <= value <= fact.most:
        raise FactsError(f"{name}: {value} is not within {fact.least}..{fact.most}")

"""Decision tables (GoRules JDM) evaluated by zen-engine: facts in, remedies out."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import zen

from recovery.remedy.catalogue import BadRemedyError, Remedy, check

AUTHORITIES = frozenset({"bot", "agent", "manager"})


class PolicyError(ValueError):
    """A table that cannot be used, or facts that no row answers."""


@dataclass(frozen=True)
class Decision:
    """What the policy gives.

    Attributes:
        rule: Id of the row that fired.
        authority: Who may offer it: `bot`, `agent` or `manager`.
        remedies: What is given; empty when a person has to decide.
        reason: One clause for the customer.
        source: Law article, research or house rule.
        policy: Version of the table: its name and the first 12 hex digits of its SHA-256.
        facts: What the table was asked.
    """

    rule: str
    authority: str
    remedies: list[Remedy]
    reason: str
    source: str
    policy: str
    facts: dict[str, Any]


class Policy:
    """The remedy table of one industry."""

    def __init__(self, name: str, table: str) -> None:
        """Load a table.

        Args:
            name: For versions and errors.
            table: The JDM document as JSON.

        Raises:
            PolicyError: Not JSON, or not a JDM document.
        """
        try:
            json.loads(table)
            self._decision = zen.ZenEngine().create_decision(table)
        except (ValueError, RuntimeError) as error:
            raise PolicyError(f"{name}: {error}") from error
        self.version = f"{name}-{hashlib.sha256(table.encode()).hexdigest()[:12]}"

    def decide(self, failure: str, round_: int) -> Decision | None:
        """Decide a remedy.

        Args:
            failure: A name in `recovery.failures`.
            round_: 0 for the first offer, 1 after the customer asked for more.

        Returns:
            The decision; None when the table holds nothing more for this round.

        Raises:
            PolicyError: The row holds something that is no remedy, or no known authority.
        """
        facts = {"failure": failure, "round": round_}
        row = self._decision.evaluate(facts)["result"]
        if not row:
            return None
        try:
            if row["authority"] not in AUTHORITIES:
                raise PolicyError(f"{self.version} {row['rule']}: authority {row['authority']!r}")
            return Decision(
                rule=row["rule"],
                authority=row["authority"],
                remedies=[check(one) for one in row["remedies"]],
                reason=row["reason"],
                source=row["source"],
                policy=self.version,
                facts=facts,
            )
        except (KeyError, TypeError, BadRemedyError) as error:
            raise PolicyError(f"{self.version}: {error}") from error


@cache
def policy_for(industry: str) -> Policy:
    """The policy of an industry, loaded once.

    Raises:
        PolicyError: No table for this industry, or a broken one.
    """
    try:
        table = (
            resources.files("recovery.remedy")
            .joinpath(f"tables/{industry}.json")
            .read_text("utf-8")
        )
    except FileNotFoundError as error:
        raise PolicyError(f"no remedy table for industry {industry!r}") from error
    return Policy(industry, table)

"""What a decision of the remedy policy costs: `python -m bench.decisions OUTPUT` writes JSON.

It runs on one core and in a process of its own, with the policy that comes with Huixin: facts of
all trades, failures, amounts and customers, mixed by a fixed seed, each decided once.
"""

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import median, percentile
from tools.console import ToolError
from tools.places import Places
from tools.steps import Command, step

SEED = "huixin decisions"
_LIMIT = 120.0
_WARM = 200
_MS = 1000


@dataclass(frozen=True)
class Decisions:
    """Of `Policy.decide`, one core.

    Attributes:
        count: How many were decided.
        median_ms: Of one decision.
        p95_ms: The slowest but five of a hundred.
        rate: Decisions a second in one run, from the first to the last.
    """

    count: int
    median_ms: float
    p95_ms: float
    rate: float


def measured(places: Places, count: int) -> Decisions:
    """Measure in a process of its own.

    Args:
        places: The checkout; the service environment must exist.
        count: How many decisions.

    Raises:
        ToolError: The probe failed.
    """
    with tempfile.TemporaryDirectory(prefix="huixin-decisions-") as draft:
        output = Path(draft) / "decisions.json"
        command: Command = [sys.executable, "-m", "bench.decisions", output, str(count)]
        status = step(command, places.root, dict(os.environ), _LIMIT)
        if status != 0:
            raise ToolError(f"decisions could not be measured (status {status}, see above)")
        return Decisions(**json.loads(output.read_text("utf-8")))


def decided(count: int) -> Decisions:
    """Decide so many facts in this process."""
    # Here, so that the core is chosen before the engine starts its threads.
    from recovery.remedy.running import RunningPolicy

    running = RunningPolicy()
    today = datetime.now(UTC).date()
    # To mix facts, not to keep secrets.
    chance = random.Random(SEED)  # noqa: S311
    asked = [(running.on(trade, today), known) for trade, known in _varied(count, chance)]
    work = [(policy, policy.facts(**known)) for policy, known in asked]
    for policy, facts in work[:_WARM]:
        policy.decide(facts)
    taken = []
    began = time.perf_counter()
    for policy, facts in work:
        before = time.perf_counter()
        policy.decide(facts)
        taken.append(time.perf_counter() - before)
    seconds = time.perf_counter() - began
    return Decisions(
        count, median(taken) * _MS, percentile(taken, 0.95) * _MS, round(count / seconds, 1)
    )


def _varied(count: int, chance: random.Random) -> Iterator[tuple[str, dict[str, object]]]:
    """Facts of every kind, as a customer, an order and staff may bring them about."""
    from recovery.failures import TRADES
    from recovery.remedy.facts import FACTS
    from recovery.remedy.running import running

    failures = {
        trade: sorted(running().on(trade, datetime.now(UTC).date()).failures) for trade in TRADES
    }

    def any_of(name: str) -> object:
        return chance.choice(FACTS[name].values or ())

    for _ in range(count):
        trade = chance.choice(TRADES)
        yield (
            trade,
            {
                "failure": chance.choice(failures[trade]),
                "paid": int(10 ** chance.uniform(2, 6.5)),
                "harm": any_of("harm"),
                "fault": any_of("fault"),
                "finding": any_of("finding"),
                "days": chance.randrange(120),
                "wait_hours": chance.randrange(100),
                "recurrence": chance.randrange(4),
                "claims": chance.randrange(5),
                "tier": any_of("tier"),
                "tenure_days": chance.randrange(3000),
                "first_time": any_of("first_time"),
                "evidence": any_of("evidence"),
                "round": chance.randrange(3),
                "anger": chance.randrange(4),
                "escalation": any_of("escalation"),
            },
        )


def main() -> None:
    """Measure, and write what was found to the file named on the command line."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    output, count = Path(sys.argv[1]), int(sys.argv[2])
    output.write_text(json.dumps(vars(decided(count))), "utf-8")


if __name__ == "__main__":
    main()

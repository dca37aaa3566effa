"""Customers on WeChat: `python -m bench.wechat_crowd PLAN OUTPUT`, both JSON.

WeChat's double and its customers run in a process of their own. First it prints one line, the
account's settings and environment; then it reads one line, where the desk answers; then the
customers write. WeChat's own rules (five seconds, three tries, quotas) are the double's.
"""

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic, perf_counter
from typing import Final

from bench.figures import percentile
from bench.script import BUSINESS, STORY, Claim, claims, story
from tests.support.wechat.double import Delivery, Double

_SEED: Final = "huixin wechat"
_LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Plan:
    """How the customers write.

    Attributes:
        customers: Each with an order and a story of their own.
        every_seconds: After how long each writes again, answered or not.
        seconds: For how long they do.
        drain_seconds: How long the desk then has to answer what is left.
        quiet_seconds: So long nothing has come when all is taken to be said; longer than Rasa
            takes to load, where it is away.
    """

    customers: int = 500
    every_seconds: float = 10.0
    seconds: float = 180.0
    drain_seconds: float = 420.0
    quiet_seconds: float = 12.0


@dataclass
class Heard:
    """What WeChat has seen.

    Attributes:
        callbacks: Seconds of each callback, all attempts.
        outcomes: How many callbacks ended how, by the double's word for it.
        written: Messages of customers.
        violations: Sends that a quota has refused.
        wrong: What the desk did against WeChat's rules, in words.
        seen: Messages that customers have seen, by how they came.
        cut: Callbacks that WeChat cut after five seconds.
        texts: What each customer has seen, in order.
        late_ms: By how much the crowd itself was late, 99 of 100 times at most.
        drained: Seconds after the last message until nothing more came.
    """

    callbacks: list[float] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    written: int = 0
    violations: int = 0
    wrong: list[str] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    cut: int = 0
    late_ms: float = 0.0
    drained: float = 0.0


class _Crowd:
    def __init__(self, double: Double, plan: Plan) -> None:
        self._double = double
        self._plan = plan
        self._late: list[float] = []
        self.heard = Heard()

    async def run(self) -> None:
        """Let all of them write, and wait until they are answered."""
        people = [(f"o-bench-{n:04d}", claim) for n, claim in enumerate(_some(self._plan))]
        begun = monotonic()
        await asyncio.gather(*(self._one(openid, claim, begun) for openid, claim in people))
        ended = monotonic()
        await self._drain()
        self.heard.drained = monotonic() - ended
        self._count([openid for openid, _ in people])

    async def _one(self, openid: str, claim: Claim, begun: float) -> None:
        pace = random.Random(f"{_SEED} {openid}").random() * self._plan.every_seconds  # noqa: S311
        under_way: list[asyncio.Task[Delivery]] = []
        number = 0
        while (at := pace + number * self._plan.every_seconds) < self._plan.seconds:
            await asyncio.sleep(max(0.0, begun + at - monotonic()))
            self._late.append(monotonic() - begun - at)
            words = story(number % STORY + 1, claim)
            # WeChat does not wait for one callback before it makes the next.
            under_way.append(asyncio.create_task(self._double.write(openid, words)))
            self.heard.written += 1
            number += 1
        for delivery in await asyncio.gather(*under_way):
            outcomes = self.heard.outcomes
            outcomes[delivery.outcome] = outcomes.get(delivery.outcome, 0) + 1

    async def _drain(self) -> None:
        """Wait until the desk says no more for some seconds."""
        quiet_for, last = 0.0, -1
        begun = perf_counter()
        while (
            perf_counter() - begun < self._plan.drain_seconds
            and quiet_for < self._plan.quiet_seconds
        ):
            await asyncio.sleep(_LOOK_SECONDS)
            now = sum(len(one.customers) for one in self._double.accounts.values())
            now += sum(
                len(customer.seen)
                for account in self._double.accounts.values()
                for customer in account.customers.values()
            )
            quiet_for = quiet_for + _LOOK_SECONDS if now == last else 0.0
            last = now

    def _count(self, openids: Sequence[str]) -> None:
        heard, double = self.heard, self._double
        heard.callbacks = [one.seconds for one in double.callbacks]
        heard.cut = sum(1 for one in double.callbacks if one.seconds >= 5.0)
        heard.violations = len(double.violations)
        heard.wrong = double.wrong[:20]
        for openid in openids:
            seen = double.seen(openid)
            heard.texts[openid] = [one.text for one in seen]
            for one in seen:
                heard.seen[one.via] = heard.seen.get(one.via, 0) + 1
        heard.late_ms = 1000 * percentile(self._late, 0.99) if self._late else 0.0


def _some(plan: Plan) -> list[Claim]:
    given = claims()
    return [next(given) for _ in range(plan.customers)]


def main(given: Sequence[str]) -> int:
    """Be WeChat and its customers for one desk."""
    plan_file, output = (Path(one) for one in given)
    plan = Plan(**json.loads(plan_file.read_text("utf-8")))
    with Double() as double:
        settings, environ = double.account(business=BUSINESS)
        print(json.dumps({"settings": settings, "environ": environ}), flush=True)
        double.desk = sys.stdin.readline().strip()
        crowd = _Crowd(double, plan)
        asyncio.run(crowd.run())
    output.write_text(json.dumps(asdict(crowd.heard), ensure_ascii=False), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

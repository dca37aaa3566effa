"""Who comes first in the queue: a decision table that a manager can read and change.

The tables stand in `tables/queue.json`, in the form and grammar of the remedy policy. Each gives
points; the sum orders the queue, and the reasons of the rows that gave any say why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import zen

from recovery.remedy.book import PolicyFileError, Table, document, edge, node, read_tables
from recovery.remedy.facts import TIERS
from recovery.remedy.schema import LAST_DAY, MOST_PRIORITY, Column, Input, Schema, TableKind

FILE = "queue"
BUILT_IN = Path(__file__).parent / "tables" / f"{FILE}.json"
TRENDS = ("rising", "steady", "falling")
PROMISES = ("kept", "overnight", "overdue")
MOST_MINUTES = 1440
MOST_POINTS = 1_000_000
_MOST_KEPT = 8192

_POINTS = {"points": Column("加分", "number", most=MOST_POINTS)}

QUEUE = Schema(
    inputs={
        "safety": Input("涉及人身安全", (False, True)),
        "front": Input("退回队首", (False, True)),
        "promise": Input("答应的时间", PROMISES),
        "manner": Input("情绪和升级（补救政策的态度表）", None, 0, MOST_PRIORITY),
        "trend": Input("情绪走向", TRENDS),
        "minutes": Input("已等分钟", None, 0, MOST_MINUTES),
        "tier": Input("会员等级", TIERS),
    },
    tables={
        "safety": TableKind("人身安全", ("safety",), _POINTS, common=False),
        "front": TableKind("退回的先办", ("front",), _POINTS, common=False),
        "promise": TableKind("答应过的时间", ("promise",), _POINTS, common=False),
        "base": TableKind("情绪", ("manner",), _POINTS, common=False),
        "trend": TableKind("情绪走向", ("trend", "manner"), _POINTS, common=False),
        "waiting": TableKind("等了多久", ("minutes",), _POINTS, common=False),
        "tier": TableKind("会员", ("tier",), _POINTS, common=False),
    },
    every_row={
        "rule": Column("规则号", "rule"),
        "reason": Column("理由（给同事看）", "text"),
        "source": Column("依据", "text"),
        "effective_from": Column("生效日", "day"),
        "effective_to": Column("失效日", "day"),
    },
)


@dataclass(frozen=True)
class Standing:
    """What the place of one conversation depends on.

    Attributes:
        safety: Somebody's body or life may be at risk.
        front: It came back to the queue through no fault of the customer.
        promise: `overdue`: the time promised is over; `overnight`: it waits since before the
            service hours of today began; else `kept`.
        manner: 0 to 4, by the remedy policy's table `manner`: anger now, threat to go outside.
        trend: Of the anger.
        minutes: How long the customer has waited; a day and more count alike.
        tier: Of the customer, as the order system names it.
    """

    safety: bool = False
    front: bool = False
    promise: str = "kept"
    manner: int = 0
    trend: str = "steady"
    minutes: int = 0
    tier: str = "none"

    def to_wire(self) -> dict[str, Any]:
        """As the tables read it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Place:
    """What the tables make of a standing.

    Attributes:
        points: Higher comes first.
        rules: Ids of all rows that answered.
        why: In words: the reasons of the rows that gave points.
    """

    points: int
    rules: tuple[str, ...]
    why: str


class QueueTables:
    """The tables of the queue, as they decide. Safe for several threads."""

    def __init__(self, text: str, file: str = FILE) -> None:
        """Read the tables.

        Args:
            text: JSON of the file.
            file: Its name, for messages.

        Raises:
            PolicyFileError: They cannot be used; every place is named.
        """
        self.tables: Mapping[str, Table] = read_tables(file, text, QUEUE)
        wrong = [
            f"{row.place}：队列的规则总是有效，生效日不能在以后，也没有失效日"
            for table in self.tables.values()
            for row in table.rows
            if row.said["effective_to"] != LAST_DAY
        ]
        if wrong:
            raise PolicyFileError(wrong)
        try:
            content: Any = {FILE: self._graph()}
            self._engine = zen.ZenEngine({"loader": {"type": "static", "content": content}})
            self._engine.get_decision(FILE).validate()
        except (ValueError, RuntimeError) as error:
            raise PolicyFileError([f"{file}.json：{error}"]) from error
        self._kept = lru_cache(_MOST_KEPT)(self._decide)

    def _graph(self) -> dict[str, Any]:
        content = document({}, QUEUE)
        before = "facts"
        for place, name in enumerate(QUEUE.tables, 1):
            content["nodes"].append(node(self.tables[name], place, kind=QUEUE))
            content["edges"].append(edge(before, name))
            before = name
        return content

    def place(self, standing: Standing) -> Place:
        """Where a conversation comes.

        Raises:
            PolicyFileError: No row answers; the tables that Huixin comes with always do.
        """
        return self._kept(standing)

    def _decide(self, standing: Standing) -> Place:
        try:
            answer = self._engine.evaluate(FILE, standing.to_wire())["result"]
            fired = [answer[f"{name}_row"] for name in QUEUE.tables]
            points = [int(one["points"]) for one in fired]
        except (RuntimeError, KeyError, TypeError) as error:
            raise PolicyFileError([f"{FILE}.json：没有一行适用于 {standing}"]) from error
        said = [str(one["reason"]) for one, given in zip(fired, points, strict=True) if given]
        rules = tuple(str(one["rule"]) for one in fired)
        return Place(sum(points), rules, "；".join(said) or "按先后")


def load_queue_tables(directory: Path | None = None) -> QueueTables:
    """Read the tables of the queue.

    Args:
        directory: Of the operator's own policy; where it has a `queue.json`, that one counts.

    Raises:
        PolicyFileError: They cannot be used.
    """
    own = directory / f"{FILE}.json" if directory else None
    path = own if own and own.is_file() else BUILT_IN
    try:
        return QueueTables(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyFileError([f"{path}：读不出来（{error}）"]) from error

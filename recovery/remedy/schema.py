"""The tables that make up a policy: what each reads and what it says.

One file a trade and one common file. In the graph that the engine runs, the tables of both
stand in the order of `ORDER`; each reads facts and what tables before it have said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from recovery.failures import TRADES
from recovery.remedy.facts import FACTS, FAULTS, FINDINGS

AUTHORITIES = ("bot", "agent", "manager")
EVIDENCE_NEEDED = ("none", "photo")
TYPES = ("process", "outcome")
TONES = ("plain", "warm", "urgent")
FORMS = ("keep", "refund_part", "voucher", "points", "fee_waiver")
MOST_WEIGHT = 3
MOST_SEVERITY = 4
MOST_LEVEL = 8
MOST_POINTS = 4
MOST_PRIORITY = 4
LAST_DAY = "9999-12-31"
COMMON = "common"

Kind = Literal["number", "name", "flag", "remedies", "text", "day", "rule"]


@dataclass(frozen=True)
class Column:
    """One outcome column.

    Attributes:
        label: As a manager reads it.
        kind: What stands in it.
        values: Of a name.
        most: Of a number.
    """

    label: str
    kind: Kind
    values: tuple[str, ...] = ()
    most: int = 0


@dataclass(frozen=True)
class Input:
    """One condition column: a fact, or what an earlier table said.

    Attributes:
        label: As a manager reads it.
        values: Of a named one.
        least: Of a number.
        most: Of a number.
        source: Table that says it; None for a fact.
    """

    label: str
    values: tuple[str | bool, ...] | None = None
    least: int = 0
    most: int = 0
    source: str | None = None


@dataclass(frozen=True)
class TableKind:
    """One table of the policy.

    Attributes:
        label: As a manager reads it.
        reads: The inputs it may use; it need not use all.
        says: Its own outcome columns, beside those that every row has.
        common: Whether it stands in the common file.
        total: Whether every combination must have a row.
        asked: Whether it is part of the graph; the others are lists that are read once.
    """

    label: str
    reads: tuple[str, ...]
    says: Mapping[str, Column]
    common: bool = True
    total: bool = True
    asked: bool = True


EVERY_ROW: Mapping[str, Column] = {
    "rule": Column("规则号", "rule"),
    "authority": Column("权限", "name", AUTHORITIES),
    "evidence": Column("所需证据", "name", EVIDENCE_NEEDED),
    "reason": Column("理由（给顾客看）", "text"),
    "source": Column("依据", "text"),
    "effective_from": Column("生效日", "day"),
    "effective_to": Column("失效日", "day"),
}
"""What every row of every table has."""

_POINTS = {"points": Column("加几档", "number", most=MOST_POINTS)}
_REMEDIES = {"remedies": Column("补救", "remedies")}

INPUTS: Mapping[str, Input] = {
    **{name: Input(fact.label, fact.values, fact.least, fact.most) for name, fact in FACTS.items()},
    "weight": Input("失误轻重", None, 1, MOST_WEIGHT, "failures"),
    "type": Input("失误性质", TYPES, source="failures"),
    "severity": Input("严重程度", None, 1, MOST_SEVERITY, "severity"),
    "level": Input("心意档", None, 0, MOST_LEVEL, "level"),
    "kind": Input("补救种类", None, source="list"),
}

TABLES: Mapping[str, TableKind] = {
    "failures": TableKind(
        "失误",
        ("failure",),
        {
            "weight": Column("轻重", "number", most=MOST_WEIGHT),
            "type": Column("性质", "name", TYPES),
            "fault": Column("责任（未查明时）", "name", FAULTS),
            "finding": Column("认定（未查明时）", "name", FINDINGS),
        },
        common=False,
    ),
    "severity": TableKind(
        "严重程度",
        ("weight", "harm", "wait_hours"),
        {"severity": Column("严重程度", "number", most=MOST_SEVERITY)},
    ),
    "base": TableKind("基础档", ("finding", "fault", "type", "severity"), _POINTS),
    "recurring": TableKind("再犯加档", ("fault", "recurrence"), _POINTS),
    "newcomer": TableKind("新客加档", ("first_time", "wait_hours"), _POINTS),
    "loyalty": TableKind("老客加档", ("tier", "tenure_days"), _POINTS),
    "rounds": TableKind("再谈加档", ("round",), _POINTS),
    "floor": TableKind(
        "应给的", ("failure", "fault", "finding", "days", "paid"), _REMEDIES, common=False
    ),
    "law": TableKind("法定赔偿", ("industry", "failure", "finding"), _REMEDIES),
    "goodwill": TableKind("心意", ("failure", "level"), _REMEDIES, common=False),
    "choices": TableKind(
        "可换的形式",
        ("failure", "choice", "fault", "finding", "days"),
        {**_REMEDIES, "form": Column("心意换成", "name", FORMS)},
        common=False,
        total=False,
    ),
    "allegation": TableKind(
        "待认定",
        ("finding",),
        {"provisional": Column("非最终", "flag"), "person": Column("要有人跟进", "flag")},
    ),
    "claims": TableKind("补救次数", ("claims",), {}),
    "amount": TableKind("金额", ("paid",), {}),
    "manner": TableKind(
        "态度",
        ("anger", "escalation"),
        {
            "priority": Column("优先级", "number", most=MOST_PRIORITY),
            "tone": Column("语气", "name", TONES),
        },
    ),
    "prices": TableKind(
        "价目",
        ("kind",),
        {"fen": Column("单价（分）", "number", most=10_000_000)},
        common=False,
        total=False,
        asked=False,
    ),
    "bands": TableKind(
        "档位价值",
        ("level",),
        {
            "least": Column("至少（分）", "number", most=10_000_000),
            "most": Column("至多（分）", "number", most=10_000_000),
            "rate": Column("比例（万分比）", "number", most=10_000),
        },
        common=False,
        asked=False,
    ),
}

ADDS = ("base", "recurring", "newcomer", "loyalty", "rounds")
"""The tables whose points add up to the level of goodwill."""

ORDER = tuple(name for name, table in TABLES.items() if table.asked)
"""The order of the tables in the graph."""

WORTH_TABLES = tuple(
    name for name in ORDER if name not in ("allegation", "claims", "amount", "manner")
)
"""The tables that what is given depends on. None of them may read a fact that steers manner."""

FILES = (COMMON, *TRADES)


@dataclass(frozen=True)
class Schema:
    """What the tables of one kind of policy may hold; the remedy policy's is `REMEDY`.

    Attributes:
        inputs: All condition columns.
        tables: All tables.
        every_row: What every row of every table has.
    """

    inputs: Mapping[str, Input]
    tables: Mapping[str, TableKind]
    every_row: Mapping[str, Column]

    def tables_of(self, file: str) -> tuple[str, ...]:
        """The tables that a file has to hold."""
        named = self.tables.items()
        return tuple(name for name, table in named if table.common == (file == COMMON))

    def columns_of(self, table: str) -> dict[str, Column]:
        """All outcome columns of a table."""
        return {**self.tables[table].says, **self.every_row}


REMEDY = Schema(INPUTS, TABLES, EVERY_ROW)


def tables_of(file: str) -> tuple[str, ...]:
    """The tables that a file of the remedy policy has to hold."""
    return REMEDY.tables_of(file)


def columns_of(table: str) -> dict[str, Column]:
    """All outcome columns of a table of the remedy policy."""
    return REMEDY.columns_of(table)

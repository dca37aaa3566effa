"""A policy as written: files of decision tables, read and checked cell by cell.

A policy is a directory with one JDM file a trade, one common file and `policy.json`, which names
version, date and digest. A file that cannot be used is refused whole, and the message names
file, table, row and column.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from recovery.failures import FAILURES
from recovery.remedy import schema
from recovery.remedy.catalogue import KINDS, BadRemedyError, Remedy, check
from recovery.remedy.cells import (
    CellError,
    Condition,
    read_condition,
    read_outcome,
    tidy_condition,
    write_outcome,
)
from recovery.remedy.schema import FILES, REMEDY, TABLES, Column, Schema, columns_of

MANIFEST = "policy.json"
CONTENT_TYPE = "application/vnd.gorules.decision"
_RULE = re.compile(r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+\Z")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,31}\Z")
_MOST_ERRORS = 20
_MOST_BYTES = 4_000_000
_LISTS = {"failures": "failure", "prices": "kind", "bands": "level"}
"""Tables that are read as a list as well: what each row is about has to be named."""


class PolicyFileError(ValueError):
    """A policy that cannot be used; one line for each thing that is wrong."""

    def __init__(self, wrong: Iterable[str]) -> None:
        self.wrong = tuple(wrong)
        more = len(self.wrong) - _MOST_ERRORS
        shown = [*self.wrong[:_MOST_ERRORS], *([f"……还有 {more} 处"] if more > 0 else [])]
        super().__init__("\n".join(shown))


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        cells: The conditions as written, by input; an absent one is anything.
        said: The outcomes, parsed, by column.
    """

    file: str
    table: str
    cells: Mapping[str, str]
    said: Mapping[str, Any]

    @property
    def rule(self) -> str:
        """Its id."""
        return str(self.said["rule"])

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """The conditions, parsed."""
        return {name: read_condition(text) for name, text in self.cells.items()}

    def matches(self, facts: Mapping[str, Any]) -> bool:
        """Whether the row answers these facts."""
        return all(one.matches(facts[name]) for name, one in self.conditions.items())

    def active(self, day: date) -> bool:
        """Whether the row holds on a day; both its days count."""
        began, ends = str(self.said["effective_from"]), str(self.said["effective_to"])
        return began <= day.isoformat() <= ends

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.file}.json：表 {self.table}，行 {self.rule}"


@dataclass(frozen=True)
class Table:
    """One table with its rows."""

    file: str
    name: str
    reads: tuple[str, ...]
    rows: tuple[Row, ...]

    def on(self, day: date) -> "Table":
        """The table as it is on a day."""
        rows = tuple(row for row in self.rows if row.active(day))
        return Table(self.file, self.name, self.reads, rows)


@dataclass(frozen=True)
class Book:
    """A whole policy.

    Attributes:
        version: As named by who released it.
        day: ISO date of the release.
        note: What was changed.
        files: Tables by file and name.
    """

    version: str
    day: str
    note: str
    files: Mapping[str, Mapping[str, Table]] = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all tables, whatever their spacing."""
        tables = {file: document(tables) for file, tables in self.files.items()}
        text = json.dumps(tables, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def name(self) -> str:
        """Version and the first 12 hex digits of the digest: what decisions are stored with."""
        return f"{self.version}+{self.digest[:12]}"

    def table(self, trade: str, name: str) -> Table:
        """A table of a trade, or of the common file."""
        return self.files[schema.COMMON if TABLES[name].common else trade][name]

    def rows(self) -> Iterable[Row]:
        """All rows of all files."""
        for tables in self.files.values():
            for table in tables.values():
                yield from table.rows

    def epochs(self) -> list[str]:
        """The days from which on something else holds, oldest first.

        Where a row ends something else holds as well, and be it a gap.
        """
        starts = {row.said["effective_from"] for row in self.rows()}
        ends = {row.said["effective_to"] for row in self.rows()} - {schema.LAST_DAY}
        after = {(date.fromisoformat(one) + timedelta(days=1)).isoformat() for one in ends}
        return sorted(starts | after)

    def to_bundle(self) -> dict[str, Any]:
        """The policy as one plain object, for the archive."""
        return {
            "version": self.version,
            "date": self.day,
            "note": self.note,
            "files": {file: document(tables) for file, tables in self.files.items()},
        }

    @classmethod
    def from_bundle(cls, bundle: Mapping[str, Any]) -> "Book":
        """Read what `to_bundle` gave.

        Raises:
            PolicyFileError: It cannot be used.
        """
        try:
            texts = {file: json.dumps(bundle["files"][file]) for file in FILES}
            head = (str(bundle["version"]), str(bundle["date"]), str(bundle["note"]))
        except (KeyError, TypeError) as error:
            raise PolicyFileError([f"存档的政策不完整：缺少 {error}"]) from error
        return read_book(texts, *head)


def document(tables: Mapping[str, Table], kind: Schema = REMEDY) -> dict[str, Any]:
    """The tables of one file as a JDM document, in the order of the schema."""
    nodes: list[dict[str, Any]] = [
        {"id": "facts", "type": "inputNode", "name": "facts", "position": {"x": 0, "y": 0}}
    ]
    edges: list[dict[str, Any]] = []
    before = "facts"
    for place, name in enumerate((name for name in kind.tables if name in tables), 1):
        nodes.append(node(tables[name], place, kind=kind))
        edges.append(edge(before, name))
        before = name
    return {"contentType": CONTENT_TYPE, "nodes": nodes, "edges": edges}


def edge(source: str, target: str) -> dict[str, Any]:
    """An edge between two nodes of a JDM document."""
    return {"id": f"{source}-{target}", "type": "edge", "sourceId": source, "targetId": target}


def node(
    table: Table,
    place: int = 1,
    hit_policy: str = "first",
    *,
    flat: bool = False,
    kind: Schema = REMEDY,
) -> dict[str, Any]:
    """A table as a JDM node; what it says stands under `<name>_row`.

    Args:
        table: The table.
        place: Where an editor draws it.
        hit_policy: `first`, or `collect` for all rows that match.
        flat: Inputs that other tables say are given beside the facts, under their own names.
        kind: Which kind of policy it belongs to.
    """
    inputs, columns = kind.inputs, kind.columns_of(table.name)
    return {
        "id": table.name,
        "type": "decisionTableNode",
        "name": table.name,
        "position": {"x": 240 * place, "y": 0},
        "content": {
            "hitPolicy": hit_policy,
            "passThrough": True,
            "inputField": None,
            "outputPath": f"{table.name}_row",
            "executionMode": "single",
            "inputs": [
                {
                    "id": name,
                    "name": inputs[name].label,
                    "field": name if flat else _path(name, inputs[name].source),
                }
                for name in table.reads
            ],
            "outputs": [
                {"id": name, "name": column.label, "field": name}
                for name, column in columns.items()
            ],
            "rules": [
                {
                    "_id": row.rule,
                    **{name: row.cells.get(name, "") for name in table.reads},
                    **{name: write_outcome(row.said[name]) for name in columns},
                }
                for row in table.rows
            ],
        },
    }


def _path(name: str, source: str | None) -> str:
    """Where the engine finds an input."""
    if source in (None, "level", "list"):
        return name
    return f"{source}_row.{name}"


class _Reader:
    """Reads files and notes everything that is wrong with them."""

    def __init__(self, kind: Schema = REMEDY) -> None:
        self.wrong: list[str] = []
        self._kind = kind
        self._rules: dict[str, str] = {}

    def file(self, name: str, text: str) -> dict[str, Table]:
        """Read one file; what cannot be read is noted."""
        if len(text) > _MOST_BYTES:
            self.wrong.append(f"{name}.json：文件太大")
            return {}
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            self.wrong.append(f"{name}.json：不是完整的 JSON（{error}）")
            return {}
        nodes = content.get("nodes") if isinstance(content, dict) else None
        if not isinstance(nodes, list) or not all(isinstance(one, dict) for one in nodes):
            self.wrong.append(f"{name}.json：不是决策表文件，缺少 nodes")
            return {}
        found: dict[str, Table] = {}
        expected = self._kind.tables_of(name)
        for one in nodes:
            if one.get("type") == "inputNode":
                continue
            table = one.get("id")
            if table not in expected or table in found:
                self.wrong.append(
                    f"{name}.json：表 {str(table)[:40]!r} 不该在这个文件里，或写了两次"
                )
                continue
            read = self._table(name, table, one.get("content"))
            if read:
                found[table] = read
        self.wrong += [f"{name}.json：缺少表 {one}" for one in expected if one not in found]
        return found

    def _table(self, file: str, name: str, content: Any) -> Table | None:  # noqa: ANN401 - JSON
        where = f"{file}.json：表 {name}"
        try:
            reads = tuple(str(one["id"]) for one in content["inputs"])
            says = {str(one["id"]) for one in content["outputs"]}
            rules = list(content["rules"])
        except (KeyError, TypeError):
            self.wrong.append(f"{where}：缺少 inputs、outputs 或 rules")
            return None
        strange = [one for one in reads if one not in self._kind.tables[name].reads]
        if strange or len(set(reads)) < len(reads):
            may = "、".join(self._kind.tables[name].reads)
            self.wrong.append(f"{where}：条件列 {strange or list(reads)} 不能用；只能用 {may}")
            return None
        missing = set(self._kind.columns_of(name)) ^ says
        if missing:
            self.wrong.append(f"{where}：结果列不对：{'、'.join(sorted(missing))}")
            return None
        rows = [self._row(file, name, reads, place, one) for place, one in enumerate(rules, 1)]
        table = Table(file, name, reads, tuple(row for row in rows if row))
        if len(table.rows) == len(rows):
            self._overlaps(table)
        return table

    def _row(
        self,
        file: str,
        table: str,
        reads: tuple[str, ...],
        place: int,
        rule: Any,  # noqa: ANN401
    ) -> Row | None:
        named = rule.get("rule") if isinstance(rule, dict) else None
        where = f"{file}.json：表 {table}，第 {place} 行 {named or ''}".rstrip()
        if not isinstance(rule, dict):
            self.wrong.append(f"{where}：不是一行规则")
            return None
        before = len(self.wrong)
        strange = (
            set(rule) - {"_id", "_description"} - set(reads) - set(self._kind.columns_of(table))
        )
        self.wrong += [f"{where}：不认识的列 {one}" for one in sorted(strange)]
        cells: dict[str, str] = {}
        for name in reads:
            text = rule.get(name, "")
            problem = self._condition(name, text)
            if problem:
                self.wrong.append(f"{where}，列 {name}：{problem}")
            elif text.strip():
                cells[name] = tidy_condition(text)
        if len(self.wrong) == before and self._kind is REMEDY and table in _LISTS:
            name = _LISTS[table]
            if read_condition(cells.get(name, "")).values is None:
                self.wrong.append(f"{where}，列 {name}：要一个一个写出来，不能留空或写成范围")
        said: dict[str, Any] = {}
        for name, column in self._kind.columns_of(table).items():
            try:
                said[name] = _outcome(column, rule.get(name))
            except (CellError, BadRemedyError) as error:
                self.wrong.append(f"{where}，列 {name}：{error}")
        if len(self.wrong) > before:
            return None
        row = Row(file, table, cells, said)
        if said["effective_from"] > said["effective_to"]:
            self.wrong.append(f"{where}，列 effective_to：失效日早于生效日")
        if row.rule in self._rules:
            self.wrong.append(f"{where}，列 rule：规则号已经用在 {self._rules[row.rule]}")
        self._rules[row.rule] = row.place
        return row

    def _condition(self, name: str, text: Any) -> str | None:  # noqa: ANN401 - JSON
        if not isinstance(text, str):
            return f"条件要写成文字，不能是 {text!r}"
        try:
            condition = read_condition(text)
        except CellError as error:
            return str(error)
        known = self._kind.inputs[name]
        allowed = tuple(KINDS) if name == "kind" else known.values
        if allowed is not None:
            if condition.values is None:
                return None if condition.anything else "这一列要写出名称"
            # 1 equals True: the type is looked at as well.
            known_types = {(type(one), one) for one in allowed}
            strange = [one for one in _sorted(condition) if (type(one), one) not in known_types]
            if strange:
                return f"不认识 {strange[0]!r}；可以写 {'、'.join(map(str, allowed))}"
            return None
        if any(kind is not int for kind, _ in condition.values or ()):
            return "这一列是整数"
        reached = [condition.least, condition.most, *(one for _, one in condition.values or ())]
        if any(isinstance(one, int) and one > known.most for one in reached):
            return f"数目超出了 {known.least}..{known.most}"
        return None

    def _overlaps(self, table: Table) -> None:
        for one, other in combinations(table.rows, 2):
            if not _meet(one, other):
                continue
            days = max(one.said["effective_from"], other.said["effective_from"])
            if days > min(one.said["effective_to"], other.said["effective_to"]):
                continue
            same = one.cells == other.cells
            column = "，列 effective_from" if same else ""
            why = f"日期重叠，自 {days} 起两行都有效" if same else f"条件重叠，自 {days} 起互相矛盾"
            self.wrong.append(f"{one.place}{column}：与行 {other.rule} {why}")


def _meet(one: Row, other: Row) -> bool:
    """Whether some facts fulfil the conditions of both rows."""
    return all(
        _both(one.conditions.get(name), other.conditions.get(name))
        for name in {*one.conditions, *other.conditions}
    )


def _both(one: Condition | None, other: Condition | None) -> bool:
    if one is None or other is None or one.anything or other.anything:
        return True
    if one.values is not None:
        return any(other.matches(value) for _, value in one.values)
    if other.values is not None:
        return any(one.matches(value) for _, value in other.values)
    least = max(one.least or 0, other.least or 0)
    most = [edge for edge in (one.most, other.most) if edge is not None]
    return not most or least <= min(most)


def _outcome(column: Column, text: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(text, str):
        raise CellError("缺少这一格" if text is None else f"要写成文字，不能是 {text!r}")
    value = read_outcome(text)
    if column.kind == "remedies":
        if not isinstance(value, list):
            raise CellError("补救要写成 [{kind: '...'}]，没有就写 []")
        return [_remedy(one) for one in value]
    if column.kind == "number":
        if not isinstance(value, int) or isinstance(value, bool):
            raise CellError(f"要写整数，不能是 {text!r}")
        if value > column.most:
            raise CellError(f"{value} 超出了 0..{column.most}")
        return value
    if column.kind == "flag":
        if not isinstance(value, bool):
            raise CellError("要写 true 或 false")
        return value
    if not isinstance(value, str) or not value.strip():
        raise CellError("不能为空")
    if column.kind == "name" and value not in column.values:
        raise CellError(f"不认识 {value!r}；可以写 {'、'.join(column.values)}")
    if column.kind == "rule" and not _RULE.match(value):
        raise CellError(f"规则号 {value!r} 应当像 H-CLEAN-F1：大写字母和数字，用短横连接")
    if column.kind == "day":
        _day(value)
    return value


def _remedy(one: Any) -> Remedy:  # noqa: ANN401 - JSON
    """A remedy as tables write it: of a kind of today, its parameters in their order.

    What a remedy gets on its way (`worth`, `by`, `product`) has no place in a table.
    """
    if not isinstance(one, dict) or not isinstance(one.get("kind"), str):
        raise CellError("每项补救要写成 {kind: '...'}")
    kind = KINDS.get(one["kind"])
    if kind is None:
        raise CellError(f"不认识补救种类 {one['kind'][:40]!r}")
    names = [parameter.name for parameter in kind.parameters]
    strange = [name for name in one if name != "kind" and name not in names]
    if strange:
        raise CellError(f"{one['kind']} 没有参数 {strange[0]!r}；可以写 {'、'.join(names) or '无'}")
    for parameter in kind.parameters:
        value = one.get(parameter.name)
        absent = value is None and parameter.optional
        if not absent and (not isinstance(value, int) or isinstance(value, bool)):
            raise CellError(f"{one['kind']} 的 {parameter.name} 要写整数")
    if names and "bp" in names and "fen" in names and ("bp" in one) == ("fen" in one):
        raise CellError(f"{one['kind']} 要写 bp 或 fen，只写一个")
    checked = check(one)
    return {name: checked[name] for name in ("kind", *names) if name in checked}


def _sorted(condition: Condition) -> list[Any]:
    """The values of a condition, in an order that does not change from run to run."""
    return sorted((one for _, one in condition.values or ()), key=str)


def _day(text: str) -> None:
    try:
        if date.fromisoformat(text).isoformat() != text:
            raise ValueError(text)
    except ValueError as error:
        raise CellError(f"日期 {text!r} 应当像 2026-11-22") from error


def read_tables(file: str, text: str, kind: Schema) -> dict[str, Table]:
    """Read the one file of another kind of policy, as strictly as the remedy policy.

    Args:
        file: Its name, for messages.
        text: JSON.
        kind: What it may hold.

    Raises:
        PolicyFileError: Something is wrong; every place is named.
    """
    reader = _Reader(kind)
    found = reader.file(file, text)
    if reader.wrong:
        raise PolicyFileError(reader.wrong)
    return found


def read_book(texts: Mapping[str, str], version: str, day: str, note: str) -> Book:
    """Read a policy from the texts of its files.

    Args:
        texts: JSON by file, see `schema.FILES`.
        version: Its version.
        day: ISO date of the release.
        note: What was changed.

    Raises:
        PolicyFileError: Something is wrong; every place is named.
    """
    reader = _Reader()
    if not _VERSION.match(version):
        reader.wrong.append(f"{MANIFEST}：version {version!r} 应当像 2026.11-1")
    try:
        _day(day)
    except CellError as error:
        reader.wrong.append(f"{MANIFEST}：date：{error}")
    reader.wrong += [f"{name}.json：文件不在" for name in FILES if name not in texts]
    files = {name: reader.file(name, texts[name]) for name in FILES if name in texts}
    if not reader.wrong:
        reader.wrong += list(_unpriced(files))
    if reader.wrong:
        raise PolicyFileError(reader.wrong)
    return Book(version, day, note, files)


def _unpriced(files: Mapping[str, Mapping[str, Table]]) -> Iterable[str]:
    """Remedies whose price the price list of their trade does not name; foreign failures."""
    for file, tables in files.items():
        if file == schema.COMMON:
            continue
        priced = {
            str(value)
            for row in tables["prices"].rows
            for _, value in row.conditions["kind"].values or ()
        }
        for table in tables.values():
            for row in table.rows:
                for one in row.said.get("remedies", ()):
                    if KINDS[one["kind"]].unit_priced and one["kind"] not in priced:
                        yield f"{row.place}，列 remedies：{one['kind']} 在表 prices 里没有价格"
                for _, value in (row.conditions.get("failure") or Condition()).values or ():
                    if file not in FAILURES[str(value)].industries:
                        yield f"{row.place}，列 failure：{value} 不是这个行业的失误"


def load_book(directory: Path) -> Book:
    """Read a policy from its directory.

    Raises:
        PolicyFileError: Something is wrong, or the tables are not those that were released.
    """
    try:
        manifest = json.loads((directory / MANIFEST).read_text("utf-8"))
        head = [manifest[name] for name in ("version", "date", "note", "digest")]
    except FileNotFoundError as error:
        raise PolicyFileError([f"{directory / MANIFEST}：文件不在"]) from error
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise PolicyFileError(
            [f"{MANIFEST}：要有 version、date、note、digest（{error}）"]
        ) from error
    if not all(isinstance(one, str) and one for one in head):
        raise PolicyFileError([f"{MANIFEST}：version、date、note、digest 都要写，写成文字"])
    version, day, note, digest = head
    book = read_directory(directory, version, day, note)
    if book.digest != digest:
        raise PolicyFileError(
            [
                f"{MANIFEST}：表已经改过，版本 {version} 却没有换；请运行"
                " python -m recovery.remedy release 目录 --version … --date … --note …"
            ]
        )
    return book


def read_directory(directory: Path, version: str, day: str, note: str) -> Book:
    """Read the tables of a directory, whatever its manifest says.

    Raises:
        PolicyFileError: Something is wrong.
    """
    texts: dict[str, str] = {}
    wrong: list[str] = []
    for name in FILES:
        try:
            texts[name] = (directory / f"{name}.json").read_text("utf-8")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            wrong.append(f"{name}.json：读不出来（{error}）")
    if wrong:
        raise PolicyFileError(wrong)
    return read_book(texts, version, day, note)


def save_book(book: Book, directory: Path) -> None:
    """Write a policy to a directory, the manifest last.

    A reader that looks in between finds tables and digest at odds and keeps what it has.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for file, tables in book.files.items():
        _replace(directory / f"{file}.json", document(tables))
    manifest = {
        "version": book.version,
        "date": book.day,
        "note": book.note,
        "digest": book.digest,
    }
    _replace(directory / MANIFEST, manifest)


def _replace(path: Path, content: Any) -> None:  # noqa: ANN401 - JSON
    # Desk and actions may keep the same policy at the same time.
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    fresh.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    fresh.replace(path)


def row_of(file: str, table: str, **columns: Any) -> dict[str, str]:  # noqa: ANN401 - outcomes
    """A rule of a JDM table from plain values: conditions as text, outcomes as values."""
    says = columns_of(table)
    filled = {"authority": "bot", "evidence": "none", "effective_to": schema.LAST_DAY, **columns}
    return {
        "_id": str(filled["rule"]),
        **{
            name: (write_outcome(value) if name in says else str(value))
            for name, value in filled.items()
        },
    }

"""Whoever reads the audit log reads Chinese: every act that the code writes down has words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.stack import ROOT

WORDS = ROOT / "web" / "src" / "staff" / "admin" / "audit.ts"
LOG = ROOT / "recovery" / "store" / "audit_log.py"
ACT = "act"


class Writer(NamedTuple):
    """A function that writes down the act that it is given.

    Attributes:
        place: Of the act among its arguments.
        otherwise: What it writes where no act is given.
    """

    module: Path
    name: str
    place: int
    otherwise: ast.expr | None


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for folder in ("desk", "recovery"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text("utf-8"))


def imported_from(tree: ast.Module, module: str) -> set[str]:
    """What a module imports by name from another, known by the last part of its name."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(f".{module}")
        for alias in node.names
    }


def calls(call: ast.Call, tree: ast.Module, module: str, name: str) -> bool:
    """Whether a function of another module is called: `module.name(...)`, or imported by name."""
    called = call.func
    if isinstance(called, ast.Attribute):
        whose = called.value
        return called.attr == name and isinstance(whose, ast.Name) and whose.id == module
    return (
        isinstance(called, ast.Name) and called.id == name and name in imported_from(tree, module)
    )


def called_writer(
    call: ast.Call, path: Path, tree: ast.Module, known: set[Writer]
) -> Writer | None:
    if calls(call, tree, LOG.stem, "note"):
        return Writer(LOG, "note", 2, None)
    for one in known:
        here = one.module == path
        if here and isinstance(call.func, ast.Name) and call.func.id == one.name:
            return one
        if not here and calls(call, tree, one.module.stem, one.name):
            return one
    return None


def writers(trees: list[tuple[Path, ast.Module]]) -> set[Writer]:
    """Functions of ours that hand an argument of theirs called `act` on to the log."""
    found: set[Writer] = set()
    takers = []
    for path, tree in trees:
        for node in ast.walk(tree):
            if path == LOG or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            arguments = [one.arg for one in (*node.args.args, *node.args.kwonlyargs)]
            if ACT in arguments:
                bare = [None] * (len(node.args.args) - len(node.args.defaults))
                defaults = [*bare, *node.args.defaults, *node.args.kw_defaults]
                place = arguments.index(ACT)
                inner = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
                takers.append((path, tree, inner, Writer(path, node.name, place, defaults[place])))
    while more := {
        writer
        for path, tree, inner, writer in takers
        if writer not in found and any(called_writer(one, path, tree, found) for one in inner)
    }:
        found |= more
    return found


def argument(call: ast.Call, place: int) -> ast.expr | None:
    spread: list[ast.expr] = []
    for one in call.args:
        if isinstance(one, ast.Starred) and isinstance(one.value, ast.Tuple):
            spread.extend(one.value.elts)
        else:
            spread.append(one)
    named = next((one.value for one in call.keywords if one.arg == ACT), None)
    return named or (spread[place] if place < len(spread) else None)


def words_in(given: ast.expr | None) -> list[str] | None:
    """The acts that an argument can be; None where that cannot be read off."""
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        return [given.value]
    if isinstance(given, ast.IfExp):
        branches = words_in(given.body), words_in(given.orelse)
        return None if None in branches else [act for one in branches for act in one or ()]
    return None


def acts_written() -> tuple[set[str], list[str]]:
    """Every act that the code writes down, and the calls of which it cannot be read off."""
    trees = list(modules())
    ours = writers(trees)
    acts: set[str] = set()
    unread: list[str] = []
    for path, tree in trees:
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            writer = called_writer(call, path, tree, ours)
            if writer is None:
                continue
            given = argument(call, writer.place) or writer.otherwise
            if isinstance(given, ast.Name) and given.id == ACT:
                # Handed on: who gives it is looked at instead.
                continue
            found = words_in(given)
            if found is None:
                unread.append(f"{path.relative_to(ROOT)}:{call.lineno}")
            else:
                acts.update(found)
    return acts, unread


def acts_named() -> dict[str, str]:
    table = re.search(
        r"const ACTS: Record<string, string> = \{\n(.*?)\n\};", WORDS.read_text(), re.S
    )
    assert table, "the words of acts stand elsewhere now"
    return dict(re.findall(r'^  (\w+): "([^"]+)",$', table[1], re.M))


def test_every_act_in_the_audit_log_has_words() -> None:
    written, unread = acts_written()
    assert not unread, f"which act is written here cannot be read off: {unread}"
    assert {"take", "login", "logout", "grant", "picture", "account_changed"} <= written
    named = acts_named()
    assert not written - set(named), "these would stand in the log as English short names"
    assert not set(named) - written, "the filter offers these, and nobody writes them"


def test_no_two_acts_have_the_same_words() -> None:
    words = list(acts_named().values())
    assert len(words) == len(set(words))

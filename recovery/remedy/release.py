"""Policies as they are worked on: opened as drafts, checked, released under a new version."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from recovery.remedy.book import (
    MANIFEST,
    Book,
    PolicyFileError,
    load_book,
    read_directory,
    save_book,
)
from recovery.remedy.proof import WHOLE_FACTS, Proof, prove

_DRAFT = "draft"


class UseError(ValueError):
    """What was asked cannot be done with what was given; says what would be right."""


class RefusedError(ValueError):
    """A release that must not happen; one line for each reason."""

    def __init__(self, wrong: list[str]) -> None:
        self.wrong = wrong
        super().__init__("\n".join(wrong))


@dataclass(frozen=True)
class Opened:
    """A policy that need not be released yet.

    Attributes:
        book: The tables.
        remark: In Chinese, where tables and manifest are at odds; empty where they agree.
    """

    book: Book
    remark: str = ""


def open_draft(directory: Path, today: date) -> Opened:
    """Read a policy, also one that was changed since its release or never released.

    Args:
        directory: Where its files are.
        today: The day that an unreleased one is said to be of.

    Raises:
        UseError: There is no such directory.
        PolicyFileError: The tables cannot be used.
    """
    if not directory.is_dir():
        raise UseError(f"没有目录 {directory}")
    former = _manifest(directory)
    if former is None:
        book = read_directory(directory, _DRAFT, today.isoformat(), "")
        return Opened(book, f"注意：没有可用的 {MANIFEST}，这些表还没有发布")
    book = read_directory(directory, former["version"], former["date"], former["note"])
    if book.digest != former["digest"]:
        return Opened(
            book, f"注意：表已经改过，与发布的版本 {former['version']} 不同，还没有重新发布"
        )
    return Opened(load_book(directory))


def may_release(book: Book, directory: Path) -> list[str]:
    """Why a policy may not become that of a directory; empty where it may.

    Args:
        book: With version and date of the release.
        directory: Its manifest, if there is one, is the former release.
    """
    former = _manifest(directory)
    if former is None:
        return []
    wrong = []
    if book.version == former["version"] and book.digest != former["digest"]:
        wrong.append(
            f"版本 {book.version} 已经发布过，内容不同；请换一个版本号"
            "（决定按版本存档，同一个版本号不能有两种内容）"
        )
    if book.day < former["date"]:
        wrong.append(f"日期 {book.day} 早于上一版 {former['version']} 的日期 {former['date']}")
    return wrong


def released(book: Book, directory: Path, whole: int = WHOLE_FACTS) -> Proof:
    """Check a policy and make it that of a directory.

    Args:
        book: With version, date and note of the release.
        directory: Written to only when nothing is found.
        whole: How many whole facts run through the engine.

    Raises:
        RefusedError: Something is found, or version or date contradict the former release.
    """
    wrong = may_release(book, directory)
    if wrong:
        raise RefusedError(wrong)
    # Most of what is wrong shows in the tables: no need to wait for the facts to be run.
    for facts in (0, whole):
        proof = prove(book, facts)
        if proof.wrong:
            raise RefusedError(proof.wrong)
    save_book(book, directory)
    return proof


def read_for_release(directory: Path, version: str, day: str, note: str) -> Book:
    """Read the tables of a directory under a new version.

    Raises:
        UseError: There is no such directory.
        PolicyFileError: Tables, version or date cannot be used.
    """
    if not directory.is_dir():
        raise UseError(f"没有目录 {directory}")
    if not note.strip():
        raise UseError("--note 要写改了什么")
    return read_directory(directory, version, day, note)


def _manifest(directory: Path) -> dict[str, str] | None:
    """The manifest of a directory, if it can be used."""
    try:
        found = json.loads((directory / MANIFEST).read_text("utf-8"))
        head = {name: found[name] for name in ("version", "date", "note", "digest")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return head if all(isinstance(one, str) and one for one in head.values()) else None


__all__ = [
    "Opened",
    "PolicyFileError",
    "RefusedError",
    "UseError",
    "may_release",
    "open_draft",
    "read_for_release",
    "released",
]

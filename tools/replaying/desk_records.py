"""What the desk has noted about a post: read from its database, never written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select

from recovery.store import cases, said
from recovery.store.database import Database
from recovery.store.tables import conversations, inbox, outbox
from recovery.understood import Understood

_DONE = "done"


@dataclass(frozen=True)
class Recorded:
    """What became of one post.

    Attributes:
        understood: None where the desk gave up waiting for Rasa.
        responses: Names of the responses said, in no order.
        failure: Of the case; None without a case or a matter.
        case: Whether a case is open.
        stage: Of the case.
        reason: Why the case waits for a person.
    """

    understood: Understood | None
    responses: tuple[str, ...]
    case: bool = False
    failure: str | None = None
    stage: str | None = None
    reason: str | None = None


class DeskRecords:
    """Reads the database of a desk on this machine."""

    def __init__(self, database: Database, words: Path) -> None:
        """Remember where things are.

        Args:
            database: Of the desk.
            words: The folder of the responses, `data/responses`.
        """
        self._database = database
        self._names = response_names(words)

    def done(self, message: str) -> bool:
        """Whether a message has been answered, or passed over in silence."""
        with self._database.read() as db:
            found = db.execute(select(inbox.c.state).where(inbox.c.id == message)).scalar()
        return found == _DONE

    def opened(self, conversation: str) -> bool:
        """Whether the bot has spoken first in a private chat."""
        with self._database.read() as db:
            states = db.execute(
                select(inbox.c.state).where(inbox.c.conversation_id == conversation)
            ).scalars()
            return set(states) == {_DONE}

    def answers(self, message: str) -> set[str]:
        """Ids of the events that a message brought about."""
        with self._database.read() as db:
            found = db.execute(select(outbox.c.id).where(outbox.c.id.startswith(f"{message}.")))
            return set(found.scalars())

    def shown_in(self, conversation: str) -> set[str]:
        """Ids of all events of a private chat."""
        with self._database.read() as db:
            found = db.execute(
                select(outbox.c.id).where(outbox.c.stream == f"private:{conversation}")
            )
            return set(found.scalars())

    def about(self, message: str) -> Recorded:
        """What is noted about the first post of a customer.

        Args:
            message: Its id; it is done.
        """
        with self._database.read() as db:
            row = db.execute(
                select(inbox.c.text, inbox.c.understood, inbox.c.conversation_id).where(
                    inbox.c.id == message
                )
            ).one()
            owner = db.execute(
                select(conversations.c.customer_id, conversations.c.case_id).where(
                    conversations.c.id == row.conversation_id
                )
            ).one()
            variants = said.variants(db, owner.customer_id)
            case = cases.load(db, owner.case_id)
        parse: dict[str, Any] | None = row.understood
        return Recorded(
            understood=Understood.from_parse({**parse, "text": row.text}) if parse else None,
            responses=tuple(self._names.get(one, one) for one in variants),
            case=case is not None,
            failure=case.failure if case else None,
            stage=case.stage if case else None,
            reason=case.reason if case else None,
        )


def response_names(words: Path) -> dict[str, str]:
    """Which response each variant belongs to.

    Args:
        words: Folder of response files.

    Returns:
        Names by variant id, which is the first 10 hex digits of the SHA-1 of `name|text`
        (docs/architecture.md, "Words").
    """
    names: dict[str, str] = {}
    for path in sorted(words.glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, variants in content["responses"].items():
            for variant in variants:
                key = f"{name}|{variant['text']}".encode()
                digest = hashlib.sha1(key, usedforsecurity=False)
                names[digest.hexdigest()[:10]] = name
    return names

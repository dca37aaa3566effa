"""A desk in this process with people and waiting customers, for tests of the queue."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import insert, update

from desk.__main__ import make_context
from desk.context import Context
from desk.conversations.ingest import Incoming, take
from recovery.anger import CaseAnger
from recovery.case import Case
from recovery.ids import new_id
from recovery.settings import Settings
from recovery.store import cases, conversations, customers, notices, streams
from recovery.store.conversations import QUEUE, Conversation
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import audit_log, staff
from tests.support.stack import ROOT

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
"""Noon in Shanghai: every business is open."""


class Clock:
    """A clock that a test winds on."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        """Wind on."""
        self.now += timedelta(**span)


def a_desk(folder: Path, clock: Clock, **changes: object) -> Context:
    content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    content["businesses"] = [{"privacy_notice": ""} | one for one in content["businesses"]]
    settings = Settings.model_validate(content | {"data": folder / "var"} | changes)
    return replace(make_context(settings), clock=clock)


class House:
    """A desk, who works there and who waits."""

    def __init__(self, context: Context, clock: Clock) -> None:
        self.context = context
        self.clock = clock

    @property
    def database(self) -> Any:  # noqa: ANN401 - a Database
        return self.context.storage.database

    def person(
        self,
        login: str,
        role: str = "agent",
        business: str | None = None,
        *,
        presence: str = "online",
        alive: bool = True,
        capacity: int = 6,
        skills: tuple[str, ...] = (),
    ) -> Staff:
        """A member of staff, whose page is open unless said otherwise."""
        with self.database.write() as db:
            number = db.execute(
                insert(staff)
                .values(
                    login=login,
                    name=login.title(),
                    role=role,
                    password_hash="x",
                    business=business,
                    created_at=stamp(NOON),
                    presence=presence,
                    capacity=capacity,
                    skills=list(skills),
                    seen_at=stamp(self.clock()) if alive else None,
                )
                .returning(staff.c.id)
            ).scalar_one()
        return Staff(number, login, login.title(), role, business)

    def lives(self, *people: Staff) -> None:
        """The pages of these people give a sign of life."""
        with self.database.write() as db:
            for one in people:
                db.execute(
                    update(staff).where(staff.c.id == one.id).values(seen_at=stamp(self.clock()))
                )

    def chat(
        self,
        *,
        anger: int | None = None,
        owner: str = QUEUE,
        business: str = "lanting",
        customer: str | None = None,
        case: Case | None = None,
    ) -> Conversation:
        """A private chat, in the queue unless said otherwise."""
        now = self.clock()
        if anger is not None:
            case = Case(new_id("s"), anger=CaseAnger(anger, anger, anger, heat=float(anger)))
        with self.database.write() as db:
            if customer is None:
                customer = customers.begin_session(db, None, business, "阿明", None, now)[0].id
            begun = conversations.begin(
                db,
                business,
                customer,
                now,
                case_id=case.id if case else None,
                owner=owner,
                reason="asked" if owner == QUEUE else None,
            )
            if case:
                cases.save(db, case, business, customer, now)
        return begun

    def says(self, conversation: Conversation, text: str = "有人吗") -> str:
        """The customer writes; gives the id of the message."""
        incoming = Incoming(conversation.id, new_id("c"), text)
        with self.database.write() as db:
            return take(db, self.context, incoming, self.clock()).message.id

    def now(self, conversation: Conversation) -> Conversation:
        """The conversation as it stands."""
        with self.database.read() as db:
            found = conversations.load(db, conversation.id)
        assert found is not None
        return found

    def shown(self, conversation: Conversation) -> list[dict[str, Any]]:
        """What its customer was shown."""
        with self.database.read() as db:
            entries = streams.after(db, conversation.stream, 0, 1000)
        return [entry.event for entry in entries]

    def heard(self, who: Staff) -> list[str]:
        """Kinds of the notices to a member of staff, oldest first."""
        with self.database.read() as db:
            return [one.kind for one in reversed(notices.latest(db, who))]

    def acts(self, conversation: Conversation) -> list[str]:
        """What the audit log says was done to a conversation."""
        with self.database.read() as db:
            rows = db.execute(
                audit_log.select()
                .where(audit_log.c.target == conversation.id)
                .order_by(audit_log.c.id)
            )
            return [row.act for row in rows]

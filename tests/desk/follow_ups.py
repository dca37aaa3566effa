"""Cases that have come to rest, and customers who answer when they are asked how it went."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from desk.context import Context
from desk.conversations.follow_up import FollowUpWatch
from desk.conversations.follow_up_answers import commit_follow_up_answer
from desk.conversations.follow_up_reading import answers
from desk.conversations.ingest import Incoming, Taken, take
from desk.conversations.router import Router
from recovery.case import Case
from recovery.ids import new_id
from recovery.store import cases, conversations, customers, follow_ups, streams
from recovery.store.conversations import BOT, Conversation
from recovery.store.follow_ups import FollowUp
from recovery.store.tables import cases as cases_table
from recovery.store.tables import customers as customers_table
from recovery.store.tables import follow_ups as table
from tests.desk.serving import NOON

DAY = timedelta(days=1)
MATTER = "room_not_clean"


def a_watch(desk: Context) -> FollowUpWatch:
    """Its worker, without a Rasa."""
    return FollowUpWatch(desk, Router(desk, None))  # type: ignore[arg-type]  # no Rasa here


def a_parse(anger: int = 0, *flags: str) -> dict[str, Any]:
    """What the recogniser makes of words."""
    emotion = {"anger": anger, "score": 0.0, "signals": {}, "flags": list(flags)}
    return {"intent": {"name": "inform", "confidence": 0.9}, "entities": [], "emotion": emotion}


@dataclass
class Told:
    """A customer whose case has come to rest.

    Attributes:
        desk: The desk; its clock is the test's.
        chat: The private conversation.
        case: Id of the case.
    """

    desk: Context
    chat: Conversation
    case: str

    @property
    def row(self) -> FollowUp | None:
        """Its follow-up."""
        with self.desk.storage.database.read() as db:
            return follow_ups.of_case(db, self.case)

    @property
    def stands(self) -> tuple[str, str | None]:
        """State and reason of its follow-up."""
        found = self.row
        return (found.state, found.why) if found else ("", None)

    @property
    def present(self) -> Conversation:
        with self.desk.storage.database.read() as db:
            found = conversations.load(db, self.chat.id)
        assert found is not None
        return found

    @property
    def known(self) -> Case:
        with self.desk.storage.database.read() as db:
            found = cases.load(db, self.case)
        assert found is not None
        return found

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that the customer was shown."""
        with self.desk.storage.database.read() as db:
            return [one.event for one in streams.after(db, self.chat.stream, 0)]

    @property
    def questions(self) -> list[dict[str, Any]]:
        """The questions among it."""
        return [one for one in self.events if one.get("outside")]

    @property
    def said(self) -> str:
        """The words that were shown last."""
        return str(self.events[-1]["text"])

    def owned(self, owner: str) -> None:
        """Let somebody have the conversation."""
        with self.desk.storage.database.write() as db:
            now = self.desk.clock()
            conversations.change_owner(db, self.present, owner, now, expected=(self.present.owner,))

    def sends(self, text: str, button: str | None = None) -> Taken:
        """Write something; the desk has only taken it."""
        incoming = Incoming(self.chat.id, new_id("web"), text, button)
        with self.desk.storage.database.write() as db:
            return take(db, self.desk, incoming, self.desk.clock())

    def answers(self, text: str, heard: dict[str, Any] | None = None) -> bool:
        """Write something; the desk has settled it if it answers the question. Gives whether."""
        message = self.sends(text).message
        if not answers(message):
            return False
        with self.desk.storage.database.write() as db:
            commit_follow_up_answer(db, self.desk, message, heard, self.desk.clock())
        return True

    def presses(self, number: int, question: int = -1) -> None:
        """Press the button in this place of a question."""
        button = self.questions[question]["buttons"][number - 1]
        message = self.sends(button["title"], button["token"]).message
        assert answers(message)
        with self.desk.storage.database.write() as db:
            commit_follow_up_answer(db, self.desk, message, None, self.desk.clock())


def at_rest(
    desk: Context,
    *,
    outcome: str | None = "solved",
    of: Conversation | None = None,
    business: str = "lanting",
    channel: str = "web",
    safety: bool = False,
    room: str | None = None,
    name: str = "阿明",
    customer_id: str | None = None,
) -> Told:
    """A case that was closed just now.

    Args:
        desk: Where.
        outcome: How; None: it is not closed but agreed.
        of: Another conversation of the same person, under another customer.
        business: Whose.
        channel: By which it came.
        safety: Somebody was at risk.
        room: It never came to a private chat.
        name: Of the customer.
        customer_id: A customer who is known already.
    """
    now = desk.clock()
    with desk.storage.database.write() as db:
        if customer_id is None:
            customer, _ = customers.begin_session(db, None, business, name, None, now)
        else:
            customer = customers.load(db, customer_id)
        if of is not None:
            person = customers.load(db, of.customer_id).person
            mine = customers_table.c.id == customer.id
            db.execute(update(customers_table).where(mine).values(person=person))
        case = Case(
            new_id("s"),
            stage="closed" if outcome else "agreed",
            facts={"failure": MATTER},
            outcome=outcome,
            safety=safety,
        )
        cases.save(db, case, business, customer.id, now)
        chat = conversations.begin(
            db, business, customer.id, now, case_id=case.id, owner=BOT, channel=channel, room=room
        )
    return Told(desk, chat, case.id)


def closes(told: Told, outcome: str = "solved") -> None:
    """Let a case end (again)."""
    with told.desk.storage.database.write() as db:
        case = told.known
        ended = Case(case.id, stage="closed", facts=case.facts, outcome=outcome)
        cases.save(db, ended, told.chat.business, told.chat.customer_id, told.desk.clock())


def opens(told: Told) -> None:
    """Let a case be worked on again, by the bot."""
    with told.desk.storage.database.write() as db:
        case = Case(told.case, stage="hearing", facts={"failure": MATTER})
        cases.save(db, case, told.chat.business, told.chat.customer_id, told.desk.clock())


def merged(told: Told, into: Told) -> None:
    """Let a case go on in another."""
    with told.desk.storage.database.write() as db:
        mine = cases_table.c.id == told.case
        db.execute(update(cases_table).where(mine).values(merged_into=into.case))


def asked_at(desk: Context) -> list[datetime]:
    """When customers were asked, by what stands in the table."""
    with desk.storage.database.read() as db:
        found = db.execute(select(table.c.asked_at)).scalars()
        return [datetime.fromisoformat(one) for one in found if one]


__all__ = [
    "DAY",
    "NOON",
    "Told",
    "a_parse",
    "a_watch",
    "asked_at",
    "at_rest",
    "closes",
    "merged",
    "opens",
]

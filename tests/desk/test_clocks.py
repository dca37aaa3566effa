"""What starts, ends and holds the clocks of a conversation, on the desk's own stores."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from sqlalchemy import select

from desk.context import Context
from desk.conversations import entering, ownership, passing
from desk.conversations.buttons import signed
from desk.conversations.clock_watch import ClockWatch, look_at_clocks
from desk.conversations.commit import commit_answer
from desk.conversations.dealing import commit_pressed
from desk.conversations.ingest import Incoming, take, take_heard
from desk.conversations.passing import is_silent
from desk.conversations.rasa import Answer, Rasa
from desk.conversations.router import Router
from desk.staff.lists import some_rows
from recovery.case import Case
from recovery.clocks import Clock as Measured
from recovery.clocks import Kind
from recovery.commands import HandOver, to_wire
from recovery.failures import matter_words
from recovery.ids import new_id
from recovery.store import (
    cases,
    clocks,
    conversations,
    customers,
    inbox,
    invitations,
    presence,
    staff,
)
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from recovery.store.database import Database
from recovery.store.staff import Staff
from recovery.store.tables import notices
from tests.desk.deals import Deal, a_desk
from tests.desk.serving import NOON, Clock, a_context
from tests.desk.test_pressed import begun
from tests.support.stack import ROOT

PASSWORD = "an honest password"
ROOM = "lanting-lobby"
QUARTER = timedelta(minutes=15)


class Scene:
    """A desk at a noon of the test's own, one agent, one supervisor, one customer."""

    def __init__(self, folder: Path, url: str | None = None, **settings: Any) -> None:  # noqa: ANN401
        self.clock = Clock()
        content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
        businesses = [one | {"clocks": settings} for one in content["businesses"]]
        more = {"database": url} if url else {}
        self.desk: Context = a_context(folder, self.clock, businesses=businesses, **more)
        with self.desk.storage.database.write() as db:
            self.lin = staff.add(db, "lin", "小林", "agent", PASSWORD, NOON, "lanting")
            self.wu = staff.add(db, "wu", "老吴", "agent", PASSWORD, NOON, "lanting")
            self.sun = staff.add(db, "sun", "孙姐", "supervisor", PASSWORD, NOON, "lanting")
            staff.add(db, "qing", "青姐", "supervisor", PASSWORD, NOON, "qinghe")
            self.customer, _ = customers.begin_session(db, None, "lanting", "阿明", None, NOON)
        self.chat = self.begin()

    def close(self) -> None:
        self.desk.storage.close()

    def begin(self, room: str | None = None) -> Conversation:
        case = Case(new_id("s"), facts={"failure": "room_not_clean"})
        with self.desk.storage.database.write() as db:
            cases.save(db, case, "lanting", self.customer.id, self.clock.now)
            return conversations.begin(
                db, "lanting", self.customer.id, self.clock.now, room=room, case_id=case.id
            )

    def after(self, minutes: float) -> None:
        self.clock.now += timedelta(minutes=minutes)

    def present(self, chat: Conversation | None = None) -> Conversation:
        with self.desk.storage.database.read() as db:
            found = conversations.load(db, (chat or self.chat).id)
        assert found is not None
        return found

    def says(self, words: str = "人呢") -> None:
        """The customer writes."""
        with self.desk.storage.database.write() as db:
            take(db, self.desk, Incoming(self.chat.id, new_id("c"), words), self.clock.now)

    def hands_over(self, chat: Conversation | None = None) -> None:
        """The bot brings a person."""
        target = chat or self.chat
        with self.desk.storage.database.write() as db:
            heard = inbox.add(db, new_id("m"), target.id, new_id("c"), "叫人来", self.clock.now)
            commands = [to_wire(HandOver("asked"))]
            answer = Answer(
                [{"text": "好", "response": "say_x"}, {"custom": {"commands": commands}}],
                {"emotion": {"anger": 0}},
                failed=False,
            )
            commit_answer(db, self.desk, heard, answer, self.clock.now)

    def takes(self, who: Staff) -> None:
        with self.desk.storage.database.write() as db:
            ownership.take(db, self.desk, self.chat.id, who, self.clock.now)

    def answers(self, who: Staff, client_id: str | None = None) -> None:
        with self.desk.storage.database.write() as db:
            ownership.answer(
                db, self.desk, self.chat.id, who, client_id or new_id("w"), "马上", self.clock.now
            )

    def hands_on(self, to: str, who: Staff | None = None) -> None:
        """Let it change hands: `queue`, `wu`, `silent` (back from an empty chair), `step_in`."""
        owner = who or self.lin
        with self.desk.storage.database.write() as db:
            now = self.clock.now
            if to == "silent":
                owned = staff_owner(owner.id)
                passing.fell_silent(db, self.desk, self.chat.id, owned, now)
            elif to == "step_in":
                passing.step_in(db, self.desk, self.chat.id, self.sun, now)
            else:
                presence.sign_of_life(db, self.wu.id, now)
                presence.choose(db, self.wu.id, "online")
                receiver = self.wu.id if to == "wu" else None
                passing.hand_on(db, self.desk, self.chat.id, owner, receiver, "前因后果", now)

    def gives_back(self, who: Staff) -> None:
        """Also where the customer waits for an answer."""
        with self.desk.storage.database.write() as db:
            chat, now = self.chat.id, self.clock.now
            ownership.give_back(db, self.desk, chat, who, "", now, force=True)

    def hears(self, event: Any) -> None:  # noqa: ANN401 - a function of recovery.store.clocks
        business = self.desk.business("lanting")
        with self.desk.storage.database.write() as db:
            event(db, self.present(), business, self.clock.now)

    def puts_aside(self, until: datetime) -> None:
        with self.desk.storage.database.write() as db:
            conversations.snooze(db, self.chat.id, until, self.clock.now)
        self.hears(clocks.snoozed)

    def watched(self) -> int:
        """One round of the worker; gives at how many conversations it has looked."""

        async def once() -> int:
            rasa = Rasa(["http://127.0.0.1:9"], "", 1.0, self.desk.metrics)
            found = await ClockWatch(self.desk, Router(self.desk, rasa)).look_once()
            await rasa.close()
            return found

        return asyncio.run(once())

    def clocks(self, chat: Conversation | None = None) -> dict[Kind, Measured]:
        wanted = (chat or self.chat).id
        with self.desk.storage.database.read() as db:
            found = clocks.of_conversations(db, [wanted])
        return {clock.kind: clock for clock in found.get(wanted, [])}

    def clock_of(self, kind: Kind) -> Measured:
        return self.clocks()[kind]

    def counts(self, kind: Kind) -> tuple[str, int, int]:
        clock = self.clock_of(kind)
        return clock.state, clock.hits, clock.misses

    def notices(self) -> list[tuple[int, str, str]]:
        with self.desk.storage.database.read() as db:
            query = select(notices.c.staff_id, notices.c.kind, notices.c.text)
            return [(row.staff_id, row.kind, row.text) for row in db.execute(query)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with closing(Scene(tmp_path)) as made:
        yield made


def scene_with(folder: Path, **stops: bool) -> Scene:
    return Scene(folder, stops=stops)


# --- first answer -----------------------------------------------------------------------------


def test_nothing_is_measured_while_the_bot_serves(scene: Scene) -> None:
    scene.says()
    assert scene.clocks() == {}


def test_a_person_who_is_due_has_as_long_as_was_promised(scene: Scene) -> None:
    scene.hands_over()
    found = scene.clocks()
    assert set(found) == {"first_response", "resolution"}
    assert found["first_response"].due_at == NOON + QUARTER
    # 16 hours of service: 11 are left today, 5 come after the 9 of the night.
    assert found["resolution"].due_at == NOON + timedelta(hours=11 + 9 + 5)
    scene.takes(scene.lin)
    scene.after(15)
    scene.answers(scene.lin)
    assert scene.counts("first_response") == ("hit", 1, 0)


def test_who_takes_over_from_the_bot_answers_in_time_as_well(scene: Scene) -> None:
    scene.takes(scene.lin)
    assert scene.clock_of("first_response").due_at == NOON + QUARTER


def test_the_night_counts_for_nothing(scene: Scene) -> None:
    scene.clock.now = NOON + timedelta(hours=10, minutes=55)  # five minutes before closing
    scene.hands_over()
    morning = NOON + timedelta(hours=20)
    assert scene.clock_of("first_response").due_at == morning + timedelta(minutes=10)
    scene.clock.now = morning + timedelta(minutes=9)
    assert scene.watched() == 0
    scene.takes(scene.lin)
    scene.answers(scene.lin)
    assert scene.counts("first_response") == ("hit", 1, 0)


def test_the_same_answer_sent_again_answers_nothing(scene: Scene) -> None:
    scene.takes(scene.lin)
    scene.answers(scene.lin, "w-00000001")
    scene.says()
    scene.answers(scene.lin, "w-00000001")
    assert scene.clock_of("next_response").state == "active"


def test_a_colleague_who_takes_what_waits_again_has_no_fresh_time(scene: Scene) -> None:
    scene.takes(scene.lin)
    scene.answers(scene.lin)
    with scene.desk.storage.database.write() as db:
        owner = (staff_owner(scene.lin.id),)
        conversations.change_owner(db, scene.chat, QUEUE, scene.clock.now, expected=owner)
    scene.takes(scene.wu)
    assert scene.counts("first_response") == ("hit", 1, 0)


# --- handed on --------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["queue", "wu", "silent", "step_in"])
def test_who_gets_it_after_an_answer_owes_one(scene: Scene, to: str) -> None:
    scene.takes(scene.lin)
    scene.answers(scene.lin)
    settled = scene.clock_of("resolution").due_at
    scene.after(20)
    if to == "silent":
        # He wrote a note, which the settings may count as the answer; the customer waits.
        with scene.desk.storage.database.write() as db:
            conversations.customer_wrote(db, scene.chat.id, scene.clock.now)
        scene.after(6)
    scene.hands_on(to)
    assert scene.clock_of("first_response").due_at == scene.clock.now + QUARTER
    assert scene.clock_of("resolution").due_at == settled, "it goes on as it was"
    begun = scene.clock.now
    scene.after(10)
    if scene.present().owner == QUEUE:
        scene.takes(scene.wu)
    assert scene.clock_of("first_response").due_at == begun + QUARTER, "no fresh time"
    scene.after(6)
    assert scene.watched() == 1
    assert scene.counts("first_response") == ("active_with_misses", 1, 1)


def test_what_waits_goes_from_hand_to_hand_without_fresh_time(scene: Scene) -> None:
    scene.hands_over()
    due = scene.clock_of("first_response").due_at
    scene.after(3)
    scene.takes(scene.lin)
    scene.hands_on("wu")
    scene.after(3)
    scene.hands_on("queue", scene.wu)
    assert scene.clock_of("first_response").due_at == due
    scene.takes(scene.lin)
    scene.answers(scene.lin)
    scene.says()
    due = scene.clock_of("next_response").due_at
    scene.after(3)
    scene.hands_on("wu")
    assert scene.clock_of("next_response").due_at == due
    assert not scene.clock_of("first_response").under_way


# --- pressed buttons --------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["accept", "refuse"])
def test_what_is_agreed_needs_no_answer_and_what_is_refused_does(
    tmp_path: Path, act: Literal["accept", "refuse"]
) -> None:
    clock = Clock()
    desk = a_desk(tmp_path, f"sqlite:///{tmp_path / 'desk.sqlite3'}", clock)
    deal = begun(desk, Deal("QH1", "buyer-1"), by_staff=True)
    business = desk.business("qinghe")
    with closing(desk.storage), desk.storage.database.write() as db:
        # He has answered, and put it aside until the customer decides.
        conversations.staff_answered(db, deal.chat.id)
        conversations.snooze(db, deal.chat.id, clock.now + timedelta(days=2), clock.now)
        token = signed(
            [{"title": "按", "payload": act}], deal.chat.id, deal.offer, desk.secrets.signing_key
        )[0]["token"]
        pressed = Incoming(deal.chat.id, new_id("c"), "按", token)
        message = take(db, desk, pressed, clock.now).message
        commit_pressed(db, desk, message, clock.now)
        present = conversations.load(db, deal.chat.id)
        assert present is not None
        assert present.snoozed_until is None, "it comes up again"
        found = clocks.of_conversations(db, [deal.chat.id]).get(deal.chat.id, [])
        waits = act == "refuse"
        assert (present.awaiting_since is not None) == waits
        assert ["next_response"] * waits == [one.kind for one in found if one.under_way]
        clock.now += timedelta(minutes=business.silent_minutes + 1)
        assert is_silent(desk, present, clock.now) == waits


# --- further answers --------------------------------------------------------------------------


def test_the_first_message_without_an_answer_counts(scene: Scene) -> None:
    scene.hands_over()
    scene.says()
    assert "next_response" not in scene.clocks(), "the first answer is due already"
    scene.takes(scene.lin)
    scene.answers(scene.lin)
    scene.after(5)
    scene.says()
    due = scene.clock_of("next_response").due_at
    assert due == scene.clock.now + QUARTER
    scene.after(5)
    scene.says("还在吗")
    assert scene.clock_of("next_response").due_at == due
    scene.answers(scene.lin)
    assert scene.counts("next_response") == ("hit", 1, 0)
    for _ in range(2):
        scene.says()
        scene.after(1)
        scene.answers(scene.lin)
    assert scene.counts("next_response") == ("hit", 3, 0)


def test_each_answer_counts_by_itself(scene: Scene) -> None:
    scene.takes(scene.lin)
    scene.answers(scene.lin)
    for minutes in (3, 20, 4):
        scene.says()
        scene.after(minutes)
        scene.answers(scene.lin)
    assert scene.counts("next_response") == ("missed", 2, 1)


# --- missed -----------------------------------------------------------------------------------


def test_a_miss_is_stored_and_told_once(scene: Scene) -> None:
    scene.hands_over()
    scene.takes(scene.lin)
    scene.after(15)
    assert scene.watched() == 0, "the last moment is in time"
    scene.clock.now += timedelta(seconds=1)
    assert scene.watched() == 1
    assert scene.counts("first_response") == ("active_with_misses", 0, 1)
    text = f"“{matter_words('room_not_clean', None)}”首次回应已超时"
    told = [(scene.lin.id, "clock", text), (scene.sun.id, "clock", text)]
    assert scene.notices() == told
    scene.after(30)
    assert scene.watched() == 0
    assert scene.notices() == told
    scene.answers(scene.lin)
    assert scene.counts("first_response") == ("missed", 0, 1)


def test_what_was_missed_while_the_desk_was_down_counts_as_well(scene: Scene) -> None:
    scene.hands_over()
    scene.takes(scene.lin)
    scene.after(16)
    scene.answers(scene.lin)
    assert scene.counts("first_response") == ("missed", 0, 1)
    assert scene.watched() == 0


def test_pages_are_told_of_a_miss(scene: Scene) -> None:
    scene.hands_over()
    scene.after(20)
    with scene.desk.storage.database.write() as db:
        committed = look_at_clocks(db, scene.desk, scene.chat.id, scene.clock.now)
    assert [one.conversation for one in committed.changed] == [scene.chat.id]
    assert [one.staff_id for one in committed.notices] == [scene.sun.id]


def test_a_business_that_is_configured_no_more_stops_nobody(scene: Scene) -> None:
    with scene.desk.storage.database.write() as db:
        gone, _ = customers.begin_session(db, None, "gone", "阿华", None, NOON)
        lost = conversations.begin(db, "gone", gone.id, NOON, owner=QUEUE)
        hotel = scene.desk.business("lanting")
        clocks.person_due(db, lost, hotel, NOON)
    scene.hands_over()
    scene.after(20)
    assert scene.watched() == 1
    assert scene.counts("first_response")[2] == 1


# --- what ends or holds a clock is decided in the settings ------------------------------------


@pytest.mark.parametrize(("counts", "state"), [(False, "active"), (True, "hit")])
def test_a_note_counts_where_the_settings_say_so(tmp_path: Path, counts: bool, state: str) -> None:
    with closing(scene_with(tmp_path, note=counts)) as scene:
        scene.takes(scene.lin)
        scene.hears(clocks.noted)
        assert scene.clock_of("first_response").state == state
        assert scene.clock_of("resolution").state == "active"


@pytest.mark.parametrize(("counts", "state"), [(False, "active"), (True, "hit")])
def test_the_desks_own_words_count_where_the_settings_say_so(
    tmp_path: Path, counts: bool, state: str
) -> None:
    with closing(scene_with(tmp_path, holding=counts)) as scene:
        scene.hands_over()
        assert scene.clock_of("first_response").state == "active", "that a person comes is none"
        scene.hears(clocks.desk_said)
        assert scene.clock_of("first_response").state == state


@pytest.mark.parametrize("holds", [False, True])
def test_what_is_put_aside_stands_where_the_settings_say_so(tmp_path: Path, holds: bool) -> None:
    with closing(scene_with(tmp_path, snooze=holds)) as scene:
        scene.takes(scene.lin)
        scene.answers(scene.lin)
        scene.says()
        before = {kind: scene.clock_of(kind).due_at for kind in ("next_response", "resolution")}
        scene.puts_aside(scene.clock.now + timedelta(minutes=60))
        assert bool(scene.clock_of("next_response").pauses) == holds
        scene.after(59)
        assert scene.watched() == (0 if holds else 1)
        scene.after(2)
        scene.watched()
        waited = timedelta(minutes=61 if holds else 0)
        for kind, due in before.items():
            found = scene.clock_of("next_response" if kind == "next_response" else "resolution")
            assert due is not None
            assert (found.pauses, found.due_at) == (frozenset(), due + waited)


def test_a_first_answer_cannot_be_put_aside(scene: Scene) -> None:
    scene.takes(scene.lin)
    scene.puts_aside(scene.clock.now + timedelta(hours=1))
    assert scene.clock_of("first_response").due_at == NOON + QUARTER


def test_the_customer_wakes_what_was_put_aside(scene: Scene) -> None:
    scene.takes(scene.lin)
    scene.answers(scene.lin)
    before = scene.clock_of("resolution").due_at
    assert before is not None
    scene.puts_aside(scene.clock.now + timedelta(hours=5))
    scene.after(30)
    scene.says()
    assert scene.clock_of("resolution").due_at == before + timedelta(minutes=30)
    assert scene.clock_of("next_response").due_at == scene.clock.now + QUARTER


@pytest.mark.parametrize("holds", [False, True])
def test_the_ball_with_the_customer_holds_the_resolution_where_the_settings_say_so(
    tmp_path: Path, holds: bool
) -> None:
    with closing(scene_with(tmp_path, waiting_for_customer=holds)) as scene:
        scene.takes(scene.lin)
        before = scene.clock_of("resolution").due_at
        assert before is not None
        scene.answers(scene.lin)
        assert (scene.clock_of("resolution").due_at is None) == holds
        scene.after(40)
        scene.says()
        waited = timedelta(minutes=40 if holds else 0)
        assert scene.clock_of("resolution").due_at == before + waited


@pytest.mark.parametrize("snoozed", [False, True])
def test_who_is_heard_on_the_phone_has_the_matter_go_on(tmp_path: Path, snoozed: bool) -> None:
    with closing(scene_with(tmp_path, waiting_for_customer=True)) as scene:
        scene.takes(scene.lin)
        before = scene.clock_of("resolution").due_at
        assert before is not None
        scene.answers(scene.lin)
        if snoozed:
            scene.puts_aside(scene.clock.now + timedelta(hours=5))
        scene.after(40)
        with scene.desk.storage.database.write() as db:
            chat = scene.present()
            take_heard(db, scene.desk, chat, new_id("c"), "顾客又来电", "小林", scene.clock.now)
        assert scene.clock_of("resolution").due_at == before + timedelta(minutes=40)
        assert scene.present().snoozed_until is None
        assert "next_response" not in scene.clocks(), "it was answered as it was said"


# --- over and over again ----------------------------------------------------------------------


def test_giving_back_ends_them_and_another_hand_over_begins_anew(scene: Scene) -> None:
    scene.takes(scene.lin)
    scene.answers(scene.lin)
    scene.gives_back(scene.lin)
    assert scene.present().owner == BOT
    assert scene.counts("resolution") == ("hit", 1, 0)
    scene.after(30)
    scene.says("又来了")
    assert "next_response" not in scene.clocks()
    scene.hands_over()
    assert scene.clock_of("first_response").due_at == scene.clock.now + QUARTER
    scene.after(20)
    scene.watched()
    scene.takes(scene.lin)
    scene.answers(scene.lin)
    assert scene.counts("first_response") == ("missed", 1, 1)
    assert scene.counts("resolution") == ("active", 1, 0)


def test_an_answer_that_nobody_waits_for_any_more_is_neither_hit_nor_miss(scene: Scene) -> None:
    scene.takes(scene.lin)
    scene.gives_back(scene.lin)
    assert set(scene.clocks()) == {"resolution"}


def test_who_waited_in_public_does_not_wait_anew_in_private(scene: Scene) -> None:
    public = scene.begin(ROOM)
    key = scene.desk.secrets.signing_key
    with scene.desk.storage.database.write() as db:
        _, invitation = invitations.issue(db, public, timedelta(hours=1), key, NOON)
    scene.hands_over(public)
    scene.after(10)
    with scene.desk.storage.database.write() as db:
        private, _, _ = entering.enter(db, scene.desk, invitation, scene.desk.clock())
    assert scene.clocks(public) == {}
    assert private.owner == QUEUE
    assert scene.clocks(private)["first_response"].due_at == NOON + QUARTER


def test_rows_show_the_clock_that_is_due_first(scene: Scene) -> None:
    scene.hands_over()
    with scene.desk.storage.database.read() as db:
        [row] = some_rows(db, scene.desk, [scene.chat.id])
    assert row.whole["clock"] == {
        "kind": "first_response",
        "state": "active",
        "due_at": (NOON + QUARTER).isoformat(),
        "warn_at": (NOON + timedelta(minutes=11, seconds=15)).isoformat(),
        "paused": False,
        "hits": 0,
        "misses": 0,
    }


def test_clocks_are_the_same_on_every_database(store: Database, tmp_path: Path) -> None:
    with closing(Scene(tmp_path, store.url)) as scene:
        scene.hands_over()
        scene.takes(scene.lin)
        scene.after(16)
        scene.watched()
        scene.answers(scene.lin)
        scene.says()
        scene.puts_aside(scene.clock.now + timedelta(minutes=5))
        scene.after(6)
        assert scene.watched() == 1
        scene.gives_back(scene.lin)
        assert scene.counts("first_response") == ("missed", 0, 1)
        assert set(scene.clocks()) == {"first_response", "resolution"}

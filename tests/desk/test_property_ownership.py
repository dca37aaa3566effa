"""Whatever happens in whatever order: one owner, only the owner speaks, nothing stays unseen."""

import atexit
import shutil
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from desk.conversations import ownership, passing
from desk.conversations.attendance import assign_next
from desk.conversations.closing import close
from desk.conversations.commit import (
    commit_answer,
    commit_given_up,
    commit_holding,
    commit_overheard,
)
from desk.conversations.passing import NoColleagueError
from desk.conversations.rasa import Answer
from desk.conversations.unanswered import UnansweredError
from desk.staff import detail, lists
from recovery.case import Case
from recovery.commands import HandOver, to_wire
from recovery.ids import new_id
from recovery.outcomes import OUTCOMES
from recovery.store import conversations, inbox, presence, queue
from recovery.store.conversations import BOT, QUEUE, OwnershipError, owner_id, staff_owner
from recovery.store.staff import Staff
from tests.desk.queues import NOON, Clock, House, a_desk

AGENTS = st.integers(0, 1)
ANYBODY = st.integers(0, 2)
SUPERVISOR = 2
OUTCOME = next(iter(OUTCOMES))
HEARD = {"intent": {"name": "inform", "confidence": 0.9}, "emotion": {"anger": 1, "flags": []}}


@cache
def one_house() -> tuple[House, list[Staff]]:
    """One desk for all runs: making its tables takes longer than a run."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    clock = Clock()
    house = House(a_desk(folder, clock), clock)
    people = [
        house.person("lin", capacity=2),
        house.person("wu", capacity=2),
        house.person("boss", "supervisor"),
    ]
    return house, people


class Ownership(RuleBasedStateMachine):
    """One customer, two agents and a supervisor at one desk."""

    def __init__(self) -> None:
        super().__init__()
        self.house, self.people = one_house()
        self.clock = self.house.clock
        self.clock.now = NOON
        self.house.lives(*self.people)
        case = Case(new_id("s"), facts={"failure": "noise"})
        self.chat = self.house.chat(owner=BOT, case=case)
        with self.house.database.write() as db:
            for one in self.people:
                presence.choose(db, one.id, "online")
        self.under_way: list[str] = []
        self.said: list[str] = []
        self.read_by: dict[int, set[str]] = {one.id: set() for one in self.people}
        self.answers = 0

    def teardown(self) -> None:
        """Leave nobody with anything to do: the next run has the same people."""
        with self.house.database.write() as db:
            found = self.house.now(self.chat)
            conversations.change_owner(db, found, BOT, self.clock(), expected=(found.owner,))

    @property
    def owner(self) -> str:
        return self.house.now(self.chat).owner

    def owned_by(self, number: int) -> bool:
        return self.owner == staff_owner(self.people[number].id)

    def step(self, work: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - any function
        """Do something in a transaction, and see that nobody else than the owner has spoken."""
        before, seen = self.owner, len(self.house.shown(self.chat))
        try:
            with self.house.database.write() as db:
                return work(db, *args, **more)
        finally:
            for event in self.house.shown(self.chat)[seen:]:
                author = event.get("author")
                if author in ("bot", "system"):
                    assert before == BOT, f"{author} spoke while {before} owned: {event}"
                if author == "staff":
                    number = owner_id(before)
                    names = {one.id: one.name for one in self.people}
                    assert number is not None
                    assert event["name"] == names[number], f"while {before} owned: {event}"

    # --- the customer and the bot ---------------------------------------------------------

    @rule()
    def customer_writes(self) -> None:
        text = f"第{len(self.said) + 1}句话"
        message = self.house.says(self.chat, text)
        self.said.append(message)
        self.under_way.append(message)

    def message(self, number: int) -> Any:  # noqa: ANN401 - a Message
        with self.house.database.read() as db:
            return inbox.load(db, self.under_way[number % len(self.under_way)])

    @precondition(lambda self: self.under_way)
    @rule(number=st.integers(0, 9), hands_over=st.booleans())
    def bot_answers_however_late(self, number: int, hands_over: bool) -> None:
        message = self.message(number)
        commands = [to_wire(HandOver("asked"))] if hands_over else []
        words = {"text": f"收到{message.id}", "response": "say_got", "variant": "v1"}
        answer = Answer([words, {"custom": {"commands": commands}}], HEARD, failed=False)
        self.step(commit_answer, self.house.context, message, answer, self.clock())
        self.under_way.remove(message.id)

    @precondition(lambda self: self.under_way)
    @rule(number=st.integers(0, 9))
    def bot_overhears(self, number: int) -> None:
        message = self.message(number)
        done = self.step(commit_overheard, self.house.context, message, HEARD, self.clock())
        if done is not None:
            self.under_way.remove(message.id)

    @precondition(lambda self: self.under_way)
    @rule(number=st.integers(0, 9))
    def bot_asks_for_patience(self, number: int) -> None:
        self.step(commit_holding, self.house.context, self.message(number), self.clock())

    @precondition(lambda self: self.under_way)
    @rule(number=st.integers(0, 9))
    def bot_gives_up(self, number: int) -> None:
        message = self.message(number)
        self.step(commit_given_up, self.house.context, message, self.clock())
        self.under_way.remove(message.id)

    # --- people ---------------------------------------------------------------------------

    @rule(number=ANYBODY)
    def somebody_takes(self, number: int) -> None:
        mine_or_free = self.owned_by(number) or owner_id(self.owner) is None
        try:
            args = (self.chat.id, self.people[number], self.clock())
            self.step(ownership.take, self.house.context, *args)
            assert mine_or_free
            assert self.owned_by(number)
        except OwnershipError:
            assert not mine_or_free

    @rule(number=ANYBODY)
    def somebody_answers(self, number: int) -> None:
        mine = self.owned_by(number)
        self.answers += 1
        args = (self.chat.id, self.people[number], f"answer-{self.answers:03}", "在的")
        try:
            self.step(ownership.answer, self.house.context, *args, self.clock())
            assert mine
            assert self.house.now(self.chat).awaiting_since is None
        except OwnershipError:
            assert not mine

    @rule(number=ANYBODY, to=st.one_of(st.none(), ANYBODY))
    def somebody_hands_on(self, number: int, to: int | None) -> None:
        may = self.owned_by(number) or number == SUPERVISOR
        receiver = None if to is None else self.people[to].id
        args = (self.chat.id, self.people[number], receiver, "请接着办", self.clock())
        try:
            self.step(passing.hand_on, self.house.context, *args)
            assert may
            assert self.owner == (QUEUE if receiver is None else staff_owner(receiver))
        except OwnershipError:
            assert not may
        except NoColleagueError:
            assert may

    @rule()
    def supervisor_steps_in(self) -> None:
        args = (self.chat.id, self.people[SUPERVISOR], self.clock())
        self.step(passing.step_in, self.house.context, *args)
        assert self.owned_by(SUPERVISOR)

    @rule(number=ANYBODY, force=st.booleans())
    def somebody_gives_back(self, number: int, force: bool) -> None:
        mine = self.owned_by(number)
        args = (self.chat.id, self.people[number], "", self.clock())
        try:
            self.step(ownership.give_back, self.house.context, *args, force=force)
            assert mine
            assert self.owner == BOT
        except OwnershipError:
            assert not mine
        except UnansweredError:
            assert mine
            assert not force
            assert self.house.now(self.chat).awaiting_since is not None

    @rule(number=ANYBODY)
    def somebody_closes(self, number: int) -> None:
        mine = self.owned_by(number)
        args = (self.chat.id, self.people[number], OUTCOME, "", self.clock())
        try:
            self.step(close, self.house.context, *args, force=True)
            assert mine
            assert self.owner == BOT
        except OwnershipError:
            assert not mine

    @rule(number=ANYBODY, minutes=st.integers(1, 90))
    def somebody_puts_it_aside(self, number: int, minutes: int) -> None:
        mine = self.owned_by(number)
        until = self.clock() + timedelta(minutes=minutes)
        args = (self.chat.id, self.people[number], until, "", self.clock())
        try:
            self.step(passing.snooze, self.house.context, *args)
            assert mine
        except OwnershipError:
            assert not mine
        except UnansweredError:
            assert mine
            assert self.house.now(self.chat).snoozed_until is None

    @rule(number=ANYBODY, chosen=st.sampled_from(("online", "busy", "away", "offline")))
    def somebody_comes_or_goes(self, number: int, chosen: str) -> None:
        before = self.owner
        self.step(presence.choose, self.people[number].id, chosen)
        assert self.owner == before, "it stays with who has it"

    @rule(number=ANYBODY)
    def somebody_looks(self, number: int) -> None:
        who, context = self.people[number], self.house.context
        with self.house.database.read() as db:
            whole = detail.whole_conversation(db, context, self.chat.id, who)
        assert whole is not None
        shown = {event["id"] for event in whole["private"]}
        assert shown.issuperset(self.said), "all that the customer said is there"
        self.step(detail.note_seen, self.chat.id, who, whole["seen_up_to"])
        self.read_by[who.id] |= shown

    # --- the desk itself ------------------------------------------------------------------

    @rule(minutes=st.integers(0, 12), alive=st.booleans())
    def time_passes(self, minutes: int, alive: bool) -> None:
        self.clock.passes(minutes=minutes)
        if alive:
            self.house.lives(*self.people)

    @rule()
    def desk_looks_after_the_queue(self) -> None:
        context, now = self.house.context, self.clock()
        business = context.business("lanting")
        with self.house.database.read() as db:
            silent = queue.unanswered(db, business.id)
        for one in silent:
            if passing.is_silent(context, one, now):
                self.step(passing.fell_silent, context, one.id, one.owner, now)
                assert self.owner == QUEUE
                assert self.house.now(self.chat).front
        self.step(passing.wake, context, self.chat.id, now)
        self.step(assign_next, context, business, now)

    # --- what always holds ----------------------------------------------------------------

    @invariant()
    def there_is_one_owner_and_the_customer_knows_who(self) -> None:
        owner = self.owner
        number = owner_id(owner)
        assert owner in (BOT, QUEUE) or number in {one.id for one in self.people}
        told = [event for event in self.house.shown(self.chat) if event["kind"] == "owner"]
        if not told:
            assert owner == BOT
            return
        names = {one.id: one.name for one in self.people}
        if number is not None:
            assert (told[-1]["owner"], told[-1]["name"]) == ("staff", names[number])
        elif told[-1]["owner"] != owner:
            # Closing says so in its own words.
            after = self.house.shown(self.chat)
            assert owner == BOT
            assert any(event["kind"] == "closed" for event in after[after.index(told[-1]) :])

    @invariant()
    def no_message_is_unseen_by_its_owner_and_not_counted(self) -> None:
        number = owner_id(self.owner)
        if number is None:
            return
        with self.house.database.read() as db:
            [row] = lists.some_rows(db, self.house.context, [self.chat.id])
        missing = [one for one in self.said if one not in self.read_by[number]]
        assert row.whole["unread"] >= len(missing)

    @invariant()
    def who_waits_is_known_to_wait(self) -> None:
        found = self.house.now(self.chat)
        assert (found.waiting_since is not None) == (found.owner == QUEUE)
        assert not (found.front and found.owner != QUEUE)
        if found.owner == BOT:
            assert found.awaiting_since is None
        if found.owner == QUEUE:
            assert found.awaiting_since is not None
            assert found.snoozed_until is None


Ownership.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestOwnership = Ownership.TestCase

"""What a customer hears of a promise without asking: each step once, a delay before it is one."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select, update

from desk.channels.remedy_reports import NotTakenError, read_report, take
from desk.context import Context
from desk.conversations.commit import commit_overheard
from desk.conversations.fulfilment import FulfilmentWorker
from desk.conversations.promise_watch import PromiseWatch, adopt, look_at_promises
from desk.conversations.router import Router
from desk.conversations.turn import Committed
from desk.errors import PageError
from desk.staff.promises import Step, take_step
from recovery.audit.replay import replay
from recovery.audit.stored import Archive, Stored
from recovery.case import apply
from recovery.commands import HandOver
from recovery.ids import new_id
from recovery.incidents.events import EventError
from recovery.orders.several import close_orders
from recovery.signing import HEADER, sign
from recovery.store import (
    cases,
    decisions,
    fulfilments,
    persons,
    preferences,
    promises,
    staff,
)
from recovery.store.conversations import QUEUE, OwnershipError, staff_owner
from recovery.store.database import stamp
from recovery.store.promises import DONE, GIVEN_UP, LATE, SENT_ON, Promise
from recovery.store.staff import Staff
from recovery.store.tables import conversations as conversations_table
from recovery.store.tables import decisions as decisions_table
from recovery.store.tables import fulfilments as fulfilments_table
from recovery.store.tables import notices as notices_table
from recovery.store.tables import promises as promises_table
from tests.desk.deals import Clock, Deal, a_desk, add_orders, at_once, present, shown
from tests.desk.people import PATIENCE
from tests.desk.postgres import new_database
from tests.desk.serving import serving

# Every business of the settings is open at noon in Shanghai.
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HASTE: dict[str, Any] = {"kind": "expedite", "minutes": 60}
CHECK: dict[str, Any] = {"kind": "bill_check", "minutes": 65}
VOUCHER: dict[str, Any] = {"kind": "voucher", "fen": 1000, "worth": 1000}
Event = dict[str, Any]


@dataclass
class Orders:
    """The order system, but for remedies of which the test says what comes of them."""

    rest: Any
    does: Callable[[str], dict[str, Any]] | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever is asked for
        return getattr(self.rest, name)

    def carry_out(self, key: str, business: str, number: str, remedy: Event) -> Event:
        if self.does is not None and remedy["kind"] == "expedite":
            return self.does(key)
        return dict(self.rest.carry_out(key, business, number, remedy))


class Story:
    """A desk, and what happens to one promise after another."""

    def __init__(self, desk: Context, clock: Clock) -> None:
        self.desk, self.clock = desk, clock
        self.router = Router(desk, None)  # type: ignore[arg-type]  # no Rasa here
        self.count = 0

    @property
    def orders(self) -> Orders:
        return self.desk.orders  # type: ignore[return-value]

    def deal(self, *remedies: Event, paid: int = 30_000, buyer: str = "", **more: Any) -> Deal:  # noqa: ANN401
        """A customer whose offer was accepted this moment."""
        self.count += 1
        number = f"QH77{self.count:08d}"
        one = Deal(
            number,
            buyer or f"b{self.count}",
            0,
            remedies=remedies or (HASTE,),
            facts={"paid": paid},
            **more,
        )
        add_orders(self.desk.settings.orders_file, [one])
        with self.write() as db:
            one.begin(db, self.desk)
            one.offered(db, self.desk)
            one.accepts(db, self.desk)
        return one

    def write(self) -> Any:  # noqa: ANN401 - a context manager
        return self.desk.storage.database.write()

    def look(self, deal: Deal, now: datetime | None = None) -> Committed:
        """Let the watch look at one conversation."""
        self.clock.now = now or self.clock.now
        with self.write() as db:
            return look_at_promises(db, self.desk, deal.chat.id, self.clock())

    async def work(self) -> None:
        """Carry out all that is due."""
        worker = FulfilmentWorker(self.desk, self.router)
        while await worker.work_once():
            pass

    def promises(self, deal: Deal) -> dict[str, Promise]:
        with self.write() as db:
            return promises.of_case(db, str(present(self.desk, deal).case_id))

    def promise(self, deal: Deal, place: int = 0) -> Promise:
        return self.promises(deal)[f"{deal.offer}:{place}"]

    def told(self, deal: Deal) -> list[Event]:
        """What the customer read of promises."""
        return [one for one in shown(self.desk, deal) if one["kind"] == "progress"]

    def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of SQLAlchemy
        with self.write() as db:
            return [dict(row._mapping) for row in db.execute(select(table).where(*where))]

    def owner(self, deal: Deal, owner: str) -> None:
        with self.write() as db:
            one = conversations_table.c.id == deal.chat.id
            db.execute(update(conversations_table).where(one).values(owner=owner))


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Context]:
    folder = tmp_path_factory.mktemp("progress")
    made = a_desk(folder, f"sqlite:///{folder / 'desk.sqlite3'}", clock)
    made = replace(made, orders=Orders(made.orders))
    with made.storage.database.write() as db:
        for role, name in (("agent", "小林"), ("supervisor", "孙主管")):
            staff.enter(db, role, name, role, "no hash at all", NOON)
    yield made
    close_orders(made.orders.rest)
    made.storage.close()


@pytest.fixture
def story(desk: Context, clock: Clock) -> Iterator[Story]:
    clock.now = NOON
    one = Story(desk, clock)
    one.orders.does = None
    one.count = int(new_id("n")[1:9], 36) % 10**7
    yield one
    one.orders.does = None


def sent_on(expected: datetime | None = None) -> Callable[[str], Event]:
    more = {"expected": expected.isoformat()} if expected else {}
    return lambda key: {"ticket": "GD1", "state": "sent_on", **more}


def member(story: Story, role: str) -> Staff:
    with story.write() as db:
        found = staff.by_login(db, role)
    assert found is not None
    return found


def test_a_promise_begins_with_the_acceptance(story: Story) -> None:
    deal = story.deal(HASTE, VOUCHER)
    first, second = story.promise(deal), story.promise(deal, 1)
    assert (first.stage, first.due) == ("accepted", NOON + 60 * MINUTE)
    assert first.look_at == stamp(NOON + 45 * MINUTE)
    assert second.due > first.due
    assert list(first.told) == ["accepted"], "the acceptance itself is what was told"
    assert story.told(deal) == []


async def test_it_is_told_before_it_is_missed_with_what_is_added_once(story: Story) -> None:
    story.orders.does = sent_on()
    deal = story.deal(HASTE, paid=30_000)
    await story.work()
    assert [one["state"] for one in story.told(deal)] == ["running"]
    assert story.look(deal, NOON + 44 * MINUTE) == Committed([])
    committed = story.look(deal, NOON + 46 * MINUTE)
    assert committed.promised, "what is added is carried out at once"
    assert story.look(deal).entries == [], "once"
    late = story.told(deal)[1]
    assert (late["id"], late["state"]) == (f"{deal.offer}:0.warned.0", "late")
    promise = story.promise(deal)
    assert promise.stage == LATE
    assert promise.due > NOON + 60 * MINUTE
    lanting = story.desk.business("qinghe")
    assert lanting.due_words(promise.due, story.clock.now) in late["text"]
    assert "20元无门槛券" in late["text"]
    # Decided, archived and counted as any other offer.
    (row,) = story.rows(decisions_table, decisions_table.c.id == promise.extra_offer)
    assert (row["decided_by"], row["state"], row["goodwill_fen"]) == ("bot", "accepted", 2000)
    with story.write() as db:
        archive = Archive(decisions.kept_policies(db))
        again = replay([Stored.of(row)], archive)
        assert (again.same, again.different, again.unanswered) == (1, (), ())
        had = decisions.history(db, "qinghe", deal.buyer, "damaged", "another", story.clock.now)
    assert (had.claims, had.recurrence, had.goodwill) == (1, 1, 2000), "no claim of the customer's"
    await story.work()
    done = [one for one in story.told(deal) if one["state"] == "done"]
    assert len(done) == 1
    assert "20元券已经到账" in done[0]["text"]


async def test_the_new_time_is_missed_too_and_a_person_gets_it(story: Story) -> None:
    story.orders.does = sent_on()
    deal = story.deal(HASTE, paid=0)
    await story.work()
    story.look(deal, NOON + 46 * MINUTE)
    story.look(deal, story.promise(deal).due - MINUTE)
    assert present(story.desk, deal).owner == "bot"
    due = story.promise(deal).due
    story.look(deal, due + MINUTE)
    story.look(deal, due + 90 * MINUTE)
    (missed,) = [one for one in story.told(deal) if ".missed." in one["id"]]
    assert "同事" in missed["text"]
    found = present(story.desk, deal)
    assert (found.owner, found.reason) == (QUEUE, "late")
    with story.write() as db:
        case = cases.load(db, found.case_id)
    assert case is not None
    assert (case.stage, case.reason) == ("person", "late")
    assert case.accepted_offer is not None
    assert case.accepted_offer.id == deal.offer, "what was added takes no other's place"
    owners = [one for one in shown(story.desk, deal) if one["kind"] == "owner"]
    assert [one["owner"] for one in owners] == ["queue"]


async def test_several_late_at_the_same_look_are_one_message(story: Story) -> None:
    story.orders.does = sent_on()
    deal = story.deal(HASTE, CHECK, VOUCHER)
    story.look(deal, NOON + 50 * MINUTE)
    (one,) = story.told(deal)
    both = story.promises(deal)
    assert [both[f"{deal.offer}:{place}"].stage for place in range(3)] == [LATE, LATE, "accepted"]
    assert "和" in one["text"]
    assert one["text"].count("无门槛券") == 1
    assert len({both[f"{deal.offer}:{place}"].extra_offer for place in range(2)}) == 1


async def test_a_delay_known_at_once_is_explained_in_place_of_a_status(story: Story) -> None:
    expected = NOON + timedelta(hours=3)
    story.orders.does = sent_on(expected)
    deal = story.deal(HASTE)
    await story.work()
    (only,) = [one for one in story.told(deal) if one["id"].startswith(deal.offer)]
    assert only["state"] == "late"
    assert story.promise(deal).due == expected
    # A time that is kept is a status.
    story.orders.does = sent_on(NOON + 30 * MINUTE)
    other = story.deal(HASTE)
    await story.work()
    (status,) = story.told(other)
    assert (status["state"], story.promise(other).stage) == ("running", SENT_ON)
    assert "预计" in status["text"]


async def test_what_is_done_is_never_late(story: Story) -> None:
    story.orders.does = lambda _: {"ticket": "GD1"}
    deal = story.deal(HASTE)
    await story.work()
    assert [one["state"] for one in story.told(deal)] == ["done"]
    assert (story.promise(deal).stage, story.promise(deal).look_at) == (DONE, None)
    story.look(deal, NOON + timedelta(hours=5))
    assert len(story.told(deal)) == 1
    story.clock.now = NOON
    # Settled by something that knows nothing of promises: nothing is said of a delay.
    other = story.deal(HASTE, paid=0)
    with story.write() as db:
        fulfilments.settle(db, f"{other.offer}:0", "done", {"ticket": "GD2"})
    story.look(other, NOON + timedelta(hours=5))
    assert story.told(other) == []
    assert story.promise(other).stage == DONE


def test_at_night_it_waits_for_the_morning_unless_the_promise_ends_before(story: Story) -> None:
    business = story.desk.business("qinghe")
    deal = story.deal(VOUCHER)
    # Another remedy that is due tomorrow at noon, but looked at in the night.
    night = business.service.after(NOON + timedelta(hours=20), 0) - timedelta(hours=3)
    assert not business.service.open_at(night)
    opens = business.service.after(night, 0)
    one = promises_table.c.key == f"{deal.offer}:0"
    with story.write() as db:
        due = stamp(opens + timedelta(hours=2))
        db.execute(update(promises_table).where(one).values(due_at=due, look_at=stamp(night)))
    assert story.look(deal, night).entries == []
    assert story.promise(deal).look_at == stamp(opens)
    assert len(story.look(deal, opens).entries) == 1
    ends = story.deal(VOUCHER)
    one = promises_table.c.key == f"{ends.offer}:0"
    with story.write() as db:
        due = stamp(opens - timedelta(hours=1))
        db.execute(update(promises_table).where(one).values(due_at=due, look_at=stamp(night)))
    assert len(story.look(ends, night).entries) == 1


def test_nothing_is_added_beyond_the_budget_and_supervisors_hear_of_it(story: Story) -> None:
    deal = story.deal(HASTE)
    with story.write() as db:
        case = str(present(story.desk, deal).case_id)
        used = story.desk.business("qinghe").goodwill_per_customer
        this = decisions_table.c.case_id == case
        db.execute(update(decisions_table).where(this).values(goodwill_fen=used))
    committed = story.look(deal, NOON + 50 * MINUTE)
    assert not committed.promised
    (late,) = story.told(deal)
    assert "券" not in late["text"]
    assert story.promise(deal).extra_offer is None
    left = story.rows(notices_table, notices_table.c.conversation_id == deal.chat.id)
    assert [one["staff_id"] for one in left] == [member(story, "supervisor").id]
    assert "预算" in left[0]["text"]


def test_what_the_customer_does_not_want_is_not_added(story: Story) -> None:
    deal = story.deal(HASTE)
    with story.write() as db:
        person = persons.person_of(db, deal.chat.customer_id)
        preferences.add_wish(db, person, "别给我券", "customer", NOON, kind="no_voucher")
    committed = story.look(deal, NOON + 50 * MINUTE)
    assert not committed.promised
    (late,) = story.told(deal)
    assert "券" not in late["text"]
    left = story.rows(notices_table, notices_table.c.conversation_id == deal.chat.id)
    assert ["不要" in one["text"] for one in left] == [True]


def test_who_serves_the_customer_keeps_the_conversation_and_hears_of_it(story: Story) -> None:
    agent = member(story, "agent")
    deal = story.deal(HASTE, paid=0)
    story.owner(deal, staff_owner(agent.id))
    story.look(deal, NOON + 50 * MINUTE)
    story.look(deal, story.promise(deal).due + MINUTE)
    assert len(story.told(deal)) == 2
    assert present(story.desk, deal).owner == staff_owner(agent.id)
    left = story.rows(notices_table, notices_table.c.conversation_id == deal.chat.id)
    assert {one["staff_id"] for one in left} == {agent.id, member(story, "supervisor").id}


def test_where_no_page_is_read_staff_are_asked_to_say_it(story: Story) -> None:
    deal = story.deal(HASTE)
    with story.write() as db:
        this = conversations_table.c.id == deal.chat.id
        db.execute(update(conversations_table).where(this).values(channel="phone"))
    story.look(deal, NOON + 50 * MINUTE)
    (late,) = story.told(deal)
    (left,) = story.rows(notices_table, notices_table.c.conversation_id == deal.chat.id)
    assert late["text"] in left["text"]
    assert "打电话" in left["text"]


async def test_a_defect_about_one_promise_keeps_nobody_else_waiting(story: Story) -> None:
    broken, other = story.deal(HASTE, paid=0), story.deal(HASTE, paid=0)
    with story.write() as db:
        this = promises_table.c.key == f"{broken.offer}:0"
        db.execute(update(promises_table).where(this).values(due_at="no time at all"))
    story.clock.now = NOON + 50 * MINUTE
    await PromiseWatch(story.desk, story.router).look_once()
    assert story.told(broken) == []
    assert [one["state"] for one in story.told(other)] == ["late"]
    found = story.rows(promises_table, this)
    assert found[0]["look_at"] > stamp(story.clock.now), "looked at again later"


def test_remedies_of_before_are_watched_from_the_first_look(story: Story) -> None:
    deal = story.deal(HASTE)
    key = f"{deal.offer}:0"
    with story.write() as db:
        db.execute(delete(promises_table).where(promises_table.c.key == key))
        # Its hour was over long before the update.
        since = stamp(NOON - timedelta(days=2))
        this = fulfilments_table.c.key == key
        db.execute(update(fulfilments_table).where(this).values(created_at=since))
        assert adopt(db, story.desk, NOON) >= 1
        assert adopt(db, story.desk, NOON) == 0
    assert story.promise(deal).due == NOON + 60 * MINUTE, "nobody is told of it at the first start"


def test_the_question_is_answered_from_the_case_while_waiting_for_a_person(story: Story) -> None:
    deal = story.deal(HASTE)
    with story.write() as db:
        found = present(story.desk, deal)
        case = apply(cases.load(db, found.case_id), HandOver("asked", stamp(NOON)), NOON)
        assert case is not None
        cases.save(db, case, "qinghe", found.customer_id, NOON)
    story.owner(deal, QUEUE)

    def asks(intent: str, **emotion: Any) -> list[Event]:  # noqa: ANN401 - JSON
        with story.write() as db:
            message = deal.says(db, story.desk)
            calm = {"anger": 0, "score": 0.0, "signals": {}, "flags": [], **emotion}
            understood = {"intent": {"name": intent, "confidence": 0.95}, "emotion": calm}
            done = commit_overheard(db, story.desk, message, understood, story.clock())
        assert done is not None
        return [one.event for one in done.entries]

    assert asks("inform") == []
    assert asks("ask_progress", anger=2) == [], "an angry question is for the person"
    (said,) = asks("ask_progress")
    assert "正在办" in said["text"]
    assert present(story.desk, deal).owner == QUEUE
    assert asks("ask_progress") == [], "not again within minutes"
    story.owner(deal, staff_owner(member(story, "agent").id))
    story.clock.now += timedelta(hours=1)
    assert asks("ask_progress") == [], "whoever serves the customer answers"


def test_staff_set_stage_and_time_and_the_customer_is_told_once(story: Story) -> None:
    agent = member(story, "agent")
    deal = story.deal(HASTE)
    key, until = f"{deal.offer}:0", NOON + timedelta(hours=4)

    def step(stage: str, due: datetime | None = None) -> dict[str, Any]:
        said = Step(stage, due, "师傅在路上堵住了。")
        with story.write() as db:
            return take_step(db, story.desk, deal.chat.id, key, agent, said)[1]

    with pytest.raises(OwnershipError):
        step("moved", until)
    story.owner(deal, staff_owner(agent.id))
    with pytest.raises(PageError):
        step("done")
    assert step("sent_on")["stage"] == SENT_ON
    assert step("sent_on")["repeated"]
    assert step("moved", until)["due_at"] == stamp(until)
    assert step("moved", until)["repeated"]
    assert [one["state"] for one in story.told(deal)] == ["running", "late"]
    assert "师傅在路上堵住了" in story.told(deal)[1]["text"]
    story.look(deal, until - MINUTE)
    assert len(story.told(deal)) == 2, "the new time still stands"
    with story.write() as db:
        receipt = {"ticket": "GD1", "state": "sent_on"}
        fulfilments.settle(db, key, "done", receipt)
    assert step("done")["stage"] == DONE
    assert step("done")["repeated"]
    with pytest.raises(PageError):
        step("moved", until + MINUTE)
    assert [one["state"] for one in story.told(deal)] == ["running", "late", "done"]
    assert story.look(deal, until + timedelta(days=1)).entries == []


async def test_what_fails_is_given_to_a_person_and_not_told_late_besides(story: Story) -> None:
    deal = story.deal(HASTE)
    with story.write() as db:
        item = fulfilments.load(db, f"{deal.offer}:0")
        assert item is not None
        fulfilments.settle(db, item.key, "refused", None, "RemedyRefusedError")
    assert story.look(deal, NOON + 50 * MINUTE).entries == []
    assert story.promise(deal).stage == GIVEN_UP


async def test_what_is_reported_at_night_is_told_in_the_morning_with_its_time(story: Story) -> None:
    business = story.desk.business("qinghe")
    opens = business.service.after(NOON + timedelta(hours=20), 0)
    night = opens - timedelta(hours=3)
    assert not business.service.open_at(night)
    story.orders.does = sent_on()
    deal = story.deal(HASTE, paid=0)
    await story.work()
    with story.write() as db:
        one = promises_table.c.key == f"{deal.offer}:0"
        values = {"due_at": stamp(opens + timedelta(hours=5)), "look_at": stamp(opens)}
        db.execute(update(promises_table).where(one).values(**values))

    def reports(expected: datetime) -> Committed:
        said = {"key": f"{deal.offer}:0", "state": "late", "expected": expected.isoformat()}
        with story.write() as db:
            return take(db, story.desk, business, read_report(said), story.clock())

    story.clock.now = night
    until = opens + timedelta(hours=9)
    assert reports(until).entries == []
    assert len(story.look(deal, opens).entries) == 1
    assert story.promise(deal).due == until
    # Later still, in another night: a person has it in the morning, and nothing spins till then.
    story.clock.now = night
    assert reports(until + timedelta(hours=9)).entries == []
    story.look(deal, opens)
    assert present(story.desk, deal).owner == QUEUE
    assert story.promise(deal).look_at is None


async def test_an_order_system_reports_what_became_of_it(story: Story) -> None:
    story.orders.does = sent_on()
    deal = story.deal(HASTE)
    business = story.desk.business("qinghe")

    def reports(state: str, expected: datetime | None = None, key: str = "") -> Committed:
        said = {"key": key or f"{deal.offer}:0", "state": state}
        more = {"expected": expected.isoformat()} if expected else {}
        with story.write() as db:
            return take(db, story.desk, business, read_report({**said, **more}), story.clock())

    with pytest.raises(NotTakenError):
        reports("done")
    await story.work()
    assert reports("sent_on") == Committed([]), "told with the receipt"
    assert reports("late", NOON + 30 * MINUTE) == Committed([]), "sooner than was promised"
    until = NOON + timedelta(hours=3)
    assert len(reports("late", until).entries) == 1
    assert reports("late", until) == Committed([])
    assert story.promise(deal).due == until
    assert len(reports("done").entries) == 1
    assert reports("done") == Committed([])
    assert reports("late", until + MINUTE) == Committed([]), "what is done is done"
    mine = [one for one in story.told(deal) if one["id"].startswith(deal.offer)]
    assert [one["state"] for one in mine] == ["running", "late", "done"]
    with pytest.raises(LookupError):
        reports("done", key="o-of-nobody:0")
    for wrong in ({}, {"key": "k", "state": "gone"}, {"key": "k", "state": "late", "expected": 1}):
        with pytest.raises(EventError):
            read_report(wrong)
    async with (
        serving(story.desk) as served,
        httpx.AsyncClient(base_url=served.url, timeout=PATIENCE) as http,
    ):
        body = json.dumps({"key": f"{deal.offer}:0", "state": "done"}).encode()
        path = "/api/orders/qinghe/remedies"
        assert (await http.post(path, content=body)).status_code == 401
        secret = served.app.ctx.order_reports.secrets["qinghe"]
        headers = {HEADER: sign(secret, body, story.clock())}
        answer = await http.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["state"]) == (200, "repeated")
        other = await http.post("/api/orders/lanting/remedies", content=body, headers=headers)
        assert other.status_code == 401, "another business's secret"


async def test_two_desks_tell_it_once(postgres: str, tmp_path: Path) -> None:
    url, clock = new_database(postgres, new_id("t")), Clock(NOON)
    first, second = (a_desk(tmp_path / name, url, clock) for name in ("one", "two"))
    try:
        deal = Story(first, clock).deal(HASTE)
        clock.now = NOON + 50 * MINUTE

        def look(number: int) -> Committed:
            context = (first, second)[number % 2]
            with context.storage.database.write() as db:
                return look_at_promises(db, context, deal.chat.id, clock())

        found = at_once(look, 6)
        entries = [one.entries for one in found if isinstance(one, Committed)]
        assert len(entries) == 6, found
        assert sorted(len(one) for one in entries) == [0, 0, 0, 0, 0, 1]
        watch = PromiseWatch(second, Router(second, None))  # type: ignore[arg-type]
        assert await watch.look_once() == 0
        (late,) = [one for one in shown(first, deal) if one["kind"] == "progress"]
        assert late["state"] == "late"
        with first.storage.database.read() as db:
            extra = decisions_table.c.policy.like("late-%")
            assert len(db.execute(select(decisions_table.c.id).where(extra)).all()) == 1
    finally:
        for one in (first, second):
            close_orders(one.orders)
            one.storage.close()

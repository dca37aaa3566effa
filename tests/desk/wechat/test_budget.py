"""Never more messages than WeChat allows, whatever happens in between."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.channels.wechat.outgoing import budget
from recovery.store import conversations, customers
from recovery.store.database import Database, stamp
from recovery.store.wechat import contacts, quota, sends, under_way
from recovery.store.wechat.contacts import Contact
from recovery.store.wechat.sends import Draft
from tests.desk.serving import NOON
from tests.support.wechat.rules import RefusedError
from tests.support.wechat.world import Customer

SECOND = timedelta(seconds=1)


def contact(**changes: Any) -> Contact:  # noqa: ANN401 - any field
    return replace(Contact("c1", "fuwu", "o-lan", "u1", None), **changes)


# --- what may be sent --------------------------------------------------------------------------


def test_who_has_never_written_gets_nothing() -> None:
    assert budget.left(contact(), NOON) == 0
    assert budget.until(contact(), NOON) is None


@pytest.mark.parametrize(
    ("since", "sent", "left"),
    [
        (timedelta(0), 0, 5),
        (timedelta(hours=47), 4, 1),
        (timedelta(0), 5, 0),
        (timedelta(0), 9, 0),
        (timedelta(hours=48) - 61 * SECOND, 0, 5),
        (timedelta(hours=48) - 60 * SECOND, 0, 0),
        (timedelta(days=9), 0, 0),
    ],
)
def test_five_within_two_days_of_a_message(since: timedelta, sent: int, left: int) -> None:
    one = contact(wrote_at=stamp(NOON - since), sent_since_wrote=sent, sent_since_acted=sent)
    assert budget.left(one, NOON) == left


@pytest.mark.parametrize(
    ("since", "sent", "left"), [(0, 0, 3), (56, 2, 1), (57, 0, 0), (10, 3, 0), (90, 0, 0)]
)
def test_three_within_a_minute_of_an_act(since: int, sent: int, left: int) -> None:
    one = contact(acted_at=stamp(NOON - since * SECOND), sent_since_acted=sent)
    assert budget.left(one, NOON) == left


def test_of_two_rights_the_larger_counts_and_the_last_that_is_left_tells_the_end() -> None:
    both = contact(
        wrote_at=stamp(NOON), sent_since_wrote=5, acted_at=stamp(NOON), sent_since_acted=1
    )
    assert budget.left(both, NOON) == 2
    assert budget.until(both, NOON) == NOON + 57 * SECOND
    assert budget.until(replace(both, sent_since_wrote=1), NOON) == NOON + timedelta(
        hours=47, minutes=59
    )


def test_a_block_ends() -> None:
    one = contact(blocked_until=stamp(NOON), blocked_by=43117)
    assert budget.blocked(one, NOON - SECOND) == NOON
    assert budget.blocked(one, NOON) is None


# --- whatever happens in between ---------------------------------------------------------------


@dataclass
class World:
    """A desk that counts and a WeChat that does, with news of each other on its way.

    Attributes:
        own: What the desk knows.
        theirs: What the double of WeChat knows.
        flying: Calls that are made and that WeChat has not seen yet.
        news: What WeChat has seen and the desk has not heard of: what, and when.
        counted: How many calls of the desk WeChat may have counted since each moment.
    """

    now: datetime = NOON
    own: Contact = field(default_factory=contact)
    theirs: Customer = field(default_factory=lambda: Customer("o-lan"))
    flying: int = 0
    news: list[tuple[str, datetime]] = field(default_factory=list)
    ended: list[datetime] = field(default_factory=list)
    refused: int = 0

    def send(self) -> None:
        """The desk begins a call where it believes that it may."""
        if budget.left(self.own, self.now) > 0:
            self.flying += 1
            self.own = replace(
                self.own,
                sent_since_wrote=self.own.sent_since_wrote + 1,
                sent_since_acted=self.own.sent_since_acted + 1,
            )

    def land(self) -> None:
        """WeChat sees a call."""
        if self.flying:
            self.flying -= 1
            self.ended.append(self.now)
            try:
                self.theirs.spend(self.now)
            except RefusedError:
                self.refused += 1

    def happen(self, what: str) -> None:
        """The customer does something."""
        getattr(self.theirs, what)(self.now)
        self.news.append((what, self.now))

    def hear(self) -> None:
        """The desk learns what the customer did; as `contacts` and `sends.release` have it."""
        if not self.news:
            return
        what, at = self.news.pop(0)
        meanwhile = self.flying + sum(1 for one in self.ended if one >= at - 2 * SECOND)
        before = self.own
        if what == "wrote":
            changed = replace(before, wrote_at=stamp(at), sent_since_wrote=0)
        else:
            changed = replace(before, acted_at=stamp(at), sent_since_acted=0)
        self.own = replace(
            changed,
            sent_since_wrote=max(changed.sent_since_wrote, meanwhile),
            sent_since_acted=max(changed.sent_since_acted, meanwhile),
        )

    def pass_time(self, seconds: float) -> None:
        """Time passes; no call is on its way for longer than its patience."""
        while self.flying and seconds > 20:
            self.land()
        self.now += timedelta(seconds=seconds)


STEPS = st.lists(
    st.one_of(
        st.just(("send",)),
        st.just(("send",)),
        st.just(("land",)),
        st.just(("hear",)),
        st.tuples(st.just("happen"), st.sampled_from(["wrote", "acted"])),
        st.tuples(st.just("pass_time"), st.sampled_from([0.5, 3.0, 19.0, 40.0, 3600.0, 170_000.0])),
    ),
    max_size=80,
)


@settings(max_examples=300)
@given(STEPS)
def test_wechat_never_has_to_refuse(steps: list[tuple[Any, ...]]) -> None:
    world = World()
    for name, *given_ in steps:
        getattr(world, name)(*given_)
        if name == "pass_time":
            # What is older than a call may take was heard of long ago.
            while world.news and world.now - world.news[0][1] > 15 * SECOND:
                world.hear()
    while world.flying:
        world.land()
    assert world.refused == 0


# --- the same in the store ---------------------------------------------------------------------


def stored(store: Database) -> str:
    with store.write() as db:
        customer, _ = customers.begin_session(db, None, "lanting", "微信顾客", None, NOON)
        made = contacts.add(db, "fuwu", "o-lan", customer.id, NOON)
        conversations.begin(db, "lanting", customer.id, NOON, channel="wechat")
        contacts.wrote(db, made.id, NOON)
    return made.id


def fresh(store: Database, contact_id: str) -> Contact:
    with store.read() as db:
        found = contacts.load(db, contact_id)
    assert found is not None
    return found


def test_every_call_counts_before_it_is_made_and_refused_ones_are_given_back(
    store: Database,
) -> None:
    one = stored(store)
    with store.write() as db:
        quota.spend(db, [one])
        quota.spend(db, [one])
    assert budget.left(fresh(store, one), NOON) == 3
    with store.write() as db:
        for _ in range(3):
            quota.refund(db, [one])
    assert budget.left(fresh(store, one), NOON) == 5
    with store.write() as db:
        quota.use_up(db, one, budget.PER_MESSAGE, budget.PER_ACT)
    assert budget.left(fresh(store, one), NOON) == 0


def test_calls_under_way_count_against_what_a_new_message_allows(store: Database) -> None:
    one = stored(store)
    drafts = [Draft(f"w{place}", 0, "text", "say", {"text": "一"}) for place in range(4)]
    with store.write() as db:
        sends.plan(db, one, None, drafts, NOON)
        rows = [row.id for row in sends.open_of(db, one)]
        # One long ago, one a moment ago, one under way, one that waits.
        sends.settle(db, rows[:1], sends.SENT, NOON - 9 * SECOND, via="custom", batch="b1")
        sends.settle(db, rows[1:2], sends.SENT, NOON - SECOND, via="custom", batch="b2")
        under_way.begin(db, [("b3", "custom", rows[2:3])], NOON + 30 * SECOND)
        contacts.wrote(db, one, NOON)
        sends.release(db, one, NOON, since=NOON)
    assert budget.left(fresh(store, one), NOON) == 3
    with store.read() as db:
        assert [row.state for row in sends.open_of(db, one)] == ["sending", "todo"]

"""Known cases in a real store, for the tests of figures: what happened in each is written down.

Whoever counts them by hand counts the `Told`, never what the product derives from the store.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from recovery.anger import CaseAnger
from recovery.audit.stored import Archive
from recovery.case import Case
from recovery.ids import fingerprint
from recovery.insights.facts import facts as facts_of
from recovery.remedy.policy import Policy
from recovery.settings import load_settings
from recovery.store import case_facts, case_material, purchases, streams, tables
from recovery.store.database import stamp
from recovery.store.decisions import keep_policy, kept_policies
from tests.recovery.decided import BOOK, DAY, facts
from tests.support.stack import ROOT

BUSINESS = "lanting"
ROOM = "lanting-lobby"
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DIMENSIONS = ("reliability", "assurance", "tangibles", "empathy", "responsiveness")


@cache
def policy(paid: int, tier: str) -> tuple[int, int, list[dict[str, Any]]]:
    """What the policy gives: floor, goodwill, remedies."""
    decision = Policy(BOOK, "hotel", DAY).decide(facts(paid=paid, tier=tier))
    worth = decision.floor_worth.fen, decision.goodwill_worth.fen
    return (*worth, [dict(one) for one in decision.remedies])


@dataclass(frozen=True)
class Given:
    """One offer: facts by their amount, who decided, and what was put on top of the policy."""

    paid: int
    tier: str = "none"
    state: str = "accepted"
    staff: bool = False
    extra: int = 0

    @property
    def floor(self) -> int:
        return policy(self.paid, self.tier)[0] + (0 if self.staff else self.extra)

    @property
    def goodwill(self) -> int:
        return policy(self.paid, self.tier)[1] + (self.extra if self.staff else 0)


@dataclass(frozen=True)
class Told:
    """One case. Spans are minutes after the complaint, unless said otherwise.

    Attributes:
        angers: Of the messages of the customer, ten minutes after each other.
        invited: Three minutes after the complaint in the room.
        moved: When the customer came into private.
        angry_later: In the room, three days after the invitation.
        bot: Seconds.
        sorry: Seconds to the first apology.
        handed: The message that a person was to answer.
        person: When a person answered it.
        closed: Days.
        late: How many promises, and how many of them late.
        bought: Fen of orders a month after the end.
    """

    number: int
    at: datetime
    failure: str
    person: int
    angers: tuple[int, ...] = (2,)
    channel: str = "web"
    public: bool = False
    invited: bool = False
    moved: int | None = None
    angry_later: bool = False
    bot: int | None = 5
    sorry: int | None = None
    handed: int | None = None
    answered: int | None = None
    closed: int | None = None
    outcome: str | None = None
    anger_end: int = 0
    offers: tuple[Given, ...] = ()
    promises: tuple[int, int] = (0, 0)
    gesture: int = 0
    asked: bool = False
    rating: int | None = None
    survey: dict[str, Any] | None = None
    bought: tuple[int, ...] = ()
    cause: str | None = None

    @property
    def id(self) -> str:
        return f"s{self.number:024x}"

    @property
    def customer(self) -> str:
        return f"u{self.number:024x}"

    @property
    def buyer(self) -> str:
        return f"buyer-{self.number}"

    @property
    def ended(self) -> datetime | None:
        return self.at + timedelta(days=self.closed) if self.closed is not None else None

    @property
    def handed_at(self) -> datetime | None:
        return self.at + MINUTE * self.handed if self.handed is not None else None

    @property
    def answered_at(self) -> datetime | None:
        return self.at + MINUTE * self.answered if self.answered is not None else None

    @property
    def moved_at(self) -> datetime | None:
        return self.at + MINUTE * self.moved if self.moved is not None else None

    @property
    def day(self) -> date:
        return (self.at + timedelta(hours=8)).date()


@dataclass(frozen=True)
class Other:
    """What somebody without a complaint says in the room."""

    at: datetime
    anger: int


@dataclass
class World:
    """All that happened."""

    cases: list[Told] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)


def a_world(seed: int = 2, number: int = 70) -> World:
    """Cases of all kinds, mixed by a fixed seed."""
    chance = random.Random(seed)
    world = World()
    for place in range(number):
        at = datetime(2026, 7, 6, 1, 0, tzinfo=UTC) + timedelta(hours=46 * place)
        at = at.replace(minute=chance.randrange(60))
        if at > NOW - timedelta(days=1):
            at = NOW - timedelta(hours=30, minutes=17 * place)
        world.cases.append(_a_case(chance, place + 1, at))
    for one in world.cases:
        if one.moved_at and chance.random() < 0.8:
            span = chance.choice((-50, -20, 15, 40, 75))
            world.others.append(Other(one.moved_at + MINUTE * span, chance.randrange(4)))
    return world


def _a_case(chance: random.Random, number: int, at: datetime) -> Told:
    angers = tuple(chance.randrange(4) for _ in range(chance.randrange(1, 4)))
    told = Told(
        number,
        at,
        chance.choice(("room_not_clean", "noise", "noise", "unknown")),
        person=chance.choice((number, 1, 2, 3)),
        angers=angers,
        channel=chance.choice(("web", "wechat")),
        bot=chance.choice((3, 5, 8, 40, None)),
        sorry=chance.choice((9, 61, None)),
        anger_end=chance.randrange(4),
    )
    if told.channel == "web" and chance.random() < 0.6:
        told = replace(told, public=True, invited=chance.random() < 0.8)
    if told.invited:
        moved = chance.choice((None, 8, 31))
        told = replace(told, moved=moved, angry_later=chance.random() < 0.3)
    if (told.moved or not told.public) and chance.random() < 0.7:
        handed = 45 + chance.randrange(600)
        answered = handed + chance.choice((2, 14, 16, 300)) if chance.random() < 0.8 else None
        told = replace(told, handed=handed, answered=answered)
    if chance.random() < 0.75:
        outcomes = ("solved", "explained", "thanked", "no_fault", "unreachable")
        told = replace(told, closed=chance.randrange(1, 9), outcome=chance.choice(outcomes))
        if told.ended and told.ended > NOW:
            told = replace(told, closed=0)
    if chance.random() < 0.7:
        told = _with_offers(chance, told)
    if told.closed is not None and chance.random() < 0.7:
        told = replace(told, asked=True, rating=chance.choice((None, 1, 2, 4, 5, 5)))
    if told.asked and chance.random() < 0.8:
        told = replace(told, survey=_a_survey(chance))
    if chance.random() < 0.3:
        told = replace(told, cause=chance.choice(("soundproofing", "cleaning_staffing")))
    return told


def _with_offers(chance: random.Random, told: Told) -> Told:
    state = chance.choice(("accepted", "accepted", "refused", "open"))
    paid = chance.choice((40_000, 60_000))
    offers: tuple[Given, ...] = (Given(paid, chance.choice(("none", "gold")), state),)
    if chance.random() < 0.3:
        first = replace(offers[0], state="replaced")
        extra = chance.choice((0, 1_500, 4_000))
        offers = (first, Given(paid, first.tier, state, staff=True, extra=extra))
    elif chance.random() < 0.15:
        # The bot gives what the policy does not: that must show.
        offers = (replace(offers[0], extra=700),)
    promises = (2, chance.randrange(3)) if state == "accepted" else (0, 0)
    bought = tuple(chance.randrange(10_000, 90_000) for _ in range(chance.randrange(3)))
    gesture = 800 if chance.random() < 0.2 else 0
    return replace(told, offers=offers, promises=promises, bought=bought, gesture=gesture)


def _a_survey(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.3:
        return {}
    return {
        "expected": {name: chance.randrange(3, 8) for name in DIMENSIONS},
        "perceived": {name: chance.randrange(1, 8) for name in DIMENSIONS},
        "confirmed": chance.randrange(1, 6),
        "recommend": chance.randrange(11),
    }


# --- written into the store -------------------------------------------------------------------


def write(db: Connection, world: World) -> None:
    """Put it into the store as the desk would have."""
    keep_policy(db, BOOK.name, BOOK.to_bundle(), NOW)
    heard: list[tuple[datetime, dict[str, Any]]] = []
    later: list[tuple[datetime, str, dict[str, Any]]] = []
    for one in world.cases:
        _write_case(db, one)
        _write_words(db, one, heard, later)
        _write_after(db, one)
    _write_others(db, world.others, heard)
    for _, values in sorted(heard, key=lambda pair: pair[0]):
        _add(db, tables.inbox, **values)
    for at, stream, event in sorted(later, key=lambda one: one[0]):
        streams.append(db, stream, event, at)
    for one in world.cases:
        for message in (f"m{one.number}-0", f"m{one.number}-h"):
            command = {"do": "note", "facts": {}}
            _add(
                db,
                tables.case_log,
                case_id=one.id,
                message_id=message,
                command=command,
                at=stamp(one.at),
            )


def _add(db: Connection, table: Table, **values: object) -> None:
    db.execute(insert(table).values(**values))


def _write_case(db: Connection, one: Told) -> None:
    _add(
        *(db, tables.customers),
        id=one.customer,
        business=BUSINESS,
        name="郑小雨",
        # Who came twice is the same person by proof.
        person=f"u{one.person:024x}",
        created_at=stamp(one.at),
    )
    opening, peak = one.angers[0], max((*one.angers, 2 if one.angry_later else 0))
    case = Case(
        one.id,
        facts={"failure": one.failure},
        anger=CaseAnger(opening, peak, one.anger_end, heat=float(one.anger_end)),
    )
    _add(
        *(db, tables.cases),
        id=one.id,
        business=BUSINESS,
        customer_id=one.customer,
        stage="closed" if one.ended else "hearing",
        priority=0,
        state=case.to_state(),
        opened_at=stamp(one.at + timedelta(seconds=1)),
        updated_at=stamp(one.ended or one.at),
        closed_at=stamp(one.ended) if one.ended else None,
        outcome=one.outcome,
    )


def _conversation(db: Connection, one: Told, kind: str, at: datetime) -> str:
    number = f"k{one.number}-{kind}"
    _add(
        *(db, tables.conversations),
        id=number,
        business=BUSINESS,
        customer_id=one.customer,
        kind=kind,
        room=ROOM if kind == "public" else None,
        case_id=one.id,
        channel=one.channel,
        owner="bot",
        created_at=stamp(at),
        last_at=stamp(at),
    )
    return number


def _message(number: str, conversation: str, at: datetime, anger: int) -> dict[str, Any]:
    return {
        "id": number,
        "conversation_id": conversation,
        "external_id": number,
        "text": "话",
        "state": "done",
        "understood": {"intent": {"name": "x"}, "emotion": {"anger": anger}},
        "received_at": stamp(at),
    }


def _write_words(
    db: Connection,
    one: Told,
    heard: list[tuple[datetime, dict[str, Any]]],
    later: list[tuple[datetime, str, dict[str, Any]]],
) -> None:
    first = _conversation(db, one, "public" if one.public else "private", one.at)
    shown = f"room:{ROOM}" if one.public else f"private:{first}"
    private = first
    if one.moved_at:
        private = _conversation(db, one, "private", one.moved_at)
    for place, anger in enumerate(one.angers):
        at = one.at + MINUTE * 10 * place
        heard.append((at, _message(f"m{one.number}-{place}", first, at, anger)))
    base = {"kind": "message", "author": "bot", "reply_to": f"m{one.number}-0"}
    if one.bot is not None:
        event = {"id": f"m{one.number}-0.r", "text": "您说的收到了", **base}
        later.append((one.at + timedelta(seconds=one.bot), shown, event))
    if one.sorry is not None:
        event = {"id": f"m{one.number}-0.s", "text": "这件事实在抱歉", **base}
        later.append((one.at + timedelta(seconds=one.sorry), shown, event))
    if one.invited:
        at = one.at + MINUTE * 3
        _add(
            *(db, tables.invitations),
            id=f"i{one.number}",
            token_hash=fingerprint(one.id),
            customer_id=one.customer,
            public_conversation=first,
            private_conversation=private if one.moved_at else None,
            created_at=stamp(at),
            expires_at=stamp(at + MINUTE * 60),
            used_at=stamp(one.moved_at) if one.moved_at else None,
        )
        if one.angry_later:
            at += timedelta(days=3)
            heard.append((at, _message(f"m{one.number}-l", first, at, 2)))
    if one.handed_at:
        number = f"m{one.number}-h"
        heard.append((one.handed_at, _message(number, private, one.handed_at, 0)))
        event = {"id": f"{number}.owner", "kind": "owner", "owner": "queue"}
        later.append((one.handed_at + timedelta(seconds=2), f"private:{private}", event))
    if one.answered_at:
        event = {"id": f"w{one.number}", "kind": "message", "author": "staff", "text": "在办了"}
        later.append((one.answered_at, f"private:{private}", event))


def _write_others(
    db: Connection, others: list[Other], heard: list[tuple[datetime, dict[str, Any]]]
) -> None:
    if not others:
        return
    begun = {"business": BUSINESS, "created_at": stamp(NOW)}
    _add(db, tables.customers, id="u-other", name="旁人", person="u-other", **begun)
    _add(
        *(db, tables.conversations),
        id="k-other",
        customer_id="u-other",
        kind="public",
        room=ROOM,
        owner="bot",
        last_at=stamp(NOW),
        **begun,
    )
    for place, one in enumerate(others):
        heard.append((one.at, _message(f"mo-{place}", "k-other", one.at, one.anger)))


def _write_after(db: Connection, one: Told) -> None:
    part = f"k{one.number}-{'public' if one.public else 'private'}"
    for place, given in enumerate(one.offers):
        _write_offer(db, one, place, given)
    count, late = one.promises
    for place in range(count):
        _add(
            *(db, tables.promises),
            key=f"o{one.number}:{place}",
            case_id=one.id,
            conversation_id=part,
            business=BUSINESS,
            stage="done",
            promised_at=stamp(one.at),
            due_at=stamp(one.at),
            told={},
            times_late=1 if place < late else 0,
            updated_at=stamp(one.at),
        )
    if one.gesture:
        _add(
            *(db, tables.gestures),
            id=f"g{one.number}",
            business=BUSINESS,
            case_id=one.id,
            person=one.customer,
            kind="gesture",
            rule="G-1",
            content={},
            cost_fen=one.gesture,
            state="taken",
            at=stamp(one.at),
        )
    if one.asked and one.ended:
        _add(
            *(db, tables.follow_ups),
            id=f"f{one.number}",
            business=BUSINESS,
            case_id=one.id,
            conversation_id=part,
            customer_id=one.customer,
            round=1,
            state="asked",
            asked_at=stamp(one.ended),
            rating=one.rating,
            rated_at=stamp(one.ended) if one.rating else None,
            created_at=stamp(one.ended),
            updated_at=stamp(one.ended),
        )
    if one.survey is not None and one.ended:
        _add(
            *(db, tables.surveys),
            id=f"y{one.number}",
            token_hash=fingerprint(f"y{one.number}"),
            business=BUSINESS,
            case_id=one.id,
            customer_id=one.customer,
            sent_at=stamp(one.ended),
            expires_at=stamp(NOW),
            answered_at=stamp(one.ended) if one.survey else None,
            **one.survey,
        )
    if one.cause:
        _add(
            *(db, tables.case_causes),
            case_id=one.id,
            proposed="",
            confirmed=one.cause,
            at=stamp(one.at),
        )
    for place, fen in enumerate(one.bought):
        ordered = (one.ended or one.at) + timedelta(days=30 + place)
        purchases.note(db, BUSINESS, f"B{one.number}-{place}", one.buyer, fen, ordered)


def _write_offer(db: Connection, one: Told, place: int, given: Given) -> None:
    known = facts(paid=given.paid, tier=given.tier)
    remedies = policy(given.paid, given.tier)[2]
    if given.extra:
        part = "goodwill" if given.staff else "floor"
        voucher = {"kind": "voucher", "fen": given.extra, "part": part, "trade": "hotel"}
        remedies = [*remedies, {**voucher, "worth": given.extra}]
    _add(
        *(db, tables.decisions),
        id=f"o{one.number}-{place}",
        case_id=one.id,
        business=BUSINESS,
        customer_id=one.customer,
        order_customer=one.buyer,
        order_number="LT1",
        failure=known.failure,
        channel="web",
        policy=BOOK.name,
        day=DAY.isoformat(),
        facts=known.to_wire(),
        rules=[],
        remedies=remedies,
        floor_fen=given.floor,
        goodwill_fen=given.goodwill,
        anger=0,
        decided_by="staff:1" if given.staff else "bot",
        departure="顾客等得太久" if given.staff else None,
        state=given.state,
        made_at=stamp(one.at + MINUTE * (20 + place)),
        accepted_at=stamp(one.at) if given.state == "accepted" else None,
    )


def derive(db: Connection) -> int:
    """Derive the facts of all cases; gives how many rows have changed."""
    business = next(one for one in load_settings(ROOT / "huixin.yml").businesses)
    archive = Archive(kept_policies(db))
    ids = list(db.execute(select(tables.cases.c.id)).scalars())
    found, gone = case_material.read(db, ids, archive, NOW)
    case_facts.remove(db, gone)
    return case_facts.put(db, [facts_of(one, business, NOW) for one in found], NOW)

"""Who may call what: every route of the desk, as its own router has them, tried by every role.

A route that is added later fails the first test until somebody decides here who may call it.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import websockets
from argon2 import PasswordHasher
from sqlalchemy import Connection, func, insert, select, update

from desk.context import Context
from desk.conversations import attendance
from recovery.anger import CaseAnger
from recovery.case import Case, Offer
from recovery.drill.customer import begin as begin_drill
from recovery.drill.given import decide
from recovery.drill.library import written
from recovery.ids import new_id
from recovery.insights.rising import Rising
from recovery.pictures import examine
from recovery.remedy.running import running
from recovery.store import (
    alerts,
    case_joins,
    cases,
    causes,
    conversations,
    customers,
    data_requests,
    drills,
    fulfilments,
    gestures,
    incidents,
    invitations,
    notes,
    persons,
    staff,
    streams,
    weekly_reports,
)
from recovery.store import pictures as picture_store
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import audit_log as audit_table
from recovery.store.tables import canned_replies, labels, remedy_requests, staff_sessions
from recovery.store.tables import conversations as conversations_table
from recovery.store.tables import drills as drills_table
from recovery.store.tables import fulfilments as fulfilments_table
from recovery.store.tables import staff as staff_table
from tests.desk.images import encoded
from tests.desk.people import PATIENCE, closed
from tests.desk.serving import NOON, Clock, Desk, a_context, serving

PASSWORD = "an honest password"
ROLES = ("agent", "supervisor", "manager", "trainer", "admin")
ORDER = "LT202611180012"
ROOM = "lanting-lobby"

# --- who may ----------------------------------------------------------------------------------

EVERYONE = "everyone"
CUSTOMER = "whose session it is"
MACHINE = "this machine"
LOGGED_IN = frozenset(ROLES)
READERS = frozenset({"agent", "supervisor", "manager", "trainer"})
HANDLERS = frozenset({"agent", "supervisor", "manager"})
OVERSEERS = frozenset({"supervisor", "manager"})
MANAGERS = frozenset({"manager"})
ADMINS = frozenset({"admin"})
AUDITORS = frozenset({"manager", "admin"})
READ_FIGURES = frozenset({"supervisor", "manager", "admin"})

S = "/api/staff"
C = f"{S}/conversations/<conversation_id:str>"
INCIDENT = f"{S}/incidents/<incident_id:str>"
DRILL = f"{S}/drills/<drill_id:str>"
DECIDED: dict[tuple[str, str], str | frozenset[str]] = {
    # customers and machines
    ("POST", "/api/session"): EVERYONE,
    ("GET", "/api/rooms"): EVERYONE,
    ("GET", "/healthz"): EVERYONE,
    ("GET", "/readyz"): EVERYONE,
    ("GET", "/<path:path>"): EVERYONE,
    # WeChat itself, known by its signature (tests/desk/wechat).
    ("GET", "/wechat/<account_id:str>"): EVERYONE,
    ("POST", "/wechat/<account_id:str>"): EVERYONE,
    # Whoever has the secret of a link (tests/desk/wechat/test_scenes.py).
    ("GET", "/api/wechat-links/<secret:str>"): EVERYONE,
    ("POST", "/api/wechat-links/<secret:str>"): EVERYONE,
    # Whoever has the link of a survey (tests/desk/test_surveys.py).
    ("GET", "/api/surveys/<token:str>"): EVERYONE,
    ("POST", "/api/surveys/<token:str>"): EVERYONE,
    # A source that signs (tests/desk/webhook).
    ("POST", "/api/webhooks/<source_id:str>/messages"): EVERYONE,
    ("GET", "/metrics"): MACHINE,
    ("GET", "/api/my/conversations"): CUSTOMER,
    ("GET", "/api/my/identities"): CUSTOMER,
    # Whoever has the link of an export (tests/desk/test_personal_data.py).
    ("GET", "/api/data/<secret:str>"): EVERYONE,
    ("POST", "/api/data/<secret:str>"): EVERYONE,
    ("GET", "/api/my/data"): CUSTOMER,
    ("POST", "/api/my/data/export"): CUSTOMER,
    ("POST", "/api/my/data/erase"): CUSTOMER,
    ("POST", "/api/my/data/keep"): CUSTOMER,
    ("POST", "/api/my/codes"): CUSTOMER,
    ("POST", "/api/my/codes/use"): CUSTOMER,
    ("GET", "/api/rooms/<room_id:str>"): CUSTOMER,
    ("GET", "/api/invitations/<token:str>"): CUSTOMER,
    ("POST", "/api/invitations/<token:str>"): CUSTOMER,
    ("POST", "/api/invitations/<token:str>/renew"): CUSTOMER,
    ("POST", "/api/invitations/<token:str>/wechat"): CUSTOMER,
    ("GET", "/api/crossings/<scene_id:str>"): CUSTOMER,
    ("GET", "/api/conversations/<conversation_id:str>"): CUSTOMER,
    ("POST", "/api/conversations/<conversation_id:str>/wechat"): CUSTOMER,
    ("POST", "/api/conversations/<conversation_id:str>/pictures"): CUSTOMER,
    ("GET", "/api/conversations/<conversation_id:str>/pictures/<picture_id:str>"): CUSTOMER,
    ("GET", "/ws/room/<room_id:str>"): CUSTOMER,
    ("GET", "/ws/conversation/<conversation_id:str>"): CUSTOMER,
    # the own account
    ("POST", f"{S}/login"): EVERYONE,
    ("GET", f"{S}/me"): LOGGED_IN,
    ("POST", f"{S}/logout"): LOGGED_IN,
    ("POST", f"{S}/me/password"): LOGGED_IN,
    ("POST", f"{S}/me/totp"): LOGGED_IN,
    ("POST", f"{S}/me/totp/confirm"): LOGGED_IN,
    ("DELETE", f"{S}/me/totp"): LOGGED_IN,
    ("GET", f"{S}/me/notices"): LOGGED_IN,
    ("POST", f"{S}/me/notices/read"): LOGGED_IN,
    ("PUT", f"{S}/me/presence"): HANDLERS,
    ("GET", "/ws/staff"): LOGGED_IN,
    # accounts and audit
    ("GET", f"{S}/accounts"): ADMINS,
    ("POST", f"{S}/accounts"): ADMINS,
    ("PATCH", f"{S}/accounts/<account_id:str>"): ADMINS,
    ("GET", f"{S}/audit"): AUDITORS,
    # personal data
    ("GET", f"{S}/privacy"): AUDITORS,
    ("GET", f"{S}/privacy/conversations/<conversation_id:str>"): AUDITORS,
    ("POST", f"{S}/privacy/conversations/<conversation_id:str>/erase"): AUDITORS,
    ("POST", f"{S}/privacy/conversations/<conversation_id:str>/export"): MANAGERS,
    ("POST", f"{S}/privacy/requests/<data_request_id:str>/carry_out"): AUDITORS,
    ("POST", f"{S}/privacy/requests/<data_request_id:str>/refuse"): AUDITORS,
    # lists
    ("GET", f"{S}/conversations"): READERS,
    ("GET", f"{S}/search"): READERS,
    ("GET", f"{S}/colleagues"): READERS,
    ("GET", f"{S}/labels"): READERS,
    ("GET", f"{S}/board"): OVERSEERS,
    # insights
    ("GET", f"{S}/insights"): READ_FIGURES,
    ("GET", f"{S}/insights/cases"): READ_FIGURES,
    ("POST", f"{S}/insights/alerts/<alert_id:str>/seen"): READ_FIGURES,
    ("GET", f"{S}/insights/causes"): HANDLERS,
    ("GET", f"{S}/insights/reports"): READ_FIGURES,
    ("GET", f"{S}/insights/reports/<report_id:str>"): READ_FIGURES,
    # one conversation
    ("GET", C): READERS,
    ("GET", f"{C}/pictures/<picture_id:str>"): READERS,
    ("GET", f"{C}/suggestions"): HANDLERS,
    ("POST", f"{C}/check"): HANDLERS,
    ("POST", f"{C}/take"): HANDLERS,
    ("POST", f"{C}/answer"): HANDLERS,
    ("POST", f"{C}/pictures"): HANDLERS,
    ("POST", f"{C}/transfer"): HANDLERS,
    ("POST", f"{C}/step_in"): OVERSEERS,
    ("POST", f"{C}/give_back"): HANDLERS,
    ("POST", f"{C}/close"): HANDLERS,
    ("POST", f"{C}/snooze"): HANDLERS,
    ("POST", f"{C}/notes"): HANDLERS,
    ("POST", f"{C}/whisper"): OVERSEERS,
    ("PUT", f"{C}/labels"): HANDLERS,
    ("POST", f"{C}/facts"): HANDLERS,
    ("POST", f"{C}/remedies/<key:str>/retry"): HANDLERS,
    ("POST", f"{C}/remedies/<key:str>/done"): HANDLERS,
    ("POST", f"{C}/remedies/<key:str>/promise"): HANDLERS,
    ("POST", f"{C}/call"): HANDLERS,
    ("POST", f"{C}/follow_up"): HANDLERS,
    ("DELETE", f"{C}/follow_up"): HANDLERS,
    ("POST", f"{C}/follow_up/result"): HANDLERS,
    # remedies, cases by hand
    ("POST", f"{C}/preview"): HANDLERS,
    ("POST", f"{C}/offers"): HANDLERS,
    ("POST", f"{C}/offers/<offer_id:str>/accept"): HANDLERS,
    ("POST", f"{C}/offers/<offer_id:str>/refuse"): HANDLERS,
    ("POST", f"{C}/offers/<offer_id:str>/withdraw"): HANDLERS,
    ("POST", f"{C}/requests"): HANDLERS,
    ("DELETE", f"{C}/requests/<request_id:str>"): HANDLERS,
    ("GET", f"{S}/requests"): HANDLERS,
    ("POST", f"{S}/requests/<request_id:str>/grant"): MANAGERS,
    ("POST", f"{S}/requests/<request_id:str>/refuse"): MANAGERS,
    ("POST", f"{S}/cases"): HANDLERS,
    ("GET", f"{S}/failures"): HANDLERS,
    ("POST", f"{C}/heard"): HANDLERS,
    ("POST", f"{C}/order"): HANDLERS,
    ("POST", f"{C}/matter"): HANDLERS,
    ("POST", f"{C}/wishes"): HANDLERS,
    ("POST", f"{C}/gestures/<gesture_id:str>/done"): HANDLERS,
    # An order system, known by its signature (tests/desk/test_order_events.py).
    ("POST", "/api/orders/<business_id:str>/events"): EVERYONE,
    # The same, of the remedies it was given (tests/desk/test_progress.py).
    ("POST", "/api/orders/<business_id:str>/remedies"): EVERYONE,
    # one customer, one case
    ("GET", f"{C}/person"): READERS,
    ("POST", f"{C}/merge"): HANDLERS,
    ("POST", f"{C}/split"): HANDLERS,
    ("POST", f"{S}/case-joins/<case_join_id:str>/undo"): HANDLERS,
    ("POST", f"{S}/person-joins/<person_join_id:str>/undo"): MANAGERS,
    # incidents
    ("GET", f"{S}/incidents"): HANDLERS,
    ("POST", f"{S}/incidents"): HANDLERS,
    ("GET", INCIDENT): HANDLERS,
    ("POST", f"{INCIDENT}/members"): HANDLERS,
    ("DELETE", f"{INCIDENT}/members/<member_id:int>"): HANDLERS,
    ("POST", f"{INCIDENT}/members/<member_id:int>/accept"): HANDLERS,
    ("POST", f"{INCIDENT}/confirm"): OVERSEERS,
    ("POST", f"{INCIDENT}/dismiss"): OVERSEERS,
    ("POST", f"{INCIDENT}/close"): OVERSEERS,
    ("POST", f"{INCIDENT}/preview"): OVERSEERS,
    ("POST", f"{INCIDENT}/tell"): OVERSEERS,
    ("POST", f"{INCIDENT}/remedies"): OVERSEERS,
    # files of the insights, corrective actions
    ("GET", f"{S}/insights/export.xlsx"): READ_FIGURES,
    ("GET", f"{S}/insights/export.pdf"): READ_FIGURES,
    ("GET", f"{S}/insights/reports/<report_id:str>/export.pdf"): READ_FIGURES,
    ("POST", f"{S}/insights/actions/<case_id:str>/done"): OVERSEERS,
    # practice
    ("GET", f"{S}/drills"): READERS,
    ("GET", f"{S}/drills/team"): OVERSEERS,
    ("POST", f"{S}/drills"): READERS,
    ("GET", DRILL): READERS,
    ("POST", f"{DRILL}/say"): READERS,
    ("POST", f"{DRILL}/end"): READERS,
    ("GET", f"{S}/drill-scenarios/cases"): MANAGERS,
    ("POST", f"{S}/drill-scenarios/draft"): MANAGERS,
    ("POST", f"{S}/drill-scenarios/keep"): MANAGERS,
    ("DELETE", f"{S}/drill-scenarios/<scenario_id:str>"): MANAGERS,
    # words
    ("GET", f"{S}/canned"): HANDLERS,
    ("POST", f"{S}/canned/<canned_id:int>/used"): HANDLERS,
    ("GET", f"{S}/canned/all"): OVERSEERS,
    ("POST", f"{S}/canned"): OVERSEERS,
    ("PUT", f"{S}/canned/<canned_id:int>"): OVERSEERS,
    ("DELETE", f"{S}/canned/<canned_id:int>"): OVERSEERS,
    ("POST", f"{S}/labels"): OVERSEERS,
    ("DELETE", f"{S}/labels/<label_id:int>"): OVERSEERS,
}
STAFF_ROUTES = {
    (method, path): who
    for (method, path), who in DECIDED.items()
    if isinstance(who, frozenset) and path.startswith(S)
}
# Also with a password that an admin has set.
BEFORE_CHANGE = {("GET", f"{S}/me"), ("POST", f"{S}/logout"), ("POST", f"{S}/me/password")}

# Bodies that a route takes, so that it gets as far as looking for what the path names.
BODIES: dict[str, dict[str, Any]] = {
    f"{C}/answer": {"id": "answer-00001", "text": "您好，我来处理"},
    f"{C}/transfer": {"to": "queue", "memo": "请接着跟进"},
    f"{C}/give_back": {"note": "已经说好", "at": None},
    f"{C}/close": {"outcome": "explained", "note": "", "force": True},
    f"{C}/snooze": {"until": (NOON + timedelta(hours=1)).isoformat(), "note": "等回电"},
    f"{C}/notes": {"id": "note-0000001", "text": "记一笔", "mentions": []},
    f"{C}/whisper": {"id": "whisper-0001", "text": "语气再缓一缓"},
    f"{C}/labels": {"labels": []},
    f"{C}/facts": {"harm": "slight"},
    f"{C}/check": {"text": "您好"},
    f"{C}/remedies/<key:str>/done": {"note": "已在柜台当面办好"},
    f"{C}/remedies/<key:str>/promise": {"stage": "done", "reason": "已在柜台当面办好"},
    f"{C}/preview": {"remedies": [{"kind": "room_change", "minutes": 20}]},
    f"{C}/offers": {"id": "offer-000001"},
    f"{C}/requests": {"id": "request-0001", "reason": "顾客两次投诉同一件事"},
    f"{C}/heard": {"id": "heard-000001", "text": "电话里说还没有收到"},
    f"{C}/order": {"order_number": ORDER, "phone_last4": "0012"},
    f"{C}/follow_up": {"at": None},
    f"{C}/follow_up/result": {"rating": 5, "words": ""},
    f"{C}/matter": {"failure": "room_not_clean"},
    f"{C}/wishes": {"add": "不要券"},
    f"{S}/privacy/conversations/<conversation_id:str>/erase": {"confirm": "删除"},
    f"{S}/privacy/requests/<data_request_id:str>/carry_out": {"confirm": "删除"},
    f"{S}/privacy/requests/<data_request_id:str>/refuse": {"reason": "还有账没有结清"},
    f"{C}/merge": {"case": "s0", "reason": "说的是同一件事"},
    f"{C}/split": {"failure": "noise", "messages": ["m0"], "reason": "是两件事"},
    f"{DRILL}/say": {"id": "line-0000001", "text": "您好"},
    f"{INCIDENT}/preview": {"text": "{称呼}您好，电梯在修"},
    f"{INCIDENT}/tell": {"id": "tell-0000001", "text": "{称呼}您好，电梯在修"},
    f"{INCIDENT}/remedies": {"id": "remedy-00001"},
    f"{S}/requests/<request_id:str>/grant": {"note": "同意"},
    f"{S}/requests/<request_id:str>/refuse": {"note": "这次不行"},
    f"{S}/accounts/<account_id:str>": {"name": "某人"},
    f"{S}/canned/<canned_id:int>": {"title": "问候", "text": "您好", "business": "lanting"},
}


# No two alerts and reports of a business are of the same day.
_EARLIER = count()


# --- the scene --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Placed:
    """A conversation with all that can be named in a path."""

    conversation: Conversation
    session: str
    ids: dict[str, str]


class Scene:
    """A desk with conversations in two businesses, and an account of each role in one of them."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self.desk = desk
        self.clock = clock
        self.store = desk.context.storage.database

    @property
    def context(self) -> Context:
        return self.desk.context

    def account(self, login: str, role: str, business: str | None = "lanting") -> Staff:
        with self.store.write() as db:
            return staff.add(db, login, f"同事{login}", role, PASSWORD, self.clock(), business)

    @asynccontextmanager
    async def page(self, login: str) -> AsyncIterator[httpx.AsyncClient]:
        """The browser of somebody who has logged in."""
        async with httpx.AsyncClient(
            base_url=self.desk.url, trust_env=False, timeout=PATIENCE
        ) as http:
            answer = await http.post(f"{S}/login", json={"login": login, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            http.cookies.clear()
            http.headers["Cookie"] = f"huixin_staff={answer.cookies['huixin_staff']}"
            http.headers["X-CSRF"] = answer.json()["csrf"]
            yield http

    @asynccontextmanager
    async def pages(self) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
        """One of each role, all of the same business."""
        async with AsyncExitStack() as stack:
            yield {
                role: await stack.enter_async_context(self.page(self.account(role, role).login))
                for role in ROLES
            }

    def place(self, business: str, owner: str = QUEUE, name: str = "阿明") -> Placed:
        """A private conversation of a new customer, with a case and one of everything."""
        picture = encoded("PNG")
        sha256 = self.desk.app.ctx.album.keep(picture, examine(picture).copy)
        with self.store.write() as db:
            customer, session = customers.begin_session(db, None, business, name, None, NOON)
            case = a_case()
            cases.save(db, case, business, customer.id, NOON)
            placed = conversations.begin(
                db, business, customer.id, NOON, case_id=case.id, owner=owner, reason="asked"
            )
            sent = picture_store.add(
                db, placed, sha256, "image/png", (320, 240), len(picture), NOON
            )
            fulfilments.promise(db, placed, case.id, case.offers[0], NOON)
            # Given up: nobody but staff sets it going again.
            db.execute(update(fulfilments_table).values(state="failed"))
            key = f"{case.offers[0].id}:0"
            colleague = a_colleague(db, business)
            ids = {
                "conversation_id": placed.id,
                "picture_id": sent.id,
                "key": key,
                "offer_id": case.offers[0].id,
                "request_id": a_request(db, placed, case.id, colleague),
                "account_id": str(colleague),
                "label_id": str(a_label(db, business)),
                "canned_id": str(a_reply(db, business)),
                "gesture_id": a_gesture(db, placed, case.id),
                "data_request_id": data_requests.ask(
                    *(db, business, customer.id, "erase", f"customer:{customer.id}", NOON)
                ).id,
                **an_incident(db, placed, case.id),
                **taught(db, business),
                **to_mend(db, case.id),
                **joins(db, placed, case),
                **practice(db, business, colleague),
            }
            assert fulfilments.load(db, key) is not None
        return Placed(placed, session, ids)

    def state(self, placed: Placed) -> tuple[Any, ...]:
        """All that a call could have changed about a conversation."""
        # Not its place in the queue, which the desk itself keeps up to date.
        columns = ("owner", "reason", "case_id", "snoozed_until", "last_text", "seen_by_staff")
        row = select(*(conversations_table.c[name] for name in columns)).where(
            conversations_table.c.id == placed.conversation.id
        )
        with self.store.read() as db:
            return (
                db.execute(row).one(),
                cases.load(db, placed.conversation.case_id),
                streams.last(db, placed.conversation.stream),
                fulfilments.load(db, placed.ids["key"]),
                db.execute(select(remedy_requests.c.state, remedy_requests.c.id)).all(),
                db.execute(select(labels)).all(),
                db.execute(select(canned_replies)).all(),
                incidents.load(db, placed.ids["incident_id"]),
                incidents.members(db, placed.ids["incident_id"]),
                causes.of_case(db, placed.ids["case_id"]),
                db.execute(select(func.count()).select_from(audit_table)).scalar(),
            )


def a_case() -> Case:
    offer = Offer(
        id=new_id("o"),
        order_number=ORDER,
        remedies=[{"kind": "room_change", "minutes": 20}],
        rules=["H-1"],
        policy="hotel-0",
        facts={},
        reason="房间没有打扫",
        round=0,
        expires_at=(NOON + timedelta(hours=48)).isoformat(),
    )
    return Case(
        id=new_id("s"),
        stage="offered",
        facts={"failure": "room_not_clean"},
        anger=CaseAnger(2, 2, 2, "steady"),
        order_number=ORDER,
        offers=(offer,),
    )


def a_gesture(db: Connection, conversation: Conversation, case_id: str) -> str:
    """A small thing that the customer has taken and that staff do."""
    content = {"title": "手写卡片", "why": "因为", "task": "手写卡片"}
    whose = (conversation.business, case_id, conversation.customer_id, "gesture", "hotel-upset")
    made = (stamp(NOON), None, False)
    taken = gestures.Offered(new_id("g"), *whose, content, 0, "taken", *made)
    gestures.offer(db, taken)
    return taken.id


def an_incident(db: Connection, conversation: Conversation, case_id: str) -> dict[str, str]:
    made = incidents.begin(
        db,
        conversation.business,
        "hotel",
        "noise",
        "施工的声音",
        NOON,
        source="staff",
        state=incidents.PROPOSED,
        opened_by="desk",
    )
    member = incidents.add_member(
        *(db, made.id, "proposed", "bot", NOON),
        case_id=case_id,
        customer_id=conversation.customer_id,
        conversation_id=conversation.id,
    )
    return {"incident_id": made.id, "member_id": str(member)}


def taught(db: Connection, business: str) -> dict[str, str]:
    """An alert, and a weekly report."""
    day = NOON.date() - timedelta(days=next(_EARLIER))
    alert = alerts.raise_once(db, business, "failure", day, Rising("noise", 5, 0.5), NOON)
    report = weekly_reports.keep(db, business, day, {"figures": []}, NOON)
    assert alert is not None and report is not None
    return {"alert_id": alert, "report_id": report}


def to_mend(db: Connection, case_id: str) -> dict[str, str]:
    """What is done so that it does not happen again."""
    causes.confirm(db, case_id, "other", 1, NOON, action="复查")
    return {"case_id": case_id}


def joins(db: Connection, conversation: Conversation, case: Case) -> dict[str, str]:
    """Another case that has gone into this one, another name of the same customer."""
    business, customer = conversation.business, conversation.customer_id
    other = replace(a_case(), stage="closed", offers=())
    cases.save(db, other, business, customer, NOON)
    case_joins.set_merged(db, other.id, case.id)
    states = {"kept": case.to_state(), "other": other.to_state(), "joined": case.to_state()}
    before = {**states, "rows": {}, "cause": False}
    merged = case_joins.add(db, "merge", business, case.id, other.id, before, "同一件事", 1, NOON)
    also = customers.add(db, new_id("u"), business, "阿明", NOON)
    joined = persons.join(db, customers.load(db, customer), also, "code", "customer", NOON)
    assert joined is not None
    return {"case_join_id": merged, "person_join_id": joined.id}


def practice(db: Connection, business: str, colleague: int) -> dict[str, str]:
    """A practice of a colleague, and a scenario of the business."""
    scenario = written()["hotel-dirty-room"]
    drill = begin_drill(scenario, decide(scenario, running().on("hotel", NOON.date())), "", NOON)
    given, standing = drill.given.to_wire(), drill.standing.to_wire()
    kept = drills.KeptDrill(
        **{"id": new_id("d"), "staff_id": colleague, "scenario": scenario.id, "state": "running"},
        **{"lines": list(drill.lines), "review": None, "ended_at": None},
        standing={"scenario": scenario.to_wire(), "given": given, "customer": standing},
        started_at=stamp(NOON),
        due_at=stamp(drill.due),
    )
    drills.keep(db, kept)
    made = (new_id("r"), business, scenario.to_wire(), None, colleague, stamp(NOON))
    drills.add_scenario(db, drills.KeptScenario(*made))
    return {"drill_id": kept.id, "scenario_id": made[0]}


def a_request(db: Connection, conversation: Conversation, case_id: str, asker: int) -> str:
    request_id = new_id("q")
    db.execute(
        insert(remedy_requests).values(
            id=request_id,
            conversation_id=conversation.id,
            case_id=case_id,
            business=conversation.business,
            asked_by=asker,
            asked_at=stamp(NOON),
            content={
                **{"wishes": None, "remedies": [], "items": [], "worth_fen": 0, "policy_fen": 0},
                **{"floor_fen": 0, "facts": {}, "policy": "hotel-0", "rules": []},
            },
            needed="manager",
            reason="顾客很着急",
            state="open",
        )
    )
    return request_id


def a_colleague(db: Connection, business: str) -> int:
    login = new_id("c")
    return staff.enter(db, login, "某同事", "agent", "no hash at all", NOON, business).id


def a_label(db: Connection, business: str) -> int:
    name = new_id("l")[:20]
    made = insert(labels).values(business=business, name=name, colour="red")
    return int(db.execute(made.returning(labels.c.id)).scalar_one())


def a_reply(db: Connection, business: str) -> int:
    made = insert(canned_replies).values(
        business=business,
        anger_least=0,
        anger_most=3,
        title="问候",
        text="您好",
        updated_at=stamp(NOON),
    )
    return int(db.execute(made.returning(canned_replies.c.id)).scalar_one())


@pytest_asyncio.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    # What a hash costs stands in the hash; tests with many logins take cheap ones.
    monkeypatch.setattr(staff, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    clock = Clock()
    async with serving(a_context(tmp_path, clock, video_calls="https://meet.example")) as desk:
        yield Scene(desk, clock)


def filled(path: str, ids: dict[str, str]) -> str:
    """A path of the router with ids in it."""
    return re.sub(r"<(\w+):\w+>", lambda match: ids[match[1]], path)


NOBODYS = {
    **{name: new_id("k") for name in ("conversation_id", "picture_id", "key", "request_id")},
    "offer_id": new_id("o"),
    "gesture_id": new_id("g"),
    **{"account_id": "999999", "label_id": "999999", "canned_id": "999999"},
    **{"case_join_id": new_id("g"), "person_join_id": new_id("j")},
    **{"secret": "guessed", "scene_id": "guessed", "data_request_id": "nobody"},
    **{"token": "guessed", "room_id": ROOM, "path": "nothing-here"},
    **{"incident_id": new_id("i"), "member_id": "999999", "business_id": "nobody"},
    "source_id": "nobody",
    **dict.fromkeys(("alert_id", "case_id", "report_id", "drill_id", "scenario_id"), "nobody"),
}


async def call(
    http: httpx.AsyncClient, method: str, path: str, ids: dict[str, str], **headers: str
) -> httpx.Response:
    """Call a route with what it takes."""
    address = filled(path, ids)
    if method == "GET":
        return await http.get(address, headers=headers)
    if path.endswith("/pictures"):
        address += f"?client_id=picture-{new_id('x')}"
        return await http.request(method, address, content=encoded("PNG"), headers=headers)
    body = BODIES.get(path, {})
    if path == f"{INCIDENT}/members":
        body = {"conversation": ids["conversation_id"]}
    return await http.request(method, address, json=body, headers=headers)


def text_of(answer: httpx.Response) -> str:
    """What an answer says, its Chinese not escaped; of a picture nothing."""
    if not answer.content or answer.headers.get("content-type") != "application/json":
        return ""
    return json.dumps(answer.json(), ensure_ascii=False)


def around(text: str, secret: str) -> list[str]:
    """Where a secret stands in a text, for the report of a failure."""
    return [text[max(0, at.start() - 80) : at.end() + 40] for at in re.finditer(secret, text)]


def code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


# --- every route is decided -------------------------------------------------------------------


async def test_every_route_is_decided(scene: Scene) -> None:
    routes = {
        (method, f"/{route.path}")
        for route in scene.desk.app.router.routes
        for method in route.methods
    }
    assert routes - DECIDED.keys() == set(), "decide above who may call these"
    assert DECIDED.keys() - routes == set(), "these are gone"


def test_every_path_can_be_filled() -> None:
    for _, path in DECIDED:
        assert "<" not in filled(path, NOBODYS)


# --- staff ------------------------------------------------------------------------------------


async def test_without_a_login_nothing_is_given(scene: Scene) -> None:
    placed = scene.place("lanting")
    scene.account("lin", "manager")
    async with (
        scene.page("lin") as lin,
        httpx.AsyncClient(base_url=scene.desk.url, trust_env=False, timeout=PATIENCE) as http,
    ):
        good = lin.headers["Cookie"]
        csrf = lin.headers["X-CSRF"]
        before = scene.state(placed)
        for cookie in (
            "",
            "huixin_staff=",
            "huixin_staff=guessed",
            good[:-1] + ("A" if good[-1] != "A" else "B"),
            f"huixin_session={good.partition('=')[2]}",
            f"huixin_session={placed.session}",
            f"huixin_staff={placed.session}",
        ):
            for method, path in STAFF_ROUTES:
                answer = await call(
                    http, method, path, placed.ids, **{"Cookie": cookie, "X-CSRF": csrf}
                )
                assert answer.status_code == 401, (method, path, cookie)
                assert code(answer) == "not_logged_in"
            assert await turned_away(scene, "/ws/staff", cookie) == (4401, "not_logged_in")
        assert scene.state(placed) == before


async def turned_away(scene: Scene, path: str, cookie: str, **headers: str) -> tuple[int, str]:
    """How the desk closes a socket."""
    address = scene.desk.url.replace("http", "ws", 1) + path
    headers = {"Cookie": cookie, **headers}
    async with websockets.connect(address, additional_headers=headers, proxy=None) as socket:
        return await closed(socket)


async def test_each_role_may_what_was_decided_and_nothing_else(scene: Scene) -> None:
    async with scene.pages() as pages:
        for (method, path), allowed in STAFF_ROUTES.items():
            if path == f"{S}/logout":
                continue
            for role, http in pages.items():
                answer = await call(http, method, path, NOBODYS)
                named = (method, path, role, answer.text)
                assert answer.status_code < 500, named
                if role in allowed:
                    assert answer.status_code not in (401, 403, 405), named
                else:
                    assert (answer.status_code, code(answer)) == (403, "forbidden"), named
        for http in pages.values():
            assert (await call(http, "POST", f"{S}/logout", NOBODYS)).status_code == 204
            assert (await call(http, "GET", f"{S}/me", NOBODYS)).status_code == 401


async def test_what_a_role_may_is_what_its_page_is_told(scene: Scene) -> None:
    """`me.staff.may` is what the page shows buttons by."""
    acts = {
        **{"read": READERS, "handle": HANDLERS, "oversee": OVERSEERS, "wording": OVERSEERS},
        **{"grant": MANAGERS, "audit": AUDITORS, "accounts": ADMINS, "insights": READ_FIGURES},
        "privacy": AUDITORS,
    }
    async with scene.pages() as pages:
        for role, http in pages.items():
            told = (await http.get(f"{S}/me")).json()["staff"]["may"]
            assert sorted(told) == sorted(act for act, roles in acts.items() if role in roles)


# Paths that name something of one business.
OF_ONE = [(method, path) for method, path in STAFF_ROUTES if "<" in path]


async def test_another_business_does_not_exist(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever owns it there, also this very account: it may have been moved."""
    # The desk itself would take from them, at some moment, what they own and may not have.
    monkeypatch.setattr(attendance, "_without_owner", lambda *_: [])
    async with scene.pages() as pages:
        with scene.store.read() as db:
            ids = dict(db.execute(select(staff_table.c.login, staff_table.c.id)).all())
        foreign = {
            (role, owner): scene.place("qinghe", owner)
            for role in ROLES
            for owner in (QUEUE, BOT, staff_owner(ids[role]))
        }
        for method, path in OF_ONE:
            for (role, owner), placed in foreign.items():
                if role not in STAFF_ROUTES[method, path]:
                    continue
                before = scene.state(placed)
                answer = await call(pages[role], method, path, placed.ids)
                named = (method, path, role, owner, answer.text)
                assert (answer.status_code, code(answer)) == (404, "not_found"), named
                assert scene.state(placed) == before, named


async def test_the_same_calls_find_what_is_of_the_own_business(scene: Scene) -> None:
    """Else the test above could not fail."""
    async with scene.pages() as pages:
        with scene.store.read() as db:
            ids = dict(db.execute(select(staff_table.c.login, staff_table.c.id)).all())
        for method, path in OF_ONE:
            for role in sorted(STAFF_ROUTES[method, path] - {"trainer"}):
                owner = QUEUE if path.endswith("/take") else staff_owner(ids[role])
                if path.endswith("/step_in"):
                    owner = staff_owner(ids["agent"])
                placed = scene.place("lanting", owner)
                if path == f"{C}/requests/<request_id:str>":
                    with scene.store.write() as db:
                        db.execute(update(remedy_requests).values(asked_by=ids[role]))
                if path.startswith(DRILL):
                    with scene.store.write() as db:
                        own = drills_table.c.id == placed.ids["drill_id"]
                        db.execute(update(drills_table).where(own).values(staff_id=ids[role]))
                answer = await call(pages[role], method, path, placed.ids)
                assert answer.status_code not in (403, 404), (method, path, role, answer.text)
                assert answer.status_code < 500, (method, path, role, answer.text)


async def test_questions_that_name_another_business_find_nothing(scene: Scene) -> None:
    foreign = scene.place("qinghe", name="王小二")
    by_hand = {
        **{"id": "by-hand-0001", "business": "qinghe", "channel": "phone", "name": "王小二"},
        "text": "发错货了",
    }
    async with scene.pages() as pages:
        for role in HANDLERS:
            http = pages[role]
            for path in (
                f"/canned?conversation={foreign.conversation.id}",
                "/failures?business=qinghe",
            ):
                assert (await http.get(S + path)).status_code == 404, (role, path)
            answer = await http.post(f"{S}/cases", json=by_hand)
            assert answer.status_code == 404, answer.text
        for role in READERS:
            for path in ("/conversations", "/search?q=王小二", "/search?q=", "/colleagues"):
                answer = await pages[role].get(S + path)
                assert answer.status_code == 200, answer.text
                assert "王小二" not in text_of(answer), (role, path)
                assert foreign.conversation.id not in answer.text, (role, path)
                assert "qinghe" not in answer.text, (role, path)
        for role in AUDITORS:
            assert "qinghe" not in (await pages[role].get(f"{S}/audit")).text


async def test_a_change_needs_the_token_of_its_own_session(scene: Scene) -> None:
    placed = scene.place("lanting")
    scene.account("wu", "agent")
    async with scene.pages() as pages, scene.page("wu") as other:
        before = scene.state(placed)
        for method, path in STAFF_ROUTES:
            if method == "GET":
                continue
            for role, http in pages.items():
                for token in (None, "", "guessed", other.headers["X-CSRF"]):
                    request = http.build_request(
                        method, filled(path, placed.ids), json=BODIES.get(path, {})
                    )
                    del request.headers["X-CSRF"]
                    if token is not None:
                        request.headers["X-CSRF"] = token
                    answer = await http.send(request)
                    named = (method, path, role, token)
                    assert (answer.status_code, code(answer)) == (403, "csrf"), named
        assert scene.state(placed) == before


async def test_sessions_that_are_over_open_nothing(scene: Scene) -> None:
    placed = scene.place("lanting")
    disabled = scene.account("disabled", "manager")
    for login in ("old", "idle", "out"):
        scene.account(login, "manager")
    async with AsyncExitStack() as stack:
        pages = {
            login: await stack.enter_async_context(scene.page(login))
            for login in ("disabled", "old", "idle", "out")
        }
        with scene.store.write() as db:
            db.execute(
                update(staff_table)
                .where(staff_table.c.id == disabled.id)
                .values(disabled_at=stamp(NOON))
            )
            for login, values in (
                ("old", {"expires_at": stamp(NOON)}),
                ("idle", {"seen_at": stamp(NOON - timedelta(hours=2))}),
            ):
                owner = select(staff_table.c.id).where(staff_table.c.login == login)
                mine = staff_sessions.c.staff_id == owner.scalar_subquery()
                db.execute(update(staff_sessions).where(mine).values(**values))
        assert (await call(pages["out"], "POST", f"{S}/logout", NOBODYS)).status_code == 204
        before = scene.state(placed)
        for login, http in pages.items():
            for method, path in STAFF_ROUTES:
                answer = await call(http, method, path, placed.ids)
                assert (answer.status_code, code(answer)) == (401, "not_logged_in"), (login, path)
            cookie = http.headers["Cookie"]
            assert await turned_away(scene, "/ws/staff", cookie) == (4401, "not_logged_in")
        assert scene.state(placed) == before


async def test_with_a_password_of_an_admin_only_it_can_be_changed(scene: Scene) -> None:
    placed = scene.place("lanting")
    async with scene.pages() as pages:
        with scene.store.write() as db:
            db.execute(update(staff_table).values(must_change=True))
        for role, http in pages.items():
            for method, path in STAFF_ROUTES.keys() - BEFORE_CHANGE:
                answer = await call(http, method, path, placed.ids)
                assert (answer.status_code, code(answer)) == (403, "must_change"), (role, path)
            cookie = http.headers["Cookie"]
            assert await turned_away(scene, "/ws/staff", cookie) == (4403, "must_change")
            assert (await http.get(f"{S}/me")).status_code == 200
            answer = await http.post(f"{S}/me/password", json={})
            assert code(answer) == "weak_password"


async def test_a_page_of_another_site_gets_no_socket(scene: Scene) -> None:
    scene.account("lin", "agent")
    async with scene.page("lin") as lin:
        origin = {"Origin": "https://elsewhere.example"}
        away = await turned_away(scene, "/ws/staff", lin.headers["Cookie"], **origin)
        assert away == (4403, "forbidden")


# --- who a conversation is with ---------------------------------------------------------------

NAME, PHONE, ADDRESS = "欧阳小满", "13812345678", "长宁路35号"
SECRETS = (NAME, PHONE, ADDRESS, ORDER)
SAID = f"我叫{NAME}，电话{PHONE}，住{ADDRESS}，订单{ORDER}，{NAME}等你们回电"


def learned(text: str) -> list[list[str]]:
    """The secrets that a text tells, each with what stands around it."""
    told = [one for one in (*SECRETS, NAME[:2]) if one in text]
    # Four digits also stand in the midst of ids, which are hexadecimal.
    tail = re.search(rf"(?<![0-9a-f]){PHONE[-4:]}(?![0-9a-f])", text)
    told += [PHONE[-4:]] if tail else []
    return [around(text, one) for one in told]


def told(scene: Scene, owner: str) -> Placed:
    """A conversation in which the customer has said everything, and a colleague noted it."""
    placed = scene.place("lanting", owner, NAME)
    talk = placed.conversation
    event = {
        **{"id": new_id("m"), "kind": "message", "author": "customer"},
        **{"customer": talk.customer_id, "name": NAME, "text": SAID, "client_id": "client-0001"},
        "picture": {"id": placed.ids["picture_id"], "width": 320, "height": 240},
    }
    spoken = {
        **{"id": new_id("m"), "kind": "message", "author": "staff", "name": "小林"},
        "text": f"{NAME}您好，{ORDER}已经在查",
    }
    with scene.store.write() as db:
        for one in (event, spoken):
            streams.append(db, talk.stream, one, NOON)
        conversations.note_message(db, talk.id, SAID, NOON)
        case = cases.load(db, talk.case_id)
        assert case is not None
        known = {**case.facts, "order_number": ORDER, "phone_last4": PHONE[-4:]}
        cases.save(db, replace(case, facts=known), "lanting", talk.customer_id, NOON)
        db.execute(
            update(remedy_requests)
            .where(remedy_requests.c.conversation_id == talk.id)
            .values(reason=SAID)
        )
        writer = Staff(10**6, "lin", "小林", "agent", "lanting")
        notes.add(db, talk.id, writer, "note", SAID, NOON)
    return placed


def gets(placed: Placed) -> Iterable[str]:
    """All that can be read of staff's routes, also by what can be asked of them."""
    for method, path in STAFF_ROUTES:
        if method == "GET":
            yield filled(path, placed.ids)
    yield f"{S}/canned?conversation={placed.conversation.id}"
    for words in (*SECRETS, PHONE[-4:], PHONE[:7], NAME[:2], ORDER[:-4]):
        yield f"{S}/search?q={words}"


@pytest.mark.parametrize(
    ("role", "owner"),
    [
        *(("agent", owner) for owner in ("colleague", BOT)),
        *(("trainer", owner) for owner in ("colleague", BOT, QUEUE)),
        *(("admin", owner) for owner in ("colleague", BOT, QUEUE)),
    ],
)
async def test_who_need_not_know_the_customer_learns_nothing(
    scene: Scene, role: str, owner: str
) -> None:
    scene.account("reader", role)
    colleague = scene.account("colleague", "agent")
    placed = told(scene, staff_owner(colleague.id) if owner == "colleague" else owner)
    async with scene.page("reader") as reader:
        for path in gets(placed):
            answer = await reader.get(path)
            assert answer.status_code < 500, (path, answer.text)
            assert learned(text_of(answer)) == [], path
            if "/pictures/" in path:
                assert answer.status_code in (403, 404), path
            if "/search?" in path and answer.status_code == 200:
                assert answer.json()["rows"] == [], path
        for method, path in STAFF_ROUTES:
            # Who takes it has to know from then on.
            if method == "GET" or not path.startswith(C) or path.endswith("/take"):
                continue
            answer = await call(reader, method, path, placed.ids)
            assert learned(text_of(answer)) == [], path
        frames = await heard(scene, reader, placed)
        assert learned(frames) == []
        if role == "admin":
            assert placed.conversation.id not in frames


@pytest.mark.parametrize(
    ("role", "owner"),
    [("agent", QUEUE), ("agent", "reader"), ("supervisor", "colleague"), ("manager", BOT)],
)
async def test_who_has_to_know_the_customer_does(scene: Scene, role: str, owner: str) -> None:
    """Else the test above could not fail."""
    accounts = {
        "reader": scene.account("reader", role),
        "colleague": scene.account("colleague", "agent"),
    }
    placed = told(scene, staff_owner(accounts[owner].id) if owner in accounts else owner)
    path = f"{S}/conversations/{placed.conversation.id}"
    async with scene.page("reader") as reader:
        shown = text_of(await reader.get(path))
        assert all(secret in shown for secret in SECRETS)
        picture = await reader.get(f"{path}/pictures/{placed.ids['picture_id']}")
        assert picture.headers["content-type"] == "image/jpeg"
        for words in (NAME, PHONE, ORDER):
            found = (await reader.get(f"{S}/search?q={words}")).json()["rows"]
            assert [row["id"] for row in found] == [placed.conversation.id], words
        frames = await heard(scene, reader, placed)
        assert all(secret in frames for secret in SECRETS)


async def heard(scene: Scene, reader: httpx.AsyncClient, placed: Placed) -> str:
    """All that a page hears which looks at a conversation in which more is said."""
    address = scene.desk.url.replace("http", "ws", 1) + "/ws/staff"
    headers = {"Cookie": reader.headers["Cookie"]}
    talk = placed.conversation
    async with websockets.connect(address, additional_headers=headers, proxy=None) as socket:
        await socket.send(json.dumps({"type": "watch", "conversation": talk.id, "after": 0}))
        before = await up_to_pong(socket)
        await say(scene, placed)
        await scene.desk.app.ctx.audience.tell({talk.id: talk.business})
        return before + await up_to_pong(socket)


async def up_to_pong(socket: websockets.ClientConnection) -> str:
    """What a page was sent so far, its Chinese not escaped."""
    frames = []
    await socket.send(json.dumps({"type": "ping"}))
    async with asyncio.timeout(PATIENCE):
        while (frame := json.loads(await socket.recv()))["type"] != "pong":
            frames.append(json.dumps(frame, ensure_ascii=False))
    return "\n".join(frames)


async def say(scene: Scene, placed: Placed) -> None:
    """Let the customer say everything once more."""
    talk = placed.conversation
    event = {
        **{"id": new_id("m"), "kind": "message", "author": "customer", "name": NAME},
        **{"customer": talk.customer_id, "text": SAID},
    }
    with scene.store.write() as db:
        entry = streams.append(db, talk.stream, event, NOON)
    assert entry is not None
    scene.context.hub.publish([entry])


async def test_what_is_said_after_a_colleague_has_taken_over_is_masked(scene: Scene) -> None:
    """The page that looks on stays open; it is not asked again what it may see."""
    reader, colleague = scene.account("reader", "agent"), scene.account("colleague", "agent")
    placed = told(scene, staff_owner(reader.id))
    talk = placed.conversation
    address = scene.desk.url.replace("http", "ws", 1) + "/ws/staff"
    async with scene.page("reader") as page:
        headers = {"Cookie": page.headers["Cookie"]}
        async with websockets.connect(address, additional_headers=headers, proxy=None) as socket:
            await socket.send(json.dumps({"type": "watch", "conversation": talk.id, "after": 0}))
            before = await up_to_pong(socket)
            assert NAME in before
            with scene.store.write() as db:
                conversations.change_owner(
                    db, talk, staff_owner(colleague.id), NOON, expected=(staff_owner(reader.id),)
                )
            await scene.desk.app.ctx.audience.tell({talk.id: talk.business})
            await say(scene, placed)
            after = await up_to_pong(socket)
    assert '"event"' in after
    for secret in SECRETS:
        assert secret not in after


# --- customers --------------------------------------------------------------------------------


async def test_a_customer_sees_the_own_case_and_no_other(scene: Scene) -> None:
    mine, other = scene.place("lanting"), scene.place("lanting")
    foreign = scene.place("qinghe")
    routes = [
        (method, path)
        for (method, path), who in DECIDED.items()
        if who == CUSTOMER and "<conversation_id:str>" in path and not path.startswith("/ws")
    ]
    assert len(routes) >= 3
    async with httpx.AsyncClient(
        base_url=scene.desk.url, trust_env=False, timeout=PATIENCE
    ) as http:
        for placed, whose in ((mine, other), (mine, foreign), (foreign, mine)):
            before = scene.state(placed)
            for cookie in (
                f"huixin_session={whose.session}",
                "huixin_session=guessed",
                f"huixin_staff={placed.session}",
                "",
            ):
                for method, path in routes:
                    answer = await call(http, method, path, placed.ids, Cookie=cookie)
                    assert (answer.status_code, code(answer)) == (404, "not_found"), (path, cookie)
                    # Told apart from what does not exist at all by nothing.
                    nothing = await call(http, method, path, NOBODYS, Cookie=cookie)
                    assert (nothing.status_code, nothing.text) == (404, answer.text)
                socket = f"/ws/conversation/{placed.conversation.id}"
                assert (await turned_away(scene, socket, cookie))[0] == 4404, cookie
            assert scene.state(placed) == before
        for method, path in routes:
            own = f"huixin_session={mine.session}"
            answer = await call(http, method, path, mine.ids, Cookie=own)
            # This desk has no account of WeChat; whose the chat is is asked first.
            assert answer.status_code == (409 if path.endswith("/wechat") else 200), path
        listed = await http.get(
            "/api/my/conversations", headers={"Cookie": f"huixin_session={mine.session}"}
        )
        assert mine.conversation.id in listed.text
        assert other.conversation.id not in listed.text


async def test_an_invitation_is_for_its_customer_only(scene: Scene) -> None:
    sessions = []
    with scene.store.write() as db:
        for name in ("阿明", "阿亮"):
            customer, session = customers.begin_session(db, None, "lanting", name, None, NOON)
            public = conversations.begin(db, "lanting", customer.id, NOON, room=ROOM)
            sessions.append((public, session))
        key = scene.context.secrets.signing_key
        token, _ = invitations.issue(db, sessions[0][0], timedelta(hours=1), key, NOON)
    routes = [one for one in DECIDED if one[1].startswith("/api/invitations/<token:str>")]
    assert len(routes) >= 3
    async with httpx.AsyncClient(
        base_url=scene.desk.url, trust_env=False, timeout=PATIENCE
    ) as http:
        for cookie in (f"huixin_session={sessions[1][1]}", "huixin_session=guessed", ""):
            for given in (token, f"{token[:-1]}x", "guessed", f"{token}.x"):
                for method, path in routes:
                    answer = await call(http, method, path, {"token": given}, Cookie=cookie)
                    assert answer.status_code in (401, 404), (method, path, cookie, answer.text)
                    assert "阿明" not in text_of(answer)
        own = {"Cookie": f"huixin_session={sessions[0][1]}"}
        assert (await http.get(f"/api/invitations/{token}", headers=own)).status_code == 200


async def test_a_login_of_staff_opens_nothing_of_a_customers(scene: Scene) -> None:
    placed = scene.place("lanting")
    async with scene.pages() as pages:
        for http in pages.values():
            answer = await http.get(f"/api/conversations/{placed.conversation.id}")
            assert answer.status_code == 404
            assert (await http.get(f"/api/rooms/{ROOM}")).status_code == 401


async def test_rooms_ask_for_a_session(scene: Scene) -> None:
    async with httpx.AsyncClient(
        base_url=scene.desk.url, trust_env=False, timeout=PATIENCE
    ) as http:
        answer = await http.get(f"/api/rooms/{ROOM}")
        assert (answer.status_code, code(answer)) == (401, "no_session")
    assert await turned_away(scene, f"/ws/room/{ROOM}", "") == (4401, "no_session")


# --- machines ---------------------------------------------------------------------------------


async def test_measurements_are_for_this_machine(scene: Scene) -> None:
    async with httpx.AsyncClient(
        base_url=scene.desk.url, trust_env=False, timeout=PATIENCE
    ) as http:
        assert (await http.get("/metrics")).status_code == 200
        for headers in ({"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "127.0.0.1"}):
            assert (await http.get("/metrics", headers=headers)).status_code == 404


async def test_health_tells_nothing_of_anybody(scene: Scene) -> None:
    told(scene, QUEUE)
    async with httpx.AsyncClient(
        base_url=scene.desk.url, trust_env=False, timeout=PATIENCE
    ) as http:
        assert (await http.get("/healthz")).json() == {"status": "up"}
        assert set((await http.get("/readyz")).json()) == {"status", "rasa"}
        for path in ("/api/rooms", "/metrics"):
            answer = await http.get(path)
            told_by = answer.text if path == "/metrics" else text_of(answer)
            assert not any(secret in told_by for secret in SECRETS)

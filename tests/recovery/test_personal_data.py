"""What an erasure leaves of a person in the store: nothing, but for the ledger of money."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    Table,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from recovery.case import Case, Offer
from recovery.personal_data.asking import ASK, EXPORT, read_asking
from recovery.personal_data.bare import GONE, GONE_NAME
from recovery.personal_data.treatment import CLEANED, is_text, treatment, why_kept
from recovery.store import audit_log, cases, data_requests, erasure, fulfilments, retention
from recovery.store.database import Database, stamp
from recovery.store.personal_scope import scope_of, unfinished
from recovery.store.tables import audit_log as audit_table
from recovery.store.tables import cases as cases_table
from recovery.store.tables import customers as customers_table
from recovery.store.tables import decisions, inbox, metadata, outbox, pictures, wechat_sends
from recovery.store.tables import fulfilments as fulfilments_table
from recovery.store.tables import staff as staff_table
from recovery.store.tables import weekly_reports as weekly_table

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SECRET = "秘密Zk7Q"
"""In everything that is of the person and of nobody else."""
NAME, ORDER, OPENID = f"{SECRET}姓名", f"{SECRET}-ORDER-1", f"{SECRET}-openid"
IDS = {
    "customer_id": "u1",
    "conversation_id": "v1",
    "case_id": "s1",
    "message_id": "m1",
    "incident_id": "i1",
    "member_id": 1,
    "staff_id": 1,
    "person": "u1",
    "label_id": 1,
    "offer_id": "o1",
    "private_conversation": "v1",
    "public_conversation": "v1",
    "stream": "private:v1",
    "name": None,
}
# Tables that are filled by hand, or hold nothing of customers.
_OTHERS = {
    *("staff", "staff_sessions", "recovery_codes", "policies", "alerts", "insight_marks"),
    "canned_replies",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    database.migrate()
    yield database
    database.close()


def test_every_column_that_can_hold_words_is_decided() -> None:
    """A table or column that is added later fails here until somebody says what becomes of it."""
    undecided = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if is_text(column) and treatment(table, column) is None
    ]
    assert not undecided


def a_case() -> dict[str, Any]:
    offer = Offer(
        id="o1",
        order_number=ORDER,
        remedies=[{"kind": "refund_part", "fen": 1200, "part": "floor", "item": SECRET}],
        rules=["H-1"],
        policy="hotel-0",
        facts={"industry": "hotel", "paid": 1200, "note": SECRET},
        reason=SECRET,
        round=0,
        expires_at=stamp(NOON),
        state="accepted",
        departure=SECRET,
        why=[SECRET],
    )
    case = Case(
        id="s1",
        stage="closed",
        facts={"failure": "noise", "keywords": SECRET, "phone_last4": SECRET, "item": SECRET},
        order_number=ORDER,
        offers=(offer,),
    )
    return case.to_state()


def value_of(table: Table, column: Column[Any]) -> Any:  # noqa: ANN401 - of any column
    """Something for a column: the secret wherever words of the person may stand."""
    name, fixed = column.name, OVERRIDES.get((table.name, column.name))
    if fixed is not None:
        return fixed
    if column.foreign_keys:
        target = next(iter(column.foreign_keys)).column.table.name
        return KEYS.get(target, IDS.get(name))
    if IDS.get(name) is not None:
        return IDS[name]
    if isinstance(column.type, Boolean):
        return True
    if isinstance(column.type, Integer | Float):
        return 1
    if name in CLEANED.get(table.name, ()):
        words = f"给{NAME}（{ORDER}，{OPENID}）道歉"
        return {"words": words, "orders": [ORDER]} if isinstance(column.type, JSON) else words
    if why_kept(table, column) is None:
        json_value = {"planted": SECRET, "text": SECRET, "listed": [SECRET], "openid": OPENID}
        return (
            json_value
            if isinstance(column.type, JSON)
            else f"{SECRET}-{name}"[: column.type.length]
        )
    return [] if isinstance(column.type, JSON) else stamp(NOON)


KEYS: dict[str, Any] = {
    "customers": "u1",
    "conversations": "v1",
    "cases": "s1",
    "staff": 1,
    "labels": 1,
    "incidents": "i1",
    "incident_members": 1,
    "incident_messages": "im1",
    "wechat_contacts": "wc1",
    "webhook_contacts": "hc1",
}
OVERRIDES: dict[tuple[str, str], Any] = {
    ("customers", "id"): "u1",
    ("customers", "name"): NAME,
    ("customers", "business"): "lanting",
    ("conversations", "id"): "v1",
    ("cases", "id"): "s1",
    ("cases", "state"): a_case(),
    ("cases", "merged_into"): "",
    ("labels", "id"): 1,
    ("inbox", "id"): "m1",
    ("incidents", "id"): "i1",
    ("incident_messages", "id"): "im1",
    ("wechat_contacts", "id"): "wc1",
    ("wechat_contacts", "openid"): OPENID,
    ("wechat_comments", "openid"): OPENID,
    ("webhook_contacts", "id"): "hc1",
    ("wechat_received", "contact_id"): "wc1",
    ("wechat_scenes", "contact_id"): "wc1",
    ("webhook_received", "contact_id"): "hc1",
    ("wechat_threads", "conversation_id"): "v1",
    ("decisions", "order_number"): ORDER,
    ("decisions", "id"): "o1",
    ("fulfilments", "order_number"): ORDER,
    ("fulfilments", "key"): "o1:0",
    ("fulfilments", "state"): "done",
    ("promises", "stage"): "done",
    ("incident_members", "order_number"): ORDER,
    ("purchases", "order_number"): ORDER,
    ("person_joins", "kept"): "u1",
    ("person_joins", "joined"): "u9",
    ("case_joins", "kept_case"): "s1",
    ("case_joins", "other_case"): "s9",
    ("streams", "name"): "private:v1",
    ("outbox", "customer"): "u1",
    ("audit_log", "target"): "v1",
    ("audit_log", "id"): 1,
    ("audit_log", "act"): "answer",
    ("data_requests", "result"): {},
    ("promises", "told"): {},
}


def plant(db: Connection) -> int:
    """Put a row into every table that has anything of customers; gives how many."""
    who = {"id": 1, "login": "ma", "name": "马经理", "role": "manager", "password_hash": "x"}
    db.execute(insert(staff_table).values(**who, created_at=stamp(NOON)))
    planted = 0
    for table in metadata.sorted_tables:
        if table.name in _OTHERS:
            continue
        business = {"business": "lanting"} if "business" in table.c else {}
        values = {column.name: value_of(table, column) for column in table.columns}
        for column in table.columns:
            # Numbers that a database gives by itself, and ids of ours.
            if column.name == "id" and (table.name, "id") not in OVERRIDES:
                values["id"] = 1 if isinstance(column.type, Integer) else f"{table.name[:8]}-1"
        db.execute(insert(table).values({**values, **business}))
        planted += 1
    # Said to them in a room, and by them: everybody reads it.
    posted = {"id": "p1", "kind": "message", "author": "customer", "text": SECRET, "name": NAME}
    answer = {"id": "p2", "kind": "message", "author": "bot", "text": f"{NAME}，很抱歉"}
    for place, (event, customer, reply) in enumerate(
        ((posted, "u1", None), (answer, None, "p1")), 1
    ):
        row = {"stream": "room:lobby", "seq": place, "id": event["id"], "event": event}
        db.execute(insert(outbox).values(**row, at=stamp(NOON), customer=customer, reply_to=reply))
    return planted


def everything(db: Connection) -> str:
    """All that stands in all tables, as text."""
    return "\n".join(
        f"{table.name}: " + json.dumps(dict(row), ensure_ascii=False, default=str)
        for table in metadata.sorted_tables
        for row in db.execute(select(table)).mappings()
    )


def erased(store: Database, person: str = "u1") -> list[str]:
    with store.write() as db:
        scope = scope_of(db, person)
        assert scope is not None
        erasure.hold_person(db, scope)
        audit_log.note(db, None, "erase_data", NOON, business="lanting", target="d1")
        act = db.execute(select(func.max(audit_table.c.id))).scalar_one()
        _, files = erasure.erase(db, scope, act, NOON)
    return files


def test_nothing_of_a_person_is_left_in_any_table_or_file(store: Database, tmp_path: Path) -> None:
    with store.write() as db:
        assert plant(db) > 40
        money = (decisions.c.floor_fen, decisions.c.goodwill_fen, decisions.c.day)
        ledger = db.execute(select(*money, decisions.c.rules)).all()
    with store.read() as db:
        before = everything(db)
        assert before.count(SECRET) > 80
    erased(store)
    assert store.settle()
    with store.read() as db:
        left = [line for line in everything(db).splitlines() if SECRET in line]
        assert not left
        # The ledger: amounts, days and rules as they were, without the person.
        assert db.execute(select(*money, decisions.c.rules)).all() == ledger
        [remedy] = db.execute(select(decisions.c.order_number)).scalars()
        assert remedy.startswith("gone-")
        assert db.execute(select(fulfilments_table.c.state)).scalar() == "done"
        case = cases.load(db, "s1")
        assert case is not None and case.stage == "closed" and case.accepted_offer
        assert case.given == [{"kind": "refund_part", "fen": 1200, "part": "floor"}]
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert SECRET.encode() not in content, file.name
        assert json.dumps(SECRET)[1:-1].encode() not in content, file.name


def test_the_others_in_a_room_read_that_something_was_deleted(store: Database) -> None:
    with store.write() as db:
        plant(db)
    erased(store)
    with store.read() as db:
        shown = select(outbox.c.event).where(outbox.c.stream == "room:lobby")
        first, second = db.execute(shown.order_by(outbox.c.seq)).scalars()
    assert (first["text"], first["name"]) == (GONE, GONE_NAME)
    # When we apologised is a figure, and stays one.
    assert second["text"].startswith("很抱歉")


def test_the_audit_log_says_what_was_scrubbed_and_can_be_changed_no_other_way(
    store: Database,
) -> None:
    with store.write() as db:
        plant(db)
    erased(store)
    with store.read() as db:
        first, act = db.execute(select(audit_table).order_by(audit_table.c.id)).all()
        assert first.detail == {"erased": act.id}
        assert (first.act, first.target, act.act) == ("answer", "v1", "erase_data")
    for statement in (
        "UPDATE audit_log SET detail = '{}' WHERE id = 1",
        "UPDATE audit_log SET detail = '{\"erased\": 1}' WHERE id = 2",
        "UPDATE audit_log SET detail = '{\"erased\": 2}', login = 'wu' WHERE id = 1",
        "DELETE FROM audit_log WHERE id = 1",
        "INSERT OR REPLACE INTO audit_log (id, at, login, act, detail) VALUES (1,'','','','{}')",
    ):
        with pytest.raises(DBAPIError), store.write() as db:
            db.execute(text(statement))


def test_a_remedy_that_was_agreed_and_is_not_done_is_seen(store: Database) -> None:
    with store.write() as db:
        plant(db)
        scope = scope_of(db, "u1")
        assert scope is not None
        assert unfinished(db, scope) == []
        db.execute(fulfilments_table.update().values(state="todo"))
        assert unfinished(db, scope) == ["o1:0"]


def test_what_is_too_old_goes_and_what_is_not_stays(store: Database) -> None:
    with store.write() as db:
        plant(db)
        # The person is still there; the case is over and its words are old.
        db.execute(cases_table.update().values(closed_at=stamp(NOON)))
    later = NOON + timedelta(days=400)
    with store.write() as db:
        assert retention.old_conversations(db, "lanting", NOON, 10) == []
        db.execute(inbox.update().values(state="done"))
        assert retention.old_conversations(db, "lanting", later, 10) == ["v1"]
        retention.forget_words(db, "v1", later)
        assert retention.old_conversations(db, "lanting", later, 10) == []
        texts = list(db.execute(select(inbox.c.text)).scalars())
        assert texts == [GONE]
        assert db.execute(select(pictures.c.id)).scalar() is not None
        counts, files = retention.old_pictures(db, "lanting", later)
        assert counts == {"pictures": 1} and len(files) == 1
        assert retention.sent_before(db, later)["wechat_sends"] == 1
        assert db.execute(select(wechat_sends.c.id)).first() is None
        assert retention.traces_before(db, NOON) == {}
        [one] = retention.audited_before(db, later)
        assert retention.audited_before(db, NOON) == []
        # Nobody has written since: the person goes whole.
        [scope] = retention.old_persons(db, "lanting", later, 10)
        assert (scope.person, one) == ("u1", 1)


def test_an_export_opens_once_and_not_too_late(store: Database) -> None:
    with store.write() as db:
        asked = data_requests.ask(db, "lanting", "u1", "export", "customer:u1", NOON)
        assert data_requests.ask(db, "lanting", "u1", "export", "customer:u1", NOON) == asked
        secret = data_requests.make_link(db, asked, timedelta(minutes=10), NOON)
        assert data_requests.use_link(db, "nonsense", NOON) is None
        found = data_requests.use_link(db, secret, NOON)
        assert found is not None and found.person == "u1"
        assert data_requests.use_link(db, secret, NOON) is None
        again = data_requests.ask(db, "lanting", "u1", "export", "customer:u1", NOON)
        late = data_requests.make_link(db, again, timedelta(minutes=10), NOON)
        assert data_requests.use_link(db, late, NOON + timedelta(minutes=11)) is None


def test_a_name_that_is_called_like_a_code_spoils_no_code(store: Database) -> None:
    with store.write() as db:
        plant(db)
        db.execute(customers_table.update().values(name="noise"))
        content = {"causes": [{"name": "noise"}], "words": f"订单{ORDER}"}
        db.execute(weekly_table.update().values(content=content))
    erased(store)
    with store.read() as db:
        left = db.execute(select(weekly_table.c.content)).scalar_one()
    assert left == {"causes": [{"name": "noise"}], "words": "订单某位顾客"}


def test_nothing_is_promised_by_an_erased_case(store: Database) -> None:
    with store.write() as db:
        plant(db)
    erased(store)
    with store.read() as db:
        assert fulfilments.of_case(db, "s1")[0]["remedy"].get("planted") is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("删除我的资料", ASK),
        ("请把我的个人信息全部删除", ASK),
        ("我想删除我的聊天记录，谢谢", ASK),
        ("导出我的资料", EXPORT),
        ("帮我导出一份我的数据", EXPORT),
        ("别删除我的资料", None),
        ("你们为什么删除我的资料", None),
        ("我的记录怎么没有了", None),
        ("删除资料", None),
        ("我要投诉，删除我的资料不行，赔钱", None),
        ("我" * 2000, None),
    ],
)
def test_only_sure_forms_count_as_asking(text: str, meant: str | None) -> None:
    assert read_asking(text) == meant

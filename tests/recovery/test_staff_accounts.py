"""An account of one business knows of no other's conversations; an operator's sees all."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text

from desk import __main__ as desk_command
from desk.__main__ import make_context
from desk.context import Context
from desk.conversations import ownership
from desk.staff import detail, lists, live
from desk.staff.audience import Audience
from recovery.settings import Settings
from recovery.store import conversations, customers, staff
from recovery.store.conversations import QUEUE, Conversation, staff_owner
from recovery.store.database import MIGRATIONS, Database
from recovery.store.staff import Staff
from recovery.store.tables import metadata
from tests.support.stack import ROOT

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PASSWORD = "an honest password"
OPERATOR = Staff(1, "op", "运维", "supervisor")
HOTEL = Staff(2, "lan", "小蓝", "agent", "lanting")
SHOP = Staff(3, "qing", "小青", "agent", "qinghe")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Context]:
    content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    settings = Settings.model_validate(content | {"data": tmp_path})
    context = replace(make_context(settings), clock=lambda: NOW)
    yield context
    context.storage.close()


def begun(desk: Context, business: str, owner: str = QUEUE) -> Conversation:
    with desk.storage.database.write() as db:
        customer, _ = customers.begin_session(db, None, business, "阿明", None, NOW)
        return conversations.begin(db, business, customer.id, NOW, owner=owner, reason="asked")


# --- the account ------------------------------------------------------------------------------


def test_an_account_keeps_its_business(desk: Context) -> None:
    with desk.storage.database.write() as db:
        made = staff.add(db, "lan", "小蓝", "agent", PASSWORD, NOW, "lanting")
        free = staff.add(db, "op", "运维", "admin", PASSWORD, NOW)
        tried = staff.attempt("lan", staff.password_hash(db, "lan"), PASSWORD)
        found = staff.log_in(db, tried, NOW)
        assert found is not None
        again = staff.by_session(db, found[1], NOW)
    assert again is not None
    assert [one.business for one in (made, found[0], again[0], free)] == [
        *["lanting"] * 3,
        None,
    ]
    assert [one.sees("qinghe") for one in (made, free)] == [False, True]
    assert made.sees("lanting")


def command_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Let the command work on data of its own."""
    content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8")) | {"data": "var"}
    file = tmp_path / "huixin.yml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    monkeypatch.setenv("HUIXIN_SETTINGS", str(file))
    monkeypatch.setenv("HUIXIN_STAFF_PASSWORD", PASSWORD)
    monkeypatch.setattr(desk_command.logs, "configure", lambda: None)
    return Database(f"sqlite:///{tmp_path / 'var' / 'desk.sqlite3'}")


def test_the_command_makes_an_account_of_a_business(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = command_of(tmp_path, monkeypatch)
    assert desk_command.main(["staff", "add", "lan", "--business", "lanting"]) == 0
    assert "lanting" in capsys.readouterr().out
    assert desk_command.main(["staff", "add", "op"]) == 0
    assert "所有商家" in capsys.readouterr().out
    with store.read() as db:
        rows = db.execute(text("SELECT login, business FROM staff ORDER BY id")).all()
    store.close()
    assert [tuple(row) for row in rows] == [("lan", "lanting"), ("op", None)]


@pytest.mark.parametrize("business", ["nobody", "岚庭酒店", ""])
def test_an_unknown_business_is_refused_in_chinese(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    business: str,
) -> None:
    store = command_of(tmp_path, monkeypatch)
    assert desk_command.main(["staff", "add", "lan", "--business", business]) == 1
    said = capsys.readouterr().err
    assert f"没有“{business}”这个商家" in said
    assert "lanting、qinghe" in said
    store.migrate()
    with store.read() as db:
        assert db.execute(text("SELECT count(*) FROM staff")).scalar() == 0
    store.close()


# --- what it sees -----------------------------------------------------------------------------


def test_lists_hold_the_conversations_of_the_business_only(desk: Context) -> None:
    placed = {
        business: [
            begun(desk, business, owner).id
            for owner in (QUEUE, "bot", staff_owner(2), staff_owner(3))
        ]
        for business in ("lanting", "qinghe")
    }

    def seen(who: Staff) -> set[str]:
        with desk.storage.database.read() as db:
            found = lists.all_lists(db, desk, who)
        return {row["id"] for row in found["rows"]}

    assert seen(HOTEL) == set(placed["lanting"])
    assert seen(SHOP) == set(placed["qinghe"])
    assert seen(OPERATOR) == {*placed["lanting"], *placed["qinghe"]}


def test_a_conversation_of_another_business_is_none(desk: Context) -> None:
    # Also where its owner is this very account: it may have been moved to another business.
    for owner in (QUEUE, "bot", staff_owner(SHOP.id)):
        hotel = begun(desk, "lanting", owner)
        with desk.storage.database.write() as db:
            assert detail.whole_conversation(db, desk, hotel.id, SHOP) is None
            with pytest.raises(LookupError):
                ownership.take(db, desk, hotel.id, SHOP, NOW)
            with pytest.raises(LookupError):
                ownership.answer(db, desk, hotel.id, SHOP, "w-1", "您好", NOW)
            with pytest.raises(LookupError):
                ownership.give_back(db, desk, hotel.id, SHOP, "", NOW)
            found = conversations.load(db, hotel.id)
            assert found is not None
            assert found.owner == owner
            for who in (HOTEL, OPERATOR):
                assert detail.whole_conversation(db, desk, hotel.id, who) is not None


class Page:
    """Notes what a staff page would be sent."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.followed: list[str] = []
        self.heard: list[str] = []

    def send(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)

    def send_text(self, frame: str) -> None:
        self.frames.append(json.loads(frame))

    def follow(self, stream: str, _: int) -> None:
        self.followed.append(stream)

    def unfollow(self, stream: str) -> None:
        self.followed.remove(stream)

    def hear(self, topic: str) -> None:
        self.heard.append(topic)

    def unhear(self, topic: str) -> None:
        self.heard.remove(topic)


def looking(desk: Context, who: Staff | None, audience: Audience) -> tuple[live._StaffSocket, Page]:
    page = Page()
    socket = live._StaffSocket(desk, cast(Any, page), audience)
    socket.who = who
    audience.enter(socket)
    return socket, page


async def test_a_page_hears_of_its_own_business_only(desk: Context) -> None:
    audience = Audience(desk)
    pages = {
        who and who.id: looking(desk, who, audience)[1] for who in (None, OPERATOR, HOTEL, SHOP)
    }
    ids = {business: begun(desk, business, QUEUE).id for business in ("lanting", "qinghe")}
    await audience.tell({conversation: business for business, conversation in ids.items()})
    heard = {
        who: [row["id"] for frame in page.frames for row in frame["rows"]]
        for who, page in pages.items()
    }
    assert heard == {
        None: [],
        OPERATOR.id: list(ids.values()),
        HOTEL.id: [ids["lanting"]],
        SHOP.id: [ids["qinghe"]],
    }


async def test_another_business_cannot_be_watched(desk: Context) -> None:
    hotel, shop = begun(desk, "lanting"), begun(desk, "qinghe")
    socket, page = looking(desk, SHOP, Audience(desk))
    await socket.watch(shop.id, 0)
    assert (page.followed, page.heard) == ([shop.stream], [f"watch:{shop.id}"])
    await socket.watch(hotel.id, 0)
    assert (page.followed, page.heard) == ([], [])


# --- the way there ----------------------------------------------------------------------------


def test_what_stood_before_is_found_after_the_migration(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with store.write() as db:
        config.attributes["connection"] = db
        command.upgrade(config, "0001")
        db.execute(
            text(
                "INSERT INTO staff (login, name, role, password_hash, failures, created_at)"
                " VALUES ('li', '李', 'agent', 'x', 0, '2026')"
            )
        )
        for seq, event in enumerate(
            (
                '{"id": "m1", "customer": "u1"}',
                '{"id": "m1.r", "reply_to": "m1"}',
                '{"id": "m2"}',
            ),
            start=1,
        ):
            db.execute(
                text(
                    "INSERT INTO outbox (stream, seq, id, event, at) VALUES ('r', :n, :n, :e, '')"
                ),
                {"n": seq, "e": event},
            )
    store.migrate()
    store.migrate()
    with store.read() as db:
        rows = db.execute(text("SELECT customer, reply_to FROM outbox ORDER BY seq")).all()
        assert [tuple(row) for row in rows] == [("u1", None), (None, "m1"), (None, None)]
        assert db.execute(text("SELECT business FROM staff")).scalar_one() is None
    with store.write() as db:
        config.attributes["connection"] = db
        command.downgrade(config, "0001")
        assert db.execute(text("SELECT count(*) FROM outbox")).scalar() == 3
    store.close()


def test_the_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    store.migrate()
    with store.read() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
    store.close()

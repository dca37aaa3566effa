"""Accounts over the wire: what admins may do with them, the own one, sessions that end, the log."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pyotp
import pytest
import pytest_asyncio
import websockets
import yaml
from argon2 import PasswordHasher
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from desk import __main__ as desk_command
from recovery.store import accounts, audit_log, conversations, customers, notices, staff
from recovery.store.conversations import QUEUE, staff_owner
from recovery.store.database import Database
from recovery.store.staff import Staff
from recovery.store.tables import audit_log as audit_table
from recovery.store.tables import conversations as conversations_table
from recovery.store.tables import staff as staff_table
from tests.desk.people import PATIENCE, closed
from tests.desk.postgres import new_database
from tests.desk.serving import NOON, Clock, Desk, a_context, serving
from tests.support.stack import ROOT, wait_until

PASSWORD = "an honest password"
FRESH = "another honest password"
NAMED = {"name": "主管理员"}


@dataclass
class Page:
    """A browser with or without a login."""

    http: httpx.AsyncClient
    url: str
    me: dict[str, Any]

    @property
    def id(self) -> int:
        return int(self.me["staff"]["id"])

    async def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        # As ASCII, so that half a character can be sent as well.
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return await self.http.request(
            method, f"/api/staff{path}", content=content, headers=headers
        )

    async def done(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """The same, and it must succeed."""
        answer = await self.call(method, path, body)
        assert answer.status_code in (200, 204), (method, path, answer.text)
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Status and code of a refusal, which is told in Chinese."""
        answer = await self.call(method, path, body)
        error = answer.json()["error"]
        assert any("\u4e00" <= char <= "\u9fff" for char in error["message"]), error
        return answer.status_code, error["code"]

    def socket(self) -> websockets.connect:
        cookie = self.http.headers["Cookie"]
        address = self.url.replace("http", "ws", 1) + "/ws/staff"
        return websockets.connect(address, additional_headers={"Cookie": cookie}, proxy=None)


class Office:
    """A desk with an operator's admin, `root`, and what tests do there."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self.desk = desk
        self.clock = clock
        self.store = desk.context.storage.database

    def add(self, login: str, role: str, business: str | None = None) -> Staff:
        with self.store.write() as db:
            return staff.add(db, login, "", role, PASSWORD, self.clock(), business)

    async def try_login(self, login: str, password: str, **more: object) -> httpx.Response:
        async with httpx.AsyncClient(
            base_url=self.desk.url, trust_env=False, timeout=PATIENCE
        ) as http:
            body = {"login": login, "password": password, **more}
            return await http.post("/api/staff/login", json=body)

    @asynccontextmanager
    async def page(
        self, login: str, password: str = PASSWORD, **more: object
    ) -> AsyncIterator[Page]:
        answer = await self.try_login(login, password, **more)
        assert answer.status_code == 200, answer.text
        headers = {
            "Cookie": f"huixin_staff={answer.cookies['huixin_staff']}",
            "X-CSRF": answer.json()["csrf"],
        }
        async with httpx.AsyncClient(
            base_url=self.desk.url, trust_env=False, headers=headers, timeout=PATIENCE
        ) as http:
            yield Page(http, self.desk.url, answer.json())

    def audit(self) -> list[Any]:
        with self.store.read() as db:
            return list(db.execute(select(audit_table).order_by(audit_table.c.id)))


@pytest_asyncio.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    # What a hash costs stands in the hash; tests with many logins take cheap ones.
    monkeypatch.setattr(staff, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    clock = Clock()
    async with serving(a_context(tmp_path, clock)) as desk:
        made = Office(desk, clock)
        made.add("root", "admin")
        yield made


def new(login: str = "lin", **changes: object) -> dict[str, Any]:
    wished = {
        "login": login,
        "name": "小林",
        "role": "agent",
        "business": "lanting",
        "skills": ["shop", "hotel"],
        "capacity": 4,
        "password": PASSWORD,
    }
    return {**wished, **changes}


# --- accounts of others -----------------------------------------------------------------------


async def test_a_new_account_changes_its_password_before_anything_else(office: Office) -> None:
    async with office.page("root") as root:
        made = await root.done("POST", "/accounts", new())
    assert made["skills"] == ["hotel", "shop"]
    assert (made["capacity"], made["must_change"], made["totp"]) == (4, True, False)
    async with office.page("lin") as lin:
        assert lin.me["staff"] | {"must_change": True} == lin.me["staff"]
        assert lin.me["businesses"][0]["id"] == "lanting"
        for method, path in (("GET", "/conversations"), ("POST", "/me/totp"), ("GET", "/search")):
            assert await lin.refused(method, path, {}) == (403, "must_change")
        assert (await lin.done("GET", "/me"))["staff"]["must_change"]
        same = {"old": PASSWORD, "new": PASSWORD}
        assert await lin.refused("POST", "/me/password", same) == (400, "weak_password")
        await lin.done("POST", "/me/password", {"old": PASSWORD, "new": FRESH})
        await lin.done("GET", "/conversations")
        assert not (await lin.done("GET", "/me"))["staff"]["must_change"]
        await lin.done("POST", "/logout")
    assert (await office.try_login("lin", PASSWORD)).status_code == 401
    assert (await office.try_login("lin", FRESH)).status_code == 200


async def test_accounts_that_cannot_be_made(office: Office) -> None:
    async with office.page("root") as root:
        for changes in (
            *({"login": ""}, {"login": " lin"}, {"login": "l" * 41}, {"login": "li\nn"}),
            *({"login": 7}, {"login": None}, {"name": "小" * 41}, {"name": "\u200b小"}),
            *({"name": ["小林"]}, {"name": "half \ud800 a sign"}, {"role": "emperor"}),
            *({"role": ["agent"]}, {"role": None}, {"business": "nobody"}, {"business": 1}),
            *({"skills": "hotel"}, {"skills": ["magic"]}, {"skills": [["hotel"]]}),
            *({"capacity": -1}, {"capacity": 101}, {"capacity": True}, {"capacity": "4"}),
            *({"capacity": 4.5}, {"password": None}, {"password": 12345678901}),
            *({"must_change": False}, {"unknown": 1}),
        ):
            wished = new(**changes)
            assert await root.refused("POST", "/accounts", wished) == (400, "bad_account"), changes
        assert len((await root.done("GET", "/accounts"))["accounts"]) == 1


async def test_weak_passwords_and_taken_logins_are_refused(office: Office) -> None:
    async with office.page("root") as root:
        for password in ("short", "1234567890", "lin", ""):
            wished = new(password=password)
            assert await root.refused("POST", "/accounts", wished) == (400, "weak_password")
        made = await root.done("POST", "/accounts", new())
        assert await root.refused("POST", "/accounts", new()) == (409, "taken")
        path = f"/accounts/{made['id']}"
        weak = {"password": "password123"}
        assert await root.refused("PATCH", path, weak) == (400, "weak_password")


async def test_every_change_is_written_down_and_no_password(office: Office) -> None:
    async with office.page("root") as root:
        made = await root.done("POST", "/accounts", new())
        path, target = f"/accounts/{made['id']}", f"staff:{made['id']}"
        for change in (
            {"name": "林姐", "role": "supervisor"},
            {"capacity": 9, "skills": []},
            {"capacity": 9},
            {"password": FRESH},
            {"disabled": True},
        ):
            await root.done("PATCH", path, change)
        entries = (await root.done("GET", f"/audit?target={target}"))["entries"]
    details = [(one["act"], one["login"], one["business"], one["detail"]) for one in entries]
    made_as = {"login": "lin", "name": "小林", "role": "agent", "skills": ["hotel", "shop"]}
    assert details == [
        ("account_changed", "root", "lanting", {"disabled": [False, True]}),
        ("account_changed", "root", "lanting", {"password": True}),
        (
            *("account_changed", "root", "lanting"),
            {"skills": [["hotel", "shop"], []], "capacity": [4, 9]},
        ),
        (
            *("account_changed", "root", "lanting"),
            {"name": ["小林", "林姐"], "role": ["agent", "supervisor"]},
        ),
        ("account_made", "root", "lanting", {**made_as, "capacity": 4}),
    ]
    assert {one["address"] for one in entries} == {"127.0.0.1"}
    everything = json.dumps([tuple(row) for row in office.audit()], default=str)
    assert PASSWORD not in everything
    assert FRESH not in everything
    assert "argon2" not in everything


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        ({"role": "trainer"}, True),
        ({"business": "qinghe"}, True),
        ({"password": FRESH}, True),
        ({"disabled": True}, True),
        ({"name": "林姐"}, False),
        ({"capacity": 1}, False),
        ({"role": "agent"}, False),
    ],
)
async def test_what_takes_something_away_ends_the_logins(
    office: Office, change: dict[str, Any], ends: bool
) -> None:
    lin = office.add("lin", "agent", "lanting")
    async with office.page("root") as root, office.page("lin") as page, page.socket() as socket:
        assert json.loads(await socket.recv())["type"] == "welcome"
        await root.done("PATCH", f"/accounts/{lin.id}", change)
        answer = await page.call("GET", "/me")
        assert answer.status_code == (401 if ends else 200)
        if ends:
            assert await closed(socket) == (4401, "not_logged_in")
        else:
            await socket.send(json.dumps({"type": "ping"}))


@pytest.mark.parametrize(
    ("change", "freed"),
    [
        ({"disabled": True}, {"lanting", "qinghe"}),
        ({"role": "trainer"}, {"lanting", "qinghe"}),
        ({"business": "lanting"}, {"qinghe"}),
        ({"role": "supervisor"}, set()),
        ({"password": FRESH}, set()),
    ],
)
async def test_nobody_waits_for_who_is_gone(
    office: Office, change: dict[str, Any], freed: set[str]
) -> None:
    lin = office.add("lin", "agent")
    with office.store.write() as db:
        for business in ("lanting", "qinghe"):
            customer, _ = customers.begin_session(db, None, business, "阿明", None, NOON)
            owner = staff_owner(lin.id)
            conversations.begin(db, business, customer.id, NOON, owner=owner)
    async with office.page("root") as root:
        await root.done("PATCH", f"/accounts/{lin.id}", change)
    with office.store.read() as db:
        rows = db.execute(select(conversations_table.c.business, conversations_table.c.owner))
        assert {row.business for row in rows if row.owner == QUEUE} == freed
        acts = db.execute(select(audit_table.c.act, audit_table.c.business)).all()
    assert {row.business for row in acts if row.act == "transfer"} == freed


def test_who_changes_an_account_stops_no_conversation(postgres: str) -> None:
    """A row may refer to an account (a notice, a note) while an admin changes it."""
    store = Database(new_database(postgres, f"accounts_{token_hex(4)}"))
    store.migrate()
    with store.write() as db:
        root = staff.add(db, "root", "", "admin", PASSWORD, NOON)
        lin = staff.add(db, "lin", "", "agent", PASSWORD, NOON)
    with store.write() as changing:
        accounts.change(changing, root, lin.id, {"disabled": True}, NOON)
        with store.write() as db:
            notices.add(db, [lin.id], "mention", None, "看一下", NOON)
    store.close()


async def test_an_account_is_changed_while_its_conversation_is_worked_on(
    postgres: str, tmp_path: Path
) -> None:
    clock = Clock()
    url = new_database(postgres, f"accounts_{token_hex(4)}")
    async with serving(a_context(tmp_path, clock, database=url)) as desk:
        office = Office(desk, clock)
        office.add("root", "admin")
        lin = office.add("lin", "agent")
        with office.store.write() as db:
            customer, _ = customers.begin_session(db, None, "lanting", "阿明", None, NOON)
            owner = staff_owner(lin.id)
            chat = conversations.begin(db, "lanting", customer.id, NOON, owner=owner)

        def disabled() -> bool:
            with office.store.read() as db:
                gone = staff_table.c.disabled_at.is_not(None)
                return db.execute(select(staff_table.c.id).where(gone)).first() is not None

        async with office.page("root") as root:
            with office.store.write() as db:
                conversations.load(db, chat.id, lock=True)
                path = f"/accounts/{lin.id}"
                change = asyncio.create_task(root.done("PATCH", path, {"disabled": True}))
                await asyncio.to_thread(wait_until, disabled, "the account to be disabled")
                # A colleague mentions him at this moment; both go on.
                notices.add(db, [lin.id], "mention", chat.id, "看一下", NOON)
            await change
        with office.store.read() as db:
            found = conversations.load(db, chat.id)
    assert found is not None
    assert found.owner == QUEUE


async def test_a_disabled_account_is_no_account_until_it_is_enabled(office: Office) -> None:
    lin = office.add("lin", "agent")
    async with office.page("root") as root:
        shown = await root.done("PATCH", f"/accounts/{lin.id}", {"disabled": True})
        assert shown["disabled_at"] is not None
        refused = await office.try_login("lin", PASSWORD)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "bad_login")
        shown = await root.done("PATCH", f"/accounts/{lin.id}", {"disabled": False})
        assert shown["disabled_at"] is None
        assert (await office.try_login("lin", PASSWORD)).status_code == 200


async def test_an_admin_of_one_business_knows_no_other(office: Office) -> None:
    office.add("boss", "admin", "lanting")
    lin, wu = office.add("lin", "agent", "lanting"), office.add("wu", "agent", "qinghe")
    free = office.add("free", "agent")
    async with office.page("boss") as boss:
        found = await boss.done("GET", "/accounts")
        assert {one["login"] for one in found["accounts"]} == {"boss", "lin"}
        assert [one["id"] for one in found["businesses"]] == ["lanting"]
        for account in (wu.id, free.id, 1, 10**6, 10**30, "x", "-1", "１"):
            change = {"name": "某人"}
            assert await boss.refused("PATCH", f"/accounts/{account}", change) == (404, "not_found")
        for business in ("qinghe", None):
            wished = new("other", business=business)
            assert await boss.refused("POST", "/accounts", wished) == (403, "forbidden")
            moved = {"business": business}
            path = f"/accounts/{lin.id}"
            assert await boss.refused("PATCH", path, moved) == (403, "forbidden")
        without = {name: value for name, value in new("other").items() if name != "business"}
        assert await boss.refused("POST", "/accounts", without) == (403, "forbidden")
        assert (await boss.done("POST", "/accounts", new("mine")))["business"] == "lanting"
        seen = (await boss.done("GET", "/audit"))["entries"]
    assert {one["business"] for one in seen} == {"lanting"}
    with office.store.read() as db:
        held = db.execute(select(staff_table.c.login, staff_table.c.business)).all()
    assert {row.login: row.business for row in held} == {
        **{"root": None, "boss": "lanting", "lin": "lanting", "wu": "qinghe"},
        **{"free": None, "mine": "lanting"},
    }


async def test_the_last_admin_stays(office: Office) -> None:
    office.add("gone", "admin")
    office.add("boss", "admin", "lanting")
    disabled = {"disabled": True}
    async with office.page("root") as root:
        await root.done("PATCH", "/accounts/2", disabled)
        assert await root.refused("PATCH", "/accounts/1", disabled) == (409, "last_admin")
        assert (await root.done("GET", "/me"))["staff"]["role"] == "admin"
        await root.done("PATCH", "/accounts/2", {"disabled": False})
        await root.done("PATCH", "/accounts/1", disabled)


@pytest.mark.parametrize("change", [{"role": "agent"}, {"business": "lanting"}], ids=repr)
def test_the_last_admin_keeps_the_office(store: Database, change: dict[str, Any]) -> None:
    with store.write() as db:
        root, gone = (staff.add(db, one, "", "admin", PASSWORD, NOON) for one in ("root", "gone"))
        accounts.change(db, root, gone.id, change, NOON)
        with pytest.raises(accounts.LastAdminError):
            accounts.change(db, root, root.id, change, NOON)


async def test_nobody_changes_the_own_role_or_business(office: Office) -> None:
    office.add("second", "admin")
    async with office.page("root") as root:
        for change in ({"role": "manager"}, {"business": "lanting"}, {"role": "manager"} | NAMED):
            assert await root.refused("PATCH", "/accounts/1", change) == (400, "own_account")
        assert (await root.done("GET", "/me"))["staff"]["role"] == "admin"
        same = {"role": "admin", "business": None} | NAMED
        assert (await root.done("PATCH", "/accounts/1", same))["name"] == NAMED["name"]
        assert (await root.done("PATCH", "/accounts/2", {"role": "manager"}))["role"] == "manager"


async def test_numbers_that_no_row_has_are_not_found(office: Office) -> None:
    office.add("chen", "manager", "lanting")
    huge = "9" * 41
    async with office.page("chen") as chen:
        for method, path in (
            *(
                ("DELETE", f"/labels/-{huge}"),
                ("DELETE", f"/labels/{huge}"),
                ("DELETE", "/labels/0"),
            ),
            *(("DELETE", f"/canned/-{huge}"), ("POST", f"/canned/-{huge}/used")),
            *(("GET", f"/audit?before={huge}"), ("GET", f"/audit?before={'0' * 20}{huge}")),
            *(("GET", "/canned?conversation=k%00"), ("GET", "/conversations/k%00")),
            *(("POST", "/conversations/k%00/take"), ("POST", "/requests/r%00/grant")),
            *(("POST", "/conversations/k1/remedies/k%00/retry"), ("GET", "/conversations/%20")),
        ):
            assert await chen.refused(method, path) == (404, "not_found"), path


async def test_the_last_admin_of_a_business_stays_where_no_operator_is(office: Office) -> None:
    office.add("boss", "admin", "lanting")
    with office.store.write() as db:
        db.execute(update(staff_table).where(staff_table.c.id == 1).values(role="agent"))
    async with office.page("boss") as boss:
        disabled = {"disabled": True}
        assert await boss.refused("PATCH", "/accounts/2", disabled) == (409, "last_admin")


def test_two_admins_do_not_take_each_others_office(store: Database) -> None:
    with store.write() as db:
        first, second = (
            staff.add(db, login, "", "admin", PASSWORD, NOON) for login in ("one", "two")
        )

    def demote(by: Staff, other: Staff) -> bool:
        try:
            with store.write() as db:
                accounts.change(db, by, other.id, {"role": "agent"}, NOON)
        except accounts.LastAdminError:
            return False
        return True

    async def both() -> list[bool]:
        return await asyncio.gather(
            asyncio.to_thread(demote, first, second), asyncio.to_thread(demote, second, first)
        )

    assert sorted(asyncio.run(both())) == [False, True]


async def test_an_admin_needs_the_own_password_for_the_own_account(office: Office) -> None:
    """A session that was left open must not be enough to take the account over."""
    async with office.page("root") as root:
        for change in ({"password": FRESH}, {"reset_totp": True}):
            assert await root.refused("PATCH", "/accounts/1", change) == (400, "own_account")


# --- the own account --------------------------------------------------------------------------


async def test_a_new_password_ends_all_other_logins(office: Office) -> None:
    office.add("lin", "agent")
    async with (
        office.page("lin") as here,
        office.page("lin") as there,
        office.page("root") as other,
        there.socket() as far,
        here.socket() as near,
    ):
        for socket in (far, near):
            assert json.loads(await socket.recv())["type"] == "welcome"
        await here.done("POST", "/me/password", {"old": PASSWORD, "new": FRESH})
        assert await closed(far) == (4401, "not_logged_in")
        assert (await there.call("GET", "/me")).status_code == 401
        await here.done("GET", "/me")
        await other.done("GET", "/me")
        await near.send(json.dumps({"type": "ping"}))
        async with asyncio.timeout(20):
            while json.loads(await near.recv())["type"] != "pong":
                pass


async def test_guessing_the_old_password_locks_it(office: Office) -> None:
    office.add("lin", "agent")
    async with office.page("lin") as lin:
        for old in ("wrong", 7, None, "x" * 300, "wrong", "wrong", "wrong", "wrong", PASSWORD):
            wished = {"old": old, "new": FRESH}
            assert await lin.refused("POST", "/me/password", wished) == (400, "wrong_password")
        office.clock.now += timedelta(seconds=31)
        await lin.done("POST", "/me/password", {"old": PASSWORD, "new": FRESH})


async def test_a_weak_new_password_changes_nothing(office: Office) -> None:
    async with office.page("root") as root:
        for weak in ("short", "1234567890", 1234567890123, None, "x" * 300, ["a"]):
            wished = {"old": PASSWORD, "new": weak}
            refused = await root.refused("POST", "/me/password", wished)
            assert refused == (400, "weak_password"), weak
    assert (await office.try_login("root", PASSWORD)).status_code == 200


async def test_the_second_factor_over_the_wire(office: Office) -> None:
    async with office.page("root") as root:
        wrong = {"password": "wrong"}
        assert await root.refused("POST", "/me/totp", wrong) == (400, "wrong_password")
        assert await root.refused("POST", "/me/totp", {}) == (400, "wrong_password")
        begun = await root.call("POST", "/me/totp", {"password": PASSWORD})
        assert begun.headers["cache-control"] == "no-store"
        assert begun.json()["uri"].startswith("otpauth://totp/")
        assert begun.json()["qr"].startswith("<svg")
        app = pyotp.TOTP(begun.json()["secret"])
        for wrong in ("", "1", None, 123456, "x" * 99):
            confirm = {"code": wrong}
            assert await root.refused("POST", "/me/totp/confirm", confirm) == (400, "bad_code")
        code = app.at(office.clock())
        codes = (await root.done("POST", "/me/totp/confirm", {"code": code}))["recovery_codes"]
        assert (await root.done("GET", "/me"))["staff"]["totp"]
        again = {"password": PASSWORD}
        assert await root.refused("POST", "/me/totp", again) == (409, "totp_on")
    office.clock.now += timedelta(minutes=5)
    needed = await office.try_login("root", PASSWORD)
    assert (needed.status_code, needed.json()["error"]["code"]) == (401, "code_needed")
    assert "set-cookie" not in needed.headers
    wrong = await office.try_login("root", PASSWORD, code=code)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "bad_code")
    nothing = await office.try_login("root", "a wrong password", code=app.at(office.clock()))
    assert nothing.json()["error"]["code"] == "bad_login"
    async with office.page("root", code=app.at(office.clock())):
        pass
    async with office.page("root", code=codes[3]) as root:
        dropping = {"password": "wrong"}
        assert await root.refused("DELETE", "/me/totp", dropping) == (400, "wrong_password")
        await root.done("DELETE", "/me/totp", {"password": PASSWORD})
    assert (await office.try_login("root", PASSWORD)).status_code == 200
    acts = [row.act for row in office.audit()]
    assert [act for act in acts if act.startswith("totp")] == ["totp_on", "totp_off"]
    everything = json.dumps([tuple(row) for row in office.audit()], default=str)
    assert app.secret not in everything
    assert not any(one in everything for one in codes)


async def test_an_admin_takes_a_lost_second_factor_away(office: Office) -> None:
    lin = office.add("lin", "agent")
    async with office.page("lin") as page:
        begun = await page.done("POST", "/me/totp", {"password": PASSWORD})
        app = pyotp.TOTP(begun["secret"])
        await page.done("POST", "/me/totp/confirm", {"code": app.at(office.clock())})
        async with office.page("root") as root:
            path = f"/accounts/{lin.id}"
            assert not (await root.done("PATCH", path, {"reset_totp": True}))["totp"]
        assert await page.refused("GET", "/me") == (401, "not_logged_in"), "the phone is gone"
    assert (await office.try_login("lin", PASSWORD)).status_code == 200


async def test_a_session_ends_unused_and_lives_on_used(office: Office) -> None:
    async with office.page("root") as idle, office.page("root") as busy:
        for _ in range(5):
            office.clock.now += timedelta(minutes=50)
            await busy.done("GET", "/me")
        assert await idle.refused("GET", "/me") == (401, "not_logged_in")
        await busy.done("GET", "/accounts")


# --- the audit log ----------------------------------------------------------------------------


async def test_the_log_is_read_in_pages_and_by_what_is_looked_for(office: Office) -> None:
    with office.store.write() as db:
        for number in range(130):
            who = Staff(1, "root", "", "admin")
            audit_log.note(
                *(db, who if number % 2 else None, "take" if number % 5 else "close", NOON),
                target=f"k{number % 3}",
                detail={"number": number},
            )
    async with office.page("root") as root:
        first = await root.done("GET", "/audit")
        assert (len(first["entries"]), first["more"]) == (100, True)
        rest = await root.done("GET", f"/audit?before={first['entries'][-1]['id']}")
        assert (len(rest["entries"]), rest["more"]) == (31, False), "the login is one of them"
        ids = [one["id"] for one in (*first["entries"], *rest["entries"])]
        assert ids == sorted(ids, reverse=True)
        found = (await root.done("GET", "/audit?act=close&target=k1&login=root"))["entries"]
        assert {(one["act"], one["target"], one["login"]) for one in found} == {
            ("close", "k1", "root")
        }
        assert len(found) == len([n for n in range(130) if n % 5 == 0 and n % 3 == 1 and n % 2])
        assert (await root.done("GET", "/audit?act=%27--"))["entries"] == []
        assert await root.refused("GET", "/audit?act=%00") == (400, "bad_request")
        assert await root.refused("GET", "/audit?before=x") == (404, "not_found")


async def test_a_manager_reads_who_of_the_own_people_was_there(office: Office) -> None:
    office.add("lin", "agent", "lanting")
    office.add("qing", "agent", "qinghe")
    office.add("chen", "manager", "lanting")
    for login in ("lin", "qing"):
        async with office.page(login) as page:
            await page.done("PUT", "/me/presence", {"presence": "busy"})
    async with office.page("chen") as chen:
        found = (await chen.done("GET", "/audit?act=presence"))["entries"]
    assert [(one["login"], one["detail"]) for one in found] == [("lin", {"presence": "busy"})]


async def test_the_only_business_reads_of_changed_common_replies(tmp_path: Path) -> None:
    clock = Clock()
    [hotel] = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))["businesses"][:1]
    async with serving(a_context(tmp_path, clock, businesses=[hotel])) as desk:
        office = Office(desk, clock)
        office.add("chen", "manager", hotel["id"])
        async with office.page("chen") as chen:
            replies = (await chen.done("GET", "/canned/all"))["replies"]
            reply = next(one for one in replies if one["business"] is None)
            await chen.done("PUT", f"/canned/{reply['id']}", reply | {"title": "改过的"})
            found = (await chen.done("GET", "/audit?act=canned_change"))["entries"]
    assert [one["target"] for one in found] == [f"canned:{reply['id']}"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET act = 'nothing'",
        "UPDATE audit_log SET detail = '{}' WHERE id = 1",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE id = 1",
        "TRUNCATE audit_log",
        "TRUNCATE audit_log RESTART IDENTITY CASCADE",
        "REPLACE INTO audit_log (id, at, login, act, detail) VALUES (1, '', '', 'x', '{}')",
        "INSERT OR REPLACE INTO audit_log (id, at, login, act, detail)"
        " SELECT id, at, login, 'x', detail FROM audit_log",
        "INSERT INTO audit_log (id, at, login, act, detail) VALUES (1, '', '', 'x', '{}')"
        " ON CONFLICT (id) DO UPDATE SET act = 'x'",
    ],
)
def test_what_stands_in_the_log_stands(store: Database, statement: str) -> None:
    """On SQLite and PostgreSQL alike: the database itself refuses."""
    foreign = ("TRUNCATE",) if store.is_sqlite else ("REPLACE", "INSERT OR")
    if statement.startswith(foreign):
        pytest.skip("no statement of this database")
    with store.write() as db:
        audit_log.note(db, None, "take", NOON, target="k1", detail={"to": "staff:1"})
    with pytest.raises(DBAPIError, match="only appended to"), store.write() as db:
        db.execute(text(statement))
    with store.read() as db:
        assert db.execute(select(audit_table.c.act)).scalars().all() == ["take"]


def test_an_act_that_is_undone_leaves_no_entry(store: Database) -> None:
    class Undone(Exception):
        pass

    with pytest.raises(Undone), store.write() as db:
        audit_log.note(db, None, "take", NOON)
        raise Undone
    with store.read() as db:
        assert db.execute(select(audit_table.c.id)).all() == []


# --- the command ------------------------------------------------------------------------------


def command(folder: Path, monkeypatch: pytest.MonkeyPatch, password: str) -> Database:
    """Let the command work on data of its own."""
    source = (Path(__file__).parents[2] / "huixin.yml").read_text("utf-8")
    (folder / "huixin.yml").write_text(source, "utf-8")
    monkeypatch.setenv("HUIXIN_SETTINGS", str(folder / "huixin.yml"))
    monkeypatch.setenv("HUIXIN_STAFF_PASSWORD", password)
    monkeypatch.setattr(desk_command.logs, "configure", lambda: None)
    return Database(f"sqlite:///{folder / 'var' / 'desk.sqlite3'}")


def test_the_command_makes_lists_and_resets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = command(tmp_path, monkeypatch, PASSWORD)
    assert desk_command.main(["staff", "list"]) == 0
    assert "第一个管理员" in capsys.readouterr().out
    assert desk_command.main(["staff", "add", "root", "--role", "admin"]) == 0
    with store.write() as db:
        db.execute(
            update(staff_table).values(
                failures=9, locked_until="2999", disabled_at="2026", totp_confirmed_at="2026"
            )
        )
    monkeypatch.setenv("HUIXIN_STAFF_PASSWORD", FRESH)
    assert desk_command.main(["staff", "reset", "nobody"]) == 1
    assert "没有账号“nobody”" in capsys.readouterr().err
    assert desk_command.main(["staff", "reset", "root"]) == 0
    assert desk_command.main(["staff", "list"]) == 0
    said = capsys.readouterr().out
    assert "root" in said
    assert "停用" not in said.splitlines()[-1]
    with store.write() as db:
        tried = staff.attempt("root", staff.password_hash(db, "root"), FRESH)
        assert isinstance(staff.log_in(db, tried, NOON), staff.Opened)
        rows = db.execute(select(audit_table).order_by(audit_table.c.id)).all()
    assert [(row.act, row.staff_id, row.detail.get("by")) for row in rows] == [
        ("account_made", None, "command"),
        ("account_reset", None, "command"),
        ("login", 1, None),
    ]
    store.close()


@pytest.mark.parametrize("password", ["short", "1234567890"])
def test_the_command_takes_no_weak_password(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    password: str,
) -> None:
    command(tmp_path, monkeypatch, password).close()
    assert desk_command.main(["staff", "add", "root", "--role", "admin"]) == 1
    assert "密码" in capsys.readouterr().err

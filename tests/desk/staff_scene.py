"""A desk with staff of every role and a Rasa that the test speaks for; no model."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from recovery.clock import utc_now
from recovery.store import staff
from recovery.store.tables import audit_log, decisions, fulfilments
from tests.desk.people import Agent, Guest, Login, database, log_in
from tests.desk.scripted_rasa import Body, ScriptedRasa, opens_a_case, says, scripted_rasa
from tests.support.customer import Frame
from tests.support.stack import Stack, running

PASSWORD = "an honest password"
# Login, name, role, business.
_STAFF = (
    ("lin", "小林", "agent", None),
    ("wu", "老吴", "agent", None),
    ("sun", "孙主管", "supervisor", None),
    ("ma", "马经理", "manager", None),
    ("meng", "孟经理", "manager", None),
    ("qing", "小青", "manager", "qinghe"),
    ("tang", "小唐", "trainer", None),
)


@dataclass(frozen=True)
class Scene:
    """A desk, the Rasa that the test speaks for, and staff by login."""

    stack: Stack
    rasa: ScriptedRasa
    logins: dict[str, Login] = field(default_factory=dict)

    def page(self, login: str) -> Agent:
        """The page of a member of staff, to be closed by the test."""
        return Agent(self.stack, self.logins[login])

    def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of SQLAlchemy
        """What stands in a table of the desk's database."""
        with closing(database(self.stack)) as store, store.read() as db:
            return [dict(row._mapping) for row in db.execute(select(table).where(*where))]

    def decided(self, offer: str) -> dict[str, Any]:
        """The decision behind an offer."""
        [row] = self.rows(decisions, decisions.c.id == offer)
        return row

    def promised(self, offer: str) -> list[dict[str, Any]]:
        """What was promised with an offer."""
        return self.rows(fulfilments, fulfilments.c.key.like(f"{offer}:%"))

    def acts(self, target: str, act: str) -> list[dict[str, Any]]:
        """What the audit log has of an act."""
        return self.rows(audit_log, audit_log.c.target == target, audit_log.c.act == act)


@contextmanager
def a_scene(folder: Path, **changes: Any) -> Iterator[Scene]:  # noqa: ANN401 - settings
    """The desk, for the length of the block."""
    with scripted_rasa() as rasa, running(folder, "desk", rasa=[rasa.url], **changes) as stack:
        with closing(database(stack)) as store, store.write() as db:
            for login, name, role, business in _STAFF:
                staff.add(db, login, name, role, PASSWORD, utc_now(), business)
        logins = {login: log_in(stack, login, PASSWORD) for login, *_ in _STAFF}
        yield Scene(stack, rasa, logins)


def proving(number: str, failure: str | None = None) -> Any:  # noqa: ANN401 - a script
    """What Rasa says when the customer proves an order; the case is about this failure."""

    def script(path: str, body: Body) -> Body:
        if path == "/desk/overheard" or body["metadata"]["visibility"] == "public":
            return opens_a_case(path, body)
        commands: list[Body] = [{"do": "tried_proof", "order_number": number, "correct": True}]
        if failure:
            commands.append({"do": "note", "facts": {"failure": failure}})
        return says("好的", commands=commands)

    return script


async def complained(scene: Scene, one: Guest, number: str, failure: str | None = None) -> None:
    """Let a guest complain, come into private and prove an order."""
    await one.post("房间没打扫")
    await one.enter()
    scene.rasa.script = proving(number, failure)
    await one.tell("订单号")
    scene.rasa.again()


async def call(agent: Agent, method: str, path: str, **body: object) -> httpx.Response:
    """Any call of the staff page."""
    return await agent.http.request(method, f"/api/staff{path}", json=body)


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, str(answer.json()["error"]["code"])


def wishes_of(shown: Frame) -> list[Frame]:
    """What the policy gives in a conversation, as a page would wish it."""
    return [item["wish"] for item in shown["case"]["advice"]["items"]]


def cards(events: list[Frame], offer: str) -> list[Frame]:
    """What was shown of an offer, in order."""
    return [one for one in events if one["kind"] == "offer" and one["offer"] == offer]


def text_of(value: object) -> str:
    """All words of some JSON."""
    return json.dumps(value, ensure_ascii=False)

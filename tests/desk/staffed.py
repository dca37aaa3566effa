"""A desk with people of every role, and a Rasa that the test speaks for."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recovery.clock import utc_now
from recovery.store import staff
from tests.desk.people import Agent, Login, database, log_in
from tests.desk.scripted_rasa import ScriptedRasa, scripted_rasa
from tests.support.stack import Stack, running

PASSWORD = "an honest password"
# Login, name, role, business.
PEOPLE = (
    ("lin", "小林", "agent", "lanting"),
    ("wu", "老吴", "agent", "lanting"),
    ("fang", "方姐", "supervisor", "lanting"),
    ("chen", "陈总", "manager", "lanting"),
    ("tao", "小陶", "trainer", "lanting"),
    ("qing", "小青", "agent", "qinghe"),
    ("op", "运营", "manager", None),
)


@dataclass(frozen=True)
class Staffed:
    """The desk and who is logged in, by login."""

    stack: Stack
    rasa: ScriptedRasa
    logins: dict[str, Login]

    def agent(self, login: str) -> Agent:
        """The page of one of them."""
        return Agent(self.stack, self.logins[login])


@contextmanager
def staffed_desk(folder: Path, **settings: Any) -> Iterator[Staffed]:  # noqa: ANN401 - settings
    """Run the desk for the length of the block."""
    with scripted_rasa() as rasa, running(folder, "desk", rasa=[rasa.url], **settings) as stack:
        with closing(database(stack)) as store, store.write() as db:
            for login, name, role, business in PEOPLE:
                staff.add(db, login, name, role, PASSWORD, utc_now(), business)
        logins = {one[0]: log_in(stack, one[0], PASSWORD) for one in PEOPLE}
        yield Staffed(stack, rasa, logins)

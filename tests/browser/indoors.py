"""A desk within the test's own process: its stores and workers are at hand, its clock is wound."""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Page, expect

from desk.context import Context
from recovery.clock import utc_now
from recovery.store import conversations, staff
from recovery.store.conversations import Conversation, staff_owner
from tests.browser.party import Party
from tests.browser.visitors import Agent, Guest
from tests.desk.people import PATIENCE
from tests.desk.serving import Desk, serving
from tests.desk.staff_scene import PASSWORD

T = TypeVar("T")

Member = tuple[str, str, str, str | None]
"""Login, name, role, business."""


class Ahead:
    """The clock of the pages, ahead of it by as much as a test says."""

    def __init__(self) -> None:
        self.by = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.by


class Worker(Protocol):
    """Any worker of the desk."""

    def look_once(self) -> Coroutine[Any, Any, Any]:
        """One round."""
        ...


@dataclass(frozen=True)
class Indoors:
    """A desk that serves from a thread.

    Attributes:
        members: Ids of its staff, by login.
    """

    desk: Desk
    loop: asyncio.AbstractEventLoop
    members: dict[str, int]

    @property
    def url(self) -> str:
        """Where its pages are."""
        return self.desk.url

    @property
    def context(self) -> Context:
        """Its stores."""
        return self.desk.context

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the desk's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def looks(self, worker: Worker) -> None:
        """Let a worker look now; it need not be waited for."""
        self.do(worker.look_once())

    def is_taken(self, chat: Conversation, login: str) -> None:
        """Let a member of staff have a conversation."""
        owner, now = staff_owner(self.members[login]), self.context.clock()
        with self.context.storage.database.write() as db:
            conversations.change_owner(db, chat, owner, now, expected=(chat.owner,))


@contextmanager
def indoors(context: Context, members: Iterable[Member]) -> Iterator[Indoors]:
    """Serve for the length of the block.

    Args:
        context: The desk's stores; closed with it.
        members: Its staff, all with the password `PASSWORD`.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        # What a hash costs stands in the hash; tests with many logins take cheap ones.
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(staff, "_hasher", cheap)
        with context.storage.database.write() as db:
            known = {
                login: staff.add(db, login, name, role, PASSWORD, context.clock(), business).id
                for login, name, role, business in members
            }
        served = serving(context)
        begun = asyncio.run_coroutine_threadsafe(served.__aenter__(), loop)
        try:
            yield Indoors(begun.result(PATIENCE), loop, known)
        finally:
            end = asyncio.run_coroutine_threadsafe(_ended(served), loop)
            end.result(PATIENCE)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(PATIENCE)
            loop.close()


async def _ended(served: AbstractAsyncContextManager[Desk]) -> None:
    """Stop serving; sockets of pages that went away without a word wait for nobody."""
    await served.__aexit__(None, None, None)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def at_work(party: Party, login: str, path: str, **options: Any) -> Agent:  # noqa: ANN401
    """A member of staff who is logged in, on a page of theirs.

    Args:
        party: With whom they come.
        login: Theirs.
        path: Of the page.
        **options: Of Playwright's `new_context`.
    """
    agent = party.agent(**options)
    answer = agent.context.request.post(
        f"{party.base}/api/staff/login", data={"login": login, "password": PASSWORD}
    )
    assert answer.ok, answer.text()
    agent.go(path)
    expect(agent.page.get_by_role("heading", level=1)).not_to_have_count(0)
    return agent


def known_guest(party: Party, business: str, name: str, **options: Any) -> tuple[Guest, str]:  # noqa: ANN401
    """A customer whose browser the desk knows; nothing was said yet.

    Returns:
        The customer, and the id by which the desk knows them.
    """
    guest = party.guest(name, **options)
    answer = guest.context.request.post(
        f"{party.base}/api/session", data={"business": business, "name": guest.name}
    )
    assert answer.ok, answer.text()
    return guest, str(answer.json()["customer"]["id"])


def in_chat(guest: Guest, chat: Conversation) -> Guest:
    """Open a private chat that there is."""
    guest.go(f"/c/{chat.id}").connected()
    return guest


def fits(page: Page) -> bool:
    """Whether nothing of a page of staff has to be scrolled sideways for, nor the window at all."""
    return bool(
        page.evaluate(
            """() => {
                const [window, main] = [document.scrollingElement, document.querySelector('main')];
                return window.scrollHeight <= window.clientHeight
                    && window.scrollWidth <= window.clientWidth
                    && main.scrollWidth <= main.clientWidth;
            }"""
        )
    )

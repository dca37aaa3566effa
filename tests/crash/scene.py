"""Real processes that die where a test says, and a customer on the road through them."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.crash.lasting import Event, LastingCustomer, LastingPage
from tests.crash.ledger import Ledger, add_order
from tests.support.stack import Stack

ROOM = "qinghe-square"
# No photo is asked for; the offer has several remedies, and a second round gives more.
COMPLAINT = "你们发错货了，我收到的根本不是我买的那个，气死我了！"
_numbers = itertools.count(1)


class Scene:
    """A stack whose processes can be killed at a named fault point while they run."""

    def __init__(self, stack: Stack) -> None:
        """Prepare.

        Args:
            stack: Of which nothing runs yet.
        """
        self.stack = stack
        self.ledger = Ledger(stack)
        self._order = stack.folder / "fault"

    def start(self, *names: str) -> None:
        """Start processes that look for an order to die."""
        self.stack.start(*names, HUIXIN_FAULT=f"@{self._order}")

    def arm(self, point: str, nth: int = 1) -> None:
        """Let the next process die that reaches a point.

        Args:
            point: The fault point.
            nth: How many times it is reached, from now on, the last one included.
        """
        draft = self._order.with_suffix(".draft")
        draft.write_text(point if nth == 1 else f"{point}:{nth}", "ascii")
        draft.replace(self._order)

    async def survive(self, victim: str) -> None:
        """Wait until a process has died where it was told to, and start it again."""
        status = await asyncio.to_thread(self.stack.wait_dead, victim)
        assert status == -signal.SIGKILL, f"{victim} ended with {status}"
        assert not self._order.exists()
        await asyncio.to_thread(self.start, victim)

    def disarm(self) -> None:
        """Take the order back, and bring up again what a failed test has left dead."""
        self._order.unlink(missing_ok=True)
        for name, process in self.stack.processes.items():
            if process.poll() is not None:
                self.start(name)

    @asynccontextmanager
    async def road(self) -> AsyncIterator["Road"]:
        """A customer who has come into the room, with an order of the shop."""
        number = next(_numbers)
        order, last4 = f"QH9{number:011d}", f"{number:04d}"
        await asyncio.to_thread(add_order, self.stack.data / "orders.sqlite3", order, last4)
        async with LastingCustomer(self.stack.url) as customer:
            yield Road(self, customer, order, last4)


class Road:
    """One customer on the way from the complaint to the remedy, step by step."""

    def __init__(self, scene: Scene, customer: LastingCustomer, order: str, last4: str) -> None:
        """Begin outside.

        Args:
            scene: The processes.
            customer: A browser session.
            order: Number of the customer's own order.
            last4: The end of its phone number.
        """
        self.scene = scene
        self.customer = customer
        self.order = order
        self._last4 = last4
        self._said: list[tuple[LastingPage, str, str, str | None]] = []
        self._pages: list[LastingPage] = []

    @property
    def room(self) -> LastingPage:
        """The page of the public room."""
        return self._pages[0]

    @property
    def chat(self) -> LastingPage:
        """The page of the private chat."""
        return self._pages[1]

    @property
    def conversation(self) -> str:
        """Id of the private conversation."""
        return self.chat.conversation

    async def arrive(self) -> None:
        """Come into the room."""
        await self.customer.begin("qinghe", "小赵")
        seen = self.scene.ledger.streams().get(f"room:{ROOM}", 0)
        self._pages.append(await self.customer.room(ROOM, seen))
        await self.room.until(lambda page: page.connected, "connection")

    async def say(self, page: LastingPage, text: str, button: str | None = None) -> str:
        """Send a message; gives its id."""
        client = await page.say(text, button=button)
        self._said.append((page, client, text, button))
        return client

    async def complain(self) -> str:
        """Complain in public."""
        return await self.say(self.room, COMPLAINT)

    async def enter(self) -> None:
        """Follow the invitation."""
        invitation = await self.room.event(kind="invitation")
        self._pages.append(await self.customer.enter(invitation["token"]))

    async def prove(self) -> str:
        """Name the order in private."""
        await self.chat.event(kind="message", author="bot")
        return await self.say(self.chat, f"订单号{self.order}，手机尾号{self._last4}")

    async def come_to_offer(self) -> None:
        """Go all the way to the offer, in peace."""
        await self.arrive()
        await self.complain()
        await self.enter()
        await self.prove()
        await self.chat.event(kind="offer", state="open")

    async def accept(self) -> str:
        """Press the button that takes the offer."""
        token = await self.chat.until(accepting, "button that accepts")
        return await self.say(self.chat, "就这样办", token)

    async def remedied(self) -> list[Event]:
        """Wait until all that was promised has been carried out; gives the news of it."""
        offer = await self.chat.event(kind="offer", state="accepted")
        many = len(offer["items"])
        found: list[Event] = await self.chat.until(
            lambda page: news if len(news := progress(page)) >= many else None,
            f"{many} remedies",
        )
        assert len(found) == many
        assert {event["state"] for event in found} == {"done"}
        expected = [f"{offer['offer']}:{place}" for place in range(many)]
        assert self.scene.ledger.effects(self.order) == expected
        return found

    async def answered_once(self, client: str) -> None:
        """Wait for the answer to a message, and see that it is one."""
        page = next(page for page, one, *_ in self._said if one == client)
        await page.answered(client)
        await self.scene.ledger.rest()
        await self.see_all()
        message = page.ids[client]
        parts = [event["id"].removeprefix(f"{message}.") for event in page.spoken(client)]
        whole = ["r"] if page is self.room else [f"r{place}" for place in range(len(parts))]
        assert parts == whole
        assert {event["author"] for event in page.spoken(client)} == {"bot"}

    async def see_all(self) -> None:
        """Wait until the pages show all there is."""
        streams = self.scene.ledger.streams()
        for page in self._pages:
            for stream in page.last:
                await page.up_to(stream, streams.get(stream, 0))

    async def close_books(self) -> None:
        """Check all that must hold at the end.

        Every message sent again is known and changes nothing, no reply is missing on a page, and
        the stores agree with each other.
        """
        await self.scene.ledger.rest()
        before = self.scene.ledger.streams()
        for page, client, text, button in self._said:
            known = len(page.acks[client])
            await page.say(text, button=button, client=client)
            await page.until(
                lambda page, client=client, known=known: len(page.acks[client]) > known,
                "ack of what was sent again",
            )
            assert page.acks[client][-1] is True
        await self.scene.ledger.rest()
        assert self.scene.ledger.streams() == before
        await self.see_all()
        self.scene.ledger.check()


def accepting(page: LastingPage) -> str | None:
    """The token of the latest button that accepts an offer."""
    for event in reversed(page.events.values()):
        for button in event.get("buttons") or ():
            if button["title"] == "就这样办":
                return str(button["token"])
    return None


def progress(page: LastingPage) -> list[Event]:
    """What was told about remedies."""
    return [event for event in page.events.values() if event["kind"] == "progress"]


class Member(LastingCustomer):
    """A member of staff at the desk's page."""

    _csrf = ""

    async def log_in(self, login: str, password: str) -> None:
        """Log in."""
        body = {"login": login, "password": password}
        response = await self.request("POST", "/api/staff/login", json=body)
        response.raise_for_status()
        self._csrf = response.json()["csrf"]

    async def change(self, conversation: str, what: str, **body: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401
        """Take, answer or give back; gives status and content of the answer."""
        response = await self.request(
            "POST",
            f"/api/staff/conversations/{conversation}/{what}",
            json=body,
            headers={"X-CSRF": self._csrf},
        )
        return response.status_code, response.json()

    async def look(self, conversation: str) -> dict[str, Any]:
        """The whole conversation as staff see it."""
        response = await self.request("GET", f"/api/staff/conversations/{conversation}")
        response.raise_for_status()
        content: dict[str, Any] = response.json()
        return content

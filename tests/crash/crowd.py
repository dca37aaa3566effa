"""Many customers who talk to the desk at the same time, and go on whatever happens to it."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from tests.crash.lasting import LastingCustomer, LastingPage
from tests.crash.ledger import Ledger
from tests.crash.scene import COMPLAINT, accepting, progress

SHOP, HOTEL = ("qinghe", "qinghe-square"), ("lanting", "lanting-lobby")
QUESTIONS = ("请问发票在哪里开？", "请问可以开专票吗？", "请问优惠券怎么用？")
INSULTS = ("你们这帮骗子，垃圾！", "一群废物，滚！")


@dataclass(frozen=True)
class Order:
    """An order of the shop and what proves it."""

    number: str
    last4: str


@dataclass
class Said:
    """One message, and what became of it on the pages."""

    page: LastingPage
    client: str


@dataclass
class Talk:
    """One customer's conversations from coming to going.

    Attributes:
        script: Name of the script that was followed.
        said: All messages in order.
        remedies: How many remedies were told to be done.
    """

    script: str
    customer: LastingCustomer
    chance: random.Random
    order: Order
    said: list[Said] = field(default_factory=list)
    remedies: int = 0

    async def pause(self, longest: float = 1.5) -> None:
        """Think, as a person does between two messages."""
        await asyncio.sleep(self.chance.uniform(0, longest))

    async def say(self, page: LastingPage, text: str, *, button: str | None = None) -> str:
        """Send a message and go on at once."""
        client = await page.say(text, button=button)
        self.said.append(Said(page, client))
        return client

    async def ask(self, page: LastingPage, text: str, *, button: str | None = None) -> None:
        """Send a message and wait for its answer."""
        await page.answered(await self.say(page, text, button=button))
        await self.pause()

    def shape(self) -> list[str]:
        """What each message brought about, without words and numbers: the same in every run."""
        return [
            " ".join(sorted(_part(event["id"], event["kind"]) for event in _brought(one)))
            for one in self.said
        ]


def _brought(one: Said) -> list[dict[str, object]]:
    message = one.page.ids[one.client]
    return [event for event in one.page.answers[message] if not str(event["id"]).endswith(".hold")]


def _part(event_id: str, kind: str) -> str:
    return f"{event_id.partition('.')[2]}:{kind}"


Script = Callable[[Talk, LastingPage], Awaitable[None]]


async def _invited(talk: Talk, room: LastingPage) -> LastingPage:
    """Follow the invitation and hear the bot's first words."""
    invitation = await room.event(kind="invitation")
    await talk.pause()
    chat = await talk.customer.enter(invitation["token"])
    await chat.event(kind="message", author="bot")
    await talk.pause()
    return chat


async def remedy(talk: Talk, room: LastingPage) -> None:
    """Complain, prove, take the offer, see it carried out, thank."""
    await talk.ask(room, COMPLAINT)
    chat = await _invited(talk, room)
    await talk.ask(chat, f"订单号{talk.order.number}，手机尾号{talk.order.last4}")
    await _take(talk, chat)
    await talk.ask(chat, "谢谢你们")


async def bargain(talk: Talk, room: LastingPage) -> None:
    """Fail to prove once, ask for more, take the second offer."""
    await talk.ask(room, COMPLAINT)
    chat = await _invited(talk, room)
    nobodys = f"QH8{talk.chance.randrange(10**11):011d}"
    await talk.ask(chat, f"订单号{nobodys}，手机尾号0000")
    await talk.ask(chat, f"订单号{talk.order.number}，手机尾号{talk.order.last4}")
    first = await chat.event(kind="offer", state="open")
    more = next(b["token"] for b in _buttons(chat) if b["title"] == "还不够")
    await talk.ask(chat, "还不够", button=more)
    await chat.until(
        lambda page: any(
            event["kind"] == "offer" and event["offer"] != first["offer"]
            for event in page.events.values()
        ),
        "second offer",
    )
    await _take(talk, chat)


async def _take(talk: Talk, chat: LastingPage) -> None:
    await talk.ask(chat, "就这样办", button=await chat.until(accepting, "button that accepts"))
    offer = await chat.event(kind="offer", state="accepted")
    many = len(offer["items"])
    await chat.until(lambda page: len(progress(page)) >= many, f"{many} remedies")
    talk.remedies = len(progress(chat))


def _buttons(page: LastingPage) -> list[dict[str, str]]:
    """The buttons shown last."""
    shown = [event["buttons"] for event in page.events.values() if event.get("buttons")]
    return list(shown[-1])


async def hasty(talk: Talk, room: LastingPage) -> None:
    """Send several messages without waiting, in public and in private."""
    await talk.say(room, COMPLAINT)
    await talk.ask(room, "等了三天才到，结果发错了")
    chat = await _invited(talk, room)
    await talk.say(chat, f"订单号{talk.order.number}")
    await talk.ask(chat, f"手机尾号{talk.order.last4}")
    await _take(talk, chat)


async def questions(talk: Talk, room: LastingPage) -> None:
    """Ask ordinary things in public."""
    for question in QUESTIONS:
        await talk.ask(room, question)


async def insults(talk: Talk, room: LastingPage) -> None:
    """Insult in public until only reminders come."""
    for place in range(4):
        await talk.ask(room, INSULTS[place % len(INSULTS)])


async def refusal(talk: Talk, room: LastingPage) -> None:
    """Refuse the offer, and be handed over to a person."""
    await talk.ask(room, COMPLAINT)
    chat = await _invited(talk, room)
    await talk.ask(chat, f"订单号{talk.order.number}，手机尾号{talk.order.last4}")
    await chat.event(kind="offer", state="open")
    refuse = next(b["token"] for b in _buttons(chat) if b["title"] == "不接受")
    await talk.ask(chat, "不接受", button=refuse)
    await chat.event(kind="owner", owner="queue")
    # Nobody answers this one but a person; it must still be taken.
    await chat.acked(await talk.say(chat, "那我等你们的人来"))


SCRIPTS: dict[str, tuple[tuple[str, str], Script]] = {
    "remedy": (SHOP, remedy),
    "bargain": (SHOP, bargain),
    "hasty": (SHOP, hasty),
    "refusal": (SHOP, refusal),
    "questions": (SHOP, questions),
    "insults": (SHOP, insults),
    "hotel questions": (HOTEL, questions),
    "hotel insults": (HOTEL, insults),
}
# How often each is chosen: most customers come for a remedy.
_WEIGHTS = (40, 15, 15, 8, 8, 5, 6, 3)


class Crowd:
    """Customers, each with a script, some of them again and again."""

    def __init__(
        self, url: str, ledger: Ledger, orders: list[Order], seed: str, patience: float
    ) -> None:
        """Begin with nobody.

        Args:
            url: Address of the desk.
            ledger: Tells how much a page has to show.
            orders: Orders of the shop, shared by all.
            seed: Of the choice of scripts and of the pauses.
            patience: Seconds that a customer waits for anything.
        """
        self._url = url
        self._ledger = ledger
        self._orders = orders
        self._seed = seed
        self._patience = patience
        self._transport = httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=0)
        )
        self._seen: Counter[str] = Counter()
        self.running = 0
        self.talks: list[Talk] = []

    async def talk(self, script: str, name: str) -> Talk:
        """Let one customer follow a script to its end."""
        (business, room), follow = SCRIPTS[script]
        chance = random.Random(f"{self._seed} {name}")
        async with LastingCustomer(self._url, self._transport, self._patience) as customer:
            talk = Talk(script, customer, chance, chance.choice(self._orders))
            self.running += 1
            try:
                await customer.begin(business, name)
                # The room as it is now, as a page shows it; what comes is read without a gap.
                page = await customer.room(room, self._seen[room])
                await follow(talk, page)
                await self._last_news(talk)
            finally:
                self.running -= 1
            self._seen[room] = max(self._seen[room], page.last[f"room:{room}"])
        self.talks.append(talk)
        return talk

    async def _last_news(self, talk: Talk) -> None:
        """Stay until everything sent is acked, and everything said to this customer is read."""
        pages = {one.page.path: one.page for one in talk.said}
        for one in talk.said:
            await one.page.acked(one.client)
        for page in pages.values():
            for stream in page.last:
                if not stream.startswith("room:"):
                    await page.up_to(stream, self._ledger.last(stream))

    async def customer(self, number: int, again: Callable[[], bool]) -> None:
        """Come with chosen scripts, one after the other, as long as wanted."""
        chance = random.Random(f"{self._seed} customer {number}")
        visit = 0
        while visit == 0 or again():
            script = chance.choices(tuple(SCRIPTS), _WEIGHTS)[0]
            await self.talk(script, f"客{number}之{visit}")
            visit += 1

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

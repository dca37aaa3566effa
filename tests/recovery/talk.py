"""A turn as the dialogue gets it, over the demo orders."""

from collections.abc import Callable
from datetime import UTC, datetime, time

from recovery.business import Business, Hours, Room
from recovery.case import Case, apply, hear
from recovery.commands import Command
from recovery.dialogue.reply import Past, Pressed, Reply, Turn, Underway
from recovery.orders.embedded import EmbeddedOrders
from recovery.remedy.running import running
from recovery.understood import Understood

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def a_business(business_id: str = "lanting", industry: str = "hotel") -> Business:
    return Business(
        id=business_id,
        name="岚庭酒店" if industry == "hotel" else "青禾小铺",
        industry=industry,  # type: ignore[arg-type]  # a literal in the tests
        help="入住的问题请拨总机0",
        hours=Hours(opens=time(8), closes=time(23)),
        rooms=(Room(id=f"{business_id}-room", name="大堂", welcome="欢迎"),),
    )


HOTEL, SHOP = a_business(), a_business("qinghe", "shop")


def heard(
    text: str,
    intent: str = "nlu_fallback",
    *,
    anger: int = 0,
    complaint: float | None = None,
    confidence: float = 0.95,
    flags: tuple[str, ...] = (),
    entities: tuple[tuple[str, str], ...] = (),
) -> Understood:
    """What the recogniser would say; a complain intent complains unless told otherwise."""
    if complaint is None:
        complaint = 0.9 if intent.startswith("complain_") else 0.05
    raised = {*flags, *(("complaint",) if complaint >= 0.5 else ())}
    return Understood(
        text=text,
        intent=intent,
        confidence=confidence,
        entities=entities,
        anger=anger,
        signals={"complaint": complaint},
        flags=frozenset(raised),
    )


Decide = Callable[[Turn], Reply]


class Talk:
    """Plays the desk: folds the commands of each reply into the case."""

    def __init__(self, business: Business, orders: EmbeddedOrders, decide: Decide) -> None:
        self.business = business
        self.orders = orders
        self.decide = decide
        self.case: Case | None = None
        self.count = 0
        self.now = NOW
        self.underway: tuple[Underway, ...] = ()
        self.given_before: set[str] = set()
        self.past = Past()
        self.budget = 10**9
        self.expected: datetime | None = None

    def say(
        self,
        what: Understood,
        pressed: Pressed | None = None,
        external: str | None = None,
        picture: str | None = None,
    ) -> Reply:
        self.count += 1
        case = hear(self.case, what.anger, self.now) if self.case else None
        reply: Reply = self.decide(
            Turn(
                message=f"m{self.count:024x}",
                heard=what,
                business=self.business,
                case=case,
                now=self.now,
                orders=self.orders,
                policy=running().on(self.business.industry, self.now.date()),
                external_customer=external,
                pressed=pressed,
                underway=self.underway,
                given_before=lambda order, case: order in self.given_before,
                past=lambda customer, failure, case: self.past,
                affordable=lambda customer, fen: fen <= self.budget,
                picture=picture,
                expected=self.expected,
            )
        )
        for command in reply.commands:
            fresh = case is None
            case = apply(case, command, self.now)
            if fresh and case:
                case = hear(case, what.anger, self.now)
        self.case = case
        return reply


def names(reply: Reply) -> list[str]:
    """The responses of a reply."""
    return [say.response for say in reply.says]


def done(reply: Reply) -> list[str]:
    """The commands of a reply, by name."""
    return [command.do for command in reply.commands]


def command(reply: Reply, kind: type[Command]) -> Command:
    """The one command of this kind."""
    found = [one for one in reply.commands if isinstance(one, kind)]
    assert len(found) == 1
    return found[0]

"""What a turn starts from and what it ends in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from recovery.business import Business
from recovery.case import Case
from recovery.commands import Command
from recovery.orders.system import OrderSystem
from recovery.remedy.catalogue import Remedy
from recovery.remedy.policy import Policy
from recovery.understood import Understood


@dataclass(frozen=True)
class Button:
    """A quick reply.

    `payload` is `accept`, `refuse`, `more`, `form:<choice>`, `item:<sku>`, `order:<number>` or
    `no_photo`.
    """

    title: str
    payload: str


@dataclass(frozen=True)
class Pressed:
    """A quick reply whose signature the desk has checked.

    Attributes:
        act: `accept`, `refuse`, `more`, `form`, `item`, `order` or `no_photo`; `rate`, `no_ask`
            or `opinion` answer a follow-up, and the desk settles them.
        offer: Id of the offer it belongs to, for the first four; of the follow-up.
        value: The form, article or order chosen.
    """

    act: str
    offer: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Say:
    """One response to utter.

    Attributes:
        response: Its name in the words.
        level: Anger that chooses the variant, 0 to 3.
        words: Variables of the text.
        own: Seen by this customer alone although said in public.
        optional: Left out rather than repeated.
        trade: Whether words of the trade fit; they do not where the matter may be of any other.
    """

    response: str
    level: int = 0
    words: dict[str, str] = field(default_factory=dict)
    own: bool = False
    optional: bool = False
    trade: bool = True
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True)
class Reply:
    """What the bot says and wants done."""

    says: tuple[Say, ...] = ()
    commands: tuple[Command, ...] = ()
    plain: str | None = None


@dataclass(frozen=True)
class Underway:
    """One accepted remedy on its way.

    Attributes:
        state: `todo`, `done`, `refused` or `failed`.
        receipt: Of the order system, once done.
        since: When it was accepted.
        stage: Of the promise, see `recovery.store.promises`; None where none is kept of it.
        due: By when it is to be done, as the customer was told last.
        sent_on: Others had, or have, it in hand.
    """

    remedy: Remedy
    state: str
    receipt: dict[str, Any] | None
    since: datetime
    stage: str | None = None
    due: datetime | None = None
    sent_on: bool = False


@dataclass(frozen=True)
class Past:
    """What the customer of an order was given before, in other cases.

    Attributes:
        claims: Remedies accepted within 30 days.
        recurrence: The same failure remedied within 90 days.
    """

    claims: int = 0
    recurrence: int = 0


def _never(_order: str, _case: str) -> bool:
    return False


def _nothing(_customer: str, _failure: str, _case: str) -> Past:
    return Past()


def _enough(_customer: str, _fen: int) -> bool:
    return True


@dataclass(frozen=True)
class Turn:
    """One message and all that an answer may depend on.

    Attributes:
        message: Id of the message; ids of what it brings about derive from it.
        heard: What was understood.
        case: The case so far, this message's anger already in it; None where there is none.
        external_customer: The customer's id at the host site, where the site has signed it.
        pressed: The quick reply that was pressed.
        underway: What was accepted in this case, in the order of the offer.
        given_before: Whether another case than this one already got a remedy for an order number.
        policy: Of the business's trade, today.
        past: What a customer of the order system had for a failure, in other cases than this.
        affordable: Whether budgets bear so many fen of goodwill for a customer.
        picture: Id of the picture that was sent in place of words.
        expected: When a person can answer by how fast the queue goes; None: as promised always.
        proved_orders: Numbers that this person has proved before, the latest first.
        unwanted: Kinds of remedy that this person has said they do not want.
    """

    message: str
    heard: Understood
    business: Business
    case: Case | None
    now: datetime
    orders: OrderSystem
    policy: Policy
    external_customer: str | None = None
    pressed: Pressed | None = None
    underway: tuple[Underway, ...] = ()
    given_before: Callable[[str, str], bool] = _never
    past: Callable[[str, str, str], Past] = _nothing
    affordable: Callable[[str, int], bool] = _enough
    picture: str | None = None
    expected: datetime | None = None
    proved_orders: tuple[str, ...] = ()
    unwanted: frozenset[str] = frozenset()

    @property
    def level(self) -> int:
        """Anger that the words answer to: of the case, else of the message."""
        return self.case.level if self.case else self.heard.anger

    @property
    def person_by(self) -> str:
        """By when a person answers, in words."""
        return self.business.due_words(self.person_due, self.now)

    @property
    def person_due(self) -> datetime:
        """By when a person answers: never earlier than the queue allows."""
        promised = self.business.person_by(self.now)
        return max(promised, self.expected) if self.expected else promised

    def derived(self, prefix: str) -> str:
        """An id that follows from the message, so that a retry gives the same one."""
        return prefix + self.message[1:]

    def case_id(self) -> str:
        """Id of a case that this message opens."""
        return self.derived("s")

    def offer_id(self) -> str:
        """Id of an offer that this message brings about."""
        return self.derived("o")

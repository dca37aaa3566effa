"""What customers read of an incident before they have said a word, and what staff tell them all."""

import re

from recovery.failures import FAILURES
from recovery.incidents.events import OrderEvent
from recovery.incidents.kinds import KINDS
from recovery.variants import pick

LONGEST_WORDS = 500
SALUTATION = "称呼"
VARIABLES = (SALUTATION, "订单", "事情")
"""What may stand in braces in a text that goes to all; each customer reads their own."""
_BRACES = re.compile(r"[{｛]([^{}｛｝]*)[}｝]")

_WITH_OFFER = (
    "{who}，我是{business}的{assistant}。{happened}，先跟您说一声，对不起，给您添麻烦了。"
    "{expected}我们这样补上，您看可以吗？",
    "{who}，这里是{business}，我是{assistant}。{happened}，是我们没做好，向您道歉。"
    "{expected}下面是给您的安排，同意就点一下。",
    "{who}，{business}的{assistant}向您说声抱歉：{happened}。{expected}这件事我们来补，方案在下面。",
)
_BY_PERSON = (
    "{who}，我是{business}的{assistant}。{happened}，先跟您说一声，对不起，给您添麻烦了。"
    "{expected}怎样补上由同事来定，{time}在这里告诉您，您不用做什么。",
    "{who}，这里是{business}，我是{assistant}。{happened}，是我们没做好，向您道歉。"
    "{expected}同事正在看，{time}在这里给您答复。",
)
_ALREADY = (
    "{who}，您说的这件事有消息：{happened}。{expected}前面说好的安排不变。",
    "{who}，再跟您说一声：{happened}。{expected}和您谈好的照旧办。",
)
_ASIDE = ("{who}，跟您说一声：{happened}，抱歉。{expected}您正谈着的事由同事一起看。",)


def what_happened(event: OrderEvent, order_title: str = "") -> str:
    """What happened, as a clause about this customer's order or the place.

    Args:
        event: As reported.
        order_title: A short name the customer recognises; empty where no order is known.
    """
    if event.title:
        return event.title.rstrip("。！!，,；;")
    kind = KINDS.get(event.kind)
    happened = kind.happened if kind else "出了点状况"
    if event.place:
        return f"{event.place}{happened}"
    return f"您的“{order_title}”{happened}" if order_title else f"您的订单{happened}"


def expected_words(event: OrderEvent) -> str:
    """By when it is put right, as a sentence; empty where it is not known."""
    given = event.expected.rstrip("。")
    return f"预计{given}恢复正常。" if given else ""


def salutation(name: str) -> str:
    """How somebody is addressed: `林晚您好`, or without a name that says nothing."""
    return f"{name}您好" if name and name not in ("访客", "微信顾客") else "您好"


def opening(
    style: str,
    key: str,
    event: OrderEvent,
    *,
    name: str,
    business: str,
    assistant: str,
    order_title: str,
    time: str = "",
) -> str:
    """The first words to a customer who has not complained.

    Args:
        style: `offer`: a remedy follows; `person`: a person decides by `time`; `already`: it is
            being remedied in this conversation; `aside`: a person serves them here.
        key: Chooses the words.
        event: As reported.
        name: Of the customer.
        business: Its name.
        assistant: Of the bot.
        order_title: What they ordered.
        time: By when a person answers.
    """
    texts = {"offer": _WITH_OFFER, "person": _BY_PERSON, "already": _ALREADY, "aside": _ASIDE}
    return pick(texts[style], key).format(
        who=salutation(name),
        business=business,
        assistant=assistant,
        happened=what_happened(event, order_title),
        expected=expected_words(event),
        time=time,
    )


def incident_title(event: OrderEvent) -> str:
    """What an incident is called in staff's list."""
    kind = KINDS.get(event.kind)
    if event.title:
        return event.title[:80]
    failure = FAILURES.get(event.failure)
    words = failure.matter if failure else (kind.happened if kind else event.kind)
    # A place may be as long as a title may.
    return f"{event.place}：{words}"[:80] if event.place else words


# --- one text to all --------------------------------------------------------------------------


def unknown_variables(text: str) -> list[str]:
    """What stands in braces and is none of `VARIABLES`."""
    return [name for name in _BRACES.findall(text) if name.strip() not in VARIABLES]


def filled(text: str, *, name: str, order: str, matter: str) -> str:
    """A text to all as one customer reads it.

    Args:
        text: With variables in braces.
        name: Of the customer.
        order: The title of the order; `订单` where none is known.
        matter: What the incident is about.
    """
    # "{称呼}您好" for who has no name is "您好", and never "访客您好".
    named = "" if name in ("访客", "微信顾客") else name
    values = {SALUTATION: named, "订单": order or "订单", "事情": matter}
    return _BRACES.sub(lambda found: values.get(found[1].strip(), found[0]), text).strip()

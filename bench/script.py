"""What the customers of the benchmark say: one dialogue, gone through again and again."""

from dataclasses import dataclass
from typing import Final

BUSINESS: Final = "qinghe"
ROOM: Final = "qinghe-square"

OPENING: Final = "你们发错货了！我要的不是这个，气死人了！"
"""The angry post in the public room that brings the invitation."""


@dataclass(frozen=True)
class Claim:
    """An order of the demo directory with one article, and the last digits of its phone."""

    number: str
    last4: str


CLAIMS: Final = (Claim("QH202611150108", "6621"), Claim("QH202611170305", "9914"))

# A complaint from its first word to its end and some talk after it. Each act has two wordings,
# which take turns. Nobody is asked twice for the same, nobody refuses, no proof is wrong: the
# bot keeps the conversation, so that each message has an answer of the bot's to be measured.
_ACTS: Final = (
    ("你们发错货了，我收到的根本不是我买的那个", "收到的东西不对，你们发错了"),
    ("订单号{number}，手机尾号{last4}", "{number}，尾号{last4}"),
    ("为什么是这样处理？", "凭什么只给这些，理由是什么？"),
    ("处理到哪一步了？", "现在进度怎么样了？"),
    ("这点补偿不够，能不能再多一点？", "太少了，还能再加点吗？"),
    ("我再考虑一下", "让我想想再说"),
    ("可以，就这样办吧", "好的，我接受这个方案"),
    ("谢谢你，辛苦了", "好的，谢谢你们"),
    ("请问可以开发票吗？", "请问电子发票怎么开？"),
    ("你好，在吗？", "您好"),
)
CYCLE: Final = len(_ACTS)
"""How many messages one pass of the dialogue has."""


def message(number: int, claim: Claim) -> str:
    """Give one message of a conversation.

    Args:
        number: Its place in the conversation, counted from 1.
        claim: The order that the conversation is about.

    Returns:
        The text. Messages whose numbers are two passes apart have the same text.
    """
    turn, act = divmod(number - 1, CYCLE)
    wordings = _ACTS[act]
    return wordings[turn % len(wordings)].format(number=claim.number, last4=claim.last4)


def claim_of(conversation: int) -> Claim:
    """Spread conversations over the orders of the directory."""
    return CLAIMS[conversation % len(CLAIMS)]

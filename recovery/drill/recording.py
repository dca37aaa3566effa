"""A scenario out of a case: without personal data, and only a draft until a manager has read it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recovery.anger import ANGRY, FURIOUS
from recovery.failures import FAILURES, matter_words, owned
from recovery.privacy import mask

_MOST_OPENING, _MOST_TOLD = 3, 4
_SHORTEST, _LONGEST = 8, 280
_ROUND_FEN = 1_000
_QUESTION = ("为什么", "怎么", "情况", "还有")
_HIDDEN = re.compile(r"［[^］]{1,6}］")
_CLAUSES = re.compile(r"[^，,。！!？?；;\n]+[，,。！!？?；;\n]*")
_LETTERS = re.compile(r"[\u4e00-\u9fffA-Za-z]")
_SAYS_SOMETHING = 4
_PLAIN_MATTER = re.compile(r"[\u4e00-\u9fff]{2,6}")


@dataclass(frozen=True)
class Heard:
    """One message of a case: by `customer`, `bot` or `staff`."""

    by: str
    text: str


def draft(
    industry: str,
    failure: str,
    anger: int,
    said: Sequence[Heard],
    paid: int,
    harm: str,
    secrets: Sequence[str],
) -> dict[str, Any]:
    """Begin a scenario from what a customer said.

    Args:
        industry: Of the business.
        failure: Of the case, one of the industry's.
        anger: At the opening.
        said: Messages of the case, oldest first.
        paid: Fen; rounded, so that it points to no order.
        harm: As in the facts of the policy.
        secrets: What the customer is called, the order's number: struck out wherever it stands.

    Returns:
        All fields of a `Scenario` but its id, for a manager to read and change.
    """
    first = next((place for place, one in enumerate(said) if one.by != "customer"), len(said))
    theirs = [_clean(one.text, secrets) for one in said if one.by == "customer"]
    opening = [text for text in theirs[: max(1, first)] if len(text) > 1][:_MOST_OPENING]
    later = [text for text in theirs[max(1, first) :] if len(text) >= _SHORTEST]
    matter = matter_words(failure, None)
    apology = f"{matter}让您受委屈了，换作谁都会生气。"
    return {
        "industry": industry,
        "failure": failure,
        "title": FAILURES[failure].matter[:40],
        "level": 3 if anger >= FURIOUS else 2 if anger >= ANGRY else 1,
        "minutes": 10,
        "patience": 90,
        "anger": anger,
        "persona": {"name": "一位顾客", "about": "根据一件结案的投诉改编，人名和号码都已去掉。"},
        "opening": opening or [f"{FAILURES[failure].matter}，你们怎么处理？"],
        "matter": _matter_of(failure),
        "facts": [
            {
                "title": f"顾客后来说的（{place}）",
                "asked": list(_QUESTION),
                "line": text,
                "given": False,
                "hidden": True,
            }
            for place, text in enumerate(later[:_MOST_TOLD], 1)
        ],
        "calms": [],
        "inflames": [],
        "order": {"paid": -(-paid // _ROUND_FEN) * _ROUND_FEN, "harm": harm},
        "better": {
            "acknowledge": apology if owned(failure) else "让您遇上这样的事，换作谁都会着急。",
            "step": "我现在就去核实，三十分钟内把结果告诉您。",
        },
        "closing": "好，那我等你的消息。",
        "source": "recorded",
    }


def _clean(text: str, secrets: Sequence[str]) -> str:
    """A text without personal data, and without what it leaves behind: 我是, 电话."""
    for secret in secrets:
        if len(secret) > 1:
            text = text.replace(secret, "［姓名］")
    clauses = []
    for clause in _CLAUSES.findall(mask(text).text):
        plain = _HIDDEN.sub("", clause)
        if plain == clause or len(_LETTERS.findall(plain)) >= _SAYS_SOMETHING:
            clauses.append(plain)
    # Hidden once more: what was struck out may have kept two halves apart.
    return _HIDDEN.sub("", mask("".join(clauses)).text).strip(" ，,、：:")[:_LONGEST]


def _matter_of(failure: str) -> list[str]:
    words = _PLAIN_MATTER.findall(FAILURES[failure].matter)
    pieces = [one[start : start + 2] for one in words for start in range(0, len(one) - 1, 2)]
    return list(dict.fromkeys(pieces))[:8] or [FAILURES[failure].matter[:6]]

"""Order numbers and last four digits as people type them.

Room numbers, years, prices and times are four digits as well; a wrong guess costs the customer a
try at the proof. So a number counts only where the text says what it is, where it stands beside
an order number, or where it is all that was said.
"""

import re
import unicodedata
from dataclasses import dataclass

from recovery.orders.system import fold_order_number

_NUMERALS = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
_PHONE = re.compile(r"(?<!\d)1[3-9](?:[\s\-]?\d){9}(?![\s\-]?\d)")
_WHOLE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[\s\-]?\d{8,18}(?!\d)|(?<!\d)\d{9,18}(?!\d)")
_GAPPED = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}(?:[\s\-]?\d){8,22}(?!\d)")
_MARKED = re.compile(
    r"(?:尾号|末尾|后四位|末四位|后4位|后面四位|最后四位|手机号?|电话号?|号码)\D{0,6}?"
    r"((?:[\d零〇一二三四五六七八九幺][\s\-]?){4})(?![\d零〇一二三四五六七八九幺])"
)
_OTHER = re.compile(
    r"(?:住|房间?号?|室|门牌)\s*[:：是]?\s*\d{3,4}"
    r"|\d{1,4}\s*(?:号?房|号楼|室|年|月|日|点|元|块|楼|层|分|个|次|天|晚|间|%|：|:)"
)
_BARE = re.compile(r"(?<![\dA-Za-z])(\d(?:\s?\d){3})(?!\s?\d)")
_NOTHING_ELSE = 6
# A run of this many digits is a whole order number; a shorter one goes on behind its gap.
_WHOLE_DIGITS = 10
# Letters and digits of an order number with four more digits behind a gap.
_WITH_DIGITS = 16


@dataclass(frozen=True)
class Named:
    """What a message names; either may be missing.

    Attributes:
        order_number: Folded as in `recovery.orders.system.fold_order_number`.
        last4: The last four digits of a phone.
    """

    order_number: str | None = None
    last4: str | None = None


def read_numbers(text: str, *, order_known: bool) -> Named:
    """Read order number and digits.

    One reading only, and never by asking which order exists: trying several readings would give
    a guesser several tries, and would tell which orders there are.

    Args:
        text: The customer's message.
        order_known: Whether an order number was named before.

    Returns:
        What is named.
    """
    folded = unicodedata.normalize("NFKC", text)
    phone, marked = _PHONE.search(folded), _MARKED.search(folded)
    last4 = None
    if phone:
        last4 = re.sub(r"\D", "", phone.group())[-4:]
        folded = folded.replace(phone.group(), " ")
    elif marked:
        last4 = re.sub(r"[\s\-]", "", marked.group(1)).translate(_NUMERALS)
        folded = folded[: marked.start()] + " " + folded[marked.end() :]
    order = _order(folded)
    if order is None:
        return Named(None, last4 or _bare(folded, beside_order=order_known))
    number = fold_order_number(order)
    last4 = last4 or _bare(folded.replace(order, " "), beside_order=True)
    if last4 is None and len(number) >= _WITH_DIGITS and order[-4:].isdigit():
        if re.search(r"[\s\-]\d{4}$", order):
            return Named(number[:-4], number[-4:])
    return Named(number, last4)


def _order(text: str) -> str | None:
    """The order number as typed, in one piece or with gaps between the digits."""
    whole, gapped = _WHOLE.search(text), _GAPPED.search(text)
    if whole and (gapped is None or len(re.sub(r"\D", "", whole.group())) >= _WHOLE_DIGITS):
        return whole.group()
    return gapped.group() if gapped else None


def _bare(text: str, *, beside_order: bool) -> str | None:
    """Four digits that nothing names, where they can be nothing else."""
    rest = _OTHER.sub(" ", text)
    found = _BARE.findall(rest)
    if len(found) != 1:
        return None
    words = re.sub(r"[\W\d_]", "", rest)
    if beside_order or (len(words) <= _NOTHING_ELSE and "住" not in words):
        return re.sub(r"\s", "", found[0])
    return None

"""Remedies as a member of staff wishes them: read strictly, held to the law, priced.

What the policy gives needs nothing of this. A wish departs from it; how far, and who may do
that, says `recovery.remedy.departing`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from recovery.remedy.catalogue import (
    KINDS,
    MONEY_BACK,
    BadRemedyError,
    Remedy,
    RemedyKind,
    check,
    yuan,
)
from recovery.remedy.elsewhere import NOWHERE, REFUND_NOW, Elsewhere
from recovery.remedy.facts import MOST_MONEY
from recovery.remedy.law import unmet
from recovery.remedy.policy import Decision, Policy
from recovery.remedy.worth import Worth, price, worth

MOST_WISHES = 10
"""More than any policy gives at once, and one or two on top."""
_LAW_ALONE = "damages"
POLICY_ALONE = frozenset({_LAW_ALONE, REFUND_NOW, "rebooking"})
"""Money of which nobody knows how much it is when it is wished for: by law, all that is due of
the price, the difference to a dearer booking. Staff give it where the policy gives it in this very
case, not on top."""
_EVERYWHERE = frozenset(
    {
        *("apology", "explanation", "manager_call", "voucher", "points"),
        *("refund_full", "refund_part"),
    }
)
"""What a person can give in any trade, whether or not its tables name it."""
_TABLES = ("floor", "goodwill", "choices")
# A week of minutes; a whole; a table of guests; the working day of a front desk.
_BOUNDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "minutes": (1, 7 * 24 * 60),
        "persons": (1, 20),
        "bp": (1, 10_000),
        "fen": (1, MOST_MONEY),
        "points": (1, 1_000_000),
        "hour": (12, 20),
    }
)
_SHARES = frozenset({"refund_part", "fee_waiver"})


class BadWishError(ValueError):
    """A wish that nobody may grant.

    Attributes:
        code: `bad_remedy` or `below_floor`.
        sentence: For the member of staff.
    """

    def __init__(self, code: str, sentence: str) -> None:
        """Remember what to answer."""
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True)
class Wished:
    """An offer of staff, held beside the policy.

    Attributes:
        remedies: With part, trade and worth, as an offer carries them.
        worth: Of all of it, in fen.
        floor_fen: What of it is owed.
        beyond_fen: By how much it is worth more than what the policy gives, never below 0; what
            was accepted in the case before counts.
        policy_fen: What the policy gives.
        departs: It is something else than what the policy gives.
        decision: What the policy was asked and said.
    """

    remedies: tuple[Remedy, ...]
    worth: int
    floor_fen: int
    beyond_fen: int
    policy_fen: int
    departs: bool
    decision: Decision

    @property
    def goodwill_fen(self) -> int:
        """What of it is given beyond what is owed."""
        return self.worth - self.floor_fen


def kinds_of(policy: Policy) -> list[str]:
    """The kinds of remedy that staff of a trade can wish for, in the order of the catalogue."""
    named = {
        str(one["kind"])
        for table in _TABLES
        for row in policy.tables[table].rows
        for one in row.said["remedies"]
    }
    known = named | _EVERYWHERE | set(policy.prices)
    return [
        name
        for name, kind in KINDS.items()
        if name in known and name not in POLICY_ALONE and not _unpriced(name, kind, policy)
    ]


def _unpriced(name: str, kind: RemedyKind, policy: Policy) -> bool:
    return kind.unit_priced and name not in policy.prices


def read_wishes(given: Any, policy: Policy) -> list[Remedy]:  # noqa: ANN401 - of a page
    """Read remedies that a page wishes.

    Args:
        given: A list of objects with `kind` and the integers of that kind, nothing else.
        policy: Of the trade.

    Raises:
        BadWishError: Anything else: too many, a kind twice, one that the trade does not have, a
            parameter that is missing, out of bounds or unknown.
    """
    if not isinstance(given, list) or not given:
        raise BadWishError("bad_remedy", "请至少选一项补救")
    if len(given) > MOST_WISHES:
        raise BadWishError("bad_remedy", f"一份方案最多{MOST_WISHES}项补救")
    known = {*kinds_of(policy), *POLICY_ALONE}
    wishes = [_wish(one, known) for one in given]
    kinds = [one["kind"] for one in wishes]
    twice = next((kind for kind in kinds if kinds.count(kind) > 1), None)
    if twice:
        raise BadWishError("bad_remedy", f"“{KINDS[twice].label}”选了两次")
    return wishes


def _wish(one: Any, known: set[str]) -> Remedy:  # noqa: ANN401 - of a page
    kind = one.get("kind") if isinstance(one, dict) else None
    if not isinstance(kind, str) or kind not in known:
        raise BadWishError("bad_remedy", "有一项补救这里没有，请重新选择")
    label, parameters = KINDS[kind].label, {item.name: item for item in KINDS[kind].parameters}
    for name, value in one.items():
        if name == "kind":
            continue
        if name not in parameters:
            raise BadWishError("bad_remedy", f"“{label}”没有{name[:20]!r}这一项")
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadWishError("bad_remedy", f"“{label}”的{parameters[name].label}要写整数")
        # What the law gives is compared with what the policy gives of it, to the fen.
        least, most = (0, MOST_MONEY) if kind == _LAW_ALONE else _BOUNDS[name]
        if not least <= value <= most:
            said = f"“{label}”的{parameters[name].label}要在{least}到{most}之间"
            raise BadWishError("bad_remedy", said)
    try:
        return check(one)
    except BadRemedyError as error:
        lacking = "、".join(item.label for item in parameters.values() if item.name not in one)
        raise BadWishError("bad_remedy", f"“{label}”要写清{lacking or '多少'}，只写一种") from error


def weigh(
    wishes: Sequence[Remedy],
    decision: Decision,
    others: Iterable[Decision] = (),
    *,
    given: Sequence[Remedy] = (),
    most_beyond_paid: int,
    elsewhere: Elsewhere = NOWHERE,
) -> Wished:
    """Hold wishes beside what the policy gives.

    Args:
        wishes: As `read_wishes` gives them.
        decision: What the policy gives with the facts as they stand.
        others: The same in other forms that the policy knows: a customer may choose.
        given: Remedies that were accepted in this case before; the wishes come on top.
        most_beyond_paid: What a whole offer may be worth beyond what was paid and what the law
            adds, in fen; what the policy itself gives is never too much.
        elsewhere: What other cases gave for the same order: what is paid back once is not paid
            back again, and not owed again.

    Raises:
        BadWishError: It is less than what is owed, or more than anybody may give.
    """
    paid, prices = decision.facts.paid, decision.prices
    _check_not_empty(wishes, paid, prices)
    everything = [*given, *wishes]
    forms = [decision, *others]
    # The same worth in another form is no departure; on top of what was given everything is.
    equal = [] if given else [one for one in forms if one.worth.fen == decision.worth.fen]
    alike = next((form for form in equal if _same(wishes, form, paid)), None)
    if alike is not None:
        return as_policy(alike, elsewhere)
    _check_policy_alone(wishes, forms, given)
    left = elsewhere.of(paid)
    met = next((form for form in forms if _covered(form, everything, left)), None)
    had = [*everything, *elsewhere.remedies] if left < paid else everything
    if met is None or unmet(decision.facts, had):
        owed = "、".join(KINDS[one["kind"]].title(one) for one in decision.floor)
        raise BadWishError("below_floor", f"比应给的少：按规定至少要给{owed}")
    _check_money_back(everything, met, elsewhere)
    before = sum(int(one.get("worth", 0)) for one in given)
    total = before + worth(wishes, paid, prices).fen
    law = sum(int(one.get("worth", 0)) for one in met.floor if one["kind"] == _LAW_ALONE)
    most = max(decision.worth.fen, paid + law + most_beyond_paid)
    if total > most:
        said = f"整份合{yuan(total)}，这一单最多能到{yuan(most)}"
        raise BadWishError("bad_remedy", said)
    marked = _marked(wishes, met, given)
    owed_fen = sum(int(one.get("worth", 0)) for one in marked if one["part"] == "floor")
    return Wished(
        remedies=marked,
        worth=total - before,
        floor_fen=min(owed_fen, met.floor_worth.fen),
        beyond_fen=max(0, total - decision.worth.fen),
        policy_fen=decision.worth.fen,
        departs=True,
        decision=decision,
    )


def as_policy(decision: Decision, elsewhere: Elsewhere = NOWHERE) -> Wished:
    """What the policy gives, as an offer of staff.

    Args:
        decision: Of the policy.
        elsewhere: What other cases gave for the same order.

    Raises:
        BadWishError: It gives back of nothing, or what was given back already: a person has to
            say what instead.
    """
    _check_not_empty(decision.remedies, decision.facts.paid, decision.prices)
    _check_left(decision.remedies, decision, elsewhere)
    return Wished(
        remedies=tuple(decision.remedies),
        worth=decision.worth.fen,
        floor_fen=decision.floor_worth.fen,
        beyond_fen=0,
        policy_fen=decision.worth.fen,
        departs=False,
        decision=decision,
    )


def _check_not_empty(remedies: Iterable[Remedy], paid: int, prices: Mapping[str, int]) -> None:
    """Refuse to give back of nothing, which no order system does.

    Raises:
        BadWishError: A gift, an order paid with points, a share of less than a fen.
    """
    for one in remedies:
        if one["kind"] in MONEY_BACK and not price(one, paid, prices):
            label = KINDS[one["kind"]].label
            raise BadWishError("bad_remedy", f"这一单没有可退的钱，不能“{label}”，请换一种")


def _same(wishes: Sequence[Remedy], decision: Decision, paid: int) -> bool:
    """Whether these are exactly what a decision gives."""
    plain = [_bare(one, paid) for one in decision.remedies]
    asked = [_bare(one, paid) for one in wishes]
    return len(plain) == len(asked) and all(one in plain for one in asked)


def _bare(one: Remedy, paid: int) -> Remedy:
    """As `as_wish`; a share is the sum it comes to."""
    if one["kind"] in _SHARES:
        return {"kind": one["kind"], "fen": price(one, paid, {})}
    return as_wish(one)


def as_wish(remedy: Remedy) -> Remedy:
    """A remedy as a page would wish it: its kind and its integers."""
    names = [item.name for item in KINDS[remedy["kind"]].parameters]
    return {"kind": remedy["kind"], **{name: remedy[name] for name in names if name in remedy}}


def _covered(form: Decision, everything: Sequence[Remedy], left: int) -> bool:
    """Whether nothing of the floor of a decision is missing."""
    paid = form.facts.paid
    return all(
        any(_covers(mine, owed, paid, form.prices) for mine in everything)
        for owed in _owed(form, left)
    )


def _owed(form: Decision, left: int) -> list[Remedy]:
    """The floor as far as it is still owed: nothing of nothing, and no money back twice."""
    owed: list[Remedy] = []
    for one in form.floor:
        if one["kind"] == REFUND_NOW and left == 0 < form.facts.paid:
            continue
        if one["kind"] not in MONEY_BACK:
            owed.append(one)
            continue
        fen = price(one, form.facts.paid, form.prices) or 0
        if fen <= left:
            owed += [one] if fen else []
        elif left:
            kind = "refund_part" if one["kind"] == "refund_full" else one["kind"]
            owed.append({"kind": kind, "fen": left})
        left = max(0, left - fen)
    return owed


def _covers(mine: Remedy, owed: Remedy, paid: int, prices: Mapping[str, int]) -> bool:
    full_for_part = mine["kind"] == "refund_full" and owed["kind"] == "refund_part"
    if mine["kind"] == owed["kind"] or full_for_part:
        have, want = price(mine, paid, prices), price(owed, paid, prices)
        if have is not None and want is not None:
            return have >= want and (full_for_part or _timely(mine, owed))
    return Worth(0, (mine,)).at_least(Worth(0, (owed,)))


def _timely(mine: Remedy, owed: Remedy) -> bool:
    """Whether a remedy with a price does not come later than it is owed."""
    return int(mine.get("minutes", 0)) <= int(owed.get("minutes", 7 * 24 * 60))


def _check_policy_alone(
    wishes: Sequence[Remedy], forms: Sequence[Decision], given: Sequence[Remedy]
) -> None:
    """Give what only the policy can answer for as the policy gives it here, and once.

    Raises:
        BadWishError: The policy does not give it in this case, or it was given.
    """
    here = {one["kind"] for form in forms for one in form.remedies}
    had = {one["kind"] for one in given}
    for one in wishes:
        kind = one["kind"]
        if kind in POLICY_ALONE - {_LAW_ALONE} and (kind not in here or kind in had):
            label = KINDS[kind].label
            raise BadWishError("bad_remedy", f"“{label}”只在政策给的时候按政策给，请换一种")


def _check_left(everything: Sequence[Remedy], form: Decision, elsewhere: Elsewhere) -> None:
    """Never give back more than was paid, over all cases of an order.

    Raises:
        BadWishError: It would.
    """
    paid = form.facts.paid
    back = _fen([one for one in everything if one["kind"] in MONEY_BACK], paid, form.prices)
    if back > paid:
        raise BadWishError("bad_remedy", f"退减合计{yuan(back)}，超过了实付的{yuan(paid)}")
    left, now = elsewhere.of(paid), any(one["kind"] == REFUND_NOW for one in everything)
    if back > left or (now and left == 0 < paid):
        said = f"这个订单在别的案子里已经退减{yuan(elsewhere.back_fen)}，最多还能退{yuan(left)}"
        raise BadWishError("bad_remedy", said)


def _check_money_back(everything: Sequence[Remedy], met: Decision, elsewhere: Elsewhere) -> None:
    """Never give back more than was paid, nor damages that the law does not give.

    Raises:
        BadWishError: It would.
    """
    paid = met.facts.paid
    _check_left(everything, met, elsewhere)
    if any(one["kind"] == REFUND_NOW for one in everything):
        # It gives back all that is due, whatever that is: beside it, nothing but the policy's own.
        mine, own = (
            _fen([one for one in all_ if one["kind"] in MONEY_BACK], paid, met.prices)
            for all_ in (everything, met.remedies)
        )
        if mine > own:
            said = "“加急办退款”已经把该退的都退了，不能再另外退减"
            raise BadWishError("bad_remedy", said)
    damages = _fen([one for one in everything if one["kind"] == _LAW_ALONE], paid, met.prices)
    owed = _fen([one for one in met.floor if one["kind"] == _LAW_ALONE], paid, met.prices)
    if damages > owed:
        raise BadWishError("bad_remedy", "法定赔偿只按政策给出的数目给，先认定事实再给")


def _fen(remedies: Iterable[Remedy], paid: int, prices: Mapping[str, int]) -> int:
    """What remedies are worth; those of an offer that stands are worth what they were then."""
    known = list(remedies)
    return sum(int(one["worth"]) for one in known if "worth" in one) + (
        worth([one for one in known if "worth" not in one], paid, prices).fen
    )


def _marked(wishes: Sequence[Remedy], met: Decision, given: Sequence[Remedy]) -> tuple[Remedy, ...]:
    """Wishes with part, trade and worth. What goes beyond a share that is owed stands apart."""
    paid, trade = met.facts.paid, met.facts.industry
    # What was given before has met it already.
    owed = {} if given else {one["kind"]: one for one in met.floor}
    full_for_part = "refund_full" not in owed and not any(
        one["kind"] == "refund_part" for one in wishes
    )
    marked: list[Remedy] = []
    for one in wishes:
        fen, least = price(one, paid, met.prices), owed.get(one["kind"])
        kind = one["kind"]
        if kind == "refund_full" and full_for_part and "refund_part" in owed:
            kind, least = "refund_part", owed["refund_part"]
        part = "floor" if least is not None else "goodwill"
        if least is not None and kind in _SHARES and fen is not None:
            due = min(fen, int(least.get("worth", 0)))
            share = {"kind": kind, "trade": trade}
            marked.append({**share, "fen": due, "part": "floor", "worth": due})
            if fen > due:
                more = fen - due
                marked.append({**share, "fen": more, "part": "goodwill", "worth": more})
            continue
        full = {**one, "part": part, "trade": trade}
        marked.append(full if fen is None else {**full, "worth": fen})
    return tuple(marked)

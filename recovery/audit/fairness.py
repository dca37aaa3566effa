"""The fairness audit: what was given, held against what must hold of it.

What the proof shows of every decision that a policy can make is looked for here in the decisions
that were made, those of staff included.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from recovery.audit.effects import Effect, effect
from recovery.audit.replay import differences
from recovery.audit.stored import Archive, NotKeptError, Stored, UndecidedError
from recovery.failures import FAILURES
from recovery.remedy.catalogue import KINDS
from recovery.remedy.facts import FACTS, TIERS
from recovery.remedy.wording import amount, remedies_words, value_words

FINDINGS: Mapping[str, str] = {
    "alike": "事实相同，给的不同",
    "tier": "会员等级高的反而少",
    "anger": "怒气影响了给多少",
    "departure": "偏离政策没有写理由",
    "allegation": "仅属指称时给了赔偿或心意",
    "money": "金额不对",
    "unreadable": "读不懂的决定",
    "archive": "员工的决定无法与政策核对",
}
"""Kinds of findings, as a manager reads them."""
_MOST_NAMED = 12
_ANGERS = ("0", "1", "2", "3")


@dataclass(frozen=True)
class Finding:
    """One thing that must not be.

    Attributes:
        kind: A key of `FINDINGS`.
        what: In Chinese.
        decisions: Ids of all decisions concerned.
    """

    kind: str
    what: str
    decisions: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """The finding as plain JSON types."""
        return {"kind": self.kind, "what": self.what, "decisions": list(self.decisions)}


@dataclass(frozen=True)
class Spread:
    """How much one group got: medians and nine tenths, in fen and basis points of the amount paid.

    Attributes:
        by: `tier`, `anger`, `channel` or `failure`.
        key: The group; of `failure` it is `business/failure`.
        decisions: How many.
        floor: Median and p90.
        goodwill: Median and p90.
        share: Median and p90 of goodwill as a share of the amount paid.
    """

    by: str
    key: str
    decisions: int
    floor: tuple[int, int]
    goodwill: tuple[int, int]
    share: tuple[int, int]

    def to_wire(self) -> dict[str, Any]:
        """The group as plain JSON types."""
        pairs = {
            name: dict(zip(("median", "p90"), getattr(self, name), strict=True))
            for name in ("floor", "goodwill", "share")
        }
        return {"by": self.by, "key": self.key, "decisions": self.decisions, **pairs}


@dataclass(frozen=True)
class Departure:
    """A decision of staff that gives something else than the policy.

    Attributes:
        decision: Its id.
        case: Of which case.
        staff: `staff:<id>`.
        reason: Empty where none was written down.
        given: Fen.
        policy: What the policy would have given, in fen; None where it cannot be decided again.
        why_not: Why it cannot, in Chinese.
    """

    decision: str
    case: str
    staff: str
    reason: str
    given: int
    policy: int | None
    why_not: str = ""

    @property
    def more(self) -> int | None:
        """What staff gave beyond the policy, in fen."""
        return None if self.policy is None else self.given - self.policy

    def to_wire(self) -> dict[str, Any]:
        """The departure as plain JSON types."""
        return {**vars(self), "more": self.more}


@dataclass(frozen=True)
class Audit:
    """What came of it.

    Attributes:
        decisions: How many were looked at.
        policies: How many decisions each policy made.
        spreads: By tier, anger, channel and failure of a business.
        effects: Fair comparisons.
        departures: Of staff.
        findings: What must not be, by kind.
    """

    decisions: int
    policies: Mapping[str, int]
    spreads: tuple[Spread, ...] = ()
    effects: tuple[Effect, ...] = ()
    departures: tuple[Departure, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def found(self) -> bool:
        """Whether anything must not be."""
        return bool(self.findings)

    @property
    def departed_by(self) -> int:
        """What staff gave beyond the policy in all, in fen, as far as it is known."""
        return sum(one.more or 0 for one in self.departures)

    def to_wire(self) -> dict[str, Any]:
        """The audit as plain JSON types, for a page; money in fen."""
        return {
            "decisions": self.decisions,
            "policies": dict(self.policies),
            "spreads": [one.to_wire() for one in self.spreads],
            "effects": [one.to_wire() for one in self.effects],
            "departures": [one.to_wire() for one in self.departures],
            "departed_by": self.departed_by,
            "findings": [one.to_wire() for one in self.findings],
        }


def audit(decisions: Iterable[Stored], archive: Archive) -> Audit:
    """Audit decisions.

    Args:
        decisions: As stored.
        archive: The policies they were made with.
    """
    every = list(decisions)
    findings: list[Finding] = []
    readable: list[Stored] = []
    for one in every:
        money = list(_money(one))
        # Added since we were late: by a table of its own, which the replay looks after.
        unread = "" if one.for_lateness else _unreadable(one)
        findings += [Finding("money", f"决定 {one.id}：{what}", (one.id,)) for what in money]
        if unread:
            findings.append(Finding("unreadable", f"决定 {one.id}：{unread}", (one.id,)))
        elif type(one.fen) is int and not one.for_lateness:
            readable.append(one)
            findings += list(_allegation(one))
    departures, wrong = _departures(readable, archive)
    findings += wrong
    keys = {one.id: archive.alike(one) for one in readable}
    # What staff gave with their reasons stands by itself; it is no rule for others.
    ruled = [one for one in readable if not one.departs]
    findings += list(_alike(ruled, keys))
    findings += list(_lowered(ruled, keys))
    findings += list(_louder(ruled, keys))
    effects = tuple(_effects(readable, keys))
    findings += list(_swayed(effects))
    order = list(FINDINGS)
    return Audit(
        decisions=len(every),
        policies=dict(sorted(Counter(one.policy for one in every).items())),
        spreads=tuple(_spreads(readable)),
        effects=effects,
        departures=tuple(departures),
        findings=tuple(sorted(findings, key=lambda one: order.index(one.kind))),
    )


# ---- each decision by itself ---------------------------------------------------------------


def _unreadable(one: Stored) -> str:
    """Why a decision cannot be compared with others; empty where it can."""
    try:
        facts = one.readable
    except UndecidedError as error:
        return str(error)
    if facts.failure not in FAILURES or one.failure != facts.failure:
        return f"失误 {one.failure!r} 与事实 {facts.failure!r} 不符"
    for remedy in one.remedies:
        kind = KINDS.get(str(remedy.get("kind")))
        if kind is None:
            return f"不认识补救 {str(remedy.get('kind'))[:40]!r}"
        for parameter in kind.parameters:
            value = remedy.get(parameter.name, 0 if parameter.optional else None)
            if not isinstance(value, int | float) or isinstance(value, bool):
                return f"{kind.label}的{parameter.label}不是数：{value!r}"
    return ""


def _money(one: Stored) -> Iterator[str]:
    """Amounts that are no whole fen, below zero, or do not add up."""
    for part in ("floor_fen", "goodwill_fen"):
        yield from _no_fen(part, getattr(one, part))
    for remedy in one.remedies:
        for name, value in remedy.items():
            yield from _no_fen(f"{remedy.get('kind')} 的 {name}", value)
    sums = {"floor": 0, "goodwill": 0}
    for remedy in one.remedies:
        worth = remedy.get("worth", 0)
        if not isinstance(worth, int) or isinstance(worth, bool):
            yield f"{remedy.get('kind')} 的 worth 不是整数分：{worth!r}"
            return
        sums["goodwill" if remedy.get("part") == "goodwill" else "floor"] += worth
    for part, total in sums.items():
        stored = getattr(one, f"{part}_fen")
        if total != stored:
            yield f"{part}_fen 记的是 {stored!r}，各项补救合计 {total}"


def _no_fen(name: str, value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever was stored
    if isinstance(value, float):
        yield f"{name} 是小数 {value!r}"
    elif isinstance(value, int) and not isinstance(value, bool) and value < 0:
        yield f"{name} 是负数 {value}"


def _allegation(one: Stored) -> Iterator[Finding]:
    if one.readable.finding != "alleged":
        return
    wrong = [
        item for item in one.remedies if item["kind"] == "damages" or item.get("part") == "goodwill"
    ]
    if wrong or one.goodwill_fen:
        given = "、".join(KINDS[item["kind"]].label for item in wrong) or amount(one.goodwill_fen)
        yield Finding("allegation", f"决定 {one.id}：给了{given}", (one.id,))


def _departures(
    decisions: Iterable[Stored], archive: Archive
) -> tuple[list[Departure], list[Finding]]:
    found: list[Departure] = []
    wrong: list[Finding] = []
    for one in decisions:
        if not one.by_staff:
            continue
        reason = (one.departure or "").strip()
        policy, why_not, other = None, "", one.departs
        try:
            policy = archive.decide(one).worth.fen
            # Somebody decided as the policy does, or meant to.
            other = other or bool(differences(one, archive))
        except (NotKeptError, UndecidedError) as error:
            why_not = str(error)
            wrong.append(Finding("archive", f"决定 {one.id}：{error}", (one.id,)))
        if not other:
            continue
        departure = Departure(one.id, one.case_id, one.decided_by, reason, one.fen, policy, why_not)
        found.append(departure)
        if not reason:
            what = f"决定 {one.id}（{one.decided_by}）：给了 {amount(one.fen)}"
            what += f"，政策是 {amount(policy)}" if policy is not None else ""
            wrong.append(Finding("departure", what, (one.id,)))
    return found, wrong


# ---- decisions side by side ----------------------------------------------------------------

Keys = Mapping[str, tuple[tuple[str, Any], ...]]


def _grouped(
    decisions: Iterable[Stored], key: Callable[[Stored], Hashable]
) -> dict[Hashable, list[Stored]]:
    groups: dict[Hashable, list[Stored]] = defaultdict(list)
    for one in decisions:
        groups[key(one)].append(one)
    return groups


def _alike(decisions: Iterable[Stored], keys: Keys) -> Iterator[Finding]:
    for same in _grouped(decisions, lambda one: keys[one.id]).values():
        outcomes = _grouped(
            same, lambda one: (one.floor_fen, one.goodwill_fen, tuple(map(_plain, one.given)))
        )
        if len(outcomes) > 1:
            sides = "；".join(
                f"{_ids(some)} 得到 {amount(some[0].fen)}（{remedies_words(list(some[0].given))}）"
                for some in outcomes.values()
            )
            ids = tuple(one.id for one in same)
            yield Finding("alike", f"{_facts(same[0])}：{sides}", ids)


def _plain(remedy: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, repr(value)) for name, value in remedy.items()))


def _lowered(decisions: Iterable[Stored], keys: Keys) -> Iterator[Finding]:
    """Whoever got less than others of a lower tier with the same facts."""
    for same in _grouped(decisions, lambda one: _without(keys[one.id], "tier")).values():
        tiers = _grouped(same, lambda one: one.facts["tier"])
        for low, high in combinations([one for one in TIERS if one in tiers], 2):
            for mine in tiers[high]:
                more = next((one for one in tiers[low] if not mine.worth.at_least(one.worth)), None)
                if more is None:
                    continue
                yield Finding(
                    "tier",
                    f"{_facts(mine)}：{value_words('tier', high)} {mine.id}"
                    f" 得到 {amount(mine.fen)}（{remedies_words(list(mine.given))}），"
                    f"{value_words('tier', low)} {more.id}"
                    f" 得到 {amount(more.fen)}（{remedies_words(list(more.given))}）",
                    (mine.id, more.id),
                )
                break


def _louder(decisions: Iterable[Stored], keys: Keys) -> Iterator[Finding]:
    """Groups of the same facts in which one anger got more than another, by a fen or more."""
    for same in _grouped(decisions, lambda one: keys[one.id]).values():
        angers = _grouped(same, lambda one: one.anger)
        for low, high in combinations(sorted(set(one.anger for one in same)), 2):
            calm, loud = angers[low], angers[high]
            more = sum(one.fen for one in loud) * len(calm) - sum(one.fen for one in calm) * len(
                loud
            )
            if abs(more) >= len(calm) * len(loud):
                side = "多" if more > 0 else "少"
                mean = amount(abs(round(more / (len(calm) * len(loud)))))
                yield Finding(
                    "anger",
                    f"{_facts(same[0])}：怒气{high}的 {_ids(loud)}"
                    f" 比怒气{low}的 {_ids(calm)} 平均{side}得 {mean}",
                    tuple(one.id for one in (*calm, *loud)),
                )


def _without(key: tuple[tuple[str, Any], ...], name: str) -> Hashable:
    return tuple(one for one in key if one[0] != name)


def _effects(decisions: Sequence[Stored], keys: Keys) -> Iterator[Effect]:
    for cut in range(1, len(TIERS)):
        rows = [(_without(keys[one.id], "tier"), str(one.facts["tier"]), one.fen)
                for one in decisions]  # fmt: skip
        yield effect("tier", TIERS[:cut], TIERS[cut:], rows)
    for cut in range(1, len(_ANGERS)):
        rows = [(keys[one.id], str(one.anger), one.fen) for one in decisions]
        yield effect("anger", _ANGERS[:cut], _ANGERS[cut:], rows)
    for about in ("channel", "business"):
        rows = [(keys[one.id], str(getattr(one, about)), one.fen) for one in decisions]
        values = sorted({value for _, value, _ in rows})
        # Of two sides the one says what the other does.
        for value in values[1:] if len(values) == 2 else values if len(values) > 2 else ():
            yield effect(about, tuple(one for one in values if one != value), (value,), rows)


def _swayed(effects: Iterable[Effect]) -> Iterator[Finding]:
    """What a comparison over all, decisions of staff included, shows that must not be."""
    for one in effects:
        if not one.sure or one.mean is None:
            continue
        if one.about == "anger":
            yield Finding("anger", f"{effect_words(one)}（员工的决定也算在内）")
        elif one.about == "tier" and one.mean < 0:
            yield Finding("tier", f"{effect_words(one)}（员工的决定也算在内）")


# ---- how much each group got ---------------------------------------------------------------


def _spreads(decisions: Sequence[Stored]) -> Iterator[Spread]:
    by: dict[str, Callable[[Stored], str]] = {
        "tier": lambda one: str(one.facts["tier"]),
        "anger": lambda one: str(one.anger),
        "channel": lambda one: one.channel,
        "failure": lambda one: f"{one.business}/{one.failure}",
    }
    for name, key in by.items():
        groups = _grouped(decisions, key)
        order = list(TIERS) if name == "tier" else sorted(str(one) for one in groups)
        for group in order:
            some = groups.get(group)
            if some:
                yield Spread(
                    name,
                    group,
                    len(some),
                    _middle(one.floor_fen for one in some),
                    _middle(one.goodwill_fen for one in some),
                    _middle(_share(one) for one in some),
                )


def _share(one: Stored) -> int:
    """Goodwill in basis points of the amount paid; nothing of nothing."""
    paid = int(one.facts["paid"])
    return int(one.goodwill_fen * 10_000 // paid) if paid else 0


def _middle(values: Iterable[int]) -> tuple[int, int]:
    """Median and p90, each a value that occurs (nearest rank)."""
    ordered = sorted(values)
    median, most = (max(0, -(-len(ordered) * part // 100) - 1) for part in (50, 90))
    return int(ordered[median]), int(ordered[most])


# ---- in words ------------------------------------------------------------------------------


def effect_words(one: Effect) -> str:
    """One comparison as a sentence."""
    sides = [_side_words(one.about, side) for side in (one.higher, one.lower)]
    mean = one.mean or 0
    text = f"{sides[0]}比{sides[1]}平均{'多' if mean >= 0 else '少'}得 {amount(abs(mean))}"
    if one.interval is None:
        return text
    return f"{text}（95%区间 {amount(one.interval[0])} 至 {amount(one.interval[1])}）"


def _side_words(about: str, side: Sequence[str]) -> str:
    if about == "anger":
        return f"怒气{side[0]}" + (f"至{side[-1]}" if len(side) > 1 else "")
    if about == "tier":
        return "、".join(value_words("tier", one) for one in side)
    return side[0] if len(side) == 1 else "其他"


def _ids(decisions: Sequence[Stored]) -> str:
    named = "、".join(one.id for one in decisions[:_MOST_NAMED])
    more = len(decisions) - _MOST_NAMED
    return f"{named} 等 {len(decisions)} 个" if more > 0 else named


def _facts(one: Stored) -> str:
    """What tells one decision from others: the failure, the amount and all that is not assumed."""
    told = [
        f"{FACTS[name].label}={value_words(name, value)}"
        for name, value in one.facts.items()
        if name in ("harm", "fault", "finding", "recurrence", "round", "choice")
        and value != FACTS[name].default
    ]
    head = f"{value_words('failure', one.failure)}，实付 {amount(int(one.facts['paid']))}"
    return "，".join([head, *told])


def ids_of(findings: Iterable[Finding]) -> set[str]:
    """All decisions that findings name."""
    return {one for finding in findings for one in finding.decisions}

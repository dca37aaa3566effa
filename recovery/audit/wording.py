"""Audit and replay as plain text for managers."""

import json
from collections.abc import Mapping, Sequence

from recovery.audit.effects import Effect
from recovery.audit.fairness import FINDINGS, Audit, Departure, Spread, effect_words
from recovery.audit.replay import Difference, Replay
from recovery.remedy.catalogue import KINDS, percent
from recovery.remedy.columns import aligned
from recovery.remedy.wording import amount, remedy_words, value_words

_BY: Mapping[str, str] = {
    "tier": "按会员等级",
    "anger": "按怒气",
    "channel": "按渠道",
    "failure": "按商家和失误",
}
_ABOUT: Mapping[str, str] = {
    "tier": "会员等级",
    "anger": "怒气",
    "channel": "渠道",
    "business": "商家",
}
_WHAT: Mapping[str, str] = {
    "remedies": "补救",
    "rules": "规则",
    "floor_fen": "应给的",
    "goodwill_fen": "心意",
}
_MOST = 50


def audit_in_words(one: Audit, scope: str) -> str:
    """The audit as text.

    Args:
        one: What came of it.
        scope: What was asked for, in Chinese.
    """
    if not one.decisions:
        return f"公平审计：{scope}\n还没有存下的决定，没有可查的。"
    policies = "、".join(f"{name}（{number} 个）" for name, number in one.policies.items())
    blocks = [
        f"公平审计：{scope}\n{one.decisions} 个决定，政策 {policies}",
        _findings(one),
        *(_spread(title, [item for item in one.spreads if item.by == by])
          for by, title in _BY.items()),
        _effects(one.effects),
        _departures(one),
    ]  # fmt: skip
    return "\n\n".join(block for block in blocks if block)


def _findings(one: Audit) -> str:
    if not one.findings:
        return "结论：没有发现问题"
    lines = [f"结论：发现 {len(one.findings)} 处问题"]
    for kind, title in FINDINGS.items():
        some = [item for item in one.findings if item.kind == kind]
        if not some:
            continue
        lines.append(f"  {title}（{len(some)} 处）")
        lines += [f"    {item.what}" for item in some[:_MOST]]
        lines += [f"    ……还有 {len(some) - _MOST} 处"] if len(some) > _MOST else []
    return "\n".join(lines)


def _spread(title: str, spreads: Sequence[Spread]) -> str:
    if not spreads:
        return ""
    rows = [
        ["", "件数", "应给的中位数", "九成以内", "心意中位数", "九成以内", "心意占实付", "九成以内"]
    ]
    rows += [
        [
            _key(item),
            str(item.decisions),
            *map(amount, (*item.floor, *item.goodwill)),
            *map(percent, item.share),
        ]
        for item in spreads
    ]
    return f"{title}\n{aligned(rows, right=range(1, 8), indent='  ')}"


def _key(item: Spread) -> str:
    if item.by == "tier":
        return value_words("tier", item.key)
    if item.by == "failure":
        business, failure = item.key.rsplit("/", 1)
        return f"{business} {value_words('failure', failure)}"
    return item.key


def _effects(effects: Sequence[Effect]) -> str:
    lines = ["同样的事实放在一起比（只比能影响给多少的事实都相同的决定；员工的决定也算在内）"]
    for about, title in _ABOUT.items():
        some = [one for one in effects if one.about == about]
        compared = [one for one in some if one.interval is not None]
        sure = [effect_words(one) for one in compared if one.sure]
        if sure:
            lines += [f"  {title}：{text}" for text in sure]
        elif compared:
            strata = max(one.strata for one in compared)
            lines.append(f"  {title}：看不出差别（{strata} 组可以比）")
        elif some:
            lines.append(f"  {title}：可以比的太少，不下结论")
        else:
            lines.append(f"  {title}：只有一种，没有可以比的")
    return "\n".join(lines)


def _departures(one: Audit) -> str:
    if not one.departures:
        return "员工偏离政策：没有"
    rows = [["决定", "个案", "谁", "给了", "政策", "多给", "理由"]]
    rows += [_departure(item) for item in one.departures]
    known = sum(item.more is not None for item in one.departures)
    total = f"合计多给 {_signed(one.departed_by)}（{known} 个能与政策核对）"
    table = aligned(rows, right=(3, 4, 5), indent="  ")
    return f"员工偏离政策：{len(one.departures)} 个\n{table}\n  {total}"


def _departure(item: Departure) -> list[str]:
    policy = "—" if item.policy is None else amount(item.policy)
    more = "—" if item.more is None else _signed(item.more)
    reason = " ".join(item.reason.split()) or "（没有写）"
    return [item.decision, item.case, item.staff, amount(item.given), policy, more, reason]


def _signed(fen: int) -> str:
    return f"+{amount(fen)}" if fen > 0 else amount(fen)


def replay_in_words(one: Replay, scope: str) -> str:
    """The replay as text; see `audit_in_words`."""
    if not one.decisions:
        return f"重演决定：{scope}\n还没有存下的决定，没有可重演的。"
    lines = [
        f"重演决定：{scope}",
        f"{one.decisions} 个决定，政策 {'、'.join(one.policies)}",
        f"  重演结果相同 {one.same} 个",
        f"  员工偏离政策、不比较 {one.departed} 个",
        f"  结果不同 {len({item.decision for item in one.different})} 个",
        f"  无法重演 {len(one.unanswered)} 个",
    ]
    for item in one.different[:_MOST]:
        lines += ["", *_difference(item)]
    if len(one.different) > _MOST:
        lines += ["", f"……还有 {len(one.different) - _MOST} 处不同"]
    if one.unanswered:
        lines.append("")
        lines += [
            f"决定 {item.decision}（个案 {item.case}）：{item.why}"
            for item in one.unanswered[:_MOST]
        ]
        more = len(one.unanswered) - _MOST
        lines += [f"……还有 {more} 个"] if more > 0 else []
    return "\n".join(lines)


def _difference(item: Difference) -> list[str]:
    return [
        f"决定 {item.decision}（个案 {item.case}）：{_WHAT[item.what]}不同",
        f"  存的：{_shown(item.what, item.stored)}",
        f"  重演：{_shown(item.what, item.again)}",
    ]


def _shown(what: str, value: object) -> str:
    if what.endswith("_fen"):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return amount(value) if whole and isinstance(value, int) else repr(value)
    if what == "rules" and isinstance(value, list):
        return "、".join(map(str, value))
    if isinstance(value, list):
        return "；".join(_remedy(one) for one in value) or "无"
    return str(value)


def _remedy(one: object) -> str:
    """A remedy with its part and worth; one that cannot be read stands as it is."""
    if not isinstance(one, dict) or one.get("kind") not in KINDS:
        return json.dumps(one, ensure_ascii=False, sort_keys=True)
    part = "心意" if one.get("part") == "goodwill" else "应给"
    worth = f"，值 {one['worth']!r} 分" if "worth" in one else ""
    return f"{remedy_words(one)}（{part}{worth}）"

"""Who may give what: the policy's authority, the limits of a business, its budgets."""

from dataclasses import dataclass

from recovery.business import Departures
from recovery.remedy.catalogue import yuan
from recovery.remedy.policy import AGENT, BOT, MANAGER
from recovery.remedy.wishes import Wished
from recovery.roles import authority_of, suffices


@dataclass(frozen=True)
class Verdict:
    """Whether a member of staff may give something.

    Attributes:
        needed: Authority that is needed of somebody who has this member's limits.
        allowed: Whether this member may give it.
        why: In words, for the member.
        refused: Why nobody here may give it; None where somebody may.
    """

    needed: str
    allowed: bool
    why: str
    refused: str | None = None


def judge(wished: Wished, role: str, limits: Departures, *, over_budget: str | None) -> Verdict:
    """Say who may give an offer.

    Args:
        wished: The offer, held beside the policy.
        role: Of the member who wants to give it.
        limits: Of the business.
        over_budget: Which budget it would pass, in words; None for none. Budgets bind the bot
            and, without a manager, everybody else.
    """
    own = authority_of(role)
    said = [_against_policy(wished)]
    needed = AGENT if wished.decision.authority == BOT else wished.decision.authority
    if needed == MANAGER:
        said.append("政策规定这一种要经理点头")
    if wished.beyond_fen > limits.of(role):
        needed = MANAGER
        said.append(f"您自己最多可以多给{yuan(limits.of(role))}")
    if over_budget is not None:
        needed = MANAGER
        said.append(f"会超过{over_budget}")
    if wished.beyond_fen > limits.manager:
        most = f"经理最多也只能多给{yuan(limits.manager)}"
        return Verdict(MANAGER, False, "，".join([*said, most]), most)
    allowed = suffices(own, needed)
    said.append("您可以直接提出" if allowed else "请向经理申请")
    return Verdict(needed, allowed, "，".join(said))


def _against_policy(wished: Wished) -> str:
    if not wished.departs:
        return f"按政策给，合{yuan(wished.policy_fen)}"
    if wished.beyond_fen:
        return f"政策给{yuan(wished.policy_fen)}，这份多给{yuan(wished.beyond_fen)}"
    return f"和政策给的不一样，没有超过政策的{yuan(wished.policy_fen)}"


def may_offer_words(role: str, limits: Departures, authority: str | None) -> str:
    """What a member may still offer, in one sentence.

    Args:
        role: Of the member.
        limits: Of the business.
        authority: What the policy's own offer needs; None while there is none.
    """
    own = authority_of(role)
    if own is None:
        return "您的账号不能提出补救"
    needed = AGENT if authority == BOT else authority
    policy = "政策给的方案您可以直接提出"
    if needed is None:
        policy = "政策还算不出方案"
    elif not suffices(own, needed):
        policy = "政策给的方案要经理点头，请申请"
    beyond = f"比政策多给不超过{yuan(limits.of(role))}要写理由"
    more = "再多就不行了" if own == MANAGER else "再多请向经理申请"
    return f"{policy}；{beyond}，{more}"

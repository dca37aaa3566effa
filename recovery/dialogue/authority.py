"""Who settles a failure: the bot within its authority, or a person."""

from recovery.failures import FAILURES
from recovery.remedy.policy import Decision, policy_for

BOT = "bot"


def decide(industry: str, failure: str | None, round_: int) -> Decision | None:
    """What the policy gives for a failure.

    Args:
        industry: Of the business.
        failure: A name in `recovery.failures`, `unknown` or None.
        round_: 0 for the first offer, 1 after the customer asked for more.

    Returns:
        The decision; None for a failure that cannot be named, and where the policy has no more.

    Raises:
        PolicyError: The policy cannot be used.
    """
    if failure not in FAILURES:
        return None
    return policy_for(industry).decide(failure, round_)


def settled_by_bot(industry: str, failure: str | None) -> bool:
    """Whether the bot itself may offer a remedy; otherwise a person goes on.

    Args:
        industry: Of the business.
        failure: As for `decide`.
    """
    decision = decide(industry, failure, 0)
    return decision is not None and decision.authority == BOT

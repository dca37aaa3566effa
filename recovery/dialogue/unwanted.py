"""What a customer has said they do not want is not given: another form of it, else without it."""

from recovery.case import Case
from recovery.dialogue.authority import Matter
from recovery.dialogue.forms import in_form
from recovery.dialogue.reply import Turn
from recovery.remedy.policy import Decision

_OTHER_FORMS = ("refund", "waiver", "points")
DEPARTURE = "顾客说过不要这种补偿"
"""Why the bot gives less than the policy does."""


def otherwise(
    turn: Turn, case: Case, matter: Matter, round_: int, decision: Decision
) -> Decision | None:
    """The same worth without what is unwanted; None where nothing was left out, or none is."""
    if not left_out(turn, decision):
        return None
    whole = turn.policy.decide(decision.facts).worth.fen
    for choice in _OTHER_FORMS:
        other = in_form(turn, case, matter, round_, choice)
        if other and other.worth.fen == whole and not left_out(turn, other):
            return other
    return None


def left_out(turn: Turn, decision: Decision) -> bool:
    """Whether a decision lacks something of what the policy gives, since it is unwanted."""
    if not turn.unwanted:
        return False
    whole = turn.policy.decide(decision.facts)
    return len(whole.goodwill) > len(decision.goodwill)

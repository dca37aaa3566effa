"""Two cases that are one, and one that is two: what becomes of what is known of each.

Nothing is offered twice: an offer of the case that goes into the other is taken back, and one of
the case that stays as well, where something was given in the other. Nothing that was accepted,
refused or found is lost, and all of it can be taken apart again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from recovery.anger import CaseAnger
from recovery.case import Case, Offer, Stage
from recovery.failures import UNKNOWN

# What is known of one message or one talk only, and says nothing of the matter.
_NOT_OF_THE_MATTER = frozenset(
    {
        *("failure", "keywords", "also", "order_number", "phone_last4", "item", "advice", "wish"),
        *("stays_public", "handed_back_by", "handed_back_note", "split_from"),
    }
)


# What staff have found of one matter, and does not hold for another.
_JUDGED = frozenset({"fault", "finding", "harm", "evidence"})


@dataclass(frozen=True)
class Apart:
    """Two cases as they are when a merging is taken back."""

    kept: Case
    other: Case


def offers_to_withdraw(kept: Case, other: Case, now: datetime) -> tuple[bool, bool]:
    """Whether the open offer of the case that stays, and of the one that goes, is taken back."""
    mine = kept.open_offer(now)
    twice = mine is not None and not mine.by_staff and other.accepted_offer is not None
    return twice, other.open_offer(now) is not None


def merged(kept: Case, other: Case, now: datetime) -> Case:
    """The case that stays, with all that is known from the other.

    Args:
        kept: Its own word comes first where both know something.
        other: Its open offer has been taken back, see `offers_to_withdraw`.
        now: The present moment.
    """
    offers = (*other.offers, *kept.offers)
    case = replace(
        kept,
        facts=_facts(kept, other),
        offers=offers,
        anger=_anger(kept.anger, other.anger),
        order_number=kept.order_number or other.order_number,
        safety=kept.safety or other.safety,
        invited=kept.invited or other.invited,
        apologised=kept.apologised or other.apologised,
        public_replies=max(kept.public_replies, other.public_replies),
        proof_tries=max(kept.proof_tries, other.proof_tries),
        misses=0,
    )
    stage = _stage(case, kept, other, now)
    by_person = kept if kept.stage == "person" or other.stage != "person" else other
    return replace(
        case,
        stage=stage,
        outcome=kept.outcome if stage == "closed" else None,
        reason=by_person.reason if stage == "person" else kept.reason,
        promised_by=by_person.promised_by if stage == "person" else kept.promised_by,
    )


def gone_into(other: Case) -> Case:
    """The case that goes on in another: nothing of it is open any more."""
    return replace(other, stage="closed", outcome=None, misses=0)


def _stage(case: Case, kept: Case, other: Case, now: datetime) -> Stage:
    stages = {kept.stage, other.stage}
    if stages == {"closed"}:
        return "closed"
    if "person" in stages:
        return "person"
    return replace(case, outcome=None).resume_stage(now)


def _facts(kept: Case, other: Case) -> dict[str, Any]:
    facts = dict(kept.facts)
    left_out = _NOT_OF_THE_MATTER
    if kept.failure not in (None, UNKNOWN, other.failure):
        left_out |= _JUDGED
    facts |= {
        name: value
        for name, value in other.facts.items()
        if name not in facts and name not in left_out
    }
    if kept.failure in (None, UNKNOWN) and other.failure not in (None, UNKNOWN):
        facts["failure"] = other.failure
    elif kept.failure is None and other.failure is not None:
        facts["failure"] = other.failure
    if "keywords" in other.facts:
        facts.setdefault("keywords", other.facts["keywords"])
    if kept.order_number is None and other.order_number is None:
        # Claimed, not proved: still not asked twice.
        for name in ("order_number", "phone_last4"):
            if name in other.facts:
                facts.setdefault(name, other.facts[name])
    same_order = kept.order_number in (None, other.order_number)
    if same_order and "item" in other.facts:
        facts.setdefault("item", other.facts["item"])
    beside = {other.failure, other.facts.get("also")} - {None, UNKNOWN, facts.get("failure")}
    if beside and "also" not in facts:
        facts["also"] = sorted(str(one) for one in beside)[0]
    return facts


def _anger(kept: CaseAnger | None, other: CaseAnger | None) -> CaseAnger | None:
    if kept is None or other is None:
        return kept or other
    latest = max((kept, other), key=lambda one: one.at or "")
    first = min((kept, other), key=lambda one: one.at or "")
    return replace(
        latest,
        opening=first.opening,
        peak=max(kept.peak, other.peak),
        now=max(kept.now, other.now),
        heat=max(kept.heat, other.heat),
        calmed_at=latest.calmed_at if latest.now >= first.now else None,
    )


def apart(present: Case, kept: Case, other: Case, joined: Case, now: datetime) -> Apart:
    """Take two cases apart again that were made one.

    Args:
        present: As the one case stands now.
        kept: The one that stayed, as it was before.
        other: The one that went into it, as it was before; offers taken back since.
        joined: What the two were made into.
        now: The present moment.

    Returns:
        Both, each with its own offers as they stand now. What came to be known since stays with
        the one that stayed.
    """
    theirs = {one.id for one in other.offers}
    now_theirs = tuple(one for one in present.offers if one.id in theirs)
    now_mine = tuple(one for one in present.offers if one.id not in theirs)
    if present == joined:
        back = replace(kept, offers=now_mine)
    else:
        back = replace(present, offers=now_mine, facts=_facts_back(present, kept, joined))
        if present.order_number != kept.order_number and present.order_number == other.order_number:
            back = replace(back, order_number=kept.order_number)
    return Apart(_standing(back, now), _standing(replace(other, offers=now_theirs), now))


def _facts_back(present: Case, kept: Case, joined: Case) -> dict[str, Any]:
    """What is known now without what came with the other case and has not changed since."""
    came = {name: value for name, value in joined.facts.items() if kept.facts.get(name) != value}
    facts = {name: value for name, value in present.facts.items() if came.get(name) != value}
    before = {name: kept.facts[name] for name in came if name in kept.facts and name not in facts}
    return {**facts, **before}


def _standing(case: Case, now: datetime) -> Case:
    """A case whose offers may have changed, at the stage that they leave it at."""
    if case.stage in ("person", "closed"):
        return case
    return replace(case, stage=case.resume_stage(now))


def split_off(
    case: Case, new_id: str, failure: str, offers: tuple[Offer, ...], now: datetime
) -> tuple[Case, Case]:
    """Split a matter off.

    Args:
        case: As it is.
        new_id: Of the case that is begun.
        failure: What the new one is about, a name of `recovery.failures`.
        offers: Of the case, those that are about it.
        now: The present moment.

    Returns:
        The case without it, and the new one. Whose order it is need not be shown again.
    """
    gone = {one.id for one in offers}
    facts = {
        name: value
        for name, value in case.facts.items()
        if not (name == "also" and value == failure)
    }
    left = replace(
        case, facts=facts, offers=tuple(one for one in case.offers if one.id not in gone)
    )
    new = Case(
        id=new_id,
        facts={"failure": failure, "split_from": case.id},
        anger=case.anger,
        safety=False,
        invited=case.invited,
        apologised=case.apologised,
        order_number=case.order_number,
        offers=offers,
        opened_at=now.isoformat(),
    )
    return _standing(left, now), _standing(new, now)

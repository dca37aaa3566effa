"""Remedies of a case as staff read them: offered, under way, possible, and the order behind."""

from collections.abc import Mapping
from typing import Any

from desk.staff.look import Look
from desk.staff.proposals import items_of
from recovery.business import Business
from recovery.case import Case, Offer
from recovery.orders.system import Order
from recovery.remedy.catalogue import KINDS, BadRemedyError, Remedy, kind_of
from recovery.remedy.departing import may_offer_words
from recovery.remedy.policy import PolicyError
from recovery.remedy.wishes import kinds_of
from recovery.roles import authority_of
from recovery.store import fulfilments, promises, staff
from recovery.store.conversations import owner_id
from recovery.store.promises import Promise

# Had, or still to come, as each trade would say it.
_RECEIVED: Mapping[str, tuple[str, str]] = {
    "hotel": ("已入住", "还没入住"),
    "shop": ("已收货", "还没收货"),
    "restaurant": ("已用餐", "还没用餐"),
    "retail": ("已取货", "还没取货"),
    "property": ("已生效", "还没生效"),
    "travel": ("已出行", "还没出行"),
}


def offers_shown(look: Look, case: Case) -> list[dict[str, Any]]:
    """All offers of a case, oldest first, with who made them and why they depart."""
    names = staff.names(look.db)
    business = look.context.directory.business(look.conversation.business)
    assistant = business.assistant if business else ""
    return [_offer(offer, _by(offer, names, assistant)) for offer in case.offers]


def _by(offer: Offer, names: Mapping[int, str], assistant: str) -> str:
    member = owner_id(offer.by)
    return assistant if member is None else names.get(member, "")


def _offer(offer: Offer, by: str) -> dict[str, Any]:
    return {
        "id": offer.id,
        "state": offer.state,
        "items": items_of(offer.remedies),
        "reason": offer.reason,
        "rules": offer.rules,
        "policy": offer.policy,
        "floor_fen": offer.floor_fen,
        "goodwill_fen": offer.goodwill_fen,
        "provisional": offer.provisional,
        "expires": offer.expires_at,
        "by": by,
        "departure": offer.departure,
    }


def remedies_shown(look: Look, case: Case) -> list[dict[str, Any]]:
    """What was promised in a case, and how far it is."""
    kept = promises.of_case(look.db, case.id)
    return [
        {
            "key": item["key"],
            "remedy": item["remedy"]["kind"],
            "title": _title(item["remedy"]),
            "state": item["state"],
            "receipt": item["receipt"],
            "attempts": item["attempts"],
            "problem": item["problem"],
            "promise": _promise(kept.get(item["key"])),
        }
        for item in fulfilments.of_case(look.db, case.id)
    ]


def _promise(one: Promise | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "stage": one.stage,
        "promised_at": one.promised_at,
        "due_at": one.due_at,
        "told": dict(one.told),
        "times_late": one.times_late,
        "added": one.extra_offer is not None,
    }


def _title(remedy: Remedy) -> str:
    """What a remedy is called, also one that the catalogue knows no more."""
    try:
        return kind_of(remedy).title(remedy)
    except (BadRemedyError, KeyError, TypeError, ValueError):
        return str(remedy.get("kind", ""))


def may_offer(
    business: Business | None, role: str, advice: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What a member of staff may still offer.

    Args:
        business: Whose case it is.
        role: Of the member.
        advice: What the policy gives, None while it gives nothing.
    """
    authority = authority_of(role)
    if business is None or authority is None:
        return {"authority": None, "departure_fen": 0, "words": "您的账号不能提出补救"}
    needed = str(advice["authority"]) if advice else None
    return {
        "authority": authority,
        "departure_fen": business.departures.of(role),
        "words": may_offer_words(role, business.departures, needed),
    }


def kinds(look: Look) -> list[dict[str, Any]]:
    """The kinds of remedy that staff of the trade can wish for."""
    business = look.context.directory.business(look.conversation.business)
    if business is None:
        return []
    today = look.now.astimezone(business.zone).date()
    try:
        policy = look.context.policy.on(business.industry, today)
    except PolicyError:
        return []
    return [_kind(name) for name in kinds_of(policy)]


def _kind(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    return {
        "kind": name,
        "label": kind.label,
        "parameters": [
            {"name": one.name, "label": one.label, "optional": one.optional}
            for one in kind.parameters
        ],
    }


def order_shown(order: Order, industry: str) -> dict[str, Any]:
    """`OrderShown` of docs/staff-api.md."""
    had, to_come = _RECEIVED.get(industry, ("已收到", "还没收到"))
    return {
        "number": order.number,
        "product": order.title,
        "paid_fen": order.paid,
        "bought_on": order.placed_on,
        "received_on": order.received_on,
        "status": had if order.received_on else to_come,
        "tier": order.tier,
        "items": [
            {
                "sku": item.sku,
                "name": item.name,
                "quantity": item.quantity,
                "price_fen": item.price,
            }
            for item in order.items
        ],
    }

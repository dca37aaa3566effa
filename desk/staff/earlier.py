"""What the same customer complained of before, and what was given."""

from typing import Any

from desk.staff.look import Look
from recovery.case import Case
from recovery.remedy.catalogue import card
from recovery.store import chronicle, persons


def earlier_cases(look: Look) -> list[dict[str, Any]]:
    """Other cases of the customer, newest first, as `EarlierCase`."""
    case, conversation = look.case, look.conversation
    rows = chronicle.earlier_cases(
        look.db,
        conversation.business,
        persons.customers_of(look.db, persons.person_of(look.db, conversation.customer_id)),
        conversation.case_id,
        case.order_number if case else None,
    )
    places = chronicle.conversation_of(look.db, [row.id for row in rows])
    return [_shown(row, Case.from_state(row.state), places.get(row.id)) for row in rows]


def _shown(row: Any, case: Case, conversation: str | None) -> dict[str, Any]:  # noqa: ANN401
    taken = case.accepted_offer
    return {
        "id": case.id,
        "conversation": conversation,
        "matter": case.matter if case.has_matter else "",
        "opened_at": row.opened_at,
        "stage": case.stage,
        "outcome": row.outcome or case.outcome,
        "given": "、".join(line["title"] for line in card(taken.remedies)) if taken else "",
    }

"""How far the remedies of a case are: what the order system did, and what the promises say."""

from datetime import datetime

from sqlalchemy import Connection

from recovery.dialogue.reply import Underway
from recovery.store import fulfilments, promises


def of_case(db: Connection, case_id: str) -> tuple[Underway, ...]:
    """What was accepted in a case, in the order of the offers."""
    kept = promises.of_case(db, case_id)
    found = []
    for row in fulfilments.of_case(db, case_id):
        one = kept.get(row["key"])
        found.append(
            Underway(
                row["remedy"],
                row["state"],
                row["receipt"],
                datetime.fromisoformat(row["created_at"]),
                stage=one.stage if one else None,
                due=one.due if one else None,
                sent_on=one is not None and promises.SENT_ON in one.told,
            )
        )
    return tuple(found)

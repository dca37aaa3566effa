"""Requests to managers that nobody has to decide any more, since what they ask for is over."""

from datetime import datetime

from sqlalchemy import Connection

from recovery.store import audit_log, notices, remedy_requests, staff
from recovery.store.conversations import Conversation
from recovery.store.notices import Notice
from recovery.store.remedy_requests import OPEN, WITHDRAWN
from recovery.store.staff import Staff

CLOSED = "案子已经结了"
GIVEN_BACK = "会话已经交还给机器人"


def withdraw_requests(
    db: Connection,
    conversation: Conversation,
    case_id: str,
    why: str,
    who: Staff | None,
    now: datetime,
) -> tuple[Notice, ...]:
    """Withdraw the open requests of a case; who asked and who would decide hear of it.

    Args:
        db: A writing transaction that holds the conversation.
        conversation: In which it came to that.
        case_id: The case.
        why: In words, the first half of a sentence.
        who: Whose doing it is; None for the bot's.
        now: The present moment.

    Returns:
        What the pages of staff are told.
    """
    told: tuple[Notice, ...] = ()
    names = staff.names(db)
    for one in remedy_requests.of_case(db, case_id):
        by = who.id if who else None
        if one.state != OPEN:
            continue
        if not remedy_requests.settle(db, one.id, WITHDRAWN, now, decided_by=by):
            continue
        audit_log.note(
            db,
            who,
            "withdraw_request",
            now,
            business=one.business,
            target=one.conversation_id,
            detail={"request": one.id, "asked_by": one.asked_by},
        )
        if one.asked_by != by and one.asked_by in names:
            text = f"{why}，您的补救申请已经撤回"
            told += notices.add(db, [one.asked_by], "decided", conversation.id, text, now)
        deciders = [
            other for other in notices.granters(db, one.business) if other not in (by, one.asked_by)
        ]
        text = f"{why}，{names.get(one.asked_by, '同事')}的补救申请不用再定"
        told += notices.add(db, deciders, "decided", conversation.id, text, now)
    return told

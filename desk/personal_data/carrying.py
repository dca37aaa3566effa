"""Carries erasures out: the tables in one transaction, then files and Rasa's memory."""

import asyncio
from datetime import datetime

from sqlalchemy import Connection, select

from desk.album import Album
from desk.context import Context
from desk.conversations.rasa import Rasa, RasaAwayError
from recovery.logs import log
from recovery.store import audit_log, data_requests, erasure
from recovery.store.data_requests import CLEARING, DONE, OPEN, DataRequest
from recovery.store.personal_scope import scope_of, unfinished
from recovery.store.staff import Staff
from recovery.store.tables import pictures


def carry_out(
    db: Connection, request_id: str, now: datetime, who: Staff | None = None
) -> DataRequest | None:
    """Erase a person, unless something that was agreed is still to be done for them.

    Args:
        db: A writing transaction.
        request_id: An erasure.
        now: The present moment.
        who: Who of staff does it; None for the desk itself.

    Returns:
        The request as it stands now; None where it is not open (any more).
    """
    request = data_requests.take(db, request_id, (OPEN,))
    if request is None or request.kind != "erase":
        return None
    scope = scope_of(db, request.person)
    if scope is None:
        data_requests.settle(db, request.id, DONE, now)
        return data_requests.load(db, request.id)
    erasure.hold_person(db, scope)
    # Read again: a remedy may have been promised while others were waited for.
    scope = scope_of(db, request.person) or scope
    if unfinished(db, scope):
        return request
    act = audit_log.note(db, who, "erase_data", now, business=request.business, target=request.id)
    counts, files = erasure.erase(db, scope, act, now)
    result = {"counts": counts, "files": files, "trackers": list(scope.conversations)}
    decided = who.id if who else None
    data_requests.settle(db, request.id, CLEARING, now, result=result, decided_by=decided)
    return data_requests.load(db, request.id)


async def clear(context: Context, album: Album, rasa: Rasa, request: DataRequest) -> bool:
    """Remove what an erasure left beside the tables; safe to repeat, whatever broke off.

    Args:
        context: The desk.
        album: Where pictures lie.
        rasa: Its memory forgets too.
        request: In state `clearing`.

    Returns:
        Whether nothing is left; else it is tried again.
    """
    result = request.result or {}
    free = await context.storage.read(_not_needed, result.get("files") or [])
    for name in free:
        await asyncio.to_thread(album.remove, name)
    trackers = result.get("trackers") or []
    if trackers:
        try:
            await rasa.forget(trackers)
        except RasaAwayError as error:
            log.warning("trackers wait to be forgotten", request=request.id, error=str(error))
            return False
    if not await asyncio.to_thread(context.storage.database.settle):
        return False
    return await context.storage.write(_cleared, request, context.clock())


def _not_needed(db: Connection, names: list[str]) -> list[str]:
    """Those of these files that no picture of anybody is."""
    query = select(pictures.c.sha256).where(pictures.c.sha256.in_(names))
    needed = set(db.execute(query).scalars())
    return [one for one in names if one not in needed]


def _cleared(db: Connection, cleared: DataRequest, now: datetime) -> bool:
    """Write down that it is done; what retention has added meanwhile is still to go."""
    present = data_requests.take(db, cleared.id, (CLEARING,))
    if present is None:
        return True
    result, done = present.result or {}, cleared.result or {}
    left = {
        name: [one for one in result.get(name) or () if one not in (done.get(name) or ())]
        for name in ("files", "trackers")
    }
    result = {"counts": result.get("counts") or {}}
    if any(left.values()):
        data_requests.settle(db, cleared.id, CLEARING, now, result={**result, **left})
        return False
    data_requests.settle(db, cleared.id, DONE, now, result=result)
    return True

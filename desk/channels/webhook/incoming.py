"""The address that sources post to. What is answered with 200 is stored, once."""

import asyncio
import time
from collections import Counter

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy.exc import SQLAlchemyError

from desk.channels.webhook.reading import MOST_BYTES, BadMessageError, Written, read
from desk.channels.webhook.service import Webhooks
from desk.channels.webhook.sources import Source
from desk.channels.webhook.taking import Outcome, take_in
from desk.conversations.ingest import RefusedError
from desk.finish import to_the_end
from recovery import faults
from recovery.logs import log
from recovery.signing import HEADER, SignatureError, verify
from recovery.store.conversations import BOT
from recovery.store.database import is_away

calls = Blueprint("webhooks", url_prefix="/api/webhooks")

# Nobody knows it: an unknown source is refused as slowly as a wrong signature.
_NOBODYS = ("a secret that no source has, to compare with all the same",)
_UNKNOWN = "签名不对，或没有这个来源"
# What anybody may post to a public address is told once in a while.
_TOLD_EVERY = 60.0
_STORE_PAUSE = 0.2


class _Refusals:
    """Counts what is refused, and tells of it now and then."""

    def __init__(self) -> None:
        self._counted: Counter[tuple[str, str]] = Counter()
        self._told: dict[tuple[str, str], float] = {}

    def note(self, source: str, code: str) -> None:
        """Count one; a code says what was wrong and holds nothing of what came."""
        what, now = (source, code), time.monotonic()
        self._counted[what] += 1
        if now - self._told.get(what, -_TOLD_EVERY) >= _TOLD_EVERY:
            times = self._counted.pop(what)
            log.warning("webhook refused", source=source, why=code, times=times)
            self._told[what] = now


_refusals = _Refusals()


@calls.post("/<source_id:str>/messages")
async def messages(request: Request, source_id: str) -> HTTPResponse:
    """Take one message of a source."""
    webhooks: Webhooks | None = request.app.ctx.webhooks
    source = webhooks.context.webhooks.get(source_id) if webhooks else None
    if len(request.body) > MOST_BYTES:
        return _refused("?", 413, "too_large", f"正文最多{MOST_BYTES // 1024} KB")
    now = request.app.ctx.desk.clock()
    secrets = source.secrets if source else _NOBODYS
    try:
        verify(request.headers.get(HEADER, ""), request.body, secrets, now)
    except SignatureError:
        source = None
    if webhooks is None or source is None:
        return _refused("?", 401, "bad_signature", _UNKNOWN)
    if not webhooks.take_token(source):
        return _refused(source.id, 429, "too_fast", "送得太快，请稍后再送", again=1)
    try:
        written = read(request.body, now)
        # Whoever hangs up meanwhile cannot undo the commit: what follows it must follow.
        outcome = await to_the_end(_received(webhooks, source, written))
    except BadMessageError as error:
        return _refused(source.id, error.status, error.code, error.sentence)
    except RefusedError as error:
        webhooks.context.metrics.messages.labels(error.code).inc()
        again = 2 if error.retry else None
        return _refused(source.id, 429 if again else 422, error.code, error.sentence, again=again)
    except SQLAlchemyError as error:
        if not is_away(error):
            raise
        return _refused(source.id, 503, "away", "暂时存不下，请稍后再送", again=5)
    return json(outcome.answer)


def _refused(
    source: str, status: int, code: str, sentence: str, again: int | None = None
) -> HTTPResponse:
    _refusals.note(source, code)
    headers = {"Retry-After": str(again)} if again else None
    return json({"error": {"code": code, "message": sentence}}, status=status, headers=headers)


async def _received(webhooks: Webhooks, source: Source, written: Written) -> Outcome:
    outcome = await _stored(webhooks, source, written)
    context, router = webhooks.context, webhooks.router
    if outcome.place is None:
        context.metrics.messages.labels("repeated").inc()
        return outcome
    faults.reach("webhook-taken")
    context.metrics.messages.labels("taken").inc()
    for committed in outcome.place.committed:
        router.publish(committed)
    for message in outcome.place.first:
        router.add(message)
    taken = outcome.taken
    if taken is None:
        return outcome
    context.hub.publish(taken.entries)
    if taken.message.state == "new":
        router.add(taken.message)
    if taken.conversation.owner != BOT or taken.conversation.private:
        context.hub.changed(taken.conversation.business, taken.conversation.id)
    return outcome


async def _stored(webhooks: Webhooks, source: Source, written: Written) -> Outcome:
    """Commit it; what the store cannot do at this very moment it is asked for once more.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: It is away.
    """
    context = webhooks.context
    kept: list[bool] = []

    def allowed() -> bool:
        # Counted once, however often it is tried to store it.
        if not kept:
            kept.append(webhooks.may_write(source, written.writer))
        return kept[0]

    try:
        return await context.storage.write_first(
            take_in, context, source, written, context.clock(), allowed=allowed
        )
    except SQLAlchemyError as error:
        if not is_away(error):
            raise
    await asyncio.sleep(_STORE_PAUSE)
    return await context.storage.write_first(
        take_in, context, source, written, context.clock(), allowed=allowed
    )

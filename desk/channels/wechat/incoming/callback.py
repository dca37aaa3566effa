"""The address that WeChat posts to. It answers within five seconds, whatever else is slow."""

import asyncio
import time
from collections import Counter
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import raw, text
from sqlalchemy.exc import SQLAlchemyError

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.incoming.envelope import (
    BadEnvelopeError,
    Opened,
    open_envelope,
    seal_reply,
    text_reply,
    verify_url,
)
from desk.channels.wechat.incoming.parsing import BadMessageError, fields_of, inbound_of
from desk.channels.wechat.incoming.passive import PATIENCE_SECONDS
from desk.channels.wechat.incoming.receiving import receive
from desk.channels.wechat.kf import pulling as kf
from desk.channels.wechat.service import WeChat
from desk.errors import not_found
from recovery import faults
from recovery.logs import log
from recovery.store.database import is_away

calls = Blueprint("wechat", url_prefix="/wechat")

# After the slot has given up there is only the answer to be written.
_STORE_SECONDS = PATIENCE_SECONDS + 0.15
_XML = "application/xml; charset=utf-8"
# What anybody may post to a public address is told once in a while.
_TOLD_EVERY = 60.0


class _Refusals:
    """Counts what is refused, and tells of it now and then."""

    def __init__(self) -> None:
        self._counted: Counter[tuple[str, str]] = Counter()
        self._told: dict[tuple[str, str], float] = {}

    def note(self, account: str, code: str) -> None:
        """Count one; a code says what was wrong and holds nothing of what came."""
        what, now = (account, code), time.monotonic()
        self._counted[what] += 1
        if now - self._told.get(what, -_TOLD_EVERY) >= _TOLD_EVERY:
            log.warning(
                "wechat callback refused", account=account, why=code, times=self._counted.pop(what)
            )
            self._told[what] = now


_refusals = _Refusals()


def _called(request: Request, account_id: str) -> tuple[WeChat, Account]:
    """The account of an address.

    Raises:
        PageError: 404, there is none.
    """
    wechat: WeChat | None = request.app.ctx.wechat
    account = wechat.context.wechat.get(account_id) if wechat else None
    if wechat is None or account is None:
        raise not_found()
    return wechat, account


def _refused(account: Account, code: str) -> HTTPResponse:
    _refusals.note(account.id, code)
    return raw(b"", status=403, content_type="text/plain; charset=utf-8")


def _done() -> HTTPResponse:
    """Let WeChat be content, with nothing for the customer."""
    return text("success")


@calls.get("/<account_id:str>")
async def verify(request: Request, account_id: str) -> HTTPResponse:
    """The console checks the address."""
    wechat, account = _called(request, account_id)
    try:
        echo = verify_url(account, request.args, wechat.context.clock())
    except BadEnvelopeError as error:
        return _refused(account, error.code)
    return text(echo)


@calls.post("/<account_id:str>")
async def post(request: Request, account_id: str) -> HTTPResponse:
    """A message or an event."""
    wechat, account = _called(request, account_id)
    begun = asyncio.get_running_loop().time()
    try:
        opened = open_envelope(account, request.args, request.body, wechat.context.clock())
    except BadEnvelopeError as error:
        return _refused(account, error.code)
    try:
        fields = fields_of(opened.xml)
        if not account.official:
            kf.called(wechat, account, fields)
            return _done()
        inbound = inbound_of(account, fields)
    except BadMessageError as error:
        # It is WeChat's, and coming again makes it no better.
        _refusals.note(account.id, error.code)
        return _done()
    spent = asyncio.get_running_loop().time() - begun
    slot = wechat.slots.prepare((account.id, inbound.key), PATIENCE_SECONDS - spent)
    work = asyncio.create_task(receive(wechat, account, inbound, slot=slot))
    try:
        done, _ = await asyncio.wait({work}, timeout=_STORE_SECONDS - spent)
    finally:
        # Only the waiting ends with it; what is being stored is stored.
        work.cancel()
    if not done:
        log.warning("wechat callback too slow", account=account.id, stored=slot.stored)
        return _done() if slot.stored else _again()
    return _answer(wechat, account, opened, fields, work, stored=slot.stored)


def _again() -> HTTPResponse:
    """Let WeChat bring it once more: it is not stored."""
    return raw(b"", status=500, content_type="text/plain; charset=utf-8")


def _answer(
    wechat: WeChat,
    account: Account,
    opened: Opened,
    fields: dict[str, Any],
    work: "asyncio.Task[str | None]",
    *,
    stored: bool,
) -> HTTPResponse:
    try:
        reply = work.result()
    # Whatever has failed, WeChat has to be told whether to bring it once more.
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and is_away(error):
            log.warning("store away", account=account.id, error=type(error).__name__)
        else:
            log.error("wechat callback failed", account=account.id, exc_info=error)
        return _done() if stored else _again()
    if reply is None:
        return _done()
    faults.reach("wechat-passive")
    now = wechat.context.clock()
    body = seal_reply(account, opened, text_reply(fields, reply, now), now)
    return raw(body, content_type=_XML)

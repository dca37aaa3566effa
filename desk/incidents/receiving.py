"""Takes in what order systems report. What is answered with 200 is stored, once."""

import json as plain_json
import os
from collections.abc import Mapping

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy.exc import SQLAlchemyError

from desk.channels.sessions import context_of
from desk.context import Context
from desk.finish import to_the_end
from desk.limits import Buckets
from recovery.business import Business
from recovery.incidents.events import EventError, read_event
from recovery.logs import log
from recovery.settings import Secrets, Settings, SettingsError
from recovery.signing import HEADER, SignatureError, verify
from recovery.store import order_events
from recovery.store.database import is_away
from recovery.store.order_events import OtherEventError

calls = Blueprint("order_events", url_prefix="/api/orders")

MOST_BYTES = 64 * 1024
BURST, PER_SECOND = 60, 10.0
_SHORTEST_SECRET = 16
# Nobody knows it: an unknown business is refused as slowly as a wrong signature.
_NOBODYS = "a secret that no business has, to compare with all the same"


def event_secrets(settings: Settings, kept: Secrets, environ: Mapping[str, str]) -> dict[str, str]:
    """The secret with which the order system of each business signs.

    Raises:
        SettingsError: A variable is not set, or too short; names it.
    """
    found = dict(kept.event_keys)
    for place, business in enumerate(settings.businesses):
        variable = business.orders.events_secret_env
        if variable is None:
            continue
        secret = environ.get(variable, "").strip()
        if len(secret) < _SHORTEST_SECRET:
            raise SettingsError(
                f"businesses.{place}.orders.events_secret_env: the environment variable {variable}"
                f" needs a secret of at least {_SHORTEST_SECRET} characters"
            )
        found[business.id] = secret
    return found


class OrderReports:
    """What the route needs of the desk, put together once."""

    def __init__(self, context: Context) -> None:
        """Read the secrets.

        Args:
            context: The desk.
        """
        self.secrets = event_secrets(context.settings, context.secrets, os.environ)
        self.buckets = Buckets(BURST, PER_SECOND)


def signed_by(request: Request, business_id: str) -> Business | HTTPResponse:
    """The business whose order system has signed a request; or the answer that refuses it."""
    context, reports = context_of(request), _reports(request)
    business = context.directory.business(business_id)
    secret = reports.secrets.get(business_id) if business else None
    if len(request.body) > MOST_BYTES:
        return refused(413, "too_large", f"正文最多{MOST_BYTES // 1024} KB（at most 64 KB）")
    header, now = request.headers.get(HEADER, ""), context.clock()
    try:
        verify(header, request.body, [secret or _NOBODYS], now)
    except SignatureError:
        business = None
    if business is None or secret is None:
        return refused(401, "bad_signature", "签名不对，或没有这个商家（bad signature）")
    if not reports.buckets.take(business.id):
        return refused(429, "too_fast", "送得太快，请稍后再送（too fast）", again=1)
    return business


@calls.post("/<business_id:str>/events")
async def events(request: Request, business_id: str) -> HTTPResponse:
    """Take one event of an order system."""
    context, business = context_of(request), signed_by(request, business_id)
    if isinstance(business, HTTPResponse):
        return business
    now = context.clock()
    try:
        event = read_event(body_of(request.body), business.industry)
        new = await to_the_end(
            context.storage.write_first(order_events.receive, business.id, event, now)
        )
    except EventError as error:
        log.warning("order event refused", business=business.id, why=str(error))
        return refused(400, "bad_event", error.sentence)
    except OtherEventError:
        return refused(
            409, "other_event", "这个 id 已经用过，内容不一样（this id came with another body）"
        )
    except SQLAlchemyError as error:
        if not is_away(error):
            raise
        return refused(503, "away", "暂时存不下，请稍后再送（try again）", again=5)
    return json({"event": event.id, "state": "taken" if new else "repeated"})


def _reports(request: Request) -> OrderReports:
    reports: OrderReports = request.app.ctx.order_reports
    return reports


def body_of(raw: bytes) -> object:
    """What stands in a body.

    Raises:
        EventError: No JSON, or no text that can be stored.
    """
    try:
        found: object = plain_json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise EventError("body", "不是 UTF-8 的 JSON", "no JSON in UTF-8") from error
    return found


def refused(status: int, code: str, sentence: str, again: int | None = None) -> HTTPResponse:
    """The answer to what is not taken."""
    headers = {"Retry-After": str(again)} if again else None
    return json({"error": {"code": code, "message": sentence}}, status=status, headers=headers)

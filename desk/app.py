"""The desk as a Sanic application."""

import asyncio
from ipaddress import ip_address
from time import monotonic

from sanic import HTTPResponse, Request, Sanic
from sanic.response import json, raw
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from desk.aftercare import panel as staff_aftercare
from desk.aftercare import survey_pages
from desk.aftercare.watch import Aftercare
from desk.album import Album
from desk.channels import crossing, frames, identities, pictures, remedy_reports, sessions, web
from desk.channels.webhook import incoming as webhook_incoming
from desk.channels.webhook.service import Webhooks
from desk.channels.wechat.incoming import callback as wechat_callback
from desk.channels.wechat.service import WeChat
from desk.context import Context
from desk.conversations.attendance import Attendance
from desk.conversations.clock_watch import ClockWatch
from desk.conversations.follow_up import FollowUpWatch
from desk.conversations.fulfilment import FulfilmentWorker
from desk.conversations.promise_watch import PromiseWatch
from desk.conversations.rasa import Rasa
from desk.conversations.router import Router
from desk.errors import error_response, not_found
from desk.finish import end
from desk.incidents import pages as staff_incidents
from desk.incidents import receiving as order_events
from desk.incidents.watch import IncidentWatch
from desk.insights import actions as staff_insight_actions
from desk.insights import api as staff_insights
from desk.insights import exports as staff_insight_exports
from desk.insights.making import Making
from desk.insights.worker import Insights
from desk.limits import Buckets
from desk.pages import serve_pages
from desk.personal_data import own_pages as own_data
from desk.personal_data.keeping import DataKeeper
from desk.sanic_types import App
from desk.staff import accounts as staff_accounts
from desk.staff import board as staff_board
from desk.staff import by_hand as staff_by_hand
from desk.staff import calls as staff_calls
from desk.staff import canned as staff_canned
from desk.staff import closing as staff_closing
from desk.staff import coach as staff_coach
from desk.staff import conversations as staff_conversations
from desk.staff import drill_scenarios as staff_drill_scenarios
from desk.staff import drills as staff_drills
from desk.staff import follow_ups as staff_follow_ups
from desk.staff import labels as staff_labels
from desk.staff import live as staff_live
from desk.staff import matters as staff_matters
from desk.staff import merging as staff_merging
from desk.staff import notes as staff_notes
from desk.staff import notices as staff_notices
from desk.staff import offers as staff_offers
from desk.staff import own_account as staff_own_account
from desk.staff import personal_data as staff_personal_data
from desk.staff import persons as staff_persons
from desk.staff import pictures as staff_pictures
from desk.staff import presence as staff_presence
from desk.staff import promises as staff_promises
from desk.staff import remedies as staff_remedies
from desk.staff import requests as staff_requests
from desk.staff import search as staff_search
from desk.staff import session as staff_session
from desk.staff import settling as staff_settling
from desk.staff import splitting as staff_splitting
from desk.staff import undoing as staff_undoing
from desk.staff.advice import Advisor
from desk.staff.audience import Audience
from desk.workers import kept_running
from recovery.logs import log
from recovery.orders.several import close_orders

_READY_EVERY = 5.0
_NOT_READY_EVERY = 1.0
_LOGINS_BURST = 20
_LOGINS_PER_SECOND = 0.5
# Of orders, by one member of staff: enough for a busy phone, too few to guess four digits.
_PROOFS_BURST = 20
_PROOFS_PER_SECOND = 1 / 60
# Each takes some 50 ms of a core and 64 MB.
_PASSWORDS_AT_ONCE = 2


def make_app(context: Context) -> App:
    """Put the desk together.

    Args:
        context: Settings and stores; the database is migrated.

    Returns:
        A Sanic app that recovers unanswered messages when it starts.
    """
    app: App = Sanic("huixin_desk", configure_logging=False)
    settings = context.settings
    # A frame carries one message of 2,000 characters and its envelope.
    app.config.WEBSOCKET_MAX_SIZE = 64 * 1024
    app.config.WEBSOCKET_PING_INTERVAL = 20
    app.config.WEBSOCKET_PING_TIMEOUT = 20
    app.config.REQUEST_MAX_SIZE = 256 * 1024
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 3.0
    app.config.FALLBACK_ERROR_FORMAT = "json"
    if settings.trusted_proxies:
        app.config.PROXIES_COUNT = settings.trusted_proxies
    limits = settings.limits
    app.ctx.desk = context
    app.ctx.message_buckets = Buckets(limits.burst, limits.per_second)
    app.ctx.page_buckets = Buckets(limits.burst, limits.per_second)
    app.ctx.code_buckets = Buckets(crossing.CODES_BURST, crossing.CODES_PER_SECOND)
    app.ctx.join_buckets = Buckets(identities.TRIES_BURST, identities.TRIES_PER_SECOND)
    app.ctx.session_buckets = Buckets(limits.sessions_per_minute, limits.sessions_per_minute / 60)
    app.ctx.password_slots = asyncio.Semaphore(_PASSWORDS_AT_ONCE)
    app.ctx.picture_slots = asyncio.Semaphore(pictures.PICTURES_AT_ONCE)
    app.ctx.uploads = pictures.Uploads()
    app.ctx.album = Album(settings.data / "pictures")
    app.ctx.login_buckets = Buckets(_LOGINS_BURST, _LOGINS_PER_SECOND)
    app.ctx.survey_buckets = Buckets(survey_pages.BURST, survey_pages.PER_SECOND)
    app.ctx.search_buckets = Buckets(staff_search.BURST, staff_search.PER_SECOND)
    app.ctx.proof_buckets = Buckets(_PROOFS_BURST, _PROOFS_PER_SECOND)
    app.ctx.rasa = Rasa(
        settings.rasa, context.secrets.rasa_token, settings.rasa_seconds, context.metrics
    )
    app.ctx.router = Router(context, app.ctx.rasa)
    app.ctx.advisor = Advisor(context)
    app.ctx.audience = Audience(context)
    app.ctx.insights = Insights(context, app.ctx.router)
    app.ctx.making = Making()
    app.ctx.order_reports = order_events.OrderReports(context)
    app.ctx.wechat = _wechat(app) if any(context.wechat) else None
    app.ctx.webhooks = _webhooks(app) if any(context.webhooks) else None
    frames.install()
    for blueprint in (
        sessions.pages,
        crossing.pages,
        identities.pages,
        pictures.pages,
        web.sockets,
        wechat_callback.calls,
        webhook_incoming.calls,
        survey_pages.pages,
        own_data.pages,
        staff_personal_data.pages,
        staff_session.pages,
        staff_own_account.pages,
        staff_accounts.pages,
        staff_conversations.pages,
        staff_live.sockets,
        staff_remedies.pages,
        staff_promises.pages,
        staff_offers.pages,
        staff_requests.pages,
        staff_settling.pages,
        staff_by_hand.pages,
        staff_matters.pages,
        staff_merging.pages,
        staff_splitting.pages,
        staff_undoing.pages,
        staff_persons.pages,
        staff_aftercare.pages,
        staff_notes.pages,
        staff_board.pages,
        staff_closing.pages,
        staff_notices.pages,
        staff_labels.pages,
        staff_canned.pages,
        staff_search.pages,
        staff_pictures.pages,
        staff_calls.pages,
        staff_coach.pages,
        staff_presence.pages,
        staff_insights.pages,
        staff_insight_actions.pages,
        staff_insight_exports.pages,
        order_events.calls,
        remedy_reports.calls,
        staff_incidents.pages,
        staff_follow_ups.pages,
        staff_drills.pages,
        staff_drill_scenarios.pages,
    ):
        app.blueprint(blueprint)
    _health(app)
    serve_pages(app)
    app.register_middleware(_refuse_nul, "request")
    app.error_handler.add(Exception, _failed)
    app.register_listener(_begin, "before_server_start")
    app.register_listener(_end, "after_server_stop")
    return app


def _wechat(app: App) -> WeChat:
    context: Context = app.ctx.desk
    return WeChat(
        context, app.ctx.router, app.ctx.album, app.ctx.message_buckets, app.ctx.picture_slots
    )


def _webhooks(app: App) -> Webhooks:
    return Webhooks(app.ctx.desk, app.ctx.router, app.ctx.message_buckets)


async def _refuse_nul(request: Request) -> None:
    """Answer a path with a NUL as one that does not exist: PostgreSQL takes it in no text.

    What stands behind the question mark is each page's own to judge.

    Raises:
        PageError: There is one, also as an escape.
    """
    path = request.raw_url.partition(b"?")[0]
    if b"%00" in path or b"\0" in path:
        raise not_found()


def _failed(request: Request, error: Exception) -> HTTPResponse:
    if getattr(error, "status_code", 500) >= 500:
        # Of the path the template only: the path itself may hold an invitation.
        log.error("request failed", route=request.uri_template, error=repr(error), exc_info=error)
    return error_response(error)


def _health(app: App) -> None:
    @app.get("/healthz")
    async def healthz(_: Request) -> HTTPResponse:
        return json({"status": "up"})

    @app.get("/readyz")
    async def readyz(request: Request) -> HTTPResponse:
        context: Context = request.app.ctx.desk
        try:
            await context.storage.read(lambda db: db.execute(text("SELECT 1")).scalar())
        except SQLAlchemyError as error:
            return json({"status": "down", "database": type(error).__name__}, status=503)
        ready = request.app.ctx.router.rasa_ready.is_set()
        # Pages are served and messages are stored also while Rasa is loading.
        return json(
            {"status": "ready" if ready else "warming", "rasa": ready}, 200 if ready else 503
        )

    @app.get("/metrics")
    async def metrics(request: Request) -> HTTPResponse:
        context: Context = request.app.ctx.desk
        if not _may_measure(request):
            raise not_found()
        return raw(context.metrics.render(), content_type="text/plain; version=0.0.4")


def _may_measure(request: Request) -> bool:
    """Whether a request comes from this machine, or from where the settings allow it.

    What a proxy passes on comes from this machine only in appearance.
    """
    settings = request.app.ctx.desk.settings
    if not settings.trusted_proxies and "x-forwarded-for" in request.headers:
        return False
    try:
        address = ip_address(request.remote_addr or request.ip)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address in settings.metrics_from


async def _begin(app: App) -> None:
    context: Context = app.ctx.desk
    router: Router = app.ctx.router
    worker = FulfilmentWorker(context, router)
    await asyncio.to_thread(app.ctx.album.sweep)
    taken_up = await router.recover()
    app.ctx.background = [
        asyncio.create_task(_watch_rasa(app)),
        asyncio.create_task(kept_running("fulfilment", worker)),
        asyncio.create_task(kept_running("clocks", ClockWatch(context, router))),
        asyncio.create_task(kept_running("promises", PromiseWatch(context, router))),
        asyncio.create_task(kept_running("attendance", Attendance(context, router))),
        asyncio.create_task(kept_running("insights", app.ctx.insights)),
        asyncio.create_task(kept_running("incidents", IncidentWatch(context, router))),
        asyncio.create_task(kept_running("follow-ups", FollowUpWatch(context, router))),
        asyncio.create_task(kept_running("aftercare", Aftercare(context, router))),
        asyncio.create_task(kept_running("data", DataKeeper(context, app.ctx.album, app.ctx.rasa))),
    ]
    if app.ctx.wechat is not None:
        await app.ctx.wechat.start()
    if app.ctx.webhooks is not None:
        await app.ctx.webhooks.start()
    log.info("desk started", taken_up=taken_up)


async def _watch_rasa(app: App) -> None:
    """Know whether Rasa answers, and tell the pages when that changes."""
    context: Context = app.ctx.desk
    router: Router = app.ctx.router
    while True:
        begun = monotonic()
        ready = await app.ctx.rasa.ready()
        if ready != router.rasa_ready.is_set():
            (router.rasa_ready.set if ready else router.rasa_ready.clear)()
            status = "ready" if ready else "warming"
            context.hub.signal("status", {"type": "status", "status": status})
            log.info("rasa", status=status)
        pause = _READY_EVERY if ready else _NOT_READY_EVERY
        await asyncio.sleep(max(0.1, pause - (monotonic() - begun)))


async def _end(app: App) -> None:
    await end(app.ctx.background)
    if app.ctx.wechat is not None:
        await app.ctx.wechat.stop()
    if app.ctx.webhooks is not None:
        await app.ctx.webhooks.stop()
    await app.ctx.router.stop()
    await app.ctx.rasa.close()
    close_orders(app.ctx.desk.orders)
    app.ctx.desk.storage.close()

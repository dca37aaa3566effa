"""The insights as pages of staff ask for them; see docs/insights.md."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of
from desk.context import Context
from desk.conversations.veil import masked_name
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.insights.asking import asked, number, seen_businesses
from desk.insights.overview import Parts, filters_of, overview
from desk.insights.worker import Insights
from desk.staff.session import ROOT, allowed
from recovery.failures import FAILURES
from recovery.insights.causes import causes, likely
from recovery.insights.figures import FIGURES, Figure
from recovery.insights.period import Filters
from recovery.insights.working_out import failure_name, number_behind
from recovery.roles import Act, may
from recovery.store import alerts, audit_log, case_facts, chronicle, weekly_reports
from recovery.store.staff import Staff

pages = Blueprint("staff_insights", url_prefix=ROOT)

PAGE = 20
_MOST_PAGES = 10_000


def _insights(request: Request) -> Insights:
    found: Insights = request.app.ctx.insights
    return found


@pages.get("/insights")
@allowed(Act.INSIGHTS)
async def insights(request: Request) -> HTTPResponse:
    """Figures, charts, alerts and actions of a period."""
    filters, _ = asked(request)
    return json(await shown_insights(request, filters))


async def shown_insights(request: Request, filters: Filters) -> dict[str, Any]:
    """What `GET /api/staff/insights` answers, for exports as well."""
    context, served = context_of(request), seen_businesses(request)
    worker = _insights(request)
    found = await context.storage.read_at_length(
        overview, context, worker.parts, filters, worker.behind
    )
    return {**found, "filters": filters_of(served, found)}


@pages.get("/insights/cases")
@allowed(Act.INSIGHTS)
async def cases(request: Request) -> HTTPResponse:
    """The cases behind a figure, a page at a time from 0; customers are masked."""
    filters, also = asked(request, "figure", "page")
    figure = FIGURES.get(also.get("figure", ""))
    if figure is None:
        raise PageError(400, "bad_figure", "没有这个数字")
    page = number(also.get("page"), _MOST_PAGES)
    context, who = context_of(request), request.ctx.staff
    parts = _insights(request).parts
    found = await context.storage.read_at_length(cases_behind, parts, who, filters, figure, page)
    return json(found)


def cases_behind(
    db: Connection, parts: Parts, who: Staff, filters: Filters, figure: Figure, page: int
) -> dict[str, Any]:
    """A page of the cases behind a figure."""
    found = case_facts.behind(db, filters, figure, PAGE * page, PAGE)
    ids = [one.case_id for one in found]
    # Who may not read conversations is not shown the way to them.
    chats = chronicle.conversation_of(db, ids) if may(who.role, Act.READ) else {}
    return {
        "figure": figure.id,
        "name": figure.name,
        "how": figure.how,
        "unit": figure.case_unit,
        "total": number_behind(figure, parts.of(db, filters)),
        "page": page,
        "page_size": PAGE,
        "cases": [
            {
                "id": one.case_id,
                "business": one.business,
                "conversation": chats.get(one.case_id),
                "opened_at": one.opened_at,
                "customer": masked_name(one.customer),
                "failure": failure_name(one.failure),
                "value": one.value,
            }
            for one in found
        ],
    }


@pages.post("/insights/alerts/<alert_id:str>/seen")
@allowed(Act.INSIGHTS)
async def seen(request: Request, alert_id: str) -> HTTPResponse:
    """Somebody has taken note of an alert."""
    context, who = context_of(request), request.ctx.staff
    await to_the_end(context.storage.write(_see, context, alert_id, who))
    return json({"seen": True})


def _see(db: Connection, context: Context, alert_id: str, who: Staff) -> None:
    alert = alerts.load(db, alert_id)
    if alert is None or not who.sees(alert.business):
        raise not_found()
    now = context.clock()
    if alerts.see(db, alert_id, who.id, now):
        audit_log.note(
            db,
            who,
            "see_alert",
            now,
            business=alert.business,
            target=alert.id,
            detail={"kind": alert.kind, "name": alert.name, "day": alert.day},
        )


@pages.get("/insights/causes")
@allowed(Act.HANDLE)
async def all_causes(_: Request) -> HTTPResponse:
    """All causes, and which are likely for each failure of each trade; for closing a case."""
    trades = {trade for failure in FAILURES.values() for trade in failure.industries}
    return json(
        {
            "causes": [{"id": one.id, "name": one.name} for one in causes().values()],
            "likely": {
                trade: {
                    name: list(likely(name, trade))
                    for name, failure in FAILURES.items()
                    if trade in failure.industries
                }
                for trade in sorted(trades)
            },
        }
    )


@pages.get("/insights/reports")
@allowed(Act.INSIGHTS)
async def reports(request: Request) -> HTTPResponse:
    """The weekly reports, the latest first."""
    context = context_of(request)
    names = {one.id: one.name for one in seen_businesses(request)}
    found = await context.storage.read(weekly_reports.latest, list(names))
    return json(
        {
            "reports": [
                {
                    "id": one.id,
                    "business": one.business,
                    "name": names[one.business],
                    "week": one.week,
                    "made_at": one.made_at,
                }
                for one in found
            ]
        }
    )


@pages.get("/insights/reports/<report_id:str>")
@allowed(Act.INSIGHTS)
async def report(request: Request, report_id: str) -> HTTPResponse:
    """One weekly report."""
    return json(await shown_report(request, report_id))


async def shown_report(request: Request, report_id: str) -> dict[str, Any]:
    """What `GET /api/staff/insights/reports/<id>` answers, for exports as well.

    Raises:
        PageError: There is none that the asker may see.
    """
    found = await context_of(request).storage.read(weekly_reports.load, report_id)
    names = {one.id: one.name for one in seen_businesses(request)}
    if found is None or found[0].business not in names:
        raise not_found()
    listed, content = found
    return {
        "id": listed.id,
        "business": listed.business,
        "name": names[listed.business],
        "week": listed.week,
        "made_at": listed.made_at,
        "content": content,
    }

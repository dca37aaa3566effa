"""The insights as files: a workbook to work on, a PDF to hand round, the weekly report as a PDF.

What stands in a file is what its page shows to the same member with the same filters, without the
cases behind it: no customer is in it. Every file is noted in the audit log before it is made.
"""

from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import raw
from sqlalchemy import Connection

from desk.channels.sessions import context_of
from desk.errors import PageError
from desk.finish import to_the_end
from desk.insights import wording
from desk.insights.api import shown_insights, shown_report
from desk.insights.asking import asked, seen_businesses
from desk.insights.contents import Contents, contents
from desk.insights.fonts import Face, NoFontError, find
from desk.insights.making import Making
from desk.insights.paper import paper
from desk.insights.workbook import workbook
from desk.staff.session import ROOT, allowed
from recovery.insights.period import Filters
from recovery.insights.working_out import failure_name
from recovery.roles import Act
from recovery.store import audit_log
from recovery.store.staff import Staff

pages = Blueprint("staff_insight_exports", url_prefix=f"{ROOT}/insights")

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PDF = "application/pdf"
_DAYS_OF_WEEK = "{week} 起的一周"


@pages.get("/export.xlsx")
@allowed(Act.INSIGHTS)
async def as_workbook(request: Request) -> HTTPResponse:
    """The figures of a period as a workbook."""
    filters, _ = asked(request)
    saved = await _saved(request, filters)
    await _note(request, "xlsx", filters.businesses, _asked_for(filters))
    content = await _making(request).make(request.ctx.staff.id, partial(workbook, saved))
    return _file(content, _XLSX, _name("洞察", _days(filters)), "xlsx")


@pages.get("/export.pdf")
@allowed(Act.INSIGHTS)
async def as_paper(request: Request) -> HTTPResponse:
    """The figures of a period as a PDF."""
    filters, _ = asked(request)
    face = _face()
    saved = await _saved(request, filters)
    await _note(request, "pdf", filters.businesses, _asked_for(filters))
    content = await _printed(request, saved, face)
    return _file(content, _PDF, _name("洞察", _days(filters)), "pdf")


@pages.get("/reports/<report_id:str>/export.pdf")
@allowed(Act.INSIGHTS)
async def report_as_paper(request: Request, report_id: str) -> HTTPResponse:
    """A weekly report as a PDF."""
    face = _face()
    report = await shown_report(request, report_id)
    week = _DAYS_OF_WEEK.format(week=report["week"])
    made_at = datetime.fromisoformat(report["made_at"])
    zone = next(one.zone for one in seen_businesses(request) if one.id == report["business"])
    head = (
        ("商家", report["name"]),
        ("时间", week),
        ("做成", f"{made_at.astimezone(zone):%Y-%m-%d %H:%M}，数字是那时候的"),
    )
    saved = contents(f"周报：{report['name']}", head, report["content"])
    await _note(request, "pdf", (report["business"],), {"week": report["week"]})
    content = await _printed(request, saved, face)
    return _file(content, _PDF, _name("周报", report["name"], report["week"]), "pdf")


def _making(request: Request) -> Making:
    making: Making = request.app.ctx.making
    return making


def _face() -> Face:
    """The font of a PDF.

    Raises:
        PageError: 503, this machine has none; says what to do.
    """
    try:
        return find()
    except NoFontError as error:
        raise PageError(503, "no_font", str(error)) from error


async def _printed(request: Request, saved: Contents, face: Face) -> bytes:
    work = partial(paper, saved, face, context_of(request).clock())
    return await _making(request).make(request.ctx.staff.id, work)


async def _saved(request: Request, filters: Filters) -> Contents:
    shown = await shown_insights(request, filters)
    served = [one for one in seen_businesses(request) if one.id in filters.businesses]
    names = "、".join(one.name for one in served)
    now = context_of(request).clock()
    made = now.astimezone(served[0].zone) if served else now
    head = (
        ("商家", names or "没有"),
        ("时间", f"{filters.since} 到 {filters.until}，按投诉开始的那天算"),
        ("渠道", "全部" if filters.channel is None else wording.channel(filters.channel)),
        ("什么事", "全部" if filters.failure is None else failure_name(filters.failure)),
        ("投诉", f"{shown['cases']} 件{_behind(shown)}"),
        ("做成", f"{made:%Y-%m-%d %H:%M}，{request.ctx.staff.name}"),
    )
    return contents(f"洞察：{names}" if len(served) == 1 else "洞察", head, shown)


def _behind(shown: dict[str, Any]) -> str:
    behind = shown["partial"]["behind"]
    return f"，还有 {behind} 件刚变的没有算进来" if behind else ""


def _days(filters: Filters) -> str:
    return f"{filters.since}_{filters.until}"


def _asked_for(filters: Filters) -> dict[str, str]:
    """What was asked for, as the audit log keeps it."""
    wanted = {"channel": filters.channel, "failure": filters.failure}
    days = {"from": str(filters.since), "to": str(filters.until)}
    return {**days, **{name: value for name, value in wanted.items() if value}}


async def _note(
    request: Request, form: str, businesses: tuple[str, ...], asked_for: dict[str, str]
) -> None:
    """Write down that somebody takes figures away."""
    context, who = context_of(request), request.ctx.staff
    work = context.storage.write(_noted, who, form, businesses, asked_for, context.clock())
    await to_the_end(work)


def _noted(
    db: Connection,
    who: Staff,
    form: str,
    businesses: tuple[str, ...],
    asked_for: dict[str, str],
    now: datetime,
) -> None:
    # Of one business its auditors read it; of several those of all.
    business = businesses[0] if len(businesses) == 1 else None
    detail = {"form": form, **asked_for}
    audit_log.note(db, who, "export_insights", now, business=business, detail=detail)


def _name(*parts: str) -> str:
    """A name that every file system takes."""
    return "_".join("".join(char for char in part if char not in '\\/:*?"<>|') for part in parts)


def _file(content: bytes, kind: str, name: str, ending: str) -> HTTPResponse:
    named = f"attachment; filename=\"insights.{ending}\"; filename*=UTF-8''{quote(name)}.{ending}"
    return raw(content, content_type=kind, headers={"Content-Disposition": named})

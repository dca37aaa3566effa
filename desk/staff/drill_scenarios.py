"""Scenarios made out of closed cases: a draft without personal data, read by a manager, kept."""

from datetime import datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import empty, json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.staff.coach import Said, said_in
from desk.staff.look import look_at
from desk.staff.session import ROOT, allowed, is_id
from recovery.case import Case
from recovery.drill.recording import Heard, draft
from recovery.drill.scenario import BadScenarioError, Scenario, personal_data, read_scenario
from recovery.failures import FAILURES
from recovery.ids import new_id
from recovery.privacy import mask
from recovery.roles import Act
from recovery.store import audit_log, cases, conversations, customers, drills
from recovery.store.customers import NAMELESS
from recovery.store.database import stamp
from recovery.store.drills import KeptScenario
from recovery.store.staff import Staff

pages = Blueprint("staff_drill_scenarios", url_prefix=f"{ROOT}/drill-scenarios")

_MOST_CASES = 30
_HARMS = ("slight", "plans", "loss", "injury")
_USUAL_FEN = 10_000


@pages.get("/cases")
@allowed(Act.GRANT)
async def closed(request: Request) -> HTTPResponse:
    """The cases that were closed last, without their customers."""
    context, who = context_of(request), request.ctx.staff
    found = await context.storage.read(drills.closed_cases, who.business, _MOST_CASES)
    known = [(one, Case.from_state(one.state)) for one in found]
    return json(
        {
            "cases": [
                {
                    "id": one.id,
                    "matter": mask(case.matter).text,
                    "closed_at": one.closed_at,
                    "peak": case.anger.peak if case.anger else 0,
                }
                for one, case in known
                if case.failure in FAILURES
            ]
        }
    )


@pages.post("/draft")
@allowed(Act.GRANT)
async def begin(request: Request) -> HTTPResponse:
    """A draft out of a case; nothing is kept."""
    context, who = context_of(request), request.ctx.staff
    case_id = json_body(request).get("case")
    if not is_id(case_id):
        raise PageError(400, "bad_request", "请求的格式不对")
    made = await context.storage.read(_draft, context, who, case_id)
    return json({"scenario": made, "failures": _failures(made["industry"])})


@pages.post("/keep")
@allowed(Act.GRANT)
async def keep(request: Request) -> HTTPResponse:
    """Keep a scenario that a manager has read through."""
    context, who = context_of(request), request.ctx.staff
    body = json_body(request)
    content, case_id = body.get("scenario"), body.get("case")
    if not isinstance(content, dict) or not is_id(case_id):
        raise PageError(400, "bad_request", "请求的格式不对")
    if body.get("reviewed") is not True:
        raise PageError(400, "not_reviewed", "请先通读一遍，确认里面没有顾客的个人信息")
    try:
        scenario = read_scenario({**content, "id": new_id("r"), "source": "recorded"})
    except BadScenarioError as error:
        raise PageError(400, "bad_scenario", str(error)) from error
    found = personal_data(scenario)
    if found:
        raise PageError(400, "personal_data", f"还有个人信息没有去掉：{'、'.join(found)}")
    now = context.clock()
    await to_the_end(context.storage.write(_keep, context, who, case_id, scenario, now))
    return json({"id": scenario.id})


@pages.delete("/<scenario_id:str>")
@allowed(Act.GRANT)
async def remove(request: Request, scenario_id: str) -> HTTPResponse:
    """Take a scenario away."""
    context, who = context_of(request), request.ctx.staff
    now = context.clock()
    await to_the_end(context.storage.write(_remove, who, scenario_id, now))
    return empty()


def _failures(industry: str) -> list[dict[str, str]]:
    return [
        {"id": one.name, "name": one.matter}
        for one in FAILURES.values()
        if industry in one.industries
    ]


def _closed_case(db: Connection, who: Staff, case_id: str) -> tuple[Case, str]:
    """A closed case of the own business, with that business.

    Raises:
        PageError: 404.
    """
    case, business = cases.load(db, case_id), cases.business_of(db, case_id)
    if case is None or business is None or not who.sees(business):
        raise not_found()
    if case.stage != "closed" or case.failure not in FAILURES:
        raise not_found()
    return case, business


def _draft(db: Connection, context: Context, who: Staff, case_id: str) -> dict[str, Any]:
    case, business_id = _closed_case(db, who, case_id)
    parts = conversations.all_of_case(db, case_id)
    look = look_at(db, context, parts[0].id, who) if parts else None
    business = context.directory.business(business_id)
    if look is None or business is None or case.failure is None:
        raise not_found()
    said = said_in(look)
    customer = customers.load(db, look.conversation.customer_id)
    facts = _facts(case)
    secrets = [
        "" if customer.name == NAMELESS else customer.name,
        case.order_number or "",
        str(case.facts.get("order_number") or ""),
        str(case.facts.get("phone_last4") or ""),
        *(one.name for one in said if one.author == "staff"),
    ]
    return draft(
        business.industry,
        case.failure,
        case.anger.opening if case.anger else 1,
        [_heard(one) for one in said],
        int(facts.get("paid") or _USUAL_FEN),
        str(facts["harm"]) if facts.get("harm") in _HARMS else "slight",
        secrets,
    )


def _heard(one: Said) -> Heard:
    return Heard("customer" if one.author == "customer" else "staff", one.text)


def _facts(case: Case) -> dict[str, Any]:
    """What the policy was asked in this case, where it was."""
    if case.offers:
        return case.offers[-1].facts
    advice = case.facts.get("advice")
    found = advice.get("facts") if isinstance(advice, dict) else None
    return found if isinstance(found, dict) else {}


def _keep(
    db: Connection, context: Context, who: Staff, case_id: str, scenario: Scenario, now: datetime
) -> None:
    """Keep a scenario.

    Raises:
        PageError: 404, no such case; 400, another trade's.
    """
    _, business_id = _closed_case(db, who, case_id)
    business = context.directory.business(business_id)
    if business is None or scenario.industry != business.industry:
        raise PageError(400, "bad_scenario", "场景要属于这家商家的行业")
    drills.add_scenario(
        db,
        KeptScenario(scenario.id, business_id, scenario.to_wire(), case_id, who.id, stamp(now)),
    )
    _note(db, who, "drill_scenario_add", business_id, scenario.id, scenario.title, now)


def _remove(db: Connection, who: Staff, scenario_id: str, now: datetime) -> None:
    kept = drills.scenario(db, scenario_id)
    if kept is None or not who.sees(kept.business):
        raise not_found()
    drills.remove_scenario(db, scenario_id)
    title = str(kept.content.get("title") or "")
    _note(db, who, "drill_scenario_remove", kept.business, scenario_id, title, now)


def _note(
    db: Connection,
    who: Staff,
    act: str,
    business: str,
    scenario_id: str,
    title: str,
    now: datetime,
) -> None:
    target = f"scenario:{scenario_id}"
    audit_log.note(db, who, act, now, business=business, target=target, detail={"title": title})

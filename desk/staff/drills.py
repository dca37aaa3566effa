"""Practice: a simulated customer, marked as such everywhere, beside all that is real.

Nothing here reads or writes a conversation, a case, the queue, a clock or a notice; that somebody
practised is in the audit log, what they said is in the practice alone.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations.ingest import RefusedError, clean
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.staff.drills_shown import card_of, drill_of, row_of, shown_to
from desk.staff.session import ROOT, allowed, businesses_of, is_id
from recovery.drill.customer import LONGEST, begin, pass_time, say, stop
from recovery.drill.given import Given, decide
from recovery.drill.library import written
from recovery.drill.review import review
from recovery.drill.scenario import BadScenarioError, Scenario, read_scenario
from recovery.drill.standing import Drill
from recovery.ids import new_id
from recovery.remedy.policy import PolicyError
from recovery.roles import Act, may
from recovery.store import audit_log, drills
from recovery.store.database import hold, stamp
from recovery.store.drills import ENDED, LEFT, RUNNING, KeptDrill, KeptScenario
from recovery.store.staff import Staff

pages = Blueprint("staff_drills", url_prefix=ROOT)

_MOST_SHOWN = 50
_MOST_A_DAY = 60
_DAY = timedelta(days=1)

Shown = dict[str, Any]


@pages.get("/drills")
@allowed(Act.READ)
async def mine(request: Request) -> HTTPResponse:
    """What can be practised, and the own practices."""
    context, who = context_of(request), request.ctx.staff
    recorded, own = await context.storage.read(_lists, who)
    now = context.clock()
    rows = [row_of(one, who.name, now) for one in own]
    return json(
        {
            "scenarios": [card_of(one) for one in (*recorded, *written().values())],
            "industries": sorted({one["industry"] for one in businesses_of(context, who)}),
            "drills": rows,
            "running": next((one["id"] for one in rows if one["state"] == RUNNING), None),
            "may": {"oversee": may(who.role, Act.OVERSEE), "record": may(who.role, Act.GRANT)},
        }
    )


@pages.get("/drills/team")
@allowed(Act.OVERSEE)
async def team(request: Request) -> HTTPResponse:
    """The practices of the own business' staff."""
    context, who = context_of(request), request.ctx.staff
    found = await context.storage.read(drills.of_team, who.business, _MOST_SHOWN)
    return json({"drills": [row_of(one, name, context.clock()) for one, name in found]})


@pages.post("/drills")
@allowed(Act.READ)
async def start(request: Request) -> HTTPResponse:
    """Begin a practice; one at a time."""
    context, who = context_of(request), request.ctx.staff
    body = json_body(request)
    asked, name = body.get("id"), body.get("scenario")
    if not is_id(asked) or not is_id(name):
        raise PageError(400, "bad_request", "请求的格式不对")
    scenario = await context.storage.read(_scenario, who, name)
    if scenario is None:
        raise not_found()
    now = context.clock()
    try:
        policy = context.policy.on(scenario.industry, now.date())
        given = await asyncio.to_thread(decide, scenario, policy)
    except PolicyError as error:
        raise PageError(409, "no_policy", "现在的补救政策不管这件事，请换一个场景") from error
    kept = await to_the_end(
        context.storage.write(_start, context, who, asked, (scenario, given), now)
    )
    return json(shown_to(kept, who, who.name, now))


@pages.get("/drills/<drill_id:str>")
@allowed(Act.READ)
async def show(request: Request, drill_id: str) -> HTTPResponse:
    """One practice, the own or of the own business' staff; its customer may have asked again."""
    context, who = context_of(request), request.ctx.staff
    kept, name = await context.storage.read(_visible, who, drill_id)
    now = context.clock()
    if kept.state == RUNNING and now >= datetime.fromisoformat(kept.due_at):
        kept = await to_the_end(context.storage.write(_settled, drill_id, now))
    return json(shown_to(kept, who, name, now))


@pages.post("/drills/<drill_id:str>/say")
@allowed(Act.READ)
async def answer(request: Request, drill_id: str) -> HTTPResponse:
    """Say something to the simulated customer."""
    context, who = context_of(request), request.ctx.staff
    body = json_body(request)
    line_id, given = body.get("id"), body.get("text")
    if not is_id(line_id) or not isinstance(given, str):
        raise PageError(400, "bad_request", "请求的格式不对")
    try:
        text = clean(given)
    except RefusedError as error:
        raise PageError(400, error.code, error.sentence) from error
    if len(text) > LONGEST:
        raise PageError(400, "too_long", f"练习里一句话最多{LONGEST}个字")
    now = context.clock()
    kept = await to_the_end(context.storage.write(_say, who, drill_id, line_id, text, now))
    return json(shown_to(kept, who, who.name, now))


@pages.post("/drills/<drill_id:str>/end")
@allowed(Act.READ)
async def finish(request: Request, drill_id: str) -> HTTPResponse:
    """End a practice and read its review."""
    context, who = context_of(request), request.ctx.staff
    now = context.clock()
    kept = await to_the_end(context.storage.write(_end, who, drill_id, now))
    return json(shown_to(kept, who, who.name, now))


# ---- in the store ------------------------------------------------------------------------------


def _lists(db: Connection, who: Staff) -> tuple[list[Scenario], list[KeptDrill]]:
    recorded = [_readable(one) for one in drills.scenarios_of(db, who.business)]
    return [one for one in recorded if one], drills.of_staff(db, who.id, _MOST_SHOWN)


def _scenario(db: Connection, who: Staff, name: str) -> Scenario | None:
    if name in written():
        return written()[name]
    kept = drills.scenario(db, name)
    return _readable(kept) if kept and who.sees(kept.business) else None


def _readable(kept: KeptScenario) -> Scenario | None:
    """A scenario out of a case; None where an older Huixin kept it in another form."""
    try:
        return read_scenario(kept.content)
    except BadScenarioError:
        return None


def _start(
    db: Connection,
    context: Context,
    who: Staff,
    asked: str,
    what: tuple[Scenario, Given],
    now: datetime,
) -> KeptDrill:
    """Begin a practice; asked for twice it is one.

    Raises:
        PageError: 409, another one goes on; 429, too many today.
    """
    hold(db, f"drill:{who.id}")
    before = drills.running_of(db, who.id)
    if before is not None and before.standing.get("asked") == asked:
        return before
    if before is not None:
        before = _carried_on(db, before, now)
    if before is not None and before.state == RUNNING:
        raise PageError(409, "running", "还有一场练习没有结束，请先接着练或结束它")
    if drills.begun_since(db, who.id, now - _DAY) >= _MOST_A_DAY:
        raise PageError(429, "too_fast", "今天练得够多了，歇一歇，明天再来")
    scenario, given = what
    drill = begin(scenario, given, new_id("d"), now)
    kept = KeptDrill(
        id=drill.seed,
        staff_id=who.id,
        scenario=scenario.id,
        state=RUNNING,
        lines=list(drill.lines),
        standing={**_standing(drill), "asked": asked},
        review=None,
        started_at=stamp(now),
        due_at=stamp(drill.due),
        ended_at=None,
    )
    drills.keep(db, kept)
    _note(db, who, "drill_begin", kept, now)
    return kept


def _visible(db: Connection, who: Staff, drill_id: str) -> tuple[KeptDrill, str]:
    """A practice that a member of staff may read, with the name of who practised.

    Raises:
        PageError: 404.
    """
    kept = drills.load(db, drill_id)
    if kept is None:
        raise not_found()
    name, business = drills.whose(db, kept.staff_id)
    theirs = may(who.role, Act.OVERSEE) and (who.business is None or who.business == business)
    if kept.staff_id != who.id and not theirs:
        raise not_found()
    return kept, name


def _own(db: Connection, who: Staff, drill_id: str) -> KeptDrill:
    """The own practice, locked.

    Raises:
        PageError: 404.
    """
    kept = drills.load(db, drill_id, lock=True)
    if kept is None or kept.staff_id != who.id:
        raise not_found()
    return kept


def _settled(db: Connection, drill_id: str, now: datetime) -> KeptDrill:
    """A practice whose time is over, with its review."""
    kept = drills.load(db, drill_id, lock=True)
    if kept is None:
        raise not_found()
    return _carried_on(db, kept, now)


def _say(
    db: Connection, who: Staff, drill_id: str, line_id: str, text: str, now: datetime
) -> KeptDrill:
    """Say something; in a practice that is over nothing is said any more.

    Raises:
        PageError: 404.
    """
    kept = _own(db, who, drill_id)
    if any(one["id"] == line_id for one in kept.lines):
        return kept
    drill = pass_time(drill_of(kept), now)
    if drill.standing.outcome is None and kept.state == RUNNING:
        return _kept(db, kept, say(drill, line_id, text, now), now)
    # What was over when it came is over now: that it ended must not be undone with the refusal.
    return _carried_on(db, kept, now)


def _end(db: Connection, who: Staff, drill_id: str, now: datetime) -> KeptDrill:
    kept = _own(db, who, drill_id)
    if kept.state != RUNNING:
        return kept
    ended = _kept(db, kept, stop(pass_time(drill_of(kept), now)), now)
    _note(db, who, "drill_end", ended, now)
    return ended


def _carried_on(db: Connection, kept: KeptDrill, now: datetime) -> KeptDrill:
    """Let time pass, and keep what comes of it."""
    return _kept(db, kept, pass_time(drill_of(kept), now), now) if kept.state == RUNNING else kept


def _kept(db: Connection, kept: KeptDrill, drill: Drill, now: datetime) -> KeptDrill:
    """Keep how far a practice is; one that is over gets its review."""
    over = drill.standing.outcome is not None
    spoke = any(one["by"] == "trainee" for one in drill.lines)
    changed = replace(
        kept,
        lines=list(drill.lines),
        standing={**kept.standing, **_standing(drill)},
        state=(ENDED if spoke else LEFT) if over else RUNNING,
        review=review(drill) if over and spoke else None,
        ended_at=stamp(min(now, drill.due)) if over else None,
    )
    drills.save(db, changed)
    return changed


def _note(db: Connection, who: Staff, act: str, kept: KeptDrill, now: datetime) -> None:
    title = str(kept.standing["scenario"]["title"])
    target = f"drill:{kept.id}"
    audit_log.note(
        *(db, who, act, now), business=who.business, target=target, detail={"title": title}
    )


def _standing(drill: Drill) -> Shown:
    return {
        "scenario": drill.scenario.to_wire(),
        "given": drill.given.to_wire(),
        "customer": drill.standing.to_wire(),
    }

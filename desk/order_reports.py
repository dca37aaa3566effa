"""`python -m desk orders report`: what an order system would report, to try it or by hand."""

import argparse
import json
import sys
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.storage import open_storage
from recovery.clock import utc_now
from recovery.ids import new_id
from recovery.incidents.events import EventError, read_event
from recovery.incidents.kinds import KINDS
from recovery.settings import Settings
from recovery.store import audit_log, order_events
from recovery.store.audit_log import BY_COMMAND
from recovery.store.order_events import OtherEventError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    what = parser.add_subparsers(dest="what", required=True)
    report = what.add_parser("report", help="report something that went wrong with orders")
    report.add_argument("business")
    report.add_argument("kind", help=f"for example {', '.join(KINDS)}")
    report.add_argument(
        "orders", nargs="*", metavar="ORDER", help="numbers of the orders concerned"
    )
    report.add_argument("--customer", action="append", default=[], help="id that the site signs")
    report.add_argument("--place", help="where it happened, for example 3栋")
    report.add_argument("--failure", help="as in the policy, where the kind does not say it")
    report.add_argument("--title", help="what happened, in the words that customers read")
    report.add_argument("--expected", help="by when it is put right, for example 今天18点")
    report.add_argument("--incident", help="the same for several reports of one cause")
    report.add_argument("--urgent", action="store_true", help="told at night as well")
    report.add_argument("--id", help="its id; the same id is the same event")


def run(settings: Settings, given: argparse.Namespace) -> int:
    """Carry the command out.

    Args:
        settings: Checked.
        given: As `add_arguments` reads it.

    Returns:
        Exit code: 1 where it is refused.
    """
    business = settings.directory().business(given.business)
    if business is None:
        known = "、".join(one.id for one in settings.businesses)
        sys.stderr.write(f"没有“{given.business}”这个商家，可选：{known}\n")
        return 1
    now = utc_now()
    try:
        event = read_event(_body(given, now), business.industry)
    except EventError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1

    def work(db: Connection) -> bool:
        # Typed again a minute later it is the same event.
        known = order_events.of_id(db, business.id, event.id)
        same = replace(event, at=known["at"]) if known else event
        new = order_events.receive(db, business.id, same, now)
        if new:
            detail = {"event": event.id, "kind": event.kind, **BY_COMMAND}
            audit_log.note(db, None, "report_order_event", now, business=business.id, detail=detail)
        return new

    storage = open_storage(settings)
    try:
        with storage.database.write() as db:
            new = work(db)
    except OtherEventError:
        sys.stderr.write(f"编号 {event.id} 已经用过，内容不一样\n")
        return 1
    finally:
        storage.close()
    said = "已收下，运行中的服务台会先告诉顾客" if new else "这个编号已经收下过，没有再记"
    sys.stdout.write(f"{said}：{json.dumps({'event': event.id}, ensure_ascii=False)}\n")
    return 0


def _body(given: argparse.Namespace, now: datetime) -> dict[str, Any]:
    """As an order system would send it."""
    body: dict[str, Any] = {
        "id": given.id or new_id("r"),
        "kind": given.kind,
        "at": now.isoformat(),
        "orders": given.orders,
        "customers": given.customer,
    }
    for name in ("place", "failure", "title", "expected", "incident"):
        if getattr(given, name):
            body[name] = getattr(given, name)
    return {**body, "urgent": True} if given.urgent else body

"""`python -m desk [serve | migrate | staff | orders | purchases]`: the desk and its commands."""

import argparse
import os
import sys

from desk import office, order_reports
from desk.app import make_app
from desk.channels.webhook.sources import read_sources
from desk.channels.wechat.accounts import read_accounts
from desk.context import Context
from desk.insights import purchases as bought
from desk.storage import open_storage
from recovery import logs
from recovery.clock import utc_now
from recovery.follow_up.policy import load_follow_up_policy
from recovery.orders.several import open_orders
from recovery.promises.table import load_promise_table
from recovery.queue.priority import load_queue_tables
from recovery.remedy.running import policy_of
from recovery.settings import Settings, SettingsError, load_secrets, load_settings


def make_context(settings: Settings) -> Context:
    """Open the stores of a desk.

    Args:
        settings: Checked.

    Returns:
        The context; the database is migrated.
    """
    # Before anything is opened: what is missing in the environment stops the start.
    wechat = read_accounts(settings.wechat, os.environ)
    webhooks = read_sources(settings.webhooks, os.environ)
    return Context(
        settings=settings,
        secrets=load_secrets(settings),
        directory=settings.directory(),
        storage=open_storage(settings),
        orders=open_orders(settings),
        policy=policy_of(settings),
        queue=load_queue_tables(settings.policy),
        follow_up=load_follow_up_policy(settings.policy),
        promises=load_promise_table(settings.policy),
        clock=utc_now,
        wechat=wechat,
        webhooks=webhooks,
    )


def _serve(settings: Settings) -> int:
    context = make_context(settings)
    make_app(context).run(
        host=settings.desk.host,
        port=settings.desk.port,
        single_process=True,
        access_log=False,
        motd=False,
    )
    return 0


def _migrate(settings: Settings) -> int:
    make_context(settings).storage.close()
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit code: 2 for settings that cannot be used, 1 for a refused command.
    """
    parser = argparse.ArgumentParser(prog="python -m desk")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="serve until stopped (the default)")
    commands.add_parser("migrate", help="make secrets, bring the database up to date")
    office.add_arguments(commands.add_parser("staff", help="accounts of staff"))
    order_reports.add_arguments(commands.add_parser("orders", help="what went wrong with orders"))
    bought.add_arguments(commands.add_parser("purchases", help="take in later orders from a file"))
    given = parser.parse_args(arguments)
    logs.configure()
    try:
        settings = load_settings()
        if given.command == "migrate":
            return _migrate(settings)
        if given.command == "staff":
            return office.run(settings, given)
        if given.command == "orders":
            return order_reports.run(settings, given)
        if given.command == "purchases":
            return bought.run(settings, given)
        return _serve(settings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())

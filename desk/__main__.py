"""`python -m desk [serve | migrate | staff add LOGIN]`: the desk and its few commands."""

import argparse
import getpass
import os
import sys

from desk.app import make_app
from desk.context import Context
from desk.storage import Storage
from recovery import logs
from recovery.clock import utc_now
from recovery.orders.several import open_orders
from recovery.remedy.running import policy_of
from recovery.settings import Settings, SettingsError, load_secrets, load_settings
from recovery.store import staff
from recovery.store.database import Database

PASSWORD = "HUIXIN_STAFF_PASSWORD"  # noqa: S105 - the name of a variable


def make_context(settings: Settings) -> Context:
    """Open the stores of a desk.

    Args:
        settings: Checked.

    Returns:
        The context; the database is migrated.
    """
    return Context(
        settings=settings,
        secrets=load_secrets(settings),
        directory=settings.directory(),
        storage=_storage(settings),
        orders=open_orders(settings),
        policy=policy_of(settings),
        clock=utc_now,
    )


def _storage(settings: Settings) -> Storage:
    database = Database(settings.database_url)
    database.migrate()
    return Storage(database)


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


def _add_staff(settings: Settings, login: str, name: str, role: str, business: str | None) -> int:
    directory = settings.directory()
    if business is not None and directory.business(business) is None:
        known = "、".join(one.id for one in directory)
        sys.stderr.write(f"没有“{business}”这个商家，可选：{known}；不写就是所有商家\n")
        return 1
    password = os.environ.get(PASSWORD) or getpass.getpass("新密码（至少10位）：")
    # Accounts are made without the tokens that order systems want in the environment.
    storage = _storage(settings)
    try:
        with storage.database.write() as db:
            added = staff.add(db, login, name, role, password, utc_now(), business)
    except staff.BadAccountError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        storage.close()
    whose = added.business or "所有商家"
    sys.stdout.write(f"已建好账号：{added.login}（{added.role}，{whose}）\n")
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
    accounts = commands.add_parser("staff", help="accounts of staff")
    adding = accounts.add_subparsers(dest="what", required=True).add_parser("add")
    adding.add_argument("login")
    adding.add_argument("--name", default="")
    adding.add_argument("--role", default="agent", choices=staff.ROLES)
    adding.add_argument("--business", help="the one business it sees; all where it is left out")
    given = parser.parse_args(arguments)
    logs.configure()
    try:
        settings = load_settings()
        if given.command == "migrate":
            return _migrate(settings)
        if given.command == "staff":
            return _add_staff(settings, given.login, given.name, given.role, given.business)
        return _serve(settings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())

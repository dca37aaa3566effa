"""`python -m desk staff add | reset | list`: accounts, from the machine itself.

The first admin is made here, and here an account is opened again that nobody can open any more.
Whoever may run this may read the database as well, so that nothing else is asked.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable

from sqlalchemy import Connection

from desk.storage import open_storage
from recovery.clock import utc_now
from recovery.roles import ROLES
from recovery.settings import Settings
from recovery.store import accounts, staff
from recovery.store.audit_log import BY_COMMAND, note
from recovery.store.staff import BadAccountError, Staff

PASSWORD = "HUIXIN_STAFF_PASSWORD"  # noqa: S105 - the name of a variable
# Sees all accounts, and is none of them.
_OPERATOR = Staff(0, "", "", "admin")


class _RefusedError(RuntimeError):
    """A command that is not carried out; the message says why, in Chinese."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    what = parser.add_subparsers(dest="what", required=True)
    adding = what.add_parser("add", help="make an account")
    adding.add_argument("login")
    adding.add_argument("--name", default="")
    adding.add_argument("--role", default="agent", choices=ROLES)
    adding.add_argument("--business", help="the one business it sees; all where it is left out")
    again = what.add_parser("reset", help="new password, second factor off, unlocked")
    again.add_argument("login")
    what.add_parser("list", help="all accounts")


def run(settings: Settings, given: argparse.Namespace) -> int:
    """Carry a command out.

    Args:
        settings: Checked.
        given: As `add_arguments` reads it.

    Returns:
        Exit code: 1 where it is refused.
    """
    work: Callable[[Settings, argparse.Namespace], str]
    work = {"add": _add, "reset": _reset, "list": _list}[given.what]
    try:
        said = work(settings, given)
    except (BadAccountError, _RefusedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


def _in_database(settings: Settings, work: Callable[[Connection], str]) -> str:
    # Accounts are made without the tokens that order systems want in the environment.
    storage = open_storage(settings)
    try:
        with storage.database.write() as db:
            return work(db)
    finally:
        storage.close()


def _new_password(login: str) -> str:
    """Ask for a password; gives its hash.

    Raises:
        BadAccountError: It is refused.
        _RefusedError: It was typed differently the second time.
    """
    password = os.environ.get(PASSWORD)
    if not password:
        password = getpass.getpass(f"新密码（至少{staff.PASSWORD_SHORTEST}位）：")
        if getpass.getpass("再输入一次：") != password:
            raise _RefusedError("两次输入的密码不一样")
    return staff.hashed(password, login)


def _add(settings: Settings, given: argparse.Namespace) -> str:
    directory = settings.directory()
    if given.business is not None and directory.business(given.business) is None:
        known = "、".join(one.id for one in directory)
        raise _RefusedError(f"没有“{given.business}”这个商家，可选：{known}；不写就是所有商家")
    password = _new_password(given.login)

    def work(db: Connection) -> str:
        now = utc_now()
        made = staff.enter(db, given.login, given.name, given.role, password, now, given.business)
        detail = {"login": made.login, "role": made.role, **BY_COMMAND}
        note(
            *(db, None, "account_made", now),
            business=made.business,
            target=f"staff:{made.id}",
            detail=detail,
        )
        return f"已建好账号：{made.login}（{made.role}，{made.business or '所有商家'}）"

    return _in_database(settings, work)


def _reset(settings: Settings, given: argparse.Namespace) -> str:
    password = _new_password(given.login)

    def work(db: Connection) -> str:
        try:
            found = accounts.reset(db, given.login, password, utc_now())
        except LookupError as error:
            raise _RefusedError(f"没有账号“{given.login}”") from error
        return f"已重置账号：{found.login}，双重验证已关闭，锁定和停用已解除，原有登录已退出"

    return _in_database(settings, work)


def _list(settings: Settings, _: argparse.Namespace) -> str:
    def work(db: Connection) -> str:
        lines = [
            "\t".join(
                (
                    one["login"],
                    one["name"],
                    one["role"],
                    one["business"] or "所有商家",
                    "双重验证" if one["totp"] else "",
                    "停用" if one["disabled_at"] else "锁定" if one["locked_until"] else "",
                )
            ).rstrip()
            for one in accounts.listed(db, _OPERATOR, utc_now())
        ]
        return (
            "\n".join(lines)
            or "还没有账号；第一个管理员：python -m desk staff add 账号 --role admin"
        )

    return _in_database(settings, work)

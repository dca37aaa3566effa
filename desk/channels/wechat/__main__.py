"""`python -m desk.channels.wechat check ACCOUNT`: what is wrong with an account, in Chinese."""

import argparse
import asyncio
import os
import sys

from desk.channels.wechat.checking.check import check
from desk.channels.wechat.checking.connecting import connected
from recovery import logs
from recovery.clock import utc_now
from recovery.settings import Settings, SettingsError, load_settings


async def _check(settings: Settings, account: str) -> int:
    wrong = 0
    print(f"检查微信账号 {account}", flush=True)
    async for finding in check(settings, account, os.environ, utc_now(), connected):
        print(finding, flush=True)
        wrong += finding.level == "bad"
    print(f"结论：有{wrong}处要改。" if wrong else "结论：没有发现要改的。")
    return 1 if wrong else 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit code: 1 where something has to be changed.
    """
    parser = argparse.ArgumentParser(prog="python -m desk.channels.wechat")
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="say in Chinese what is wrong with an account")
    checking.add_argument("account", help="its id in the settings")
    given = parser.parse_args(arguments)
    logs.configure()
    try:
        return asyncio.run(_check(load_settings(), given.account))
    except SettingsError as error:
        print(f"[错] 设置文件用不了：{error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())

"""`python -m desk.channels.webhook check SOURCE`: what is wrong with a source, in Chinese."""

import argparse
import asyncio
import os
import sys

from desk.channels.webhook.check import check
from recovery import logs
from recovery.clock import utc_now
from recovery.settings import Settings, SettingsError, load_settings


async def _check(settings: Settings, source: str) -> int:
    wrong = 0
    print(f"检查来源 {source}", flush=True)
    async for finding in check(settings, source, os.environ, utc_now):
        print(finding, flush=True)
        wrong += finding.level == "bad"
    print(f"结论：有{wrong}处要改。" if wrong else "结论：没有发现要改的。")
    return 1 if wrong else 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit code: 1 where something has to be changed.
    """
    parser = argparse.ArgumentParser(prog="python -m desk.channels.webhook")
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="say in Chinese what is wrong with a source")
    checking.add_argument("source", help="its id in the settings")
    given = parser.parse_args(arguments)
    logs.configure()
    try:
        return asyncio.run(_check(load_settings(), given.source))
    except SettingsError as error:
        print(f"[错] 设置文件用不了：{error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())

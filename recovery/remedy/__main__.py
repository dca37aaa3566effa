"""`python -m recovery.remedy`: check, explain, simulate, compare, edit and release policies.

`audit` and `replay` look back at what a desk has decided with them.

Exit codes: 0 fine, 1 something was found (also: two policies differ), 2 wrong use.
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn

from recovery.clock import utc_now
from recovery.remedy import compare, explain, simulate, workbook
from recovery.remedy.book import Book, PolicyFileError, read_directory
from recovery.remedy.proof import WHOLE_FACTS, Proof, prove
from recovery.remedy.release import (
    RefusedError,
    UseError,
    may_release,
    open_draft,
    read_for_release,
    released,
)
from recovery.remedy.running import BUILT_IN

FINE, FOUND, WRONG_USE = 0, 1, 2
_SEED = 20261122
_MOST_FACTS = 10_000_000
_MOST_BYTES = 1_000_000
_ARGPARSE = (
    (r"the following arguments are required: (.+)", r"缺少 \1"),
    (r"unrecognized arguments: (.+)", r"不认识 \1"),
    (r"argument (.+?): expected one argument", r"\1 后面要写一个值"),
    (r"argument (.+?): invalid choice: (.+?) \(choose from (.+)\)", r"不认识 \2，可以写 \3"),
    (r"argument (.+?): invalid .*? value: (.+)", r"\1 不能是 \2"),
    (r"argument (.+?): (.+)", r"\1：\2"),
    (r"ambiguous option: (.+?) could match (.+)", r"\1 不明确，可能是 \2"),
)


class _Parser(argparse.ArgumentParser):
    """Speaks Chinese where argparse speaks English."""

    def __init__(
        self, prog: str | None = None, description: str | None = None, epilog: str | None = None
    ) -> None:
        super().__init__(prog, None, description, epilog, add_help=False, allow_abbrev=False)
        self._positionals.title, self._optionals.title = "参数", "选项"
        self.add_argument("-h", "--help", action="help", help="显示这段说明")

    def format_help(self) -> str:
        return super().format_help().replace("usage: ", "用法：", 1)

    def error(self, message: str) -> NoReturn:
        for english, chinese in _ARGPARSE:
            message, changed = re.subn(f"^{english}$", chinese, message, count=1)
            if changed:
                break
        usage = self.format_usage().replace("usage: ", "用法：", 1)
        sys.stderr.write(f"{usage}用法不对：{message}\n")
        raise SystemExit(WRONG_USE)


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError(text)
    return day


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _MOST_FACTS:
        raise ValueError(text)
    return number


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m recovery.remedy",
        description="补救政策：检查、解释、试算、比较、编辑、发布、审计、重演。"
        "目录不写就是内置的政策。",
        epilog="退出码：0 一切正常；1 发现了问题（或两份政策有差别）；2 用法不对。",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="命令")

    def directory(to: argparse.ArgumentParser, name: str = "directory") -> None:
        to.add_argument(name, nargs="?", type=Path, default=BUILT_IN, metavar="目录")

    def day(to: argparse.ArgumentParser) -> None:
        to.add_argument("--day", type=_day, metavar="日期", help="按这一天有效的规则；默认今天")

    def head(to: argparse.ArgumentParser) -> None:
        to.add_argument("--version", required=True, metavar="版本", help="例如 2026.11-2")
        to.add_argument("--date", required=True, metavar="日期", help="例如 2026-11-22")
        to.add_argument("--note", required=True, metavar="说明", help="改了什么")

    one = commands.add_parser("check", help="证明一份政策：不漏、不矛盾、公平、合法")
    directory(one)
    one.add_argument("--facts", type=_count, default=WHOLE_FACTS, metavar="个数",
                     help=f"走过引擎的完整事实，默认 {WHOLE_FACTS}")  # fmt: skip
    one.add_argument("--seed", type=int, default=_SEED, metavar="数", help="随机事实的种子")

    one = commands.add_parser("explain", help="一个决定是怎么来的")
    one.add_argument("facts", nargs="+", metavar="事实",
                     help="JSON 文件、-（标准输入），或 industry=hotel failure=noise paid=60000；"
                          "最后可以写目录")  # fmt: skip
    day(one)

    one = commands.add_parser("simulate", help="一批案例按政策要花多少")
    one.add_argument("cases", type=Path, metavar="案例.csv")
    directory(one)
    one.add_argument("--beside", type=Path, metavar="目录", help="和另一份政策比")
    one.add_argument("--json", action="store_true", help="给程序读的 JSON，钱是整数分")
    day(one)

    one = commands.add_parser("diff", help="谁得到更多，谁得到更少")
    one.add_argument("old", type=Path, metavar="原来", help="目录或 .xlsx")
    one.add_argument("new", type=Path, metavar="现在", help="目录或 .xlsx")
    day(one)

    one = commands.add_parser("export", help="导出成工作簿，给经理改")
    one.add_argument("directory", type=Path, metavar="目录")
    one.add_argument("file", type=Path, metavar="文件.xlsx")

    one = commands.add_parser("import", help="读回改过的工作簿，检查以后写进目录")
    one.add_argument("file", type=Path, metavar="文件.xlsx")
    one.add_argument("directory", type=Path, metavar="目录")
    head(one)

    one = commands.add_parser("release", help="检查目录里改过的表，发布成新的版本")
    one.add_argument("directory", type=Path, metavar="目录")
    head(one)

    for name, told in (
        ("audit", "公平审计：存下的决定是不是同事同赔，员工偏离了多少"),
        ("replay", "用当时的政策重演存下的决定，看结果是否一样"),
    ):
        one = commands.add_parser(name, help=told)
        one.add_argument("--settings", type=Path, metavar="文件", help="默认 huixin.yml")
        one.add_argument("--business", metavar="商家", help="只看一个商家")
        one.add_argument("--since", type=_day, metavar="日期", help="从这一天起")
        one.add_argument("--until", type=_day, metavar="日期", help="到这一天为止")
        one.add_argument("--json", action="store_true", help="给程序读的 JSON，钱是整数分")
    return parser


# ---- the commands -------------------------------------------------------------------------


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _remark(text: str) -> None:
    if text:
        sys.stderr.write(f"{text}\n")


def _today(given: argparse.Namespace) -> date:
    found = getattr(given, "day", None)
    return found if isinstance(found, date) else utc_now().astimezone().date()


def _open(path: Path, today: date) -> Book:
    """A policy from a directory or a workbook, also an unreleased one."""
    if path.suffix.lower() == ".xlsx" and not path.is_dir():
        return workbook.read_workbook(path, "xlsx", today.isoformat(), path.name).book
    opened = open_draft(path, today)
    _remark(f"{path}：{opened.remark}" if opened.remark else "")
    return opened.book


def _proved(proof: Proof, seconds: float) -> str:
    return (
        f"查过的组合：{proof.combinations:,}\n"
        f"走过引擎的完整事实：{proof.whole:,}\n"
        f"用时：{seconds:.1f} 秒"
    )


def _check(given: argparse.Namespace) -> int:
    opened = open_draft(given.directory, _today(given))
    book = opened.book
    if opened.remark:
        _say(opened.remark)
    _say(f"政策 {book.name}（{book.day}，{book.note or '没有说明'}）")
    begun = time.monotonic()
    proof = prove(book, given.facts, given.seed)
    _say(_proved(proof, time.monotonic() - begun))
    for line in proof.wrong:
        _say(f"  {line}")
    _say(f"发现 {len(proof.wrong)} 处问题" if proof.wrong else "没有发现问题")
    return FOUND if proof.wrong else FINE


def _explain(given: argparse.Namespace) -> int:
    pairs = [one for one in given.facts if "=" in one]
    others = [one for one in given.facts if "=" not in one]
    if pairs:
        known = explain.facts_from_pairs(pairs)
    else:
        known = explain.facts_from_json(_facts_text(others.pop(0)))
    if len(others) > 1:
        raise UseError(f"看不懂 {' '.join(others[1:])}：事实写成 名称=值，目录只写一个")
    today = _today(given)
    book = _open(Path(others[0]) if others else BUILT_IN, today)
    _say(explain.in_words(explain.explain(book, known, today)))
    return FINE


def _facts_text(source: str) -> str:
    try:
        if source == "-":
            content = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(source).open("rb") as opened:
                content = opened.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise UseError(f"{source}：文件太大")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise UseError(f"{source}：读不出来（{error.strerror}）") from error
    except UnicodeDecodeError as error:
        raise UseError(f"{source}：不是 UTF-8 的文本") from error


def _simulate(given: argparse.Namespace) -> int:
    today = _today(given)
    cases = simulate.load_cases(given.cases)
    book = _open(given.directory, today)
    decided = simulate.decide_cases(explain.policies_on(book, today), cases)
    if given.beside is None:
        found = simulate.outcome(decided)
        _say(_json(simulate.to_wire(found)) if given.json else simulate.in_words(found))
        return FINE
    other = _open(given.beside, today)
    beside = simulate.decide_cases(explain.policies_on(other, today), cases)
    both = simulate.compared(cases, decided, beside)
    _say(
        _json(simulate.comparison_to_wire(both))
        if given.json
        else simulate.comparison_in_words(both)
    )
    return FINE


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1)


def _diff(given: argparse.Namespace) -> int:
    today = _today(given)
    found = compare.difference(_open(given.old, today), _open(given.new, today), today)
    _say(compare.in_words(found))
    return FINE if found.same_tables else FOUND


def _export(given: argparse.Namespace) -> int:
    opened = open_draft(given.directory, _today(given))
    _remark(opened.remark)
    workbook.export(opened.book, given.file)
    _say(f"已导出 {given.file}：政策 {opened.book.name}")
    return FINE


def _import(given: argparse.Namespace) -> int:
    if not given.note.strip():
        raise UseError("--note 要写改了什么")
    found = workbook.read_workbook(given.file, given.version, given.date, given.note)
    try:
        return _release_book(found.book, given.directory)
    except RefusedError as error:
        raise RefusedError([found.placed(one) for one in error.wrong]) from error


def _release(given: argparse.Namespace) -> int:
    book = read_for_release(given.directory, given.version, given.date, given.note)
    return _release_book(book, given.directory)


def _release_book(book: Book, directory: Path) -> int:
    begun = time.monotonic()
    if not may_release(book, directory):
        _say("检查中，大约要一分钟……")
        sys.stdout.flush()
    proof = released(book, directory)
    _say(_proved(proof, time.monotonic() - begun))
    again = read_directory(directory, book.version, book.day, book.note)
    if again.digest != book.digest:
        raise RefusedError([f"{directory} 写下的和检查过的不一样：有别的程序同时在写，请再来一次"])
    _say(f"已发布 {book.name} 到 {directory}")
    return FINE


def _look_back(given: argparse.Namespace) -> int:
    # The store imports this package; only here is it the other way round.
    from recovery.audit import command

    asked = command.Asked(given.settings, given.business, given.since, given.until)
    found = command.look_back(given.command, asked)
    _say(command.as_json(found, asked) if given.json else command.as_text(found, asked))
    return FOUND if found.found else FINE


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "check": _check,
    "explain": _explain,
    "simulate": _simulate,
    "diff": _diff,
    "export": _export,
    "import": _import,
    "release": _release,
    "audit": _look_back,
    "replay": _look_back,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit code: 0 fine, 1 something found, 2 wrong use.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show Chinese gets escapes, not an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    given = _parser().parse_args(arguments)
    try:
        code = _COMMANDS[given.command](given)
        sys.stdout.flush()
        return code
    except PolicyFileError as error:
        _remark(f"这些表不能用，{len(error.wrong)} 处不对：\n{error}")
        return FOUND
    except RefusedError as error:
        _remark(f"没有发布，什么都没有写：\n{error}")
        return FOUND
    except UseError as error:
        _remark(str(error))
        return WRONG_USE
    except BrokenPipeError:
        # The reader has seen enough (`| head`). What is left in the buffer has nowhere to go.
        sys.stdout = open(os.devnull, "w")
        return FINE
    except KeyboardInterrupt:
        _remark("已中断")
        return 130
    except OSError as error:
        _remark(f"读写出错：{error.strerror or error}（{error.filename or ''}）")
        return WRONG_USE
    except Exception as error:
        # What nobody foresaw: managers get a line that they can pass on, not a traceback.
        _remark(f"程序出错了，请把这一行告诉维护的人：{type(error).__name__}：{error}")
        return FOUND


if __name__ == "__main__":
    sys.exit(main())

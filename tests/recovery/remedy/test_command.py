"""The command itself, run as a manager or an operator runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from recovery.remedy import release
from recovery.remedy.__main__ import main
from recovery.remedy.book import Book, load_book
from recovery.remedy.proof import Proof, prove
from tests.recovery.remedy import policies

ROOT = Path(__file__).parents[3]
NEXT = ("--version", "2026.12-1", "--date", "2026-12-01", "--note", "测试")


def run(*arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "recovery.remedy", *map(str, arguments)],
        cwd=ROOT, input=given, capture_output=True, text=True, encoding="utf-8", timeout=300,
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    policies.released(tmp_path / "policy")
    return tmp_path / "policy"


@pytest.fixture(scope="module", autouse=True)
def _nothing_built_in_changes() -> Iterator[None]:
    tables = ROOT / "recovery" / "remedy" / "tables"
    before = {path: path.read_bytes() for path in tables.glob("*.json")}
    yield
    assert {path: path.read_bytes() for path in tables.glob("*.json")} == before


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command in this process, with a shorter proof: a release runs 100,000 facts."""

    def shorter(book: Book, whole: int) -> Proof:
        return prove(book, min(whole, 60), workers=1)

    monkeypatch.setattr(release, "prove", shorter)
    return lambda *arguments: main([str(one) for one in arguments])


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def spoil(policy: Path, old: str = "fen: 2000}", new: str = "fen: 1999}") -> None:
    path = policy / "hotel.json"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_check_finds_nothing_in_a_good_policy(policy: Path) -> None:
    done = run("check", policy, "--facts", 600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "没有发现问题" in done.stdout
    assert "走过引擎的完整事实：600" in done.stdout
    assert "注意" not in done.stdout


def test_check_says_what_it_finds_and_that_the_release_is_old(policy: Path) -> None:
    spoil(policy)
    done = run("check", policy, "--facts", 60)
    assert done.returncode == 1
    assert "还没有重新发布" in done.stdout
    assert "hotel.json：表 goodwill，行 H-GW-1，列 remedies" in done.stdout
    assert "发现 1 处问题" in done.stdout


def test_check_names_what_cannot_be_read(policy: Path) -> None:
    spoil(policy, "fen: 2000", "fen: 20.5")
    done = run("check", policy)
    assert done.returncode == 1
    assert "第 2 行 'H-GW-1'，列 remedies：20.5 带小数" in done.stderr


def test_the_built_in_policy_is_fine() -> None:
    done = run("check", "--facts", 600)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "缺少 命令"),
        (("bake",), "不认识 'bake'"),
        (("check", "/no/such/place"), "没有目录"),
        (("check", "--facts", "many"), "--facts 不能是 'many'"),
        (("check", "--facts"), "--facts 后面要写一个值"),
        (("check", "--colour", "red"), "不认识 --colour"),
        (("explain",), "缺少 事实"),
        (("explain", "/no/such/file.json"), "读不出来"),
        (("explain", "industry=hotel", "failure=noise"), "缺少 实付（分）"),
        (("explain", "industry=hotel", "failure=noise", "paid=1.5"), "带小数"),
        (("explain", "industry=hotel", "failure=noise", "colour=red"), "不认识事实 'colour'"),
        (("explain", "industry=hotel", "failure=late", "paid=1"), "不是酒店的失误"),
        (("explain", "industry=hotel", "failure=noise", "paid=1", "paid=2"), "写了两次"),
        (("simulate", "/no/such/file.csv"), "读不出来"),
        (("simulate", "docs/examples/month.csv", "--day", "2026-2-1"), "--day 不能是"),
        (("diff", "/no/such/place", "/no/other"), "没有目录"),
        (("export", "/no/such/place", "x.xlsx"), "没有目录"),
        (("import", "/no/such.xlsx", "x", *NEXT), "读不出来"),
        (("import", "pyproject.toml", "x", *NEXT), "不是 .xlsx"),
        (("release", "/no/such/place", *NEXT), "没有目录"),
        (("release", "x", "--version", "1"), "缺少 --date, --note"),
    ],
)
def test_wrong_use_is_said(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr


def test_help_is_chinese() -> None:
    done = run("import", "--help")
    assert done.returncode == 0
    assert "用法：" in done.stdout
    assert "positional" not in done.stdout


def test_explain_lays_a_decision_open(policy: Path) -> None:
    done = run(
        "explain",
        "行业=酒店",
        "失误=房间没有打扫干净",
        "paid=68800",
        "anger=3",
        "tier=gold",
        policy,
    )
    assert done.returncode == 0, done.stderr
    for said in (
        "会员等级", "金卡", "默认（H-ROOM-NOT-CLEAN-F）", "默认（本由顾客定）",
        "酒店·心意  H-GW-4  权限：机器人  证据：不用", "依据：内部规定：测试",
        "通用·基础档     3", "通用·老客加档  +1", "合计 4 档", "没有碰到",
        "换房（20分钟）", "代金券（150元）", "这样安排，是因为这样对您公平；这样对您公平。",
    ):  # fmt: skip
        assert said in done.stdout, said
    cheap = run("explain", "industry=hotel", "failure=room_not_clean", "paid=10000", policy)
    assert "封顶：心意不超过实付的80%（80.00元），退到第 2 档" in cheap.stdout


def test_explain_reads_facts_from_a_file_and_from_the_input(policy: Path, tmp_path: Path) -> None:
    facts = json.dumps({"industry": "shop", "failure": "damaged", "paid": 9900, "first_time": True})
    path = tmp_path / "facts.json"
    path.write_text(facts, "utf-8")
    from_file, piped = run("explain", path, policy), run("explain", "-", policy, given=facts)
    assert from_file.returncode == 0, from_file.stderr
    assert from_file.stdout == piped.stdout
    assert "照片（还没有）" in piped.stdout
    for wrong in ("[", "[]", '{"paid": "9900"}', '{"paid": 99.5}', '{"paid": true}', '{"tier": 1}'):
        assert run("explain", "-", policy, given=wrong).returncode == 2, wrong


def test_simulate_in_words_and_as_json(policy: Path, tmp_path: Path) -> None:
    done = run("simulate", "docs/examples/month.csv", policy)
    assert done.returncode == 0, done.stderr
    assert "200 个案例" in done.stdout
    other = tmp_path / "other"
    seed = policies.seed()
    policies.find(seed, "H-GW-3")["remedies"].append({"kind": "late_checkout", "hour": 14})
    policies.released(other, seed)
    beside = run("simulate", "docs/examples/month.csv", policy, "--beside", other, "--json")
    assert beside.returncode == 0, beside.stderr
    wire = json.loads(beside.stdout)
    assert wire["before"]["cases"] == wire["after"]["cases"] == 200
    assert 0 < wire["changed"] < 200


def test_simulate_names_a_wrong_cell(policy: Path, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes("行业,失误,实付（分）\n酒店,太吵没法休息,一百\n".encode("gbk"))
    done = run("simulate", path, policy)
    assert done.returncode == 2
    assert "第 2 行，列 实付（分）：“一百”不是整数" in done.stderr


def test_diff_of_directories_and_workbooks(policy: Path, tmp_path: Path) -> None:
    book = tmp_path / "policy.xlsx"
    assert run("export", policy, book).returncode == 0
    same = run("diff", policy, book)
    assert (same.returncode, "没有变化" in same.stdout) == (0, True), same.stderr
    spoil(policy, "fen: 15000", "fen: 16000")
    changed = run("diff", book, policy)
    assert changed.returncode == 1
    assert "酒店·心意：心意第4档 代金券（150元） 变成 代金券（160元）" in changed.stdout


def test_a_workbook_goes_out_is_edited_and_comes_back(
    policy: Path, tmp_path: Path, here: Callable[..., int]
) -> None:
    path = tmp_path / "policy.xlsx"
    assert run("export", policy, path).returncode == 0
    found = load_workbook(path)
    found["酒店·心意"]["C5"].value = "免费餐(人数=2)；下次优惠(万分比=1000)；延迟退房(点=14)"
    for level in range(6, 11):
        cell = found["酒店·心意"][f"C{level}"]
        cell.value = f"{cell.value}；延迟退房(点=14)"
    found.save(path)
    assert here("import", path, policy, *NEXT) == 0
    book = load_book(policy)
    assert (book.version, book.day, book.note) == ("2026.12-1", "2026-12-01", "测试")
    row = book.files["hotel"]["goodwill"].rows[3]
    assert row.said["remedies"][-1] == {"kind": "late_checkout", "hour": 14}


def test_a_workbook_with_something_wrong_writes_nothing(policy: Path, tmp_path: Path) -> None:
    path = tmp_path / "policy.xlsx"
    assert run("export", policy, path).returncode == 0
    before = content(policy)
    found = load_workbook(path)
    found["酒店·心意"]["C5"].value = "代金券(分=10)"
    found.save(path)
    unfair = run("import", path, policy, *NEXT)
    assert unfair.returncode == 1
    assert "工作表 酒店·心意，第 5 行，列 补救：第 3 档的固定部分是 10 分" in unfair.stderr
    found["酒店·心意"]["C5"].value = "代金券"
    found.save(path)
    wrong = run("import", path, policy, *NEXT)
    assert wrong.returncode == 1
    assert "工作表 酒店·心意，第 5 行，列 补救：代金券 缺少 分" in wrong.stderr
    assert content(policy) == before


def test_release_checks_and_writes_the_manifest(policy: Path, here: Callable[..., int]) -> None:
    spoil(policy, "fen: 15000", "fen: 16000")
    before = content(policy)
    same = run("release", policy, "--version", policies.VERSION, "--date", "2026-12-01",
               "--note", "x")  # fmt: skip
    assert same.returncode == 1
    assert "已经发布过，内容不同" in same.stderr
    early = run("release", policy, "--version", "2026.12-1", "--date", "2026-11-01", "--note", "x")
    assert early.returncode == 1
    assert "早于上一版" in early.stderr
    nothing = run("release", policy, "--version", "2026.12-1", "--date", "2026-12-01", "--note", "")
    assert nothing.returncode == 2
    strange = run("release", policy, "--version", "一", "--date", "2026-12-1", "--note", "x")
    assert strange.returncode == 1
    assert content(policy) == before
    assert here("release", policy, *NEXT) == 0
    assert load_book(policy).version == "2026.12-1"


def test_an_unfair_policy_is_not_released(policy: Path) -> None:
    spoil(policy)
    before = content(policy)
    done = run("release", policy, *NEXT)
    assert done.returncode == 1
    assert "没有发布，什么都没有写" in done.stderr
    assert "行 H-GW-1，列 remedies" in done.stderr
    assert content(policy) == before


def test_a_reader_that_goes_away_is_no_error(policy: Path) -> None:
    command = (
        f"{sys.executable} -m recovery.remedy simulate docs/examples/month.csv {policy} | true"
    )
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_terminal_without_chinese_gets_escapes(policy: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recovery.remedy", "diff", str(policy), str(policy)],
        cwd=ROOT, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 0
    assert b"\\u" in done.stdout

"""Stamps are whole or absent, digests see every change, locks keep processes apart."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.places import here
from tools.stamps import digest, only_one, read_stamp, remove_stamp, write_stamp

HOLDER = """
import sys
from pathlib import Path
from tools.stamps import only_one
with only_one(Path(sys.argv[1]), "thing"):
    print("mine", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """Start a process that takes the lock, says so, and keeps it until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        cwd=here().root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_stamp_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "stamp.json"
    write_stamp(path, {"lock": "abc", "tests": None})
    assert read_stamp(path) == {"lock": "abc", "tests": None}
    assert [entry.name for entry in path.parent.iterdir()] == ["stamp.json"]
    remove_stamp(path)
    remove_stamp(path)
    assert read_stamp(path) is None


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00"])
def test_a_broken_stamp_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "stamp").write_text(content, encoding="utf-8")
    assert read_stamp(tmp_path / "stamp") is None


def test_a_digest_sees_contents_and_names_but_not_the_order_or_the_place(tmp_path: Path) -> None:
    def folder(name: str, files: dict[str, str]) -> str:
        root = tmp_path / name
        root.mkdir()
        for file, content in files.items():
            (root / file).write_text(content, encoding="utf-8")
        return digest((root / file for file in files), root)

    first = folder("a", {"x": "1", "y": "2"})
    assert folder("b", {"y": "2", "x": "1"}) == first
    assert folder("c", {"x": "2", "y": "1"}) != first
    assert folder("d", {"x": "1", "z": "2"}) != first
    assert folder("e", {"x": "1"}) != first


def test_a_second_process_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    with only_one(tmp_path, "thing"):
        second = holder(tmp_path)
        assert line(second) == "thing: another make is at it, waiting for its end"
    assert line(second) == "mine"
    second.communicate()
    assert second.returncode == 0


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    first = holder(tmp_path)
    assert line(first) == "mine"
    first.kill()
    first.communicate()
    with holder(tmp_path) as second:
        assert line(second) == "mine"
        second.communicate()

"""A bound program becomes the program, and never outlives its parent."""

import os
import subprocess
import sys

import pytest

from tools.steps import CHILD, ask, bound


def test_it_becomes_the_program() -> None:
    done = subprocess.run(
        bound([sys.executable, "-c", "import os; print(os.getppid()); raise SystemExit(5)"]),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.stdout.strip(), done.returncode) == (str(os.getpid()), 5)


def test_a_missing_program_is_named() -> None:
    done = subprocess.run(
        bound(["/nonexistent/program"]), capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 127
    assert "cannot run /nonexistent/program" in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
def test_it_does_not_start_for_a_parent_that_is_gone() -> None:
    command = [sys.executable, "-I", "-S", str(CHILD), str(os.getppid()), "echo", "alive"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")


def test_asking_takes_the_answer_of_success_only() -> None:
    assert ask(["/bin/sh", "-c", "echo ' yes '"]) == "yes"
    assert ask(["/bin/sh", "-c", "echo yes; exit 1"]) is None
    assert ask(["/nonexistent/program"]) is None
    assert ask([sys.executable, "-c", "import sys; print([sys.stdin.read()])"]) == "['']"
    assert ask([sys.executable, "-c", "import signal; signal.pause()"], limit=0.2) is None

"""A bound program becomes the program, and never outlives its parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.conftest import ended, killed_after
from tools.places import here
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_step_ends_with_the_command_that_runs_it(tmp_path: Path, number: signal.Signals) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    holds = f"alive = open({str(fifo)!r}, 'w'); print('working', flush=True); "
    code = (
        "import sys; from pathlib import Path; from tools.steps import end_on_sigterm, step\n"
        "end_on_sigterm(); step([sys.executable, '-c', sys.argv[1]], Path('.'))\n"
    )
    command = [sys.executable, "-c", code, f"{holds}import signal; signal.pause()"]
    with subprocess.Popen(command, cwd=here().root, stdout=subprocess.PIPE, text=True) as tool:
        with killed_after(30, tool):
            assert tool.stdout is not None
            assert tool.stdout.readline() == "working\n"
            tool.send_signal(number)
            assert tool.wait() == (-number if number == signal.SIGKILL else 128 + number)
        assert ended(reading)


def test_asking_takes_the_answer_of_success_only() -> None:
    assert ask(["/bin/sh", "-c", "echo ' yes '"]) == "yes"
    assert ask(["/bin/sh", "-c", "echo yes; exit 1"]) is None
    assert ask(["/nonexistent/program"]) is None
    assert ask([sys.executable, "-c", "import sys; print([sys.stdin.read()])"]) == "['']"
    assert ask([sys.executable, "-c", "import signal; signal.pause()"], limit=0.2) is None

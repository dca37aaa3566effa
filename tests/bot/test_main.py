"""Starting `python -m bot`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.bot.process import ROOT, START_SECONDS, answers, free_port, run_main
from tests.bot.standin import Client, message


def test_without_token_and_model_only_health_answers(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HUIXIN")},
        "HUIXIN_TRACKER_DB": str(tmp_path / "rasa.sqlite3"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "--model", str(tmp_path / "none"), "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    client = Client(port)
    try:
        end = time.monotonic() + START_SECONDS
        while not answers(client) and time.monotonic() < end and process.poll() is None:
            time.sleep(0.1)
        ready = client.ask("GET", "/readyz")
        refused = client.ask("POST", "/desk/messages", message("k:0", "你好"))
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert ready.status == 503
    assert ready.content["error"]["code"] == "not_ready"
    assert refused.status == 503
    assert refused.content["error"]["code"] == "not_configured"
    assert process.returncode == 0, printed
    assert b"Goin' Fast" not in printed


def test_no_other_channel_is_served(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yml").write_text((ROOT / "endpoints.yml").read_text())
    credentials = tmp_path / "credentials.yml"
    for content in ("rest:\n", (ROOT / "credentials.yml").read_text() + "rest:\n", "{}\n"):
        credentials.write_text(content)

        code, printed = run_main(
            ["--model", "none", "--config-dir", str(tmp_path)], tmp_path / "log"
        )

        assert code == 1
        assert "no other channel" in printed


def test_says_which_file_is_missing(tmp_path: Path) -> None:
    code, printed = run_main(["--model", "none", "--config-dir", str(tmp_path)], tmp_path / "log")

    assert code == 2
    assert "credentials.yml does not exist" in printed


def test_conversations_are_never_only_in_memory(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yml").write_text("tracker_store: {type: InMemory}\n")
    (tmp_path / "credentials.yml").write_text((ROOT / "credentials.yml").read_text())

    code, printed = run_main(
        ["--model", "none", "--config-dir", str(tmp_path), "--port", str(free_port())],
        tmp_path / "log",
    )

    assert code != 0
    assert "CachedTrackerStore" in printed

"""Starting `python -m bot` with what it must not be started with."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bot.conftest import ROOT, RasaProcess
from tests.bot.standin import Actions, message


def test_without_token_and_model_only_health_answers(actions: Actions, tmp_path: Path) -> None:
    process = RasaProcess(
        tmp_path / "missing.tar.gz", tmp_path, actions, HUIXIN_RASA_TOKEN=None
    )
    try:
        process.wait()
        client = process.client
        assert client.ask("GET", "/healthz").status == 200
        ready = client.ask("GET", "/readyz")
        refused = client.ask("POST", "/desk/messages", message("k:0", "你好"))
    finally:
        process.stop()
    assert ready.status == 503
    assert ready.content["error"]["code"] == "not_ready"
    assert refused.status == 503
    assert refused.content["error"]["code"] == "not_configured"
    assert process.process.returncode == 0


@pytest.mark.parametrize(
    ("credentials", "endpoints", "complaint"),
    [
        ("rest:\n", None, "credentials.yml must name"),
        (None, "credentials only", "does not exist"),
    ],
)
def test_refuses_to_start(
    tmp_path: Path, credentials: str | None, endpoints: str | None, complaint: str
) -> None:
    for name in ("credentials.yml", "endpoints.yml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    if credentials:
        with (tmp_path / "credentials.yml").open("a") as file:
            file.write(credentials)
    if endpoints:
        (tmp_path / "endpoints.yml").unlink()

    ended = subprocess.run(
        [sys.executable, "-m", "bot", "--model", "none", "--config-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode != 0
    assert complaint in ended.stderr

"""`make run` from settings to a stop, with stand-ins for the three programs."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.conftest import killed_after
from tools import run, settings
from tools.console import ToolError
from tools.places import Places, here

# The demo businesses: what they are is of no matter here, but there has to be one.
BUSINESSES = (here().root / "huixin.yml").read_text(encoding="utf-8").partition("\nbusinesses:")[2]

# What the desk, the action server and Rasa are to this test: a health route, a word about the
# environment, an honest end.
SERVER = """
import http.server, os, signal, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == ROUTE else 404)
        self.end_headers()
    def log_message(self, *_): pass
def serve(port):
    server = http.server.HTTPServer(("127.0.0.1", port), Health)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(*sys.argv[1:], os.environ.get("HUIXIN_RASA_TOKEN"), flush=True)
    server.serve_forever()
"""
DESK = (
    'ROUTE = "/healthz"'
    + SERVER
    + """
import json, pathlib
if sys.argv[1:] == ["migrate"]:
    if os.path.exists("broken"): sys.exit(4)
    data = pathlib.Path("data"); data.mkdir(exist_ok=True)
    (data / "secrets.json").write_text(json.dumps({"rasa_token": "t0ken"}))
else: serve(%d)
"""
)
ACTIONS = 'ROUTE = "/readyz"' + SERVER + "serve(%d)"
BOT = 'ROUTE = "/readyz"' + SERVER + "serve(int(sys.argv[-1]))"

# The environments, the pages and the model have tests of their own.
STARTS = """
import sys
from pathlib import Path
from tools import environments, model, pages, run
from tools.console import run_main
from tools.places import Places
places = Places(Path(sys.argv[1]))
environments.ensure = lambda places: None
pages.ensure = lambda places: None
model.ensure = lambda places: places.models / "huixin-1.tar.gz"
run_main(lambda _: run.run(places))
"""


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


class Checkout:
    """A checkout with stand-ins for desk, actions and bot."""

    def __init__(self, root: Path) -> None:
        self.places = Places(root)
        self.ports = dict(zip(("desk", "actions", "rasa"), free_ports(3), strict=True))
        for module, code in (
            ("desk", DESK % self.ports["desk"]),
            ("actions", ACTIONS % self.ports["actions"]),
            ("bot", BOT),
        ):
            (root / module).mkdir()
            (root / module / "__init__.py").touch()
            (root / module / "__main__.py").write_text(code, encoding="utf-8")
        for python in (self.places.service_python, self.places.nlu_python):
            python.parent.mkdir(parents=True)
            python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
            python.chmod(0o755)
        text = (
            "data: data\n"
            f"desk: {{host: 127.0.0.1, port: {self.ports['desk']}}}\n"
            f"actions: {{port: {self.ports['actions']}}}\n"
            f"rasa: ['http://127.0.0.1:{self.ports['rasa']}', 'http://rasa.invalid:5005']\n"
            f"businesses:{BUSINESSES}"
        )
        (root / "huixin.yml").write_text(text, encoding="utf-8")

    def start(self) -> subprocess.Popen[str]:
        # The stand-ins of this folder go before the real packages, the tools come from outside.
        environment = {**os.environ, "PYTHONPATH": str(here().root)}
        environment.pop("HUIXIN_SETTINGS", None)
        return subprocess.Popen(
            [sys.executable, "-c", STARTS, str(self.places.root)],
            cwd=self.places.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "checkout"
    root.mkdir()
    return Checkout(root)


def test_a_run_from_start_to_ctrl_c(checkout: Checkout) -> None:
    with checkout.start() as process, killed_after(60, process):
        assert process.stdout is not None
        lines: list[str] = []
        ready = 0
        for line in process.stdout:
            lines.append(line.rstrip())
            ready += "is ready" in line
            if ready == 3:
                process.send_signal(signal.SIGINT)
                ready = 0
        assert process.wait() == 0, "\n".join(lines)
    text = "\n".join(lines)
    assert f"Huixin: http://127.0.0.1:{checkout.ports['desk']}/" in text
    assert text.index("desk is ready") < text.index("rasa started")
    model = checkout.places.models / "huixin-1.tar.gz"
    rasa = f"rasa    | --model {model} --host 127.0.0.1 --port {checkout.ports['rasa']} t0ken"
    assert rasa in lines
    # The token is Rasa's and the desk's own file's affair, not every process's.
    assert "desk    | None" in lines
    assert "rasa.invalid" not in text


def test_a_taken_port_ends_it_before_anything_is_touched(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", checkout.ports["actions"])):
        output, _ = (process := checkout.start()).communicate(timeout=60)
    assert process.returncode == 1
    assert "actions.port in huixin.yml" in output
    assert not (checkout.places.root / "data").exists()


def test_a_failed_migration_starts_nothing(checkout: Checkout) -> None:
    (checkout.places.root / "broken").touch()
    output, _ = (process := checkout.start()).communicate(timeout=60)
    assert process.returncode == 1
    assert "could not be migrated" in output
    assert "No module" not in output
    assert "started (pid" not in output


def test_wrong_settings_are_named(checkout: Checkout) -> None:
    (checkout.places.root / "huixin.yml").write_text("desk: {port: many}\n", encoding="utf-8")
    output, _ = (process := checkout.start()).communicate(timeout=60)
    assert process.returncode == 1
    assert "error: settings: huixin.yml: desk.port" in output


def known(**changes: object) -> settings.RunSettings:
    return settings.from_json(
        {
            "data": "/srv/huixin",
            "desk": ["0.0.0.0", 8000],  # noqa: S104
            "actions": ["127.0.0.1", 5055],
            "rasa": ["http://127.0.0.1:5005", "http://localhost:5006"],
            **changes,
        }
    )


def test_each_rasa_of_this_machine_is_started_under_its_own_name() -> None:
    found = known()
    assert [(one.name, one.port, one.setting) for one in found.rasa] == [
        ("rasa", 5005, "rasa[0]"),
        ("rasa-2", 5006, "rasa[1]"),
    ]
    assert found.desk.url == "http://127.0.0.1:8000"


def test_a_rasa_address_without_port_is_named() -> None:
    with pytest.raises(ToolError, match="names no port"):
        known(rasa=["http://127.0.0.1"])


def test_rasa_is_told_where_things_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(run.TRACKER_VARIABLE, raising=False)
    (tmp_path / "secrets.json").write_text(json.dumps({"rasa_token": "abc"}), encoding="utf-8")
    found = known(data=str(tmp_path), actions=["127.0.0.1", 7000])
    desk, actions, rasa, _ = run.services(Places(tmp_path / "root"), found, Path("m.tar.gz"))
    assert desk.essential
    assert not (actions.essential or rasa.essential)
    assert rasa.environment["HUIXIN_RASA_TOKEN"] == "abc"
    assert rasa.environment["HUIXIN_ACTIONS_URL"] == "http://127.0.0.1:7000/webhook"
    assert rasa.environment["RASA_TELEMETRY_ENABLED"] == "false"
    assert rasa.environment[run.TRACKER_VARIABLE] == str(tmp_path / "rasa.sqlite3")


@pytest.mark.parametrize("content", [None, "", "{}", "[]"])
def test_missing_secrets_are_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "secrets.json").write_text(content, encoding="utf-8")
    with pytest.raises(ToolError, match="has no rasa_token"):
        run.rasa_token(tmp_path)

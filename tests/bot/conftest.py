"""A small trained project, a stand-in action server and real Rasa processes."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["RASA_TELEMETRY_ENABLED"] = "false"
os.environ["SQLALCHEMY_SILENCE_UBER_WARNING"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore", category=DeprecationWarning)

from tests.bot.standin import TOKEN, Actions, Client

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).parent / "project"
START_SECONDS = 120.0


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the tests, trained with the configuration of the real one."""
    import rasa
    from rasa.shared.utils.cli import print_success  # noqa: F401  loads what train() needs

    folder = tmp_path_factory.mktemp("model")
    # In an empty folder, so that Rasa's cache of trained components is neither read nor written.
    before = Path.cwd()
    os.chdir(folder)
    try:
        trained = rasa.train(
            domain=str(PROJECT / "domain.yml"),
            config=str(ROOT / "config.yml"),
            training_files=[str(PROJECT / "data")],
            output=str(folder),
            fixed_model_name="tests",
        )
    finally:
        os.chdir(before)
    assert trained.code == 0
    return Path(trained.model)


@pytest.fixture(scope="session")
def actions() -> Iterator[Actions]:
    standin = Actions()
    yield standin
    standin.server.shutdown()


class RasaProcess:
    """`python -m bot` on a free port of the loopback."""

    def __init__(self, model: Path, folder: Path, actions: Actions, **settings: str | None) -> None:
        self.port = _free_port()
        self.log = folder / f"rasa-{self.port}.log"
        environment = {
            **os.environ,
            "HUIXIN_RASA_TOKEN": TOKEN,
            "HUIXIN_TRACKER_DB": str(folder / "rasa.sqlite3"),
            "HUIXIN_ACTIONS_URL": actions.url,
        }
        for name, value in settings.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "bot"),
                    *("--model", str(model), "--port", str(self.port)),
                ],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.client = Client(self.port)

    def wait(self) -> "RasaProcess":
        """Wait until the server answers."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                self.client.ask("GET", "/healthz")
            except OSError:
                time.sleep(0.1)
            else:
                return self
        raise AssertionError(f"Rasa did not answer:\n{self.log.read_text()}")

    def died(self) -> int:
        """Wait for its end and give the return code."""
        return self.process.wait(timeout=30)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@pytest.fixture(scope="session")
def rasa_process(
    model: Path, actions: Actions, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RasaProcess]:
    """One process for all tests that do not kill it."""
    process = RasaProcess(model, tmp_path_factory.mktemp("rasa"), actions)
    try:
        yield process.wait()
    finally:
        process.stop()


@pytest.fixture
def client(rasa_process: RasaProcess) -> Client:
    return rasa_process.client


@pytest.fixture
def sender() -> str:
    """A conversation of its own for each test."""
    return f"{uuid.uuid4().hex}:0"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

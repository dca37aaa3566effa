"""A small trained project, a stand-in action server and a real Rasa process."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.process import ROOT, RasaProcess, begin_importing
from tests.bot.standin import Actions, Client

# Before any test imports Rasa.
os.environ["RASA_TELEMETRY_ENABLED"] = "false"
os.environ["SQLALCHEMY_SILENCE_UBER_WARNING"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PROJECT = Path(__file__).parent / "project"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the tests, trained with the configuration of the real one."""
    begin_importing()
    import rasa

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
    standin.server.server_close()


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

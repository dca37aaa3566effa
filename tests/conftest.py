"""Fixtures of all tests in the service environment."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from recovery.remedy import running as running_policy
from recovery.remedy.book import Book, load_book
from recovery.store.database import Database
from tests.support.ready_databases import ready_databases
from tests.support.stack import BY_HAND, Stack, running, usable_model


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the model, so that `make test` runs the rest while it is trained."""
    for item in items:
        if "trained" in getattr(item, "fixturenames", ()):
            item.add_marker("trained")


@pytest.fixture(scope="session", autouse=True)
def _policies_are_read_once() -> Iterator[None]:
    """Hundreds of desks begin within the tests, nearly all with the same policy.

    Its files are known by what the running policy itself knows them by.
    """
    known: dict[tuple[object, ...], Book] = {}

    def read(directory: Path) -> Book:
        found = [(path, path.stat()) for path in sorted(directory.glob("*.json"))]
        key = (directory, *((path, one.st_mtime_ns, one.st_size) for path, one in found))
        if key not in known:
            known[key] = load_book(directory)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running_policy, "load_book", read)
        yield


@pytest.fixture(scope="session", autouse=True)
def _databases_are_migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hundreds of databases begin within the tests, nearly all with the same schema."""
    with ready_databases(tmp_path_factory.mktemp("ready")):
        yield


@pytest.fixture
def as_operators_migrate(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of migrations: each step is gone, from an empty file on."""
    monkeypatch.setattr(Database, "migrate", Database.truly_migrate)  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def trained() -> Path:
    """A trained model; `make test` has trained the one of the present data."""
    path = usable_model()
    if path is None:
        if os.environ.get("HUIXIN_REQUIRE_ALL"):
            pytest.fail("no model for the present data: run make train")
        pytest.skip("no model for the present data: run make train")
    return path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Iterator[Stack]:
    """Desk, actions and Rasa, shared by tests that leave them running."""
    folder = tmp_path_factory.mktemp("stack")
    # Once in a run everything starts as it does for operators.
    with running(folder, cold=True, each_business=BY_HAND) as processes:
        yield processes

"""Fixtures of all tests in the service environment."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stack import Stack, running, usable_model


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
    with running(tmp_path_factory.mktemp("stack")) as processes:
        yield processes

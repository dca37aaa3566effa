"""Fixtures of the domain's tests."""

from pathlib import Path

import pytest

from recovery.orders.demo import fill
from recovery.orders.embedded import EmbeddedOrders
from tests.recovery.talk import NOW


@pytest.fixture
def orders(tmp_path: Path) -> EmbeddedOrders:
    # On the day of the tests' clock (talk.NOW), whenever they run.
    return fill(tmp_path / "orders.sqlite3", NOW.date())


@pytest.fixture(autouse=True)
def _logs_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sends the logs of its process to an error stream that ends with the test."""
    monkeypatch.setattr("recovery.logs.configure", lambda: None)

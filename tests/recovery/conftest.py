"""Fixtures of the domain's tests."""

from pathlib import Path

import pytest

from recovery.orders.demo import fill
from recovery.orders.embedded import EmbeddedOrders


@pytest.fixture
def orders(tmp_path: Path) -> EmbeddedOrders:
    return fill(tmp_path / "orders.sqlite3")


@pytest.fixture(autouse=True)
def _logs_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sends the logs of its process to an error stream that ends with the test."""
    monkeypatch.setattr("recovery.logs.configure", lambda: None)

"""Fixtures of the domain's tests."""

from pathlib import Path

import pytest

from recovery.orders.demo import fill
from recovery.orders.embedded import EmbeddedOrders


@pytest.fixture
def orders(tmp_path: Path) -> EmbeddedOrders:
    return fill(tmp_path / "orders.sqlite3")

"""Fixtures of the tests of WeChat."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.desk.wechat.scene import Scene, a_scene


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A desk with one Official Account in safe mode, on SQLite."""
    async with a_scene(tmp_path) as made:
        yield made


@pytest_asyncio.fixture
async def scene_on_both(tmp_path: Path, url: str) -> AsyncIterator[Scene]:
    """The same on SQLite and on PostgreSQL."""
    async with a_scene(tmp_path, url=url) as made:
        yield made

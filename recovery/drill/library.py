"""The written scenarios that come with Huixin."""

import json
from functools import cache
from pathlib import Path

from recovery.drill.scenario import Scenario, read_scenario

DIRECTORY = Path(__file__).parent / "scenarios"


@cache
def written() -> dict[str, Scenario]:
    """All of them by id, by industry and the easier ones first.

    Raises:
        BadScenarioError: A file is wrong.
    """
    found = [
        read_scenario(one)
        for path in sorted(DIRECTORY.glob("*.json"))
        for one in json.loads(path.read_text("utf-8"))
    ]
    found.sort(key=lambda one: (one.industry, one.level))
    return {one.id: one for one in found}

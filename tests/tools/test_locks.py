"""The locked requirement sets hold what they promise."""

import re
from pathlib import Path

import pytest

from tools.lock import SETS
from tools.places import here

FOLDER = here().requirements
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((FOLDER / f"{name}.txt").read_text(encoding="utf-8")))


def test_every_set_is_locked_and_nothing_else_lies_there() -> None:
    names = {name for name, _ in SETS}
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{name}.{end}" for name in names for end in ("in", "txt")
    }


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.name)
def test_every_pin_has_a_hash_and_no_host_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = list(PIN.finditer(text))
    assert found
    for pin, following in zip(found, [*found[1:], None], strict=True):
        entry = text[pin.start() : following.start() if following else len(text)]
        assert "--hash=sha256:" in entry, pin[1]
    assert "://" not in text
    assert "index" not in re.sub(r"#.*", "", text)


@pytest.mark.parametrize("name", ["service", "nlu"])
def test_tests_run_on_the_versions_that_are_shipped(name: str) -> None:
    plain, tests = pins(name), pins(f"{name}-test")
    assert plain.items() <= tests.items()
    assert "pytest" in tests.keys() - plain.keys()


def test_the_versions_that_the_design_names() -> None:
    service, nlu = pins("service"), pins("nlu")
    assert service["rasa-sdk"].startswith("3.21.")
    assert service["sanic"].startswith("25.")
    assert nlu["rasa"] == "3.6.21"
    assert nlu["spacy"].startswith("3.4.")
    assert "torch" not in nlu

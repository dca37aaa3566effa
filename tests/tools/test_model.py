"""The model is trained once for its data, and a failed training leaves nothing behind."""

from pathlib import Path

import pytest

from tests.tools.conftest import MakeProgram
from tools import model
from tools.console import ToolError
from tools.places import Places

# As Rasa does it: the archive lands in the folder given by --out, under the fixed name.
TRAINS = """
echo "$RASA_TELEMETRY_ENABLED $*" >> {root}/calls
while [ $# -gt 0 ]; do
case "$1" in --fixed-model-name) name=$2;; --out) out=$2;; esac
shift
done
echo {content} > "$out/$name.tar.gz"
exit {status}
"""


SOURCES = (
    "domain.yml",
    "config.yml",
    "data/nlu/hotel.yml",
    "bot/nlu/emotion.py",
    "requirements/nlu.txt",
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name in SOURCES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return Places(tmp_path)


def rasa(places: Places, program: MakeProgram, content: str = "whole", status: int = 0) -> None:
    """Put a stand-in for the nlu environment's Python there."""
    body = TRAINS.format(root=places.root, content=content, status=status)
    program(places.nlu_python, body)


def calls(places: Places) -> list[str]:
    path = places.root / "calls"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_it_is_trained_once_with_telemetry_off(places: Places, program: MakeProgram) -> None:
    rasa(places, program)
    path = model.ensure(places)
    assert path.read_text(encoding="utf-8") == "whole\n"
    assert path.parent == places.models
    assert model.ensure(places) == path
    [call] = calls(places)
    assert call.startswith("false -m rasa train --fixed-model-name huixin-")


@pytest.mark.parametrize("name", SOURCES)
def test_whatever_a_model_is_made_from_has_its_say(places: Places, name: str) -> None:
    before = model.key(places)
    (places.root / name).write_text("changed", encoding="utf-8")
    assert model.key(places) != before


def test_new_and_removed_training_files_count(places: Places) -> None:
    before = model.key(places)
    added = places.root / "data" / "rules" / "new.yml"
    added.parent.mkdir()
    added.touch()
    assert model.key(places) != before
    added.unlink()
    assert model.key(places) == before


def test_compiled_python_does_not_count(places: Places) -> None:
    before = model.key(places)
    compiled = places.root / "bot" / "nlu" / "__pycache__" / "emotion.pyc"
    compiled.parent.mkdir()
    compiled.touch()
    assert model.key(places) == before


def test_a_failed_training_leaves_no_model(places: Places, program: MakeProgram) -> None:
    rasa(places, program, content="half", status=1)
    with pytest.raises(ToolError, match="could not be trained"):
        model.ensure(places)
    assert list(places.models.iterdir()) == []


def test_the_draft_of_a_killed_training_is_cleared_away(
    places: Places, program: MakeProgram
) -> None:
    (places.models / ".training-old").mkdir(parents=True)
    rasa(places, program)
    path = model.ensure(places)
    assert list(places.models.iterdir()) == [path]


def test_a_missing_project_is_named(places: Places) -> None:
    (places.root / "domain.yml").unlink()
    with pytest.raises(ToolError, match=r"domain\.yml is missing"):
        model.key(places)

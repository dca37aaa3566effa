"""The Python of an environment is found on machines of many kinds."""

import sys
from pathlib import Path

import pytest

from tests.tools.conftest import MakeProgram, MakePython
from tools.console import ToolError
from tools.interpreters import NLU, SERVICE, Search, probe

BROKEN_SHIM = 'echo "pyenv: python3.10: command not found" >&2; exit 127'


def search(tmp_path: Path, uv: Path | None = None, **environ: str) -> Search:
    """A search that sees nothing of this machine."""
    known = {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin"), **environ}
    (tmp_path / "home").mkdir(exist_ok=True)
    return Search(known, uv, usual=())


def test_the_running_python_is_known_by_asking_it() -> None:
    found = probe(Path(sys.executable))
    assert found is not None
    assert found.version == sys.version_info[:3]


@pytest.mark.parametrize(
    "body", [BROKEN_SHIM, "exit 0", "echo Python 3.10.1", "echo '[1]'", "echo '[]'; exit 1"]
)
def test_a_program_that_does_not_answer_is_no_python(
    tmp_path: Path, program: MakeProgram, body: str
) -> None:
    assert probe(program(tmp_path / "python3.10", body)) is None


def test_a_shim_that_does_not_answer_hides_nothing_behind_it(
    tmp_path: Path, program: MakeProgram, python: MakePython
) -> None:
    program(tmp_path / "shims" / "python3.10", BROKEN_SHIM)
    real = python(tmp_path / "bin" / "python3.10", "3.10.4")
    path = f"{tmp_path / 'shims'}:{tmp_path / 'bin'}"
    assert search(tmp_path, PATH=path).find(NLU).path == real


def test_a_plain_python3_of_the_right_version_will_do(tmp_path: Path, python: MakePython) -> None:
    real = python(tmp_path / "bin" / "python3", "3.10.12")
    assert search(tmp_path).find(NLU).path == real


def test_wrong_version_and_other_implementations_are_passed_over(
    tmp_path: Path, python: MakePython
) -> None:
    python(tmp_path / "bin" / "python3.10", "3.10.14", implementation="PyPy")
    python(tmp_path / "bin" / "python3", "3.12.1")
    assert search(tmp_path).installed(NLU) is None


def test_pyenvs_versions_are_found_without_pyenv_and_the_newest_wins(
    tmp_path: Path, python: MakePython
) -> None:
    versions = tmp_path / "somewhere" / "versions"
    python(versions / "3.10.9" / "bin" / "python", "3.10.9")
    newest = python(versions / "3.10.13" / "bin" / "python", "3.10.13")
    found = search(tmp_path, PYENV_ROOT=str(tmp_path / "somewhere")).find(NLU)
    assert (found.path, found.release) == (newest, "3.10.13")


def test_pyenvs_default_folder_is_looked_at(tmp_path: Path, python: MakePython) -> None:
    versions = tmp_path / "home" / ".pyenv" / "versions"
    real = python(versions / "3.10.2" / "bin" / "python", "3.10.2")
    assert search(tmp_path).find(NLU).path == real


def test_pyenv_is_asked(
    tmp_path: Path,
    program: MakeProgram,
    python: MakePython,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = python(tmp_path / "elsewhere" / "bin" / "python", "3.10.7")
    program(tmp_path / "bin" / "pyenv", f'[ "$*" = "prefix 3.10" ] && echo {tmp_path}/elsewhere')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert search(tmp_path).find(NLU).path == real


def test_uvs_own_interpreter_is_found(
    tmp_path: Path, program: MakeProgram, python: MakePython
) -> None:
    real = python(tmp_path / "uvs" / "bin" / "python3.10", "3.10.16")
    uv = program(tmp_path / "uv", f'[ "$1 $2" = "python find" ] && echo {real}')
    assert search(tmp_path, uv).find(NLU).path == real


def test_usual_places_are_looked_at(tmp_path: Path, python: MakePython) -> None:
    real = python(tmp_path / "opt" / "python310" / "bin" / "python3.10", "3.10.1")
    environ = {"HOME": str(tmp_path), "PATH": ""}
    assert Search(environ, None, usual=(f"{tmp_path}/opt/*/bin",)).find(NLU).path == real
    assert Search(environ, None, usual=("~/opt/*/bin",)).find(NLU).path == real


def test_the_variable_goes_first_and_may_name_a_folder(tmp_path: Path, python: MakePython) -> None:
    python(tmp_path / "bin" / "python3.10", "3.10.1")
    named = python(tmp_path / "mine" / "bin" / "python", "3.10.2")
    for value in (named, tmp_path / "mine"):
        assert search(tmp_path, HUIXIN_PYTHON310=str(value)).find(NLU).path == named


@pytest.mark.parametrize(("version", "said"), [("3.12.0", "is Python 3.12.0"), (None, "answer")])
def test_a_variable_that_names_the_wrong_thing_is_an_error_not_a_hint(
    tmp_path: Path, python: MakePython, version: str | None, said: str
) -> None:
    python(tmp_path / "bin" / "python3.10", "3.10.1")
    named = tmp_path / "named"
    if version:
        python(named, version)
    with pytest.raises(ToolError, match=said) as caught:
        search(tmp_path, HUIXIN_PYTHON310=str(named)).find(NLU)
    assert "HUIXIN_PYTHON310" in str(caught.value)


def test_the_running_python_serves_the_service_if_it_is_new_enough(
    tmp_path: Path, python: MakePython
) -> None:
    running = python(tmp_path / "running", "3.11.2")
    python(tmp_path / "bin" / "python3.13", "3.13.0")
    assert search(tmp_path).find(SERVICE, first=running).path == running


def test_another_python_serves_the_service_if_the_running_one_is_too_new(
    tmp_path: Path, python: MakePython
) -> None:
    running = python(tmp_path / "running", "3.15.0")
    other = python(tmp_path / "bin" / "python3.12", "3.12.0")
    assert search(tmp_path).find(SERVICE, first=running).path == other


def test_uv_fetches_what_is_missing(
    tmp_path: Path, program: MakeProgram, python: MakePython
) -> None:
    fetched = tmp_path / "fetched" / "python3.10"
    template = python(tmp_path / "template", "3.10.20")
    uv = program(
        tmp_path / "uv",
        "PATH=/bin:/usr/bin\n"
        f'case "$1 $2" in\n"python install") mkdir -p {fetched.parent}; cp {template} {fetched};;\n'
        f'"python find") [ -x {fetched} ] && echo {fetched};;\nesac',
    )
    assert search(tmp_path, uv).find(NLU).release == "3.10.20"
    assert fetched.is_file()


@pytest.mark.parametrize("with_uv", [True, False])
def test_where_nothing_helps_the_message_names_every_cure(
    tmp_path: Path, program: MakeProgram, capfd: pytest.CaptureFixture[str], with_uv: bool
) -> None:
    uv = program(tmp_path / "uv", "echo 'error: dns error' >&2; exit 1") if with_uv else None
    with pytest.raises(ToolError) as caught:
        search(tmp_path, uv).find(NLU)
    for cure in ("install Python 3.10", "HUIXIN_PYTHON310=", "uv python install 3.10"):
        assert cure in str(caught.value)
    assert ("dns error" in capfd.readouterr().err) is with_uv

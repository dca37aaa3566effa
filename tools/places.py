"""Where things lie in the checkout, and the names of the settings of the tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PYTHON_310_VARIABLE = "HUIXIN_PYTHON310"
"""Environment variable that names the Python 3.10 of the nlu environment."""

SERVICE_PYTHON_VARIABLE = "HUIXIN_PYTHON"
"""Environment variable that names the Python (3.11 to 3.14) of the service environment."""


@dataclass(frozen=True)
class Places:
    """The folders of one checkout.

    Attributes:
        root: the top folder of the checkout, absolute.
    """

    root: Path

    @property
    def venvs(self) -> Path:
        """Folder of all environments."""
        return self.root / ".venv"

    @property
    def locks(self) -> Path:
        """Folder of the file locks that keep two makes apart."""
        return self.venvs / "locks"

    @property
    def requirements(self) -> Path:
        """Folder of the locked requirement sets."""
        return self.root / "requirements"

    @property
    def service_python(self) -> Path:
        """Interpreter of the service environment."""
        return self.venvs / "service" / "bin" / "python"

    @property
    def nlu_python(self) -> Path:
        """Interpreter of the nlu environment."""
        return self.venvs / "nlu" / "bin" / "python"

    @property
    def models(self) -> Path:
        """Folder of the trained models."""
        return self.root / "models"

    @property
    def web(self) -> Path:
        """Folder of the pages' sources."""
        return self.root / "web"


def here() -> Places:
    """Return the places of the checkout that this file lies in."""
    return Places(Path(__file__).resolve().parent.parent)

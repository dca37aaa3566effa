"""Where pictures lie on disk: named by their content, whole or not at all."""

import os
import time
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

_UNFINISHED = ".tmp"
_FORGOTTEN_AFTER = 3600


class Album:
    """A folder of pictures: of each the file as it was sent, and the copy that is shown."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made with the first picture.

        Args:
            folder: Nobody but the desk reads it.
        """
        self._folder = folder

    def keep(self, original: bytes, copy: bytes) -> str:
        """Put a picture on disk, for good: it survives whatever happens after the return.

        Args:
            original: The file as it was sent.
            copy: What is shown.

        Returns:
            SHA-256 of the original in hex, its name from now on. The same file again is kept once.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        name = sha256(original).hexdigest()
        place = self._original(name).parent
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self._original(name), original)
        _write(self._copy(name), copy)
        for folder in (place, self._folder, self._folder.parent):
            _sync(folder)
        return name

    def copy_of(self, name: str) -> bytes | None:
        """What is shown of a picture; None where its file is gone."""
        try:
            return self._copy(name).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Remove a picture for good; nothing needs it any more, or it is gone already."""
        for file in (self._original(name), self._copy(name)):
            file.unlink(missing_ok=True)
        place = self._original(name).parent
        if place.is_dir():
            _sync(place)

    def sweep(self) -> None:
        """Remove what a process was writing as it died."""
        for file in self._folder.glob(f"*/*{_UNFINISHED}"):
            if time.time() - file.stat().st_mtime > _FORGOTTEN_AFTER:
                file.unlink(missing_ok=True)

    def _original(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _copy(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.jpg"


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        return
    fresh = path.with_name(f"{path.name}.{token_hex(8)}{_UNFINISHED}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Let the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

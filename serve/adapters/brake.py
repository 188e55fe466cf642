"""A stop that outlives the process: a file that is there while the kill switch is on."""

import os
from pathlib import Path


class FileBrake:
    """The file ``path``. Raises OSError where it can be neither written nor removed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def is_set(self) -> bool:
        """Say whether the stop was left on."""
        return self._path.exists()

    def set(self) -> None:
        """Leave the stop on, on disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()
        self._sync()

    def clear(self) -> None:
        """Take the stop off."""
        self._path.unlink(missing_ok=True)
        self._sync()

    def _sync(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

"""Files that had to be read to count their spectra, until these are wanted."""

from pathlib import Path
from typing import Any

import numpy as np

Opened = tuple[str, list[Any]]
"""Format, and spectra of specutils."""

MOST_PIXELS = 2**23
"""Pixels that are kept, about 200 MB; of a larger survey the rest is read again."""


class KeptFiles:
    """What was read of files, each taken once; another process, or a copy, begins without any.

    Args:
        most: Most pixels that are kept.
    """

    def __init__(self, most: int = MOST_PIXELS) -> None:
        self.left = most
        self._files: dict[Path, tuple[tuple[int, int], Opened]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Nothing that was read: it is for this process."""
        n_kept = sum(map(_n_pixels, (opened for _, opened in self._files.values())))
        return {"left": self.left + n_kept, "_files": {}}

    def keep(self, path: Path, opened: Opened) -> Opened:
        """Keep what was read of a file, while there is room.

        Args:
            path: The file.
            opened: What it holds.

        Returns:
            The same.
        """
        size = _n_pixels(opened)
        if path not in self._files and size <= self.left:
            self.left -= size
            self._files[path] = (_stamp(path), opened)
        return opened

    def take(self, path: Path) -> Opened | None:
        """What was read of a file, for the last time; ``None`` if it was not, or has changed."""
        if path not in self._files:
            return None
        stamp, opened = self._files.pop(path)
        self.left += _n_pixels(opened)
        return opened if path.exists() and _stamp(path) == stamp else None


def _n_pixels(opened: Opened) -> int:
    return sum(int(np.size(spectrum.flux)) for spectrum in opened[1])


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns

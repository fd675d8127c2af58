"""The FITS files of a survey of millions, in folders below folders."""

import os
from collections.abc import Iterator
from pathlib import Path


def fits_files_below(root: Path) -> Iterator[str]:
    """List FITS files; folders are read, and no file is looked at.

    Links that lead out of the folder, and links to folders, are not followed.

    Args:
        root: The folder.

    Yields:
        Paths below ``root`` of ``.fits`` and ``.fits.gz`` files, with forward slashes, in no order.
    """
    home, folders = root.resolve(), [""]
    while folders:
        folder = folders.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                path = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{path}/")
                elif path.endswith((".fits", ".fits.gz")) and _lies_inside(entry, home):
                    yield path


def _lies_inside(entry: os.DirEntry[str], home: Path) -> bool:
    if not entry.is_symlink():
        return True
    target = Path(entry.path).resolve()
    return target.is_file() and target.is_relative_to(home)

"""What lies in the folders of a program that writes into them and removes them meanwhile."""

import os
from contextlib import suppress
from pathlib import Path


def visible(folder: Path) -> list[Path]:
    """Files and folders whose names do not begin with a dot.

    Args:
        folder: May be missing, or be removed while it is read (``Path.glob`` fails there before
            Python 3.13).

    Returns:
        Their paths, in order; those that were seen before the folder was gone.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(folder / name for name in os.listdir(folder) if not name.startswith("."))
    return []


def works(results: Path) -> list[Path]:
    """Folders of the work of runs that have not ended.

    Args:
        results: Folder of a survey.
    """
    return [path for path in visible(results) if path.name.startswith("work-")]

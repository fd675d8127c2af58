"""The files of a survey of millions, in folders below folders."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from torchfit.files.file_name import ending, is_fits_name, printable

_APPLE_DOUBLE = ("._", "__MACOSX")
"""How the names start of what macOS leaves beside files on other systems."""


OTHER_FILES = "files that are no spectra by their names"


@dataclass
class FitsTree:
    """What lies below a folder, found by reading folders; no file is opened.

    Links are followed inside and outside the folder; a folder or file that several of them lead to
    is taken once, by its own name if that lies below the folder. Names end in ``.fits``, ``.fit``
    or ``.fts``, with ``.gz`` or ``.fz``, in any case, unless others are asked for.

    Args:
        files: Paths of such files below the folder, with forward slashes, sorted.
        others: Number of other files by the ending of their names.
        unreadable: Folders that could not be read.
    """

    files: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    @classmethod
    def below(cls, root: Path, takes: Callable[[str], bool] = is_fits_name) -> "FitsTree":
        """Walk through a folder.

        Args:
            root: The folder.
            takes: Tells which files to take by their names.

        Raises:
            OSError: If the folder itself cannot be read.
        """
        os.scandir(root).close()
        return _Walk(root, takes).tree()

    def remarks(self) -> list[str]:
        """What was not taken, one line each."""
        count = ", ".join(
            f"{n} {end or 'without ending'}" for end, n in sorted(self.others.items())
        )
        lines = [f"{OTHER_FILES}: {count}"] if self.others else []
        return lines + [f"folder that cannot be read, skipped: {path}" for path in self.unreadable]


class _Walk:
    """One walk: real folders first, then those that only links lead to, in the order of names."""

    def __init__(self, root: Path, takes: Callable[[str], bool]) -> None:
        self.root, self.takes = root, takes
        self.found = FitsTree()
        self.seen: set[tuple[int, int]] = set()
        self.links: list[str] = []
        self.file_links: list[str] = []

    def tree(self) -> FitsTree:
        """Walk the folders: those inside first, then those that links lead to."""
        waiting = [""]
        while waiting:
            self._walk_all(waiting)
            waiting, self.links = sorted(self.links), []
        self.found.files += self._new_files(sorted(self.file_links))
        self.found.files.sort()
        self.found.unreadable.sort()
        return self.found

    def _walk_all(self, folders: list[str]) -> None:
        for first in folders:
            below = [first]
            while below:
                below += self._folders_in(below.pop())

    def _folders_in(self, folder: str) -> list[str]:
        """Take the files of a folder unless it was met before; return the folders in it."""
        try:
            status = (self.root / folder).stat()
            identity = (status.st_dev, status.st_ino)
            if identity in self.seen:
                return []
            self.seen.add(identity)
            with os.scandir(self.root / folder) as entries:
                found = [self._take(entry, f"{folder}{entry.name}") for entry in entries]
        except OSError as error:
            path = printable(folder or ".")
            self.found.unreadable.append(f"{path} ({error.strerror})")
            return []
        return [f"{path}/" for path in found if path is not None]

    def _take(self, entry: os.DirEntry[str], path: str) -> str | None:
        """Note a file or a link; return the path if it is a folder."""
        if entry.name.startswith(_APPLE_DOUBLE):
            return None
        if entry.is_dir(follow_symlinks=False):
            return path
        if entry.is_symlink() and _leads_to_folder(entry):
            self.links.append(f"{path}/")
        elif not self.takes(entry.name):
            self.found.others[ending(printable(entry.name))] += 1
        elif entry.is_symlink():
            self.file_links.append(path)
        else:
            self.found.files.append(path)
        return None

    def _new_files(self, links: Iterable[str]) -> Iterator[str]:
        """Links to files that are not taken already, one for each file."""
        seen: set[str] = set()
        for link in links:
            target = os.path.realpath(self.root / link)
            name = os.path.basename(target)
            known = self.takes(name) and self._is_walked(os.path.dirname(target))
            if target not in seen and not (known and os.path.isfile(target)):
                seen.add(target)
                yield link

    def _is_walked(self, folder: str) -> bool:
        """Whether the files of a folder are taken."""
        try:
            status = os.stat(folder)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) in self.seen


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A loop of links.
        return False

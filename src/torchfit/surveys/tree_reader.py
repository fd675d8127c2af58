"""Readers of surveys whose spectra lie in files below a folder, or in a list of files."""

import codecs
import fnmatch
import re
from collections.abc import Sequence
from copy import copy
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import ClassVar

from torchfit.exceptions import ConfigError, DataError
from torchfit.files.file_name import is_fits_name
from torchfit.files.fits_tree import FitsTree
from torchfit.surveys.reader import SurveyReader

_LINE = re.compile("\r\n|\r|\n")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TreeReader(SurveyReader):
    """A reader of the files below a folder; links are followed, and each file is taken once.

    Args:
        root: The folder.
        pattern: Only the files whose path below ``root`` matches this shell pattern, in which
            ``*`` matches ``/`` too; all of them if ``None``.
        listed: A text file with one path a line, instead of all that lies below the folder; they
            count from ``root``, or from the folder of the list without one. Empty lines and those
            that begin with ``#`` are left out.

    Attributes:
        wanted: What these files are called in an error.

    Raises:
        ConfigError: If neither a folder nor a list is given.
    """

    wanted: ClassVar[str] = ".fits or .fits.gz file"

    def __init__(
        self, root: str | None = None, pattern: str | None = None, listed: str | None = None
    ) -> None:
        if root is None and listed is None:
            raise ConfigError(
                "data: give the folder of the spectra, data.root=FOLDER, or a list of files, "
                "data.listed=FILE"
            )
        self.root, self.pattern, self.listed = root, pattern, listed

    def takes(self, name: str) -> bool:
        """Whether a file may be one of the survey's, by its name."""
        return is_fits_name(name)

    @property
    def folder(self) -> Path:
        """Where the paths of the files count from."""
        if self.root is None:
            return Path(str(self.listed)).expanduser().parent
        return Path(self.root).expanduser()

    @cached_property
    def tree(self) -> FitsTree:
        """What lies below ``root``.

        Raises:
            DataError: If the folder is missing or cannot be read.
        """
        if not self.folder.is_dir():
            raise DataError(f"no such folder of spectra: {self.folder}")
        try:
            return FitsTree.below(self.folder, self.takes)
        except OSError as error:
            raise DataError(f"{self.folder} cannot be read ({error.strerror})") from error

    @cached_property
    def files(self) -> list[str]:
        """Paths of the files that pattern and list take, sorted.

        Raises:
            DataError: If there is none, or folder or list cannot be read.
        """
        found = self.tree.files if self.listed is None else _paths_in(Path(self.listed))
        if self.pattern is not None:
            found = [file for file in found if fnmatch.fnmatchcase(file, self.pattern)]
        if not found:
            wanted = f" that matches {self.pattern!r}" if self.pattern else ""
            place = f"below {self.folder}" if self.listed is None else f"in {self.listed}"
            remarks = "".join(f"; {line}" for line in self.remarks())
            raise DataError(f"no {self.wanted}{wanted} {place}{remarks}")
        return found

    def sources(self) -> list[str]:
        """List the paths of the files, with forward slashes, sorted.

        Raises:
            DataError: If there is none, or folder or list cannot be read.
        """
        return self.files

    def part(self, sources: Sequence[str]) -> "TreeReader":
        """Make a reader that has not listed the others.

        Args:
            sources: Some of :meth:`sources`.
        """
        part = copy(self)
        for name in ("tree", "files", "rows"):
            part.__dict__.pop(name, None)
        return part

    def file_of(self, source: str) -> Path:
        """Name the file of a source."""
        return self.folder / source

    def remarks(self) -> list[str]:
        """What lies below the folder and is not taken."""
        return self.tree.remarks() if self.listed is None else []


def _paths_in(listed: Path) -> list[str]:
    try:
        raw = listed.expanduser().read_bytes()
    except OSError as error:
        raise DataError(f"{listed} cannot be read as a list of files ({error.strerror})") from error
    try:
        text = raw.decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig", "surrogateescape")
    except UnicodeDecodeError as error:
        raise DataError(f"{listed} cannot be read as a list of files ({error.reason})") from error
    # Not splitlines: names may hold what Unicode takes for the end of a line.
    paths = (line.strip() for line in _LINE.split(text))
    return sorted({str(PurePosixPath(path)) for path in paths if path and not path.startswith("#")})

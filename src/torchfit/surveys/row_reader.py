"""Readers of surveys whose files hold several spectra each."""

import abc
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Generic, TypeVar

from torchfit.exceptions import SpectrumError
from torchfit.spectra import Spectrum
from torchfit.surveys.reader import Outcome, attempt
from torchfit.surveys.tree_reader import TreeReader

File = TypeVar("File")


class RowReader(TreeReader, Generic[File]):
    """A reader of the rows of files: a source is a path, a colon, and the number of a row.

    Files are read one at a time, each once, when many spectra are asked for.
    """

    @abc.abstractmethod
    def parts(self, path: Path) -> Sequence[int] | None:
        """Numbers of the spectra of a file; ``None`` if it is one, and its path alone the source.

        A file that cannot be read counts as one, which becomes a reject.
        """

    @abc.abstractmethod
    def open(self, file: str) -> File:
        """Read a file, by its path below the folder.

        Raises:
            SpectrumError: If it cannot be read.
        """

    @abc.abstractmethod
    def row(self, opened: File, row: int, source: str) -> Spectrum:
        """Make the spectrum of a row of a file that is open.

        Raises:
            SpectrumError: If there is no such row, or it cannot be used.
        """

    @cached_property
    def rows(self) -> list[str]:
        """The rows of all files, sorted."""
        return self.rows_of(self.files)

    def rows_of(self, files: Sequence[str]) -> list[str]:
        """The rows of some files, sorted; a file that takes too long to count in is one.

        Args:
            files: Paths below the folder.
        """
        counted = (
            (file, attempt(partial(self.parts, self.folder / file), file, self.time_limit))
            for file in files
        )
        whole = (type(None), SpectrumError)
        return sorted(
            source
            for file, rows in counted
            for source in ([file] if isinstance(rows, whole) else _numbered(file, rows))
        )

    def sources(self) -> list[str]:
        """List the rows of all files, sorted.

        Raises:
            DataError: If there is no file.
        """
        return self.rows

    def file_of(self, source: str) -> Path:
        """Name the file of a source."""
        return self.folder / split_source(source)[0]

    def read(self, source: str) -> Spectrum:
        """Read one spectrum.

        Args:
            source: One of :meth:`sources`.

        Raises:
            SpectrumError: If it cannot be used.
        """
        file, row = split_source(source)
        return self.row(self.open(file), row, source)

    def spectra(self, sources: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
        """Read many spectra, each file once.

        Args:
            sources: Some of :meth:`sources`; those of a file stand together.

        Yields:
            As :meth:`SurveyReader.spectra`.
        """
        for file, here in groupby(sources, key=lambda source: split_source(source)[0]):
            opened = attempt(partial(self.open, file), file, self.time_limit)
            for source in here:
                if isinstance(opened, SpectrumError):
                    yield source, opened
                else:
                    read = partial(self.row, opened, split_source(source)[1], source)
                    yield source, attempt(read, source, self.time_limit)


def _numbered(file: str, rows: Sequence[int]) -> Iterator[str]:
    return (f"{file}:{row:04d}" for row in rows)


def split_source(source: str) -> tuple[str, int]:
    """File and number of the row of a source; a source without a number is the file itself."""
    file, colon, row = source.rpartition(":")
    return (file, int(row)) if colon and row.isdecimal() else (source, 0)

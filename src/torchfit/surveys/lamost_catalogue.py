"""The tables of a LAMOST release, joined with its files.

A table of eleven million rows stays in Arrow columns; a row becomes Python only for the spectra
that are read.
"""

import logging
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from torchfit.exceptions import DataError
from torchfit.files.file_name import printable, stem
from torchfit.surveys.lamost_table import read_lamost_table

logger = logging.getLogger(__name__)

Row = Mapping[str, object]


@dataclass(frozen=True)
class LamostCatalogue:
    """A table of a release, in the columns of :mod:`torchfit.surveys.lamost_table`.

    Args:
        path: Where it was read.
        table: Its rows, each with its ``obsid`` and the ``stem`` of its file's name.
    """

    path: Path
    table: pa.Table

    @classmethod
    def read(cls, path: Path) -> "LamostCatalogue":
        """Read a table: FITS or CSV, gzipped or not, comma or pipe.

        Args:
            path: The file.

        Raises:
            DataError: If it is missing or damaged, lacks a column, or has an obsid twice.
        """
        table = read_lamost_table(path)
        _demand_unique(table["obsid"], path)
        return cls(path, table)

    def join(self, sources: Sequence[str]) -> "JoinedSources":
        """Find the row of every file, and say what has no partner.

        Args:
            sources: Paths of files named as the survey does, ``spec-<lmjd>-<planid>_sp<spid>-
                <fiberid>``, or ``<obsid>``.

        Returns:
            The files that have a row, each row once.

        Raises:
            DataError: If no file has one.
        """
        stems = pa.array([_stem(source) for source in sources], pa.string())
        row = _places(stems, self.table["stem"], self.table["obsid"])
        known = np.flatnonzero(row >= 0)
        row_of, first = np.unique(row[known], return_index=True)
        kept = np.sort(known[first])
        n_rows = len(self.table)
        if not len(kept):
            raise DataError(f"none of {len(sources)} files has a row in {self.path}")
        logger.info(
            "%s: %d files have a row; %d files without row left out, %d rows without file, "
            "%d more files of a row that has one",
            self.path, len(kept), len(sources) - len(known), n_rows - len(row_of),
            len(known) - len(kept),
        )  # fmt: skip
        return JoinedSources(self.table, [sources[place] for place in kept], row[kept])


@dataclass(frozen=True)
class JoinedSources:
    """Files with the number of their row.

    Args:
        table: Rows of a release.
        sources: Files, sorted.
        row: Row of each.
    """

    table: pa.Table
    sources: list[str]
    row: np.ndarray

    def rows(self, sources: Sequence[str]) -> dict[str, Row]:
        """Rows of some files.

        Args:
            sources: Which; one that is not among :attr:`sources` has none.

        Returns:
            What is known of each, by column; nothing that is missing.
        """
        places = [(source, bisect_left(self.sources, source)) for source in sources]
        found = [
            (source, int(self.row[place]))
            for source, place in places
            if place < len(self.sources) and self.sources[place] == source
        ]
        taken = self.table.take(pa.array([row for _, row in found], pa.int64())).to_pylist()
        return {
            source: {name: value for name, value in row.items() if value not in (None, "")}
            for (source, _), row in zip(found, taken, strict=True)
        }


def _places(stems: pa.Array, names: pa.ChunkedArray, obsids: pa.ChunkedArray) -> np.ndarray:
    """Row of every stem, -1 for none: by the survey's name, or by a bare obsid."""
    by_name = pc.index_in(stems, value_set=names.combine_chunks())
    by_obsid = pc.index_in(stems, value_set=obsids.combine_chunks().cast(pa.string()))
    return pc.fill_null(pc.coalesce(by_name, by_obsid), -1).to_numpy().astype(np.int64)


def _stem(source: str) -> str:
    return printable(stem(source))


def _demand_unique(obsids: pa.ChunkedArray, path: Path) -> None:
    values, counts = np.unique(obsids.to_numpy(), return_counts=True)
    doubled = values[counts > 1]
    if len(doubled):
        raise DataError(
            f"{path}: {len(doubled)} obsids stand in more than one row, {doubled[0]} the first; "
            "spectra cannot be distinguished, remove one row of each"
        )

"""A catalogue that the user has as a file, joined to our stars."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from torchfit.crossmatch.join import Join, Line
from torchfit.crossmatch.matching import Matching, match_stars, why_none
from torchfit.crossmatch.shared_key import SharedKey
from torchfit.crossmatch.sky import SkyMatch, placed
from torchfit.crossmatch.user_table import TableSchema, UserRows
from torchfit.exceptions import ConfigError

logger = logging.getLogger(__name__)

_SAME_PLACE = 4
"""Decimals of degrees (0.4 arcsec) to which places of one star agree within a table."""

NO_FILE = "no file given"


@dataclass(frozen=True)
class ExternalCatalogue:
    """A table with something to say of our stars.

    A star is found by identifier, and if it has none, or is not in the table by it, by its place.

    Args:
        path: The table; ``None`` for none, which leaves the columns missing.
        table: What to read of it.
        key: Identifier; ``None`` for none.
        sky: Match by place; ``None`` for none.
        median: Whether several rows of one star become their median; otherwise the first counts.
        columns: Columns that are joined; the others serve to find and to cut.

    Raises:
        ConfigError: If there is no way to find a star.
    """

    path: str | None
    table: TableSchema
    columns: Sequence[str]
    key: SharedKey | None = None
    sky: SkyMatch | None = None
    median: bool = False

    def __post_init__(self) -> None:
        if self.key is None and self.sky is None:
            raise ConfigError(f"{self.path}: give a key or a sky match to find stars by")

    def check(self) -> None:
        """Look for the file and its columns, before hours of work that need them.

        Raises:
            DataError: If the file is not there, or a column is missing.
        """
        if self.path is not None:
            self.table.check(self._file())

    def needs(self) -> Sequence[str]:
        """Columns of our catalogue that stars are found by."""
        return ([] if self.key is None else [self.key.ours]) + ["ra", "dec"]

    def join(self, stars: pd.DataFrame) -> Join:
        """Find our stars in the table.

        Args:
            stars: Our catalogue.

        Returns:
            The columns for every star.

        Raises:
            DataError: If the table cannot be read, or has nothing to find stars by.
        """
        if self.path is None:
            return self._nothing(stars)
        rows = self.rows()
        theirs = self._one_row_per_star(rows.table) if self.median else rows.table
        matching = match_stars(self.key, self.sky, stars, theirs)
        why = "" if matching.found.any() else why_none(self.key, self.sky, stars, theirs)
        self._report(rows, matching, why)
        # Row -1, that of a star that was not found, is one that no table has.
        joined = theirs[list(self.columns)].reindex(matching.row).set_axis(stars.index)
        line: Line = {
            "rows": len(rows.table),
            "found": int(matching.found.sum()),
            "by identifier": int(matching.by_key.sum()),
            "by place": matching.n_by_place,
            "file": str(self.path),
        }
        return Join(self._filled(joined), matching.found, line)

    def rows(self) -> UserRows:
        """Rows of the table that pass its cuts.

        Raises:
            DataError: If the table cannot be read.
        """
        return self.table.read(self._file())

    def _file(self) -> Path:
        return Path(str(self.path)).expanduser()

    def _filled(self, columns: pd.DataFrame) -> pd.DataFrame:
        """Columns whose missing words are empty, and whose missing numbers are NaN."""
        texts = [name for name in self.columns if name in self.table.texts]
        return columns.assign(**{name: columns[name].fillna("") for name in texts})

    def _nothing(self, stars: pd.DataFrame) -> Join:
        counts: Line = {"rows": 0, "found": 0, "by identifier": 0, "by place": 0, "file": NO_FILE}
        empty = pd.DataFrame(np.nan, index=stars.index, columns=list(self.columns))
        return Join(self._filled(empty), np.zeros(len(stars), dtype=bool), counts)

    def _report(self, rows: UserRows, matching: Matching, why: str) -> None:
        """Say what was read, what was found, and if nothing was, why."""
        line = f"{self.path}: {rows.summary()}; {matching.summary()}"
        if why:
            logger.warning("%s: %s", line, why)
        else:
            logger.info("%s", line)
        for note in (*rows.notes, *matching.notes):
            logger.warning("%s: %s", self.path, note)

    def _one_row_per_star(self, theirs: pd.DataFrame) -> pd.DataFrame:
        """Medians of the numbers, and first words, of rows of one star."""
        groups = self._stars(theirs)
        how = {name: "median" if name in self.table.numbers else "first" for name in theirs}
        return theirs.groupby(groups, sort=False).agg(how).reset_index(drop=True)

    def _stars(self, theirs: pd.DataFrame) -> np.ndarray:
        """A name for the star of every row: its identifier, else its place, else the row."""
        names = np.arange(len(theirs)).astype(str).astype(object)
        if {"ra", "dec"} <= set(theirs):
            ra, dec = (theirs[name].round(_SAME_PLACE).astype(str) for name in ("ra", "dec"))
            names = np.where(placed(theirs), ra + " " + dec, names)
        if self.key is not None:
            keys = np.asarray(self.key.keys(theirs), dtype=object)
            names = np.where(keys != "", keys, names)
        return names

"""A table that the user has, in our words: columns, missing values, quality cuts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool

from torchfit.exceptions import ConfigError
from torchfit.files.table_file import as_numbers, as_texts, find_columns, read_columns


@dataclass(frozen=True)
class TableSchema:
    """What is wanted from a table, and what its makers call it.

    Args:
        numbers: Names that a column of numbers may have in the file, by what it is called here.
        texts: The same for identifiers and words.
        optional: Columns that need not be there.
        missing: Numbers that mean nothing is known.
        keep: Least and greatest value, by column, ``null`` for no limit; a row whose value is
            missing is dropped.
        without_bits: Bits that a row must not have, by column of whole numbers.

    Raises:
        ConfigError: If a cut names a column that is not read, or has not two ends.
    """

    numbers: Mapping[str, Sequence[str]]
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    optional: Sequence[str] = ()
    missing: Sequence[float] = (-9999.0, -9999.99, -999.0)
    keep: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    without_bits: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unread = {*self.keep, *self.without_bits} - set(self.numbers)
        if unread or any(len(ends) != 2 for ends in self.keep.values()):
            raise ConfigError(
                f"keep={dict(self.keep)} and without_bits={dict(self.without_bits)} must name "
                f"columns of numbers ({', '.join(self.numbers)}), keep with a low and a high end"
            )

    def check(self, path: Path) -> None:
        """Look whether the table is there and has the columns, without reading its rows.

        Args:
            path: The table.

        Raises:
            DataError: If it cannot be read, or a column is missing.
        """
        find_columns(path, {**self.numbers, **self.texts}, self.optional)

    def read(self, path: Path) -> pd.DataFrame:
        """Read the rows that pass the cuts.

        Args:
            path: The table.

        Returns:
            Float64 and text columns in our words; an optional column that is not there is
            missing in every row.

        Raises:
            DataError: If it cannot be read, or a column is missing.
        """
        found = read_columns(path, {**self.numbers, **self.texts}, self.optional)
        n_rows = len(next(iter(found.values())))
        absent = pd.Series([None] * n_rows, dtype=object)
        numbers = {name: as_numbers(found.get(name, absent), self.missing) for name in self.numbers}
        texts = {name: as_texts(found.get(name, absent)) for name in self.texts}
        table = pd.DataFrame({**numbers, **texts})
        return table[self._passes(table)].reset_index(drop=True)

    def _passes(self, table: pd.DataFrame) -> Bool[np.ndarray, " row"]:
        """Rows that pass the cuts."""
        passes = np.ones(len(table), dtype=bool)
        for name, (low, high) in self.keep.items():
            values = table[name].to_numpy()
            passes &= (values >= (-np.inf if low is None else low)) & (
                values <= (np.inf if high is None else high)
            )
        for name, bits in self.without_bits.items():
            values = table[name].fillna(0).to_numpy().astype(np.int64)
            passes &= (values & int(bits)) == 0
        return passes

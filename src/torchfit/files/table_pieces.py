"""What is done piece by piece with a table on disk, and at once with a data frame."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from torchfit.files.column_table import ColumnTable, Compute

Table = pd.DataFrame | ColumnTable
"""A table in memory or on disk: one column, a few columns, or pieces of it are read alike."""


def pieces_of(table: Table, names: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
    """Rows of a table in order, at least one piece; a data frame is one.

    Args:
        table: A table.
        names: Columns that are wanted; ``None`` for all.

    Yields:
        Some rows.
    """
    if isinstance(table, ColumnTable):
        yield from table.pieces(names)
    else:
        yield table if names is None else table[list(names)]


def with_computed(table: Table, names: Sequence[str], compute: Compute) -> Table:
    """A table with columns that are computed piece by piece.

    Args:
        table: A table.
        names: Columns that they are computed from.
        compute: What computes them.

    Returns:
        A new table.
    """
    if isinstance(table, ColumnTable):
        return table.computed(names, compute)
    return table.assign(**dict(compute(table[list(names)], slice(0, len(table)))))


def rows_of(table: Table, rows: Int[np.ndarray, " wanted"], names: Sequence[str]) -> pd.DataFrame:
    """A few rows of a table in memory, in the order asked for, with an index of their own.

    Args:
        table: A table.
        rows: Places of the rows.
        names: Columns that are wanted.
    """
    if isinstance(table, ColumnTable):
        return table.take(rows, names)
    return table[list(names)].iloc[rows].reset_index(drop=True)


def rows_where(table: Table, chosen: Bool[np.ndarray, " row"]) -> Table:
    """The table of some rows of a table.

    Args:
        table: A table.
        chosen: Which rows.
    """
    if isinstance(table, ColumnTable):
        return table.where(chosen)
    return table[chosen].reset_index(drop=True)

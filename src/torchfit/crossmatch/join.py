"""What a joined table adds to the stars, and what is to be said of it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from torchfit.files.table_pieces import Table

Line = dict[str, str | int | float]


@dataclass(frozen=True)
class Join:
    """Columns for our stars.

    Args:
        columns: One row per star, in the order of our catalogue; missing where nothing was found.
        found: Stars that were found.
        line: What was done, for log and report.
    """

    columns: pd.DataFrame
    found: np.ndarray
    line: Line


def add_columns(table: Table, join: Join) -> Table:
    """Put joined columns into a catalogue.

    A star that was not found keeps what it had, and an identifier stays where the table has none.

    Args:
        table: The catalogue.
        join: What was found for its stars.

    Returns:
        A new table.
    """
    added = {}
    for name in map(str, join.columns):
        values = join.columns[name].set_axis(table.index)
        if name in table:
            known = join.found & (values != "").to_numpy()
            values = table[name].mask(known, values)
        added[name] = values
    return table.assign(**added)

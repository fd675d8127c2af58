"""Anything that adds columns to the stars of a catalogue."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import pandas as pd

from torchfit.crossmatch.join import Join, Line, add_columns
from torchfit.files.table_pieces import Table


@runtime_checkable
class ColumnSource(Protocol):
    """A table, a map, or what else can be asked for our stars."""

    def check(self) -> None:
        """Look for the files, before hours of work that need them.

        Raises:
            DataError: If one is missing or of the wrong kind.
        """
        ...

    def needs(self) -> Sequence[str]:
        """Columns of our catalogue that :meth:`join` looks at, if they are there."""
        ...

    def join(self, stars: pd.DataFrame) -> Join:
        """Ask for our stars.

        Args:
            stars: Those columns of the catalogue so far: each source sees what those before it
                have added.

        Returns:
            Columns for every star.
        """
        ...


def join_all(table: Table, sources: Mapping[str, ColumnSource]) -> tuple[Table, list[Line]]:
    """Ask sources one after the other.

    Args:
        table: The catalogue.
        sources: What to ask, by name, in this order.

    Returns:
        The catalogue with all their columns, and one line per source.
    """
    lines: list[Line] = []
    for name, source in sources.items():
        join = source.join(needed(table, source))
        table = add_columns(table, join)
        lines.append({"catalogue": name, **join.line})
    return table, lines


def needed(table: Table, source: ColumnSource) -> pd.DataFrame:
    """The columns of a catalogue that a source looks at, in memory."""
    return table[[name for name in dict.fromkeys(source.needs()) if name in table]]

"""What writes the files a user gets, each to the path it is called with."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from torchfit.catalogue.plain_cells import plain_cells
from torchfit.catalogue.schema import Column
from torchfit.exceptions import CatalogueError

REJECT_COLUMNS = ("source", "reason")
"""Columns of the table of spectra that could not be used."""

Writer = Callable[[Path], object]
"""Writes one file or folder to the path it is called with."""


def rejects_writer(rejects: pd.DataFrame) -> Writer:
    """What writes the table of spectra that could not be used.

    Args:
        rejects: Columns ``source`` and ``reason``; may have no row.

    Returns:
        A writer of a CSV file.

    Raises:
        CatalogueError: If a column is missing.
    """
    missing = [name for name in REJECT_COLUMNS if name not in rejects.columns]
    if missing:
        raise CatalogueError(f"the rejects table has no column {missing}")
    return partial(_write_csv, table=rejects[list(REJECT_COLUMNS)])


def columns_writer(schema: Sequence[Column]) -> Writer:
    """What writes the columns of a catalogue, for formats without room for units.

    Args:
        schema: The columns.

    Returns:
        A writer of a CSV file: ``name unit type description ucd paper``.
    """
    lines = [
        {
            "name": column.name,
            "unit": column.unit,
            "type": column.dtype,
            "description": column.text,
            "ucd": column.ucd,
            "paper": column.paper,
        }
        for column in schema
    ]
    return partial(_write_csv, table=pd.DataFrame(lines))


def text_writer(text: str) -> Writer:
    """What writes a text in UTF-8."""
    return partial(Path.write_text, data=text, encoding="utf-8")


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    plain_cells(table).to_csv(path, index=False, lineterminator="\n", encoding="utf-8")

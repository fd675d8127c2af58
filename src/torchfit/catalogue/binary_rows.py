"""Rows as the bytes that FITS and VOTable share: big-endian cells, some rows at a time."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from torchfit.catalogue.schema import Column
from torchfit.files.table_pieces import Table, pieces_of
from torchfit.spectra import slices

NULL = -9999
"""An integer that is missing."""

_NUMBERS = {"int64": ">i8", "Int64": ">i8", "float64": ">f8", "float32": ">f4", "bool": "S1"}
_ROWS_AT_ONCE = 30_000

Field = tuple[str, str] | tuple[str, str, tuple[int]]
"""Name, type and shape of a cell."""


def binary_rows(
    table: Table,
    schema: Sequence[Column],
    text_field: Callable[[Column], Field],
    text_cells: Callable[[pd.Series, Column], np.ndarray],
    first: Sequence[Field] = (),
) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Make the rows of a binary table, by whole columns and a piece at a time.

    Numbers are big-endian, a missing integer is :data:`NULL`, a truth value is T or F.

    Args:
        table: The result table.
        schema: Its columns.
        text_field: The cell of a column of texts.
        text_cells: The texts of a column as such cells.
        first: Fields before those of the columns, left zero.

    Yields:
        Some rows of the table, and what stands for them.
    """
    fields = [
        text_field(column) if column.dtype == "str" else (column.name, _NUMBERS[column.dtype])
        for column in schema
    ]
    layout = np.dtype([*first, *fields])
    names = [column.name for column in schema]
    whole = pieces_of(table, names)
    for piece in (each.iloc[some] for each in whole for some in slices(len(each), _ROWS_AT_ONCE)):
        rows = np.zeros(len(piece), layout)
        for column in schema:
            values = piece[column.name]
            is_text = column.dtype == "str"
            rows[column.name] = text_cells(values, column) if is_text else _cells(values, column)
        yield piece, rows


def longest_texts(
    table: Table, schema: Sequence[Column], length: Callable[[str], int]
) -> dict[str, int]:
    """Length of the longest text of every column of texts.

    Args:
        table: The result table.
        schema: Its columns.
        length: What a text takes.

    Returns:
        Lengths by column; 0 without a row.
    """
    longest = {column.name: 0 for column in schema if column.dtype == "str"}
    for piece in pieces_of(table, list(longest)):
        for name, known in longest.items():
            longest[name] = max(known, max(map(length, piece[name].unique()), default=0))
    return longest


def _cells(values: pd.Series, column: Column) -> np.ndarray:
    if column.dtype == "Int64":
        return values.to_numpy(dtype=np.int64, na_value=NULL)
    if column.dtype == "bool":
        return np.where(values.to_numpy(), b"T", b"F")
    return values.to_numpy()

"""The rows of a table whose cells may hold arrays: FITS, Parquet, CSV, ECSV, VOTable."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import astropy.table as at
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from torchfit.exceptions import DataError, SpectrumError
from torchfit.files.cells import Numbers, as_numbers, as_texts
from torchfit.files.fits_stream import demand_possible_sizes, find_tables, open_table
from torchfit.files.fits_table import TableLayout
from torchfit.files.packed import open_packed
from torchfit.files.table_file import one_clear_error
from torchfit.files.table_kind import table_kind

_AT_ONCE = 256
_HEAD = 16 << 10
_AROUND = "[]() \t"
_TRUE = ("true", "t")
_LOGICAL = (*_TRUE, "false", "f", "")
"""Logical values in small letters; FITS has a byte each, and none for what is not known."""
_BETWEEN = re.compile(r"[\s,;\[\]()]+")
Row = Mapping[str, object]
Read = Callable[[Path, Mapping[str, str]], Iterator[Row]]


def rows_of(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    """Read the rows of a table, a few at a time where its format allows that.

    Args:
        path: The table: FITS, Parquet, CSV, ECSV or VOTable.
        columns: Names of the wanted columns by what they hold.

    Yields:
        The cells of a row by what they hold.

    Raises:
        DataError: If the table cannot be read, or lacks a column.
    """
    if not path.is_file():
        raise DataError(f"no such table: {path}")
    with one_clear_error(path):
        with open_packed(path, lambda _: None) as stream:
            kind = table_kind(path, stream.read(_HEAD))
        if kind not in _READ:
            raise DataError(f"{path}: no arrays in a table of kind {kind}; save it as FITS")
        yield from _READ[kind](path, columns)


def _of_fits(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    number, _ = next(find_tables(path), (1, None))
    names = {key: name.upper() for key, name in columns.items()}
    with open_table(path, number) as table:
        _demand(names, table.layout.names, path)
        if not table.layout.variable.keys().isdisjoint(names.values()):
            # The arrays lie behind all rows.
            yield from _of_heap(path, number, names)
            return
        for block in table.blocks():
            values = {key: _of_column(table.layout, block, name) for key, name in names.items()}
            for row in range(len(block)):
                yield {key: _unmasked(column[row]) for key, column in values.items()}


def _of_column(layout: TableLayout, block: np.ndarray, name: str) -> np.ndarray:
    """Values of a column, masked where it has the number that stands for nothing (TNULL)."""
    values, null = layout.values(block, name), layout.nulls.get(name)
    return values if null is None else np.ma.masked_array(values, block[name] == null)


def _of_heap(path: Path, number: int, names: Mapping[str, str]) -> Iterator[Row]:
    """Rows of a FITS table with arrays of variable length, which is read whole."""
    demand_possible_sizes(path)
    table = at.Table.read(path, format="fits", hdu=number)
    spelt = {name.upper(): name for name in table.colnames}
    for row in table:
        yield {key: _unmasked(row[spelt[name]]) for key, name in names.items()}


def _of_parquet(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    with pq.ParquetFile(path) as file:
        _demand(columns, file.schema_arrow.names, path)
        for batch in file.iter_batches(_AT_ONCE, columns=list(columns.values())):
            cells = {key: batch[name].to_pylist() for key, name in columns.items()}
            yield from ({key: v[row] for key, v in cells.items()} for row in range(len(batch)))


def _of_csv(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    # Without an index: of rows that end in a comma the first cell would be taken for it.
    with pd.read_csv(
        path, dtype=str, keep_default_na=False, chunksize=_AT_ONCE, index_col=False
    ) as pieces:
        for piece in pieces:
            _demand(columns, [str(name) for name in piece.columns], path)
            for row in piece.to_dict("records"):
                yield {key: row[name] for key, name in columns.items()}


def _demand(columns: Mapping[str, str], names: Sequence[str], path: Path) -> None:
    if missing := [name for name in columns.values() if name not in names]:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; the table has {', '.join(names)}: name "
            "those, and null for what is not there"
        )


def _of_astropy(format: str) -> Read:
    """What reads a format that astropy reads as a whole."""

    def read(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
        """Read the table whole, and give its rows."""
        table = at.Table.read(path, format=format)
        _demand(columns, table.colnames, path)
        for row in table:
            yield {key: _unmasked(row[name]) for key, name in columns.items()}

    return read


def _unmasked(cell: object) -> object:
    """A cell of astropy's; NaN or nothing where it is masked."""
    if isinstance(cell, np.ma.MaskedArray) and cell.ndim:
        return np.where(np.ma.getmaskarray(cell), np.nan, np.asarray(cell.data, dtype=np.float64))
    return None if np.ma.is_masked(cell) else cell


_READ: Mapping[str, Read] = {
    "fits": _of_fits,
    "parquet": _of_parquet,
    "text": _of_csv,
    "ecsv": _of_astropy("ascii.ecsv"),
    "votable": _of_astropy("votable"),
}


def array_of(cell: object) -> np.ndarray | None:
    """Numbers of a cell; NaN for what is missing or none, 1 for true, ``None`` for an empty cell.

    Raises:
        SpectrumError: If it holds no numbers.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip(_AROUND)):
        return None
    values = _BETWEEN.split(cell.strip(_AROUND)) if isinstance(cell, str) else cell
    array = np.atleast_1d(np.asarray(values))
    if array.dtype.kind in "SU":
        return _of_words(array.astype("U"))
    try:
        return array.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise SpectrumError(f"a cell holds no row of numbers ({str(error)[:60]})") from error


def _of_words(words: np.ndarray) -> np.ndarray:
    """Numbers of texts; of logical values 1 and 0."""
    lower = np.char.lower(words)
    if np.isin(lower, _LOGICAL).all():
        return np.isin(lower, _TRUE).astype(np.float64)
    if "..." in words:  # How numpy prints long arrays; among texts it is a word for nothing.
        raise SpectrumError("a cell holds no row of numbers ('...' is none: write all of them)")
    maker = Numbers("a cell")
    numbers = maker.take(pa.chunked_array([pa.array(words.tolist())]))
    if maker.n_lost:
        raise SpectrumError(f"a cell holds no row of numbers ({maker.example!r} is none)")
    return numbers


def number_of(row: Row, key: str) -> float:
    """Number of a cell; NaN if there is none."""
    cell = row.get(key)
    if isinstance(cell, int | float | np.number):
        return float(cell)
    try:
        return float(as_numbers(_alone(cell))[0])
    except pa.ArrowException:
        return np.nan


def text_of(row: Row, key: str) -> str:
    """Text of a cell, plain digits of a whole number; empty if there is none, or a word for that.

    As :class:`torchfit.files.cells.Texts` has it: an identifier that was made a float is empty.
    """
    cell = row.get(key)
    if isinstance(cell, int | np.integer):
        return str(int(cell))
    try:
        return str(as_texts(_alone(cell))[0])
    except pa.ArrowException:
        return ""


def _alone(cell: object) -> pa.ChunkedArray:
    return pa.chunked_array(
        [pa.array([cell.decode("latin-1") if isinstance(cell, bytes) else cell])]
    )

"""A table that the user has, in our words: columns, missing values, quality cuts."""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Bool

from torchfit.exceptions import ConfigError
from torchfit.files.angles import Angles
from torchfit.files.cells import Numbers, Texts
from torchfit.files.table_file import TableFile, find_columns

_PLACE = ("ra", "dec")


@dataclass(frozen=True)
class UserRows:
    """Rows of a table.

    Args:
        table: Those that pass the cuts, in our words.
        n_read: Number of rows in the file.
        columns: What the columns that were read are called in the file, and how they are written.
        kind: Format of the file.
        notes: What else must be said of it.
    """

    table: pd.DataFrame
    n_read: int
    columns: Mapping[str, str]
    kind: str
    notes: Sequence[str]

    def summary(self) -> str:
        """One line of what was read."""
        cut = "" if len(self.table) == self.n_read else f", {len(self.table)} within the cuts"
        names = ", ".join(f"{here} = {name}" for here, name in self.columns.items())
        return f"{self.kind}, {self.n_read} rows{cut}, columns {names}"


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
        encoding: What a text is encoded in, by its Python name; ``None`` to find out.

    Raises:
        ConfigError: If a cut names a column that is not read, or has not two ends, or the encoding
            is unknown.
    """

    numbers: Mapping[str, Sequence[str]]
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    optional: Sequence[str] = ()
    missing: Sequence[float] = (-9999.0, -9999.99, -999.0)
    keep: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    without_bits: Mapping[str, int] = field(default_factory=dict)
    encoding: str | None = None

    def __post_init__(self) -> None:
        _demand_encoding(self.encoding)
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
        self._find(path)

    def read(self, path: Path) -> UserRows:
        """Read the rows that pass the cuts, some at a time.

        Args:
            path: The table.

        Returns:
            Float64 and text columns in our words, places in degrees; an optional column that is
            not there is missing in every row.

        Raises:
            DataError: If it cannot be read, or a column is missing.
        """
        file = self._find(path)
        makers = {name: self._maker(name, file) for name in (*self.numbers, *self.texts)}
        tables = [_table(makers, {}, 0)]
        n_read = 0
        for piece in file.pieces():
            n_rows = len(next(iter(piece.values())))
            table = _table(makers, piece, n_rows)
            tables.append(table[self._passes(table)])
            n_read += n_rows
        table = pd.concat(tables[1:] or tables, ignore_index=True)
        for name, maker in makers.items():
            if isinstance(maker, Angles):
                marks = table.pop(_mark(name)).to_numpy()
                table[name] = maker.degrees(table[name].to_numpy(), marks)
        notes = [note for maker in makers.values() for note in maker.notes()]
        columns = {
            here: f"{name} ({remark})" if (remark := makers[here].remark()) else name
            for here, name in file.columns.items()
        }
        return UserRows(table, n_read, columns, file.table.kind, [*file.notes, *notes])

    def _find(self, path: Path) -> TableFile:
        wanted = {**self.numbers, **self.texts}
        return find_columns(path, wanted, self.optional, self.encoding)

    def _maker(self, name: str, file: TableFile) -> Numbers | Texts:
        """What makes our values of the cells of a column."""
        called = file.columns.get(name, name)
        if name in self.texts:
            return Texts(called)
        comma = file.table.decimal_comma
        if name in _PLACE:
            return Angles(called, self.missing, comma, unit=file.unit(name), hours=name == "ra")
        return Numbers(called, self.missing, comma)

    def _passes(self, table: pd.DataFrame) -> Bool[np.ndarray, " row"]:
        """Rows that pass the cuts."""
        passes = np.ones(len(table), dtype=bool)
        for name, (low, high) in self.keep.items():
            values = table[name].to_numpy()
            passes &= (values >= (-np.inf if low is None else low)) & (
                values <= (np.inf if high is None else high)
            )
        for name, bits in self.without_bits.items():
            values = _whole(table[name].to_numpy())
            passes &= (values & int(bits)) == 0
        return passes


def _demand_encoding(encoding: str | None) -> None:
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError as error:
        raise ConfigError(
            f"encoding={encoding}: Python knows no such encoding; usual ones are utf-8, latin-1, "
            "utf-16, gb18030"
        ) from error


def _table(
    makers: Mapping[str, Numbers | Texts], piece: Mapping[str, pa.ChunkedArray], n_rows: int
) -> pd.DataFrame:
    """Our values of some rows, and which angles of them are sexagesimal."""
    nothing = pa.chunked_array([pa.nulls(n_rows, pa.string())])
    columns = {}
    for name, maker in makers.items():
        columns[name] = maker.take(piece.get(name, nothing))
        if isinstance(maker, Angles):
            columns[_mark(name)] = maker.sexagesimal
    return pd.DataFrame(columns)


def _mark(name: str) -> str:
    return f"{name} is sexagesimal"


def _whole(values: np.ndarray) -> np.ndarray:
    """Integers of floats; what is none, or has no place in 64 bits, is zero."""
    fits = np.abs(np.nan_to_num(values, nan=0.0)) < 2.0**63
    return np.where(fits, np.nan_to_num(values, nan=0.0), 0.0).astype(np.int64)

"""Binary tables of FITS files: what their headers say, and how to read it in their rows."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from torchfit.exceptions import DataError
from torchfit.files.fits_header import MAX_AXES, FitsHeader

_FORMATS = {
    "L": "S1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "C": ">c8",
    "M": ">c16", "P": ">i4", "Q": ">i8",
}  # fmt: skip
"""numpy types by the letter of a TFORM; A and X are made from their counts."""
_POINTER = re.compile(r"1?[PQ]([BIJKED])")
"""Formats of numeric arrays of variable length."""


@dataclass(frozen=True)
class TableLayout:
    """What the header of a binary table says.

    Args:
        extname: Name of the extension, empty when it has none.
        n_rows: Number of rows.
        dtype: One row as it lies in the file, big-endian, fields by upper-case name.
        scales: Factor and offset (TSCAL, TZERO) of the columns that have them.
        variable: numpy types of the columns that hold arrays of variable length; a row has their
            length and their place in the heap.
        heap: Where the heap starts, counted from the first row.
        nulls: The integer that stands for nothing (TNULL), of the columns that have one.
    """

    extname: str
    n_rows: int
    dtype: np.dtype
    scales: dict[str, tuple[float, float]]
    variable: dict[str, str] = field(default_factory=dict)
    heap: int = 0
    nulls: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, header: FitsHeader, exact: bool = False) -> "TableLayout":
        """Read a header.

        Args:
            header: Of a binary table.
            exact: Whether fields keep the case of their names, by which two may differ.

        Raises:
            DataError: If it is of another unit, or contradicts itself.
        """
        if header.text("XTENSION") != "BINTABLE":
            raise DataError("the unit is no binary table")
        if not 0 <= header.whole("TFIELDS") <= MAX_AXES:
            raise DataError(f"TFIELDS must lie within 0 and {MAX_AXES}")
        numbers = range(1, header.whole("TFIELDS") + 1)
        spellings = [header.text(f"TTYPE{number}") for number in numbers]
        names = spellings if exact else [name.upper() for name in spellings]
        if len(set(names)) < len(names):
            doubled = [name for name in spellings if _alike(name, spellings, exact) > 1]
            raise DataError(f"two columns have one name: {', '.join(doubled)}")
        formats = [header.text(f"TFORM{number}") for number in numbers]
        n_rows, dtype = _row_type(header, names, formats)
        scales = {
            name: (_or(header.number(f"TSCAL{n}"), 1.0), _or(header.number(f"TZERO{n}"), 0.0))
            for n, name in zip(numbers, names, strict=True)
            if f"TSCAL{n}" in header or f"TZERO{n}" in header
        }
        pointers = {name: _POINTER.match(text) for name, text in zip(names, formats, strict=True)}
        variable = {name: _FORMATS[match[1]] for name, match in pointers.items() if match}
        heap = header.whole("THEAP", n_rows * dtype.itemsize)
        nulls = {
            name: header.whole(f"TNULL{n}")
            for n, name in zip(numbers, names, strict=True)
            if f"TNULL{n}" in header
        }
        return cls(header.text("EXTNAME"), n_rows, dtype, scales, variable, heap, nulls)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in upper case unless exact ones were asked for."""
        return self.dtype.names or ()

    def demand(self, columns: Collection[str], path: Path) -> None:
        """Demand that columns are there.

        Args:
            columns: Names in upper case.
            path: File to name in the error.

        Raises:
            DataError: If one is missing; the message lists what was found.
        """
        missing = sorted(set(columns) - set(self.names))
        if missing:
            raise DataError(
                f"{path}: no column {', '.join(missing)}; the table has {', '.join(self.names)}"
            )

    def values(self, rows: np.ndarray | np.void, column: str) -> np.ndarray:
        """A column of decoded rows, scaled, in the byte order of this machine.

        Args:
            rows: Rows of :attr:`dtype`.
            column: Name in upper case.

        Returns:
            The values as the file has them, strings as bytes without padding.
        """
        return self.scaled(rows[column], column)

    def scaled(self, values: np.ndarray, column: str) -> np.ndarray:
        """Values as they lie in the file, scaled, in the byte order of this machine.

        Args:
            values: Some of a column.
            column: Its name in upper case.

        Returns:
            The values; strings as bytes without padding.
        """
        if column in self.scales and values.dtype.kind in "fiu":
            factor, offset = self.scales[column]
            whole = values.dtype.kind in "iu" and factor == 1 and float(offset).is_integer()
            if whole and offset == 2.0**63:  # How FITS has unsigned integers of 64 bits.
                return values.astype(np.int64).view(np.uint64) ^ np.uint64(1 << 63)
            return values.astype(np.int64) + int(offset) if whole else values * factor + offset
        if values.dtype.kind == "S":
            return np.char.rstrip(values)
        return values.astype(values.dtype.newbyteorder("="))


def _alike(name: str, names: Sequence[str], exact: bool) -> int:
    return sum(each == name if exact else each.upper() == name.upper() for each in names)


def _row_type(
    header: FitsHeader, names: Sequence[str], formats: Sequence[str]
) -> tuple[int, np.dtype]:
    """Number of rows, and the type of one."""
    if len(header.shape) != 2:
        raise DataError(f"a table has rows of bytes, this one {len(header.shape)} axes")
    n_rows, size = header.shape
    forms = [_format(text) for text in formats]
    wanted = sum(np.dtype(base).itemsize * math.prod(shape) for base, shape in forms)
    if wanted != size or size == 0:
        raise DataError(f"a row has {size} bytes, its columns {wanted}")
    return n_rows, np.dtype([(name, *form) for name, form in zip(names, forms, strict=True)])


def _format(text: str) -> tuple[str, tuple[int, ...]]:
    """The numpy type and shape of a TFORM: ``25A``, ``J``, ``4563E``."""
    match = re.match(r"(\d*)([A-Z])", text)
    if match is None or match[2] not in {*_FORMATS, "A", "X"}:
        raise DataError(f"unknown column format {text!r}")
    count = int(match[1] or 1)
    if match[2] == "A":
        return f"S{count}", ()
    if match[2] == "X":
        return "u1", (-(-count // 8),)
    count *= 2 if match[2] in "PQ" else 1
    return _FORMATS[match[2]], () if count == 1 else (count,)


def _or(value: float, default: float) -> float:
    return default if np.isnan(value) else value

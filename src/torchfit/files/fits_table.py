"""Binary tables of FITS files: what their headers say, and how to read it in their rows."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from torchfit.exceptions import DataError
from torchfit.files.fits_header import FitsHeader

_FORMATS = {
    "L": "S1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "C": ">c8",
    "M": ">c16", "P": ">i4", "Q": ">i8",
}  # fmt: skip
"""numpy types by the letter of a TFORM; A and X are made from their counts."""


@dataclass(frozen=True)
class TableLayout:
    """What the header of a binary table says.

    Args:
        extname: Name of the extension, empty when it has none.
        n_rows: Number of rows.
        dtype: One row as it lies in the file, big-endian, fields by upper-case name.
        scales: Factor and offset (TSCAL, TZERO) of the columns that have them.
    """

    extname: str
    n_rows: int
    dtype: np.dtype
    scales: dict[str, tuple[float, float]]

    @classmethod
    def of(cls, header: FitsHeader) -> "TableLayout":
        """Read a header.

        Args:
            header: Of a binary table.

        Raises:
            DataError: If it is of another unit, or contradicts itself.
        """
        if header.text("XTENSION") != "BINTABLE":
            raise DataError("the unit is no binary table")
        numbers = range(1, header.whole("TFIELDS") + 1)
        names = [header.text(f"TTYPE{number}").upper() for number in numbers]
        if len(set(names)) < len(names):
            raise DataError(f"two columns have one name: {', '.join(sorted(names))}")
        formats = [_format(header.text(f"TFORM{number}")) for number in numbers]
        dtype = np.dtype([(name, *form) for name, form in zip(names, formats, strict=True)])
        if len(header.shape) != 2:
            raise DataError(f"a table has rows of bytes, this one {len(header.shape)} axes")
        n_rows, size = header.shape
        if dtype.itemsize != size:
            raise DataError(f"a row has {size} bytes, its columns {dtype.itemsize}")
        scales = {
            name: (_or(header.number(f"TSCAL{n}"), 1.0), _or(header.number(f"TZERO{n}"), 0.0))
            for n, name in zip(numbers, names, strict=True)
            if f"TSCAL{n}" in header or f"TZERO{n}" in header
        }
        return cls(header.text("EXTNAME"), n_rows, dtype, scales)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in upper case."""
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
        values = rows[column]
        if column in self.scales:
            factor, offset = self.scales[column]
            whole = values.dtype.kind in "iu" and factor == 1 and offset == int(offset)
            return values.astype(np.int64) + int(offset) if whole else values * factor + offset
        if values.dtype.kind == "S":
            return np.char.rstrip(values)
        return values.astype(values.dtype.newbyteorder("="))


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

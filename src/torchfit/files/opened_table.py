"""A table that is open: what its columns are called, and how to read them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from torchfit.exceptions import DataError

Pieces = Callable[[Sequence[int]], Iterator[pa.Table]]
"""Reads the columns of some places, some rows at a time; a column is called by its place."""


@dataclass(frozen=True)
class OpenedTable:
    """One table of a file.

    Args:
        names: Names of its columns.
        units: Their units; empty where there is none.
        pieces: What reads some of them.
        notes: What a reader must know; more of them may come while it is read.
        aliases: Other names of the columns, as VOTables have them.
        decimal_comma: Whether a comma in a number can only be the decimal one.
        kind: Its format, for the terminal.
    """

    names: Sequence[str]
    units: Sequence[str]
    pieces: Pieces
    notes: list[str] = field(default_factory=list)
    aliases: Sequence[str] = ()
    decimal_comma: bool = False
    kind: str = ""


def arrow_column(values: np.ndarray, mask: np.ndarray | None = None) -> pa.Array:
    """Make an Arrow array of one value a row.

    Args:
        values: One of any type that FITS or VOTable has.
        mask: True where nothing is known.

    Raises:
        DataError: If there is more than one value in a row.
    """
    if values.ndim > 1:
        raise DataError(f"a column holds {values.shape[1:]} values in every row")
    if values.dtype.kind == "S":
        return _of_bytes(values, mask)
    if values.dtype.kind in "OU":
        texts = [_text(value) for value in values]
        return pa.array(texts, pa.string(), mask=mask)
    return pa.array(values.astype(values.dtype.newbyteorder("=")), mask=mask)


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode()


def _of_bytes(values: np.ndarray, mask: np.ndarray | None) -> pa.Array:
    try:
        return pa.array(values, pa.binary(), mask=mask).cast(pa.string())
    except pa.ArrowInvalid:
        texts = np.char.decode(values, "latin-1").astype(object)
        return pa.array(texts, pa.string(), mask=mask)

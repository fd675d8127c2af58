"""The catalogue as a VOTable, with units, descriptions, UCDs, nulls and provenance."""

import io
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import astropy.table as at
import numpy as np
import pandas as pd
from astropy.io.votable import from_table
from astropy.io.votable.tree import Info
from jaxtyping import UInt8, UInt32

from torchfit.catalogue.binary_rows import NULL, Field, binary_rows, longest_texts
from torchfit.catalogue.schema import Column
from torchfit.files.table_pieces import Table

_OPENING = b'<DATA>\n<BINARY2>\n<STREAM encoding="base64">\n'
_CLOSING = b"</STREAM>\n</BINARY2>\n</DATA>\n"
_LINE = 76


def write_votable(
    path: Path, table: Table, schema: Sequence[Column], provenance: Mapping[str, str]
) -> None:
    """Write the catalogue as a VOTable in its binary serialisation, which TOPCAT and Aladin read.

    The standard of units knows no ``dex``: such a column has none, and its description says so.
    astropy writes the head; the rows are packed here by whole columns, as astropy's own loop over
    cells takes hours for a million stars.

    Args:
        path: File to write.
        table: The result table.
        schema: Its columns.
        provenance: How the table came about; every entry becomes an ``INFO``.

    References:
        Ochsenbein et al. 2019, VOTable 1.4, section 5.4: the layout of BINARY2.
    """
    longest = longest_texts(table, schema, len)
    # A field of length 1 is deprecated.
    widths = {name: max(2, length) for name, length in longest.items()}
    before, after = _frame(schema, widths, provenance)
    with path.open("wb") as file:
        file.write(before)
        for piece in _encoded(_rows(table, schema, widths)):
            file.write(piece)
        file.write(after)


def _frame(
    schema: Sequence[Column], widths: Mapping[str, int], provenance: Mapping[str, str]
) -> tuple[bytes, bytes]:
    """What stands before and after the rows: the document of a table without any."""
    columns = [_empty(column, widths) for column in schema]
    tree = from_table(at.Table(columns), table_id="catalogue")
    tree.version = "1.4"
    tree.infos.extend(_info(name, value) for name, value in provenance.items())
    for field, column in zip(tree.get_first_table().fields, schema, strict=True):
        field.ucd = column.ucd or None
        field.description = _description(column)
        if column.dtype == "Int64":
            field.values.null = NULL
        if column.dtype == "bool":
            field.datatype = "boolean"
    buffer = io.BytesIO()
    tree.to_xml(buffer)
    head, end, rest = buffer.getvalue().partition(b"</TABLE>")
    return head + _OPENING, _CLOSING + end + rest


def _info(name: str, value: str) -> Info:
    """An entry of the provenance; XML would turn its line ends into blanks."""
    return Info(name=name, value=value.encode("unicode_escape").decode())


def _empty(column: Column, widths: Mapping[str, int]) -> at.Column:
    unit = None if "dex" in column.unit else column.unit or None
    if column.dtype == "Int64":
        return at.MaskedColumn([], column.name, dtype="int64", unit=unit)
    kind = f"U{widths[column.name]}" if column.dtype == "str" else column.dtype
    return at.Column([], column.name, dtype=kind, unit=unit)


def _description(column: Column) -> str:
    return f"{column.text} ({column.unit})" if "dex" in column.unit else column.text


def _rows(table: Table, schema: Sequence[Column], widths: Mapping[str, int]) -> Iterator[bytes]:
    """The rows in binary, some at a time: a bit per cell that says null, then the cells."""

    def field(column: Column) -> Field:
        """Name, numpy type and shape of a text column."""
        return column.name, ">u2", (widths[column.name],)

    def cells(values: pd.Series, column: Column) -> np.ndarray:
        """Texts as code points, padded with zeros."""
        return _code_points(values, widths[column.name])

    null = ("null", "u1", (-(-len(schema) // 8),))
    for piece, rows in binary_rows(table, schema, field, cells, [null]):
        rows["null"] = _nulls(piece, schema)
        yield rows.tobytes()


def _nulls(table: pd.DataFrame, schema: Sequence[Column]) -> UInt8[np.ndarray, "row byte"]:
    """Bits of the cells that are missing; NaN is a number of its own, a text is at least empty."""
    cells = [
        table[column.name].isna().to_numpy()
        if column.dtype == "Int64"
        else np.zeros(len(table), dtype=bool)
        for column in schema
    ]
    return np.packbits(np.column_stack(cells), axis=1)


def _code_points(values: pd.Series, width: int) -> UInt32[np.ndarray, "row character"]:
    points = values.to_numpy(dtype=f"U{width}").view(np.uint32).reshape(-1, width)
    # Beyond the two bytes of a character there is no star's name.
    return np.where(points > 0xFFFF, ord("?"), points)


def _encoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Base64 in lines, whatever the lengths of the pieces."""
    step, rest = _LINE // 4 * 3, b""
    for piece in pieces:
        rest += piece
        whole = len(rest) // step * step
        yield _lines(rest[:whole])
        rest = rest[whole:]
    yield _lines(rest)


def _lines(raw: bytes) -> bytes:
    coded = b64encode(raw)
    return b"".join(coded[low : low + _LINE] + b"\n" for low in range(0, len(coded), _LINE))

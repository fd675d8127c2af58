"""The catalogue as a FITS binary table, with units, descriptions, nulls and provenance."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from jaxtyping import UInt8

from torchfit.catalogue.binary_rows import NULL, Field, binary_rows, longest_texts
from torchfit.catalogue.description import astropy_yaml
from torchfit.catalogue.schema import Column
from torchfit.files.table_pieces import Table

_FORMATS = {"int64": "K", "Int64": "K", "float64": "D", "float32": "E", "bool": "L"}
_COMMENT_WIDTH = 70


def write_fits(
    path: Path, table: Table, schema: Sequence[Column], provenance: Mapping[str, str]
) -> None:
    """Write the catalogue as FITS.

    Units are in TUNIT, descriptions in TCOMM, UCDs in TUCD (both for TOPCAT) and descriptions in
    astropy's comment block too, a missing integer is TNULL, and ``PROV1 ...`` hold the provenance
    as ``key = value``. Text outside ASCII is escaped with a backslash, as FITS has only ASCII.

    Args:
        path: File to write.
        table: The result table.
        schema: Its columns.
        provenance: How the table came about.
    """
    longest = longest_texts(table, schema, lambda text: len(_ascii(text)))
    widths = {name: max(1, length) for name, length in longest.items()}
    header = _header(schema, widths, provenance)
    header["NAXIS2"] = len(table)
    # Row by row of a streaming HDU: the table of astropy needs several times its own memory.
    stream = fits.StreamingHDU(path, header)
    for rows in _rows(table, schema, widths):
        stream.write(rows)
    stream.close()


def _header(
    schema: Sequence[Column], widths: Mapping[str, int], provenance: Mapping[str, str]
) -> fits.Header:
    """Header of a table without rows."""
    fields = [_field(column, widths) for column in schema]
    header = fits.BinTableHDU.from_columns(fields, name="CATALOGUE").header
    for number, column in enumerate(schema, start=1):
        header[f"TCOMM{number}"] = column.text
        if column.ucd:
            header[f"TUCD{number}"] = column.ucd
    for number, (key, value) in enumerate(provenance.items(), start=1):
        header[f"PROV{number}"] = f"{key} = {value}".encode("unicode_escape").decode()
    for line in _comment_block(astropy_yaml(schema, {"__serialized_columns__": {}})):
        header.add_comment(line)
    return header


def _field(column: Column, widths: Mapping[str, int]) -> fits.Column:
    layout = _FORMATS.get(column.dtype) or f"{widths[column.name]}A"
    null = NULL if column.dtype == "Int64" else None
    return fits.Column(column.name, layout, unit=column.unit or None, null=null)


def _rows(
    table: Table, schema: Sequence[Column], widths: Mapping[str, int]
) -> Iterator[UInt8[np.ndarray, " byte"]]:
    def field(column: Column) -> Field:
        """Name and numpy type of a text column."""
        return column.name, f"S{widths[column.name]}"

    def cells(values: pd.Series, column: Column) -> np.ndarray:
        """Texts as ASCII, padded with NULs."""
        return np.array([_ascii(text) for text in values], dtype=f"S{widths[column.name]}")

    for _, rows in binary_rows(table, schema, field, cells):
        yield rows.view(np.uint8)


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "backslashreplace")


def _comment_block(lines: Sequence[str]) -> list[str]:
    """The comment cards between astropy's two sentinels; a backslash continues a long line."""
    begin, end = (f"--{word}-ASTROPY-SERIALIZED-COLUMNS--" for word in ("BEGIN", "END"))
    return [begin, *(card for line in lines for card in _split(line)), end]


def _split(line: str) -> list[str]:
    starts = range(0, max(1, len(line)), _COMMENT_WIDTH)
    pieces = [line[start : start + _COMMENT_WIDTH] for start in starts]
    return [f"{piece}\\" for piece in pieces[:-1]] + pieces[-1:]

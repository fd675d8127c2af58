"""The catalogue as a FITS binary table, with units, descriptions, nulls and provenance."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from torchfit.catalogue.description import astropy_yaml
from torchfit.catalogue.schema import Column

NULL = -9999
"""TNULL of an integer that may be missing."""

_FORMATS = {"int64": "K", "Int64": "K", "float64": "D", "float32": "E", "bool": "L"}
_COMMENT_WIDTH = 70


def write_fits(
    path: Path, table: pd.DataFrame, schema: Sequence[Column], provenance: Mapping[str, str]
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
    fields = [_field(table[column.name], column) for column in schema]
    hdu = fits.BinTableHDU.from_columns(fields, name="CATALOGUE")
    for number, column in enumerate(schema, start=1):
        hdu.header[f"TCOMM{number}"] = column.text
        if column.ucd:
            hdu.header[f"TUCD{number}"] = column.ucd
    for number, (key, value) in enumerate(provenance.items(), start=1):
        hdu.header[f"PROV{number}"] = f"{key} = {value}".encode("unicode_escape").decode()
    for line in _comment_block(astropy_yaml(schema, {"__serialized_columns__": {}})):
        hdu.header.add_comment(line)
    hdu.writeto(path)


def _field(values: pd.Series, column: Column) -> fits.Column:
    array = _array(values, column)
    layout = _FORMATS.get(column.dtype) or f"{max(1, array.itemsize)}A"
    null = NULL if column.dtype == "Int64" else None
    return fits.Column(column.name, layout, unit=column.unit or None, null=null, array=array)


def _array(values: pd.Series, column: Column) -> np.ndarray:
    if column.dtype == "str":
        return np.array([text.encode("ascii", "backslashreplace") for text in values], dtype="S")
    if column.dtype == "Int64":
        return values.to_numpy(dtype=np.int64, na_value=NULL)
    return values.to_numpy()


def _comment_block(lines: Sequence[str]) -> list[str]:
    """The comment cards between astropy's two sentinels; a backslash continues a long line."""
    begin, end = (f"--{word}-ASTROPY-SERIALIZED-COLUMNS--" for word in ("BEGIN", "END"))
    return [begin, *(card for line in lines for card in _split(line)), end]


def _split(line: str) -> list[str]:
    starts = range(0, max(1, len(line)), _COMMENT_WIDTH)
    pieces = [line[start : start + _COMMENT_WIDTH] for start in starts]
    return [f"{piece}\\" for piece in pieces[:-1]] + pieces[-1:]

"""Reading the tables of a LAMOST release: FITS or CSV, in the spelling of any release."""

import gzip
import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from torchfit.exceptions import DataError
from torchfit.files.fits_stream import open_table

logger = logging.getLogger(__name__)

_SENTINEL = -900.0
"""Numbers up to this stand for missing ones: -9999 nearly always."""
_NO_TEXT = ("-9999", "-9999.0", "nan", "null", "None")
_WEB_FORM = "combined_"
"""What exports of the web form set before the names of some columns."""
_REQUIRED = ("obsid", "lmjd", "planid", "spid", "fiberid")


@dataclass(frozen=True)
class Kind:
    """What becomes of a column.

    Args:
        type: Its Arrow type here.
        sources: Names that it may have in the file; the first that is there counts.
    """

    type: pa.DataType
    sources: tuple[str, ...]


COLUMNS: Mapping[str, Kind] = {
    **{name: Kind(pa.int64(), (name,)) for name in ("obsid", "lmjd", "spid", "fiberid")},
    **{name: Kind(pa.string(), (name,)) for name in ("planid", "uid", "class", "subclass")},
    "gaia_source_id": Kind(pa.string(), ("gaia_source_id",)),
    **{name: Kind(pa.float64(), (name,)) for name in ("z", "z_err")},
    **{name: Kind(pa.float64(), (name,)) for name in ("ra", "dec", "ra_obs", "dec_obs")},
    **{f"snr{band}": Kind(pa.float64(), (f"snr{band}",)) for band in "ugriz"},
    **{name: Kind(pa.float64(), (name,)) for name in ("teff", "logg")},
    "fe_h": Kind(pa.float64(), ("feh", "m_h")),
}
"""The columns that are kept. The release's alpha_m is not [alpha/Fe] and is not taken for it."""


def read_lamost_table(path: Path) -> pa.Table:
    """Read the columns that torchfit knows, and make the stem of every file's name.

    Args:
        path: FITS or CSV (comma or pipe), gzipped or not; the content tells which.

    Returns:
        Columns of :data:`COLUMNS` that the file has, and ``stem``, such as
        ``spec-60591-LN042429N340750BM01_sp01-001``. A missing number is null, a missing text is
        empty, and a Gaia identifier is text: 19 digits do not fit a float.

    Raises:
        DataError: If the file is missing or damaged, or lacks a column that is needed.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = gzip.GzipFile(fileobj=raw) if packed else raw
            start = file.read(6)
            file.seek(0)
            is_fits = start in (b"SIMPLE", b"XTENSI")
            batches = _fits_batches(path) if is_fits else _csv_batches(file, path)
            table = pa.concat_tables(list(batches))
    except FileNotFoundError as error:
        raise DataError(f"no such file: {path}") from error
    except (pa.ArrowInvalid, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is no readable table ({' '.join(str(error).split())})") from error
    return table.append_column("stem", _stems(table))


def _csv_batches(file: BufferedIOBase, path: Path) -> Iterator[pa.Table]:
    """A table with the separator of its header: comma, or pipe in old and exported tables."""
    header = file.readline().decode("utf-8", "replace")
    file.seek(0)
    delimiter = max("|,", key=header.count)
    names = [name.strip() for name in header.rstrip("\r\n").split(delimiter)]
    chosen = _chosen(names, path)
    reading = csv.open_csv(
        file,
        csv.ReadOptions(column_names=names, skip_rows=1),
        csv.ParseOptions(delimiter=delimiter),
        csv.ConvertOptions(
            include_columns=list(chosen.values()),
            column_types={source: COLUMNS[name].type for name, source in chosen.items()},
            null_values=["", "null", "NULL", "nan", "NaN"],
            strings_can_be_null=False,
        ),
    )
    yield _empty(chosen)
    for batch in reading:
        yield pa.table({name: _clean(batch[source], name) for name, source in chosen.items()})


def _fits_batches(path: Path) -> Iterator[pa.Table]:
    with open_table(path) as table:
        chosen = _chosen(table.layout.names, path)
        yield _empty(chosen)
        for rows in table.blocks():
            columns = {at: pa.array(table.layout.values(rows, at)) for at in chosen.values()}
            yield pa.table({name: _clean(columns[at], name) for name, at in chosen.items()})


def _chosen(found: Sequence[str], path: Path) -> dict[str, str]:
    """Which column of the file becomes which of ours; case does not count."""
    plain = {name.lower().removeprefix(_WEB_FORM): name for name in found}
    chosen = {
        name: plain[source]
        for name, kind in COLUMNS.items()
        for source in reversed(kind.sources)
        if source in plain
    }
    missing = [name for name in _REQUIRED if name not in chosen]
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}; the table has {', '.join(found)}")
    return chosen


def _empty(chosen: Mapping[str, str]) -> pa.Table:
    return pa.schema([(name, COLUMNS[name].type) for name in chosen]).empty_table()


def _clean(values: pa.Array, name: str) -> pa.Array:
    wanted = COLUMNS[name].type
    if wanted == pa.string():
        return _clean_text(values, name)
    values = values.cast(wanted)
    if wanted == pa.float64():
        missing = pc.or_(pc.less_equal(values, _SENTINEL), pc.is_nan(values))
        return pc.if_else(missing, pa.scalar(None, wanted), values)
    return values


def _clean_text(values: pa.Array, name: str) -> pa.Array:
    if pa.types.is_floating(values.type):
        logger.warning("%s is a column of floats, which has lost its last digits: not used", name)
        return pa.array([""] * len(values), pa.string())
    text = pc.utf8_trim_whitespace(values.cast(pa.string()))
    return pc.if_else(pc.is_in(text, value_set=pa.array(_NO_TEXT)), "", text)


def _stems(table: pa.Table) -> pa.ChunkedArray:
    def digits(name: str, width: int) -> pa.ChunkedArray:
        return pc.utf8_lpad(table[name].cast(pa.string()), width, "0")

    front = pc.binary_join_element_wise("spec", digits("lmjd", 5), table["planid"], "-")
    back = pc.binary_join_element_wise(digits("spid", 2), digits("fiberid", 3), "-")
    return pc.binary_join_element_wise(front, back, "_sp")

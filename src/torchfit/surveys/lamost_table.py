"""Reading the tables of a LAMOST release, in the spelling of any release."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from torchfit.exceptions import DataError
from torchfit.files.cells import Numbers, Texts
from torchfit.files.table_file import TableFile, find_columns

logger = logging.getLogger(__name__)

_SENTINEL = -900.0
"""Numbers up to this stand for missing ones: -9999 nearly always."""
_NO_TEXT = ("-9999", "-9999.0")
_WEB_FORM = "combined_"
"""What exports of the web form set before the names of some columns."""
_REQUIRED = ("obsid", "lmjd", "planid", "spid", "fiberid")
_LARGEST = 2.0**53
"""Whole numbers beyond it are not all floats."""


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
        path: A table of any format of :mod:`torchfit.files.table_file`; it is read in pieces.

    Returns:
        Columns of :data:`COLUMNS` that the file has, and ``stem``, such as
        ``spec-60591-LN042429N340750BM01_sp01-001``. A missing number is null, a missing text is
        empty, and a Gaia identifier is text: 19 digits do not fit a float. Rows without what the
        name of a file is made of are left out.

    Raises:
        DataError: If the file is missing or damaged, lacks a column that is needed, or has text
            for an integer.
    """
    file = find_columns(path, _accepted(), [name for name in COLUMNS if name not in _REQUIRED])
    makers = {name: _maker(name, file) for name in file.places}
    schema = pa.schema([(name, COLUMNS[name].type) for name in file.places])
    pieces = [
        pa.table({name: _clean(maker, piece[name], name) for name, maker in makers.items()})
        for piece in file.pieces()
    ]
    table = pa.concat_tables([schema.empty_table(), *(piece.cast(schema) for piece in pieces)])
    lost = [name for name in ("lmjd", "spid", "fiberid", "obsid") if _n_lost(makers[name])]
    if lost:
        raise DataError(f"{path}: {'; '.join(n for name in lost for n in makers[name].notes())}")
    notes = [*file.notes, *(note for maker in makers.values() for note in maker.notes())]
    return _named(table, path, file, notes)


def _named(table: pa.Table, path: Path, file: TableFile, notes: Sequence[str]) -> pa.Table:
    """Rows that name a file, with its stem; on the terminal, what was read."""
    is_whole = pc.not_equal(table["planid"], "")
    for name in ("obsid", "lmjd", "spid", "fiberid"):
        is_whole = pc.and_(is_whole, pc.is_valid(table[name]))
    whole = table.filter(is_whole)
    columns = ", ".join(f"{here} = {name}" for here, name in file.columns.items())
    logger.info("%s: %s, %d rows, columns %s", path, file.table.kind, len(table), columns)
    if len(whole) < len(table):
        notes = [f"{len(table) - len(whole)} rows lack {' or '.join(_REQUIRED)}", *notes]
    for note in notes:
        logger.warning("%s: %s", path, note)
    return whole.append_column("stem", _stems(whole))


def _accepted() -> dict[str, list[str]]:
    """Names of every column in the file; the web form sets a word before some."""
    return {
        name: [spelt for each in kind.sources for spelt in (each, _WEB_FORM + each)]
        for name, kind in COLUMNS.items()
    }


def _maker(name: str, file: TableFile) -> Numbers | Texts:
    called = file.columns[name]
    if COLUMNS[name].type == pa.string():
        return Texts(called)
    return Numbers(called, decimal_comma=file.table.decimal_comma)


def _n_lost(maker: Numbers | Texts) -> int:
    return maker.n_lost


def _clean(maker: Numbers | Texts, values: pa.ChunkedArray, name: str) -> pa.Array:
    """Our values of a column; what stands for nothing is null, or empty."""
    wanted = COLUMNS[name].type
    if wanted == pa.int64() and pa.types.is_integer(values.type):
        return values.cast(wanted).combine_chunks()
    cells = maker.take(values)
    if wanted == pa.string():
        text = pa.array(cells, pa.string())
        return pc.if_else(pc.is_in(text, value_set=pa.array(_NO_TEXT)), "", text)
    numbers = pa.array(cells, from_pandas=True)
    if wanted == pa.int64():
        return _whole(numbers, maker.name)
    return pc.if_else(pc.less_equal(numbers, _SENTINEL), pa.scalar(None, wanted), numbers)


def _whole(numbers: pa.Array, called: str) -> pa.Array:
    """Integers of floats that are whole."""
    odd = pc.or_(pc.not_equal(numbers, pc.round(numbers)), pc.greater(pc.abs(numbers), _LARGEST))
    if pc.any(odd).as_py():
        raise DataError(f"{called} has numbers that are not whole or beyond 2^53")
    return numbers.cast(pa.int64())


def _stems(table: pa.Table) -> pa.ChunkedArray:
    def digits(name: str, width: int) -> pa.ChunkedArray:
        """Whole numbers in so many digits."""
        return pc.utf8_lpad(table[name].cast(pa.string()), width, "0")

    front = pc.binary_join_element_wise("spec", digits("lmjd", 5), table["planid"], "-")
    back = pc.binary_join_element_wise(digits("spid", 2), digits("fiberid", 3), "-")
    return pc.binary_join_element_wise(front, back, "_sp")

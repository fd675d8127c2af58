"""Tables that astropy reads: VOTable, ECSV, the tables of CDS and journals, IPAC."""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import astropy.table as at
import numpy as np
import pyarrow as pa
from astropy.io import votable
from astropy.io.votable.tree import Info, Resource, TableElement, VOTableFile

from torchfit.exceptions import DataError
from torchfit.files.opened_table import OpenedTable, arrow_column
from torchfit.files.packed import open_packed
from torchfit.files.text_lines import read_lines

_LARGEST = 2 << 30
_STATUS = ("QUERY_STATUS", "ERROR")


def open_votables(path: Path) -> Iterator[OpenedTable]:
    """Open the tables of a VOTable, in memory.

    Args:
        path: The file, gzipped or not.

    Yields:
        The tables; what the service says of them is among their notes.

    Raises:
        DataError: If the service answered with an error, or there is no table.
    """
    notes: list[str] = []
    document = votable.parse(io.BytesIO(_whole(path, notes.append)), verify="ignore")
    notes += _status(document)
    tables = list(document.iter_tables())
    if not tables:
        raise DataError("it holds no table")
    for table in tables:
        yield _votable(table, notes)


def open_ascii(path: Path, kind: str, encoding: str | None) -> Iterator[OpenedTable]:
    """Open a text table whose format says more than names, in memory.

    Args:
        path: The file, gzipped or not.
        kind: A format of ``astropy.io.ascii``: ``ecsv``, ``mrt``, ``cds``, ``ipac``.
        encoding: What it is encoded in; ``None`` to find out.

    Yields:
        The table.
    """
    notes: list[str] = []
    lines, size = [], 0
    for line in read_lines(path, encoding, notes.append):
        size += len(line)
        _demand_small(size)
        lines.append(line)
    table = at.Table.read("".join(lines), format=f"ascii.{kind}")
    columns = [table[name] for name in table.colnames]
    units = [str(column.unit or "") for column in columns]

    def pieces(places: Sequence[int]) -> Iterator[pa.Table]:
        """Some columns, in one piece."""
        yield pa.table({str(place): _column(columns[place]) for place in places})

    yield OpenedTable(table.colnames, units, pieces, notes, kind=kind.upper())


def _whole(path: Path, note: Callable[[str], None]) -> bytes:
    with open_packed(path, note) as stream:
        raw = stream.read(_LARGEST + 1)
    _demand_small(len(raw))
    return raw


def _demand_small(size: int) -> None:
    if size > _LARGEST:
        raise DataError(
            "a table of this format must fit in memory, and this one has more than 2 GB: save it "
            "as FITS or Parquet"
        )


def _votable(table: TableElement, notes: list[str]) -> OpenedTable:
    fields = table.fields

    def pieces(places: Sequence[int]) -> Iterator[pa.Table]:
        """Some columns, in one piece."""
        yield pa.table({str(place): _column(table.array[fields[place].ID]) for place in places})

    return OpenedTable(
        [field.name or field.ID for field in fields],
        [str(field.unit or "") for field in fields],
        pieces,
        notes,
        aliases=[field.ID for field in fields],
        kind="VOTable",
    )


def _column(column: np.ndarray) -> pa.Array:
    array = np.ma.asarray(column)
    mask = np.ma.getmaskarray(array)
    return arrow_column(np.asarray(array.data), mask.reshape(mask.shape[:1]) if mask.ndim else None)


def _status(document: VOTableFile) -> list[str]:
    """What the service says: that rows are left out, or why there are none."""
    said = []
    for info in _infos(document):
        value, text = str(info.value or "").upper(), " ".join(str(info.content or "").split())
        is_status = str(info.name or "").upper() in _STATUS
        if is_status and (value == "ERROR" or str(info.name).upper() == "ERROR"):
            raise DataError(f"the service answered with an error: {text or info.value}")
        if is_status and value == "OVERFLOW":
            said.append(f"the service cut the table (QUERY_STATUS OVERFLOW) {text}".rstrip())
    return said


def _infos(element: VOTableFile | Resource) -> Iterator[Info]:
    yield from element.infos
    for table in getattr(element, "tables", ()):
        yield from table.infos
    for resource in element.resources:
        yield from _infos(resource)

"""Tables of typed columns, read some rows at a time: Parquet, Feather and FITS."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from torchfit.exceptions import DataError
from torchfit.files.fits_header import FitsHeader
from torchfit.files.fits_stream import find_tables, open_table
from torchfit.files.fits_table import TableLayout
from torchfit.files.opened_table import OpenedTable, arrow_column

_ROWS_AT_ONCE = 1 << 16


def open_arrow(path: Path, kind: str) -> Iterator[OpenedTable]:
    """Open a Parquet or Feather file, or a folder of them.

    Args:
        path: The file or folder.
        kind: ``parquet`` or ``feather``.

    Yields:
        The table.
    """
    # No partitioning for a file: that would make columns of folders named "match.t=50".
    table = ds.dataset(path, format=kind, partitioning="hive" if path.is_dir() else None)
    names = table.schema.names
    units = [(field.metadata or {}).get(b"unit", b"").decode() for field in table.schema]

    def pieces(places: Sequence[int]) -> Iterator[pa.Table]:
        """Some columns, piece by piece."""
        fields = {str(place): ds.field(names[place]) for place in places}
        for batch in table.to_batches(columns=fields, batch_size=_ROWS_AT_ONCE):
            batch.validate(full=True)  # Damage in Feather files has no checksum to show it.
            yield pa.Table.from_batches([batch])

    yield OpenedTable(names, units, pieces, kind=kind)


def open_fits(path: Path) -> Iterator[OpenedTable]:
    """Open the binary tables of a FITS file, gzipped or not.

    Args:
        path: The file.

    Yields:
        The tables, in their order.

    Raises:
        DataError: If the file is damaged, or a header contradicts itself.
    """
    for number, header in find_tables(path):
        yield _fits_table(path, number, header)


def _fits_table(path: Path, hdu: int, header: FitsHeader) -> OpenedTable:
    layout = TableLayout.of(header, exact=True)
    units = [header.text(f"TUNIT{number}") for number in range(1, len(layout.names) + 1)]

    def pieces(places: Sequence[int]) -> Iterator[pa.Table]:
        """Some columns, piece by piece."""
        with open_table(path, hdu, exact=True) as table:
            for rows in table.blocks():
                yield pa.table({str(p): _fits_column(layout, rows, p) for p in places})

    return OpenedTable(layout.names, units, pieces, kind="FITS")


def _fits_column(layout: TableLayout, rows: np.ndarray, place: int) -> pa.Array:
    name = layout.names[place]
    if name in layout.variable:
        raise DataError(f"column {name} holds an array in every row")
    values = layout.values(rows, name)
    null = layout.nulls.get(name)
    return arrow_column(values, None if null is None else np.asarray(rows[name] == null))

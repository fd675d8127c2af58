"""Arrays of variable length: what the heap after the rows of a binary table holds."""

import numpy as np

from torchfit.exceptions import DataError
from torchfit.files.fits_table import TableLayout


def variable_arrays(
    layout: TableLayout, rows: np.ndarray, raw: bytes, limit: int
) -> dict[str, np.ndarray]:
    """Read the columns whose arrays are equally long in all rows.

    Args:
        layout: What the header says.
        rows: The rows, of ``layout.dtype``.
        raw: The data of the table, rows and heap.
        limit: Most bytes of all arrays together; many rows may point to one place.

    Returns:
        Native float64 by column, the first axis the row; a column of unequal lengths is left out.

    Raises:
        DataError: If an array lies outside the heap, or there are more bytes than the limit.
    """
    arrays: dict[str, np.ndarray] = {}
    n_bytes = 0
    for name, kind in layout.variable.items():
        length, offset = rows[name].astype(np.int64).T
        if len(length) == 0 or (length != length[0]).any():
            continue
        size = int(length[0]) * np.dtype(kind).itemsize
        n_bytes += max(0, size) * len(rows)
        if n_bytes > limit:
            raise DataError(f"its arrays of variable length have more than {limit >> 20} MiB")
        first, last = layout.heap + int(offset.min()), layout.heap + int(offset.max()) + size
        if size < 0 or offset.min() < 0 or first < 0 or last > len(raw):
            raise DataError(f"an array of column {name} lies outside the table")
        place = layout.heap + offset[:, None] + np.arange(size)
        values = np.frombuffer(raw, np.uint8)[place].view(kind)
        arrays[name] = layout.scaled(values, name).astype(np.float64)
    return arrays

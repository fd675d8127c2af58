"""Tables of FITS files that are larger than memory, decoded from a stream block by block."""

import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from torchfit.exceptions import DataError
from torchfit.files.fits_bytes import GZIP_MAGIC
from torchfit.files.fits_header import MAX_AXES, UNIT, FitsHeader, end_card, filled
from torchfit.files.fits_table import TableLayout

_BLOCK_BYTES = 4 << 20
_MAX_HEADER = 4096 * UNIT
_SIMPLE = b"SIMPLE"
_MOST_PACKED = 1032
"""Bytes that one byte of a deflate stream can stand for at most."""


class TableStream:
    """A binary table that is read once, from its first row to its last.

    Args:
        path: The file, gzipped or not.
        layout: What its header says.
        stream: Stands at the first row.
    """

    def __init__(self, path: Path, layout: TableLayout, stream: BufferedIOBase) -> None:
        self.path, self.layout = path, layout
        self._stream = stream

    def blocks(self) -> Iterator[np.ndarray]:
        """Decode the rows in blocks of a few megabytes, whatever the size of the table.

        Yields:
            Rows of ``layout.dtype``; a block is overwritten by no other.

        Raises:
            DataError: If the file is damaged or ends before the last row.
        """
        size = self.layout.dtype.itemsize
        at_once = max(1, _BLOCK_BYTES // size)
        for start in range(0, self.layout.n_rows, at_once):
            n_rows = min(at_once, self.layout.n_rows - start)
            with _readable(self.path):
                raw = self._stream.read(n_rows * size)
            if len(raw) < n_rows * size:
                raise DataError(
                    f"{self.path} is cut short: {start + len(raw) // size} of "
                    f"{self.layout.n_rows} rows are there; fetch it again"
                )
            yield np.frombuffer(raw, self.layout.dtype)
        if isinstance(self._stream, gzip.GzipFile):
            self._check_sum()

    def _check_sum(self) -> None:
        """Read on to the end, where gzip compares its checksum."""
        with _readable(self.path):
            while self._stream.read(_BLOCK_BYTES):
                pass


@contextmanager
def open_table(path: Path, hdu: int | str = 1, exact: bool = False) -> Iterator[TableStream]:
    """Open a binary table for reading in a stream.

    Args:
        path: The file, gzipped or not.
        hdu: Number of the unit, or its EXTNAME.
        exact: As of :meth:`TableLayout.of`.

    Yields:
        The table.

    Raises:
        DataError: If the file is missing, damaged or not FITS, or has no such table.
    """
    with ExitStack() as stack:
        with _readable(path):
            stream = stack.enter_context(_open(path))
            layout = _find(stream, hdu, exact)
        yield TableStream(path, layout, stream)


def read_columns(
    path: Path, columns: Sequence[str], hdu: int | str = 1, optional: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Read some columns of a table whole.

    Args:
        path: The file, gzipped or not.
        columns: Names in upper case.
        hdu: Number of the unit, or its EXTNAME.
        optional: Columns that are read where they are there.

    Returns:
        The columns by name; strings are bytes without padding.

    Raises:
        DataError: As :func:`open_table`, or if a column is missing.
    """
    with open_table(path, hdu) as table:
        table.layout.demand(columns, path)
        wanted = [*columns, *(name for name in optional if name in table.layout.names)]
        pieces = [[table.layout.values(block, name) for name in wanted] for block in table.blocks()]
    empty = np.empty(0, table.layout.dtype)
    pieces.append([table.layout.values(empty, name) for name in wanted])
    return {
        name: np.concatenate(column)
        for name, column in zip(wanted, zip(*pieces, strict=True), strict=True)
    }


def find_tables(path: Path) -> Iterator[tuple[int, FitsHeader]]:
    """Find the binary tables of a file; the next is looked for only when it is asked for.

    Args:
        path: The file, gzipped or not.

    Yields:
        Number and header of the unit.

    Raises:
        DataError: If the file is missing, damaged or not FITS.
    """
    with ExitStack() as stack, _readable(path):
        stream = stack.enter_context(_open(path))
        for number, header in enumerate(_headers(stream)):
            if header.text("XTENSION") == "BINTABLE":
                yield number, header
            stream.seek(filled(header.data_size), 1)


def demand_possible_sizes(path: Path) -> None:
    """Demand that what the headers of a file say of sizes is true; whoever believes them hangs.

    Args:
        path: The file, gzipped or not; one that is not FITS is not looked into.

    Raises:
        DataError: If it is missing, has more axes or columns than the standard allows, would hold
            more than any packing of its bytes, or ends before its data.
    """
    with ExitStack() as stack, _readable(path):
        stream = stack.enter_context(_open(path))
        if stream.read(len(_SIMPLE)) != _SIMPLE:
            return
        stream.seek(0)
        most = _MOST_PACKED * path.stat().st_size
        for header in _headers(stream):
            if max(header.whole("TFIELDS"), header.whole("ZNAXIS")) > MAX_AXES:
                raise DataError(f"no sound FITS file: TFIELDS or ZNAXIS is above {MAX_AXES}")
            if max(header.data_size, _unpacked_size(header)) > most:
                raise DataError("no sound FITS file: it says that it holds more than it can")
            _pass_over(stream, header.data_size)


def _pass_over(stream: BufferedIOBase, size: int) -> None:
    """Move over the data of a unit, which must be there; what fills up its last block need not."""
    if size > 0:
        stream.seek(size - 1, 1)
        if not stream.read(1):
            raise DataError("it is cut short: its data end before its header says; fetch it again")
        stream.seek(filled(size) - size, 1)


def _unpacked_size(header: FitsHeader) -> int:
    """Bytes of a tile-compressed image; 0 of anything else."""
    n_axes = header.whole("ZNAXIS")
    axes = (header.whole(f"ZNAXIS{axis}") for axis in range(1, n_axes + 1))
    return math.prod(axes) * abs(header.whole("ZBITPIX")) // 8 if n_axes > 0 else 0


def _find(stream: BufferedIOBase, hdu: int | str, exact: bool) -> TableLayout:
    """Layout of a table; the stream is left at its first row."""
    for number, header in enumerate(_headers(stream)):
        if hdu in (number, header.text("EXTNAME").upper()):
            return TableLayout.of(header, exact)
        stream.seek(filled(header.data_size), 1)
    raise DataError(f"it has no table {hdu}, or is cut short before it")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """One clear line for whatever keeps a file from being read."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"no such file: {path}") from error
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged or cut short ({error}); fetch it again") from error


@contextmanager
def _open(path: Path) -> Iterator[BufferedIOBase]:
    with path.open("rb") as raw:
        magic = raw.read(2)
        raw.seek(0)
        if magic != GZIP_MAGIC:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as plain:
            yield plain


def _headers(stream: BufferedIOBase) -> Iterator[FitsHeader]:
    """The headers in turn; the caller moves the stream over the data of each."""
    raw = _header_bytes(stream)
    while True:
        yield FitsHeader.parse(raw)
        if not (raw := _header_bytes(stream)):
            return


def _header_bytes(stream: BufferedIOBase) -> bytes:
    """Whole blocks up to the one with the END card; none where no other unit starts."""
    raw = b""
    while block := stream.read(UNIT):
        raw += block
        if end_card(block) >= 0:
            return raw
        if not raw.startswith((b"SIMPLE", b"XTENSION")) or len(raw) > _MAX_HEADER:
            return raw if stream.tell() == len(raw) else b""
    return raw

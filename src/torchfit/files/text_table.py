"""Text tables of many makers: separators, comments, units, quotes, several tables in one file."""

import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from torchfit.files.opened_table import OpenedTable
from torchfit.files.text_layout import BLANKS, TextLayout, find_layout, is_content
from torchfit.files.text_lines import read_lines
from torchfit.files.text_rows import Rows

_HEAD = 1000
_LINES_AT_ONCE = 8192
_CELLS = {"\t": "tabs", "|": "bars", ";": "semicolons", ",": "commas", BLANKS: "blanks"}


def open_texts(path: Path, encoding: str | None) -> Iterator[OpenedTable]:
    """Open the tables of a text: one, or several where rows of dashes stand below their names.

    Args:
        path: The file, gzipped or not.
        encoding: What it is encoded in; ``None`` to find out.

    Yields:
        The tables; every column is text.

    Raises:
        DataError: If there is no table in it.
        OSError: If it cannot be read.
    """
    skipped: int | None = 0
    while skipped is not None:
        table = _TextTable(path, encoding, skipped)
        yield table.opened()
        skipped = table.next_table() if table.layout.ruled else None


class _TextTable:
    """One table of a text.

    Args:
        path: The file.
        encoding: What it is encoded in; ``None`` to find out.
        skipped: Number of lines before it.
    """

    def __init__(self, path: Path, encoding: str | None, skipped: int) -> None:
        self._path, self._encoding, self._skipped = path, encoding, skipped
        self._notes: list[str] = []
        self.layout: TextLayout = find_layout(_head(self._lines(_ignored)))

    def opened(self) -> OpenedTable:
        """The table as every reader sees it."""
        layout = self.layout
        return OpenedTable(
            layout.names,
            layout.units,
            self._pieces,
            self._notes,
            decimal_comma=layout.separator != ",",
            kind=f"text with {_CELLS[layout.separator]}",
        )

    def next_table(self) -> int | None:
        """Number of lines before the next table; ``None`` if there is none."""
        ended = False
        for number, line in enumerate(self._lines(_ignored)):
            if number >= self.layout.start:
                ended = ended or not is_content(line)
                if ended and is_content(line):
                    return self._skipped + number
        return None

    def _lines(self, note: Callable[[str], None]) -> Iterator[str]:
        lines = read_lines(self._path, self._encoding, note)
        return islice(lines, self._skipped, None)

    def _pieces(self, places: Sequence[int]) -> Iterator[pa.Table]:
        """Some columns, some rows at a time."""
        lines = islice(self._lines(self._notes.append), self.layout.start, None)
        rows = Rows(self.layout, lines)
        stream = _LineStream(iter(rows))
        n_rows = 0
        if stream.peek():
            for batch in _parsed(stream, self.layout, places, rows.leave_out):
                n_rows += len(batch)
                yield pa.Table.from_batches([batch])
        self._notes.extend(rows.notes(n_rows))


def _parsed(
    stream: "_LineStream",
    layout: TextLayout,
    places: Sequence[int],
    leave_out: Callable[[arrow_csv.InvalidRow], str],
) -> Iterator[pa.RecordBatch]:
    names = [str(place) for place in range(len(layout.names))]
    wanted = [names[place] for place in places]
    separator = "\t" if layout.separator == BLANKS else layout.separator
    return arrow_csv.open_csv(
        stream,
        arrow_csv.ReadOptions(column_names=names),
        arrow_csv.ParseOptions(delimiter=separator, invalid_row_handler=leave_out),
        arrow_csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.string()),
            strings_can_be_null=False,
        ),
    )


class _LineStream(io.RawIOBase):
    """Lines as a stream of bytes."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._rest = lines, b""

    def readable(self) -> bool:
        """As of any stream to read from."""
        return True

    def peek(self) -> bytes:
        """The next bytes, which stay; none at the end."""
        if not self._rest:
            self._rest = "".join(islice(self._lines, _LINES_AT_ONCE)).encode("utf-8", "replace")
        return self._rest

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes; all that are left without a number."""
        pieces, missing = [], size
        while missing and self.peek():
            piece = self._rest if missing < 0 else self._rest[:missing]
            self._rest = self._rest[len(piece) :]
            missing -= len(piece) if missing > 0 else 0
            pieces.append(piece)
        return b"".join(pieces)


def _head(lines: Iterator[str]) -> list[str]:
    """The comments, and lines enough after them to see how the table is laid out."""
    head = list(islice(lines, _HEAD))
    while head and not is_content(head[-1]) and len(head) % _HEAD == 0:
        head += islice(lines, _HEAD)
    return head


def _ignored(_: str) -> None:
    """Leave out what is said again when the rows are read."""

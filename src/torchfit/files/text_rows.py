"""The rows of a text table, each in one line that a parser of CSV understands."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice

from pyarrow.csv import InvalidRow

from torchfit.exceptions import DataError
from torchfit.files.text_layout import BLANKS, TextLayout

_LONGEST_CELL = 50
"""Lines that a quoted cell may reach over."""
_SHOWN = 60


class Rows:
    """Rows among comments and blank lines.

    Args:
        layout: Layout of the table.
        lines: Lines from the first row on.
    """

    def __init__(self, layout: TextLayout, lines: Iterator[str]) -> None:
        self._layout, self._lines = layout, lines
        self._n_comments = self._n_hashed = self._n_odd = 0
        self._odd = ""

    def __iter__(self) -> Iterator[str]:
        """The rows; a table below a row of dashes ends with a blank line or a comment."""
        for line in self._lines:
            # Between tabs, nothing at all is a row too.
            is_blank = not line.strip("\r\n " if self._layout.separator == "\t" else None)
            is_comment = not is_blank and self._is_comment(line)
            if not (is_blank or is_comment):
                yield self._plain(line)
            elif self._layout.ruled:
                return

    def leave_out(self, row: InvalidRow) -> str:
        """Count a row that has another number of cells than there are names."""
        self._odd = self._odd or row.text.strip()[:_SHOWN]
        self._n_odd += 1
        return "skip"

    def notes(self, n_rows: int) -> list[str]:
        """What a reader of the table must know.

        Args:
            n_rows: Number of rows that were read.

        Raises:
            DataError: If more rows were left out than read.
        """
        n_names = len(self._layout.names)
        note = f"have another number of cells than the {n_names} names (the first: {self._odd!r})"
        if self._n_odd > n_rows:
            raise DataError(f"{self._n_odd} of {self._n_odd + n_rows} rows {note}")
        counted = {
            f"rows were left out, which {note}": self._n_odd,
            "lines that begin with # were taken for comments": self._n_comments,
            "lines that begin with # were taken for rows": self._n_hashed,
        }
        return [f"{n} {what}" for what, n in counted.items() if n]

    def _is_comment(self, line: str) -> bool:
        """Whether a line begins with # and has not a cell for every name."""
        if not line.lstrip().startswith("#"):
            return False
        layout = self._layout
        is_row = layout.separator != BLANKS and len(layout.cells(line)) == len(layout.names)
        self._n_hashed += is_row
        self._n_comments += not is_row
        return not is_row

    def _plain(self, line: str) -> str:
        layout = self._layout
        if layout.separator == BLANKS:
            return _joined(layout.cells(line), "\t")
        if line.count('"') % 2:
            return self._with_odd_quotes(line)
        return line

    def _with_odd_quotes(self, line: str) -> str:
        """A row with a quote that means inches, or a quoted cell that goes on in more lines."""
        separator = self._layout.separator
        cells = [cell.strip() for cell in line.strip("\r\n").split(separator)]
        if len(cells) != len(self._layout.names):
            for more in islice(self._lines, _LONGEST_CELL):
                line = f"{line.rstrip()} {more}"
                if more.count('"') % 2:
                    break
            cells = self._layout.cells(line)
        return _joined(cells, separator)


def _joined(cells: Sequence[str], separator: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerow(cells)
    return text.getvalue()

"""How a text table is laid out: separator, names, units, and where its rows start."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from torchfit.exceptions import DataError

BLANKS = " "
"""Stands for any number of blanks between cells."""

_SEPARATORS = ("\t", "|", ";", ",")
_NUMBER = re.compile(r"[+\-−]?\d[\d ]*([.,:]\d*|[eEdD][+-]?\d+|[:hdms°'\"′″ ]+\d+)*")
_RULE = re.compile(r"[\s|;,+:=-]*--[\s|;,+:=-]*|[\s|;,:+]*-[\s|;,+:-]*")
_WORD = re.compile(r'"((?:[^"]|"")*)"|(\S+)')
_SAMPLE = 200


@dataclass(frozen=True)
class TextLayout:
    """What the first lines of a text table say.

    Args:
        separator: One character, or :data:`BLANKS`.
        names: Names of the columns; one without a name is empty.
        units: Units, as many as names; empty where there is none.
        start: Number of lines before the first row.
        ruled: Whether a row of dashes stands below the names, as VizieR has it: such a table ends
            with a blank line or a comment.
    """

    separator: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    start: int
    ruled: bool

    def cells(self, line: str) -> list[str]:
        """Cells of a line."""
        return split_cells(line, self.separator)


def split_cells(line: str, separator: str) -> list[str]:
    """Part a line into cells, without quotes and outer blanks.

    Args:
        line: A line.
        separator: One character, or :data:`BLANKS`.

    Returns:
        The cells.
    """
    if separator == BLANKS:
        return [quoted.replace('""', '"') or bare for quoted, bare in _WORD.findall(line)]
    line = line.strip("\r\n")
    if line.count('"') % 2:
        return [cell.strip() for cell in line.split(separator)]
    cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    return [cell.strip() for cell in cells]


def find_layout(lines: Sequence[str]) -> TextLayout:
    """Find the layout of a table.

    Args:
        lines: The first lines, comments included, with some rows.

    Returns:
        The layout.

    Raises:
        DataError: If there is no table in them.
    """
    first = next((n for n, line in enumerate(lines) if is_content(line)), None)
    comments = [line for line in lines[:first] if line.lstrip().startswith("#")]
    if first is None and not comments:
        raise DataError("it holds no line of a table")
    body = [] if first is None else list(lines[first:])
    header = _header_comment(comments, body)
    if header is not None:
        separator, names = header
        return TextLayout(separator, names, ("",) * len(names), first or len(lines), False)
    assert first is not None
    return _with_header_line(body, first)


def _header_comment(
    comments: Sequence[str], body: Sequence[str]
) -> tuple[str, tuple[str, ...]] | None:
    """Separator and names where the last comment that fits the rows has them."""
    if not comments or (body and not _has_number(body[0])):
        return None
    rows = [line for line in body[:_SAMPLE] if is_content(line)]
    for comment in reversed(comments):
        text = comment.lstrip().lstrip("#").strip()
        separator = _separator(text, rows)
        names = split_cells(text, separator)
        fits = not rows or len(split_cells(rows[0], separator)) == len(names)
        if names and fits and not _has_number(text, separator):
            return separator, tuple(names)
    return None


def _with_header_line(body: Sequence[str], first: int) -> TextLayout:
    """Layout where the first line that is no comment has the names."""
    above = next(n for n, line in enumerate(body) if not _is_rule(line))
    header = body[above]
    rest = body[above + 1 :]
    separator = _separator(header, [line for line in rest[2:_SAMPLE] if is_content(line)] or rest)
    names = split_cells(header, separator)
    units, below = _units(rest, separator, len(names))
    names = _fitted(names, [line for line in rest[below:_SAMPLE] if is_content(line)], separator)
    units += [""] * (len(names) - len(units))
    start = first + above + 1 + below
    ruled = any(_is_rule(line) for line in rest[:below])
    return TextLayout(separator, tuple(names), tuple(units[: len(names)]), start, ruled)


def _units(rest: Sequence[str], separator: str, n_names: int) -> tuple[list[str], int]:
    """Units below the names, and the number of lines there that are no rows."""
    if rest and _is_rule(rest[0]):
        return [], 1
    if len(rest) < 2 or _has_number(rest[0], separator):
        return [], 0
    cells = split_cells(rest[0], separator)
    if _is_rule(rest[1]):
        return cells, 2
    if _has_number(rest[1], separator) and len(cells) == n_names and any(cells):
        return cells, 1
    return [], 0


def _fitted(names: list[str], rows: Sequence[str], separator: str) -> list[str]:
    """Names, as many as the rows have cells where all rows have one more."""
    cells = [split_cells(row, separator) for row in rows]
    widths = {len(row) for row in cells}
    if len(names) in widths or not widths:
        return names
    if widths == {len(names) + 1} and not any(row[-1] for row in cells):
        return [*names, ""]
    if widths == {len(names) + 1} and _are_row_numbers([row[0] for row in cells]):
        return ["", *names]
    raise DataError(
        f"its first line names {len(names)} columns, its rows have "
        f"{' or '.join(map(str, sorted(widths)[:3]))} cells; a decimal comma needs another "
        "separator, such as ;, and a text with the separator in it quotes"
    )


def _are_row_numbers(cells: Sequence[str]) -> bool:
    """Whether cells count the rows, as R writes them without a name."""
    return any(list(cells) == [str(n + first) for n in range(len(cells))] for first in (0, 1))


def _separator(header: str, rows: Sequence[str]) -> str:
    """The separator that parts header and rows alike; the one with most cells if several do."""
    best, most = BLANKS, 1
    for separator in _SEPARATORS:
        n_cells = len(split_cells(header, separator))
        alike = sum(abs(len(split_cells(row, separator)) - n_cells) <= 1 for row in rows)
        if n_cells > most and 2 * alike >= len(rows):
            best, most = separator, n_cells
    if best != BLANKS:
        return best
    # Nothing parts them alike: what the header has is what it was meant to be.
    meant = max(_SEPARATORS, key=header.count)
    return meant if meant in header else BLANKS


def is_content(line: str) -> bool:
    """Whether a line is neither blank nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _is_rule(line: str) -> bool:
    return bool(_RULE.fullmatch(line.strip("\r\n")))


def _has_number(line: str, separator: str | None = None) -> bool:
    """Whether a line has a number in it, as no header has."""
    cells = re.split(r"[|;,\s]+", line) if separator is None else split_cells(line, separator)
    return any(_NUMBER.fullmatch(cell.strip(' "\r\n')) for cell in cells)

"""Text tables of many makers: comma, bar, tab or blanks between cells, comments before them."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

Reader = tuple[list[str], Callable[[Sequence[str]], dict[str, pd.Series]]]
"""The columns of a table, and what reads some of them."""

_SEPARATORS = (",", "|", "\t", ";")


def open_text(path: Path) -> Reader:
    """Open a text table; the separator and the header are found in its first lines.

    Args:
        path: The file, gzipped if its name ends so.

    Returns:
        The names of its columns, and a function that reads those of given names, all as text.
    """
    layout = _layout(path)
    # As text: beside a missing one pandas would make floats of 19-digit identifiers.
    head = pd.read_csv(path, nrows=0, dtype=str, **layout)

    def read(names: Sequence[str]) -> dict[str, pd.Series]:
        table = pd.read_csv(path, usecols=list(names), dtype=str, **layout)
        return {name: table[name] for name in names}

    return list(head.columns), read


def _layout(path: Path) -> dict:
    """Separator and header of a text table; the header may be the last comment before the data."""
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", errors="replace") as file:
        comments: list[str] = []
        first = file.readline()
        while first.startswith("#"):
            comments.append(first)
            first = file.readline()
    header = first if first.strip() else "".join(comments[-1:])
    separator = next((s for s in _SEPARATORS if s in header), r"\s+")
    layout = {"sep": separator, "encoding": "utf-8-sig", "comment": "#", "skipinitialspace": True}
    if comments and _is_data(first, separator):
        names = [name.strip() for name in _split(comments[-1].lstrip("#").strip(), separator)]
        return layout | {"names": names, "header": None}
    return layout


def _split(line: str, separator: str) -> list[str]:
    return line.split() if separator == r"\s+" else line.split(separator)


def _is_data(line: str, separator: str) -> bool:
    """Whether a line has a number in it, as no header has."""
    return any(_is_number(cell) for cell in _split(line.strip(), separator))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

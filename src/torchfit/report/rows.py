"""Small tables as rows: the same rows go to the terminal, the page, and the benchmarks."""

import math
from collections.abc import Mapping, Sequence

Row = Mapping[str, str | int | float]
"""One line of a small table: cells by column name; all rows of a table have the same columns."""

_DECIMALS = ((100.0, 0), (10.0, 1), (1.0, 2), (0.0, 4))


def format_value(value: str | int | float) -> str:
    """Return a cell as text: whole numbers from 100 on, four decimals below 1.

    Args:
        value: A word, a count or a number; NaN becomes a hyphen.

    Returns:
        The text.
    """
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "-"
    decimals = next(decimals for size, decimals in _DECIMALS if abs(value) >= size)
    # Adding 0 turns a rounded -0 into 0.
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def format_rows(rows: Sequence[Row]) -> str:
    """Return rows as an aligned plain-text table for the terminal.

    Args:
        rows: Rows with the same columns; words are set left, numbers right.

    Returns:
        A header, a rule and a line per row; ``(nothing)`` when there is no row.
    """
    if not rows:
        return "(nothing)"
    lines = zip(*(_text_column(name, rows) for name in rows[0]), strict=True)
    return "\n".join("  ".join(cells).rstrip() for cells in lines)


def _text_column(name: str, rows: Sequence[Row]) -> list[str]:
    cells = [name, *(format_value(row[name]) for row in rows)]
    width = max(map(len, cells))
    is_text = isinstance(rows[0][name], str)
    aligned = [cell.ljust(width) if is_text else cell.rjust(width) for cell in cells]
    return [aligned[0], "-" * width, *aligned[1:]]

"""Tables in Markdown."""

import html
import re
from collections.abc import Iterable, Sequence

_MARKS = re.compile(r"[|_*\[\]]")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table; a bar or a line break inside a cell does not end it.

    Args:
        header: Names of the columns.
        rows: Cells, row by row.

    Returns:
        Lines of Markdown.
    """
    lines = [list(header), ["---"] * len(header), *(map(_cell, row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def code(text: object) -> str:
    """Text as code; nothing for an empty one.

    A bar would end the cell, and its escape would be seen: as an entity it is neither.
    """
    if "|" not in str(text):
        return f"`{text}`" if str(text) else ""
    return f"<code>{_MARKS.sub(_entity, html.escape(str(text)))}</code>"


def _entity(mark: re.Match[str]) -> str:
    return f"&#{ord(mark[0])};"


def _cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "&#124;")

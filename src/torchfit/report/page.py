"""One self-contained HTML page: text, tables and figures that open anywhere, without a network."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure

from torchfit.report.rows import Row, format_value
from torchfit.report.style import DPI, styled

_WIDE = 1.6


@dataclass(frozen=True)
class Section:
    """One section of a page.

    Args:
        title: Heading.
        text: What the section says; an empty line starts a paragraph.
        figures: Caption and figure; the caption is also what a screen reader says.
        tables: Caption and rows.
    """

    title: str
    text: str
    figures: Sequence[tuple[str, Figure]] = ()
    tables: Sequence[tuple[str, Sequence[Row]]] = ()


def render_page(
    title: str,
    summary: Mapping[str, str],
    sections: Sequence[Section],
    record: Mapping[str, str] | None = None,
) -> str:
    """Render a page; the same input gives the same text.

    Args:
        title: Title of the page.
        summary: What stands at the top, word by word.
        sections: The sections in their order.
        record: How every number came about, at the end: versions, configuration.

    Returns:
        HTML with style and figures inside, without scripts or links to elsewhere.
    """
    environment = Environment(
        loader=PackageLoader("torchfit.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    return template.render(
        title=title,
        summary=dict(summary),
        sections=[_section(section) for section in sections],
        record=dict(record or {}),
    )


def _section(section: Section) -> dict[str, object]:
    return {
        "title": section.title,
        "paragraphs": section.text.split("\n\n"),
        "figures": [_picture(caption, figure) for caption, figure in section.figures],
        "tables": [_table(caption, rows) for caption, rows in section.tables if rows],
    }


FORMATS = {"png": {"Software": None}, "pdf": {"CreationDate": None}}
"""Formats of figures, each with what must not be written for the same bytes every time."""


@styled
def figure_bytes(figure: Figure, file_format: str = "png") -> bytes:
    """Content of the file of a figure; the same figure, the same bytes.

    Args:
        figure: The figure.
        file_format: One of :data:`FORMATS`.

    Returns:
        The bytes.
    """
    buffer = BytesIO()
    figure.savefig(buffer, format=file_format, dpi=DPI, metadata=FORMATS[file_format])
    return buffer.getvalue()


def _picture(caption: str, figure: Figure) -> dict[str, object]:
    width, height = figure.get_size_inches()
    return {
        "caption": caption,
        "data": b64encode(figure_bytes(figure)).decode(),
        "wide": width > _WIDE * height,
    }


def _table(caption: str, rows: Sequence[Row]) -> dict[str, object]:
    return {
        "caption": caption,
        "names": list(rows[0]),
        "is_text": [isinstance(value, str) for value in rows[0].values()],
        "rows": [[format_value(row[name]) for name in rows[0]] for row in rows],
    }

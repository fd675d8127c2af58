"""The page of a reproduction: figure by figure, ours beside the paper's numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from torchfit.compare.published import of_figure
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.report.page import Section, render_page
from torchfit.report.rows import Row
from torchfit.report.style import INK, styled

NO_PAGE = "not known"
"""Stands for the page of a number that was taken from a text without pages."""


@dataclass(frozen=True)
class Reproduced:
    """A figure that was made.

    Args:
        name: Its name in the configuration.
        figure: What made it.
        drawing: What became of it.
        command: What makes it alone.
        seconds: How long it took, without what other figures are made of, too.
    """

    name: str
    figure: PaperFigure
    drawing: Drawing
    command: str
    seconds: float

    @property
    def title(self) -> str:
        """Number and title."""
        return f"{self.figure.number}: {self.figure.title}"

    def files(self) -> Mapping[str, Figure]:
        """The figures by the stem of their file."""
        return {
            f"{self.name}_{place}": figure
            for place, (_, figure) in enumerate(self.drawing.figures, start=1)
        }


def reproduction_page(
    reproduced: Sequence[Reproduced],
    summary: Mapping[str, str],
    steps: Sequence[Row],
    record: Mapping[str, str],
) -> str:
    """Render the page.

    Args:
        reproduced: The figures in their order.
        summary: What stands at the top.
        steps: What several figures are made of, and how long it took.
        record: Versions and settings.

    Returns:
        HTML, self-contained.
    """
    sections = [figure_section(each) for each in reproduced]
    made = Section(
        "What the figures were made of",
        "Each step is made once, when the first figure asks for it.",
        tables=[("Seconds of each step", steps)],
    )
    return render_page("The figures of the paper", summary, [*sections, made], record)


def figure_section(reproduced: Reproduced) -> Section:
    """The section of a figure."""
    drawing = reproduced.drawing
    how = (
        f"Sample: {drawing.sample}. Command: {reproduced.command}. "
        f"{reproduced.seconds:.1f} seconds beside the steps below."
    )
    tables = [("In the paper", published_rows(reproduced.figure.number)), *drawing.tables]
    return Section(reproduced.title, f"{drawing.text}\n\n{how}", drawing.figures, tables)


def published_rows(figure: str) -> list[Row]:
    """The paper's numbers of a figure; no row where there is none."""
    return [
        {
            "page": number.page or NO_PAGE,
            "sample": number.sample,
            "group": number.group,
            "label": number.label,
            "quantity": number.quantity,
            "value": f"{number.value:g}" if number.value < 1e5 else f"{number.value:.0f}",
        }
        for number in of_figure(figure)
    ]


@styled
def name_data(drawing: Drawing, remark: str) -> Drawing:
    """Write into every figure of a drawing what its data are.

    Args:
        drawing: The drawing; its figures are changed.
        remark: What the data are; empty for real stars, which need no remark.

    Returns:
        The same drawing.
    """
    for _, figure in drawing.figures:
        if remark:
            figure.suptitle(remark, x=0.99, ha="right", fontsize=7.5, color=INK)
    return drawing

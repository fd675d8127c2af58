"""The contract of a figure of the paper."""

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from matplotlib.figure import Figure

from torchfit.paper.material import Material
from torchfit.report.rows import Row


@dataclass(frozen=True)
class Drawing:
    """What has become of a figure.

    Args:
        text: What is seen.
        sample: Which stars it was made of.
        figures: Caption and figure; the caption is also what a screen reader says.
        tables: Caption and rows: our numbers, beside the paper's where it has them.
    """

    text: str
    sample: str
    figures: Sequence[tuple[str, Figure]] = ()
    tables: Sequence[tuple[str, Sequence[Row]]] = ()


class PaperFigure(abc.ABC):
    """A figure, a table, or numbers of the text.

    The settings are constructor parameters. A figure consists of pure functions that compute its
    numbers, which stand first in its file, and of the drawing of these.

    Attributes:
        number: Where it stands in the paper, as in ``published.csv``.
        title: What it shows.
    """

    number: ClassVar[str]
    title: ClassVar[str]

    @abc.abstractmethod
    def draw(self, material: Material) -> Drawing:
        """Compute and draw.

        Args:
            material: Library, emulator and surveys; what is not asked for is not made.

        Returns:
            Figures and tables. What cannot be made, since a file is missing, has a text that
            names the file and where it is published.
        """

"""Fig. 2: how many stars of the library lie within the prior intervals of each."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from matplotlib.figure import Figure
from torch import Tensor

from torchfit.compare.published import published_value
from torchfit.library.library import Library
from torchfit.match.matched_sets import PriorIntervals
from torchfit.names import TEFF
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.matched_library import CLASSES, classes_of
from torchfit.paper.material import Material
from torchfit.report.rows import Row
from torchfit.report.style import (
    INK,
    MODEL,
    RESIDUAL,
    WIDE,
    axis_name,
    make_teff_axis,
    new_figure,
    styled,
)

_AT_ONCE = 512
_HOT = 10_000.0


def prior_counts(library: Library, prior: PriorIntervals) -> Int[Tensor, " star"]:
    r"""Count the templates of other stars inside the prior intervals around each star's labels.

    .. math:: n_i = \#\{j \ne i : |x_{jl} - x_{il}| \le h_l(T_i)\ \forall l\}

    Args:
        library: The library.
        prior: Half-widths of the intervals.

    Returns:
        Counts; the star's own other visits, which have its labels, do not count.
    """
    labels = library.labels
    widths = prior.half_widths(labels[:, 0], library.label_names, labels)
    code = {name: number for number, name in enumerate(dict.fromkeys(library.star_names))}
    star = torch.tensor([code[name] for name in library.star_names])
    pieces = [
        ((labels - labels[some, None]).abs() <= widths[some, None]).all(dim=2)
        & (star[some, None] != star)
        for some in torch.arange(len(labels)).split(_AT_ONCE)
    ]
    return torch.cat([inside.sum(dim=1) for inside in pieces])


def count_rows(
    counts: Int[np.ndarray, " star"], teff: Float[np.ndarray, " star"], least: int
) -> list[Row]:
    """Share of the stars with more than some library stars in their intervals, by class.

    Args:
        counts: Of every star.
        teff: Temperature in K.
        least: How many they should be.

    Returns:
        Rows ``stars, n, median count, percent above``; a class without a star has no row.
    """
    classes = classes_of(teff)
    members: dict[str, Bool[np.ndarray, " star"]] = {
        "all": np.ones(len(teff), dtype=bool),
        **{name: classes == name for name in CLASSES},
        f"from {_HOT:g} K": teff >= _HOT,
    }
    return [
        {
            "stars": name,
            "n": int(inside.sum()),
            "median count": float(np.median(counts[inside])),
            f"percent above {least}": 100 * float((counts[inside] > least).mean()),
        }
        for name, inside in members.items()
        if inside.any()
    ]


@styled
def counts_figure(
    counts: Int[np.ndarray, " star"], teff: Float[np.ndarray, " star"], least: int
) -> Figure:
    """Draw the counts against temperature, with the number that is wanted."""
    figure = new_figure(WIDE)
    axes = figure.subplots()
    make_teff_axis(axes, "x")
    axes.scatter(teff, np.maximum(counts, 0.5), s=6, color=RESIDUAL, alpha=0.5, linewidths=0)
    axes.axhline(least, color=MODEL, label=f"t = {least}")
    axes.axvline(_HOT, color=INK, linestyle="--", label="wider intervals from here")
    axes.set(xlabel=axis_name(TEFF), ylabel="library stars in the intervals", yscale="log")
    axes.legend(loc="lower left")
    return figure


@dataclass(frozen=True)
class PriorCounts(PaperFigure):
    """Number of library stars inside each star's prior intervals against temperature.

    Args:
        least: Number that there should be, the t of the paper.
    """

    least: int = 100
    number = "Fig. 2"
    title = "Library stars within the prior intervals"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        library = material.library
        teff = library.labels[:, 0].numpy()
        counts = prior_counts(library, material.matching.prior).numpy()
        rows = count_rows(counts, teff, self.least)
        share = float(rows[0][f"percent above {self.least}"])
        paper = published_value(
            self.number, "percent of stars with more than 100 library stars in their intervals"
        )
        text = (
            f"{share:.1f} % of the {len(library)} stars have more than {self.least} others within "
            f"their intervals; of the paper's 18,654, which lie denser, {paper:g} % have more than "
            "100. Other visits of a star do not count."
        )
        caption = (
            "Number of other library stars within the prior intervals of each, against its "
            f"temperature, on logarithmic axes; a line marks {self.least}"
        )
        figure = counts_figure(counts, teff, self.least)
        tables = [("Library stars within the intervals", rows)]
        return Drawing(text, f"{len(library)} library spectra", [(caption, figure)], tables)

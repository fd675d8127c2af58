"""Fig. 9: by how much the label PCA misses the temperatures of the matched sets, against t."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure

from torchfit.group.grouping import Grouping
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.matched_library import CLASSES, MatchedLibrary
from torchfit.paper.material import Material
from torchfit.paper.panels import COLOURS, logarithmic
from torchfit.report.rows import Row
from torchfit.report.style import WIDE, new_figure, styled


def median_errors(matched: MatchedLibrary, t: int, grouping: Grouping) -> Mapping[str, float]:
    """Median absolute error of the reproduced temperature, by spectral class.

    Args:
        matched: The matched library.
        t: Number of matched sets.
        grouping: Settings of groups and label PCA.

    Returns:
        Error in K by class; a class without a star is left out.
    """
    error = torch.full((len(matched.start), t), torch.nan, dtype=torch.float64)
    for star, _, off in matched.reproduced(matched.groups(grouping, "prior"), t, grouping):
        error[star] = off[..., 0].abs()
    classes = matched.classes
    return {
        name: float(error[torch.from_numpy(classes == name)].median())
        for name in CLASSES
        if (classes == name).any()
    }


@styled
def errors_figure(errors: Mapping[int, Mapping[str, float]]) -> Figure:
    """Draw the errors against t, a line per class."""
    figure = new_figure(WIDE)
    axes = figure.subplots()
    for name in CLASSES:
        t = [t for t, by_class in errors.items() if name in by_class]
        values = [errors[each][name] for each in t]
        axes.plot(t, values, color=COLOURS[name], marker="o", markersize=3, label=name)
    logarithmic(axes, "x", list(errors))
    axes.set(xlabel="matched label sets t", ylabel=r"median $|\Delta T|$ (K)")
    axes.set_ylim(0, None)
    axes.legend(ncols=2)
    return figure


@dataclass(frozen=True)
class ReproductionAgainstT(PaperFigure):
    """Median error of the temperatures that the label PCA reproduces, against t by class.

    Args:
        t: Numbers of matched sets.
        n_group: Largest number of stars in a group.
        variance: Share of the variance that the label PCA keeps.
    """

    t: Sequence[int] = (5, 10, 20, 50, 100, 200, 400)
    n_group: int = 50
    variance: float = 0.98
    number = "Fig. 9"
    title = "Reproduction of the matched labels against t"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        matched, grouping = material.matched(max(self.t)), Grouping(self.n_group, self.variance)
        most = matched.sets.shape[1]
        errors = {t: median_errors(matched, t, grouping) for t in self.t if t <= most}
        rows: list[Row] = [{"t": t, **by_class} for t, by_class in errors.items()]
        values = np.array([list(by_class.values()) for by_class in errors.values()])
        rises = int((values[-1] > values[0]).sum())
        greatest = max(errors, key=lambda t: np.median(list(errors[t].values())))
        text = (
            f"Groups of at most {self.n_group} stars, {self.variance:.0%} of the variance kept. "
            f"From t = {min(errors)} to {max(errors)} the error of the temperature rises in "
            f"{rises} of {values.shape[1]} classes; in the median of the classes it is greatest at "
            f"t = {greatest}: more label sets are a wider cloud, of which the same share is lost. "
            "As many components as there are sets lose nothing."
        )
        caption = (
            "Median absolute error of the temperatures that the label PCA reproduces, in kelvin, "
            "against the number t of matched sets, a line for each spectral class"
        )
        tables = [("Median absolute error of the temperature in K", rows)]
        return Drawing(text, matched.sample, [(caption, errors_figure(errors))], tables)

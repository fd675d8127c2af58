"""Fig. 8: whether groups of similar stars are reproduced better than groups drawn at random."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure

from torchfit.group.grouping import Grouping
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.matched_library import MatchedLibrary, Order
from torchfit.paper.material import Material
from torchfit.report.rows import Row
from torchfit.report.style import MODEL, RESIDUAL, WIDE, axis_name, label_unit, new_figure, styled

PRIOR, RANDOM, SAME_M = "prior", "random", "random, as many components as prior"
"""Similar stars; any stars; any stars with as many components as similar ones need."""


@dataclass(frozen=True)
class Spreads:
    """How far the label PCA is off, star by star.

    Args:
        spread: Standard deviation of reproduced minus matched labels over a star's sets.
        m: Median number of components of the groups.
    """

    spread: Float[torch.Tensor, "star label"]
    m: float


def reproduction_spreads(
    matched: MatchedLibrary, t: int, grouping: Grouping, order: Order
) -> Spreads:
    r"""Spread of the reproduction error of every star, :math:`\sqrt{\langle e^2\rangle}`.

    Args:
        matched: The matched library.
        t: Number of matched sets.
        grouping: Settings of groups and label PCA.
        order: How the groups are made.

    Returns:
        One spread per star and label; their mean over the sets is 0, as the sets are centred.
    """
    group = matched.groups(grouping, order)
    spread, sizes = torch.zeros_like(matched.start), []
    for star, pca, off in matched.reproduced(group, t, grouping):
        spread[star] = off.square().mean(dim=1).sqrt()
        sizes.append(pca.scores.shape[1])
    return Spreads(spread, float(np.median(sizes)))


def compared_orders(matched: MatchedLibrary, t: int, grouping: Grouping) -> Mapping[str, Spreads]:
    """Spreads of prior and random groups, at the same variance and at the same number.

    The label PCA keeps the same share of the variance of every group, so that the total error is
    nearly the same by construction; what differs is the number of components it takes.

    Args:
        matched: The matched library.
        t: Number of matched sets.
        grouping: Settings of groups and label PCA.

    Returns:
        By order.
    """
    prior = reproduction_spreads(matched, t, grouping, "prior")
    fixed = replace(grouping, variance=1.0, max_comp=max(1, round(prior.m)))
    return {
        PRIOR: prior,
        RANDOM: reproduction_spreads(matched, t, grouping, "random"),
        SAME_M: reproduction_spreads(matched, t, fixed, "random"),
    }


def order_rows(spreads: Mapping[str, Spreads], labels: tuple[str, ...]) -> list[Row]:
    """Median and root mean square of the spreads of every label, by order.

    Args:
        spreads: By order.
        labels: Names of the label axis.

    Returns:
        Rows ``label, unit, groups, components, median, rms``.
    """
    return [
        {
            "label": label,
            "unit": label_unit(label),
            "groups": order,
            "components": each.m,
            "median": float(each.spread[:, place].median()),
            "rms": float(each.spread[:, place].square().mean().sqrt()),
        }
        for place, label in enumerate(labels)
        for order, each in spreads.items()
    ]


def n_smaller(rows: Sequence[Row], other: str, statistic: str) -> int:
    """In how many labels prior groups are reproduced better than others.

    Args:
        rows: Rows of :func:`order_rows`.
        other: The other order.
        statistic: ``median`` or ``rms``.
    """
    value = {(row["groups"], row["label"]): float(row[statistic]) for row in rows}
    labels = {row["label"] for row in rows}
    return sum(value[PRIOR, label] < value[other, label] for label in labels)


@styled
def spreads_figure(spreads: Mapping[str, Spreads], labels: tuple[str, ...]) -> Figure:
    """Draw the histograms of prior and random groups, a panel per label."""
    figure = new_figure((WIDE[0], 1.2 * WIDE[1]))
    panels = figure.subplots(2, -(-len(labels) // 2), squeeze=False).ravel()
    for place, (axes, label) in enumerate(zip(panels, labels, strict=False)):
        values = {order: each.spread[:, place].numpy() for order, each in spreads.items()}
        edges = np.linspace(0, max(np.percentile(v, 98) for v in values.values()) or 1.0, 31)
        for order, colour in ((PRIOR, RESIDUAL), (RANDOM, MODEL)):
            axes.hist(values[order], edges.tolist(), histtype="step", color=colour, label=order)
        axes.set(xlabel=axis_name(label, "spread"), ylabel="stars")
    for axes in panels[len(labels) :]:
        axes.set_visible(False)
    panels[0].legend()
    return figure


@dataclass(frozen=True)
class GroupingOrder(PaperFigure):
    """Spread of the label-PCA reproduction error for prior and random groups.

    Args:
        t: Number of matched sets.
        n_group: Largest number of stars in a group.
        variance: Share of the variance that the label PCA keeps.
    """

    t: int = 100
    n_group: int = 50
    variance: float = 0.98
    number = "Fig. 8"
    title = "Prior and random groups"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        matched = material.matched(self.t)
        t = min(self.t, matched.sets.shape[1])
        spreads = compared_orders(matched, t, Grouping(self.n_group, self.variance))
        labels = matched.label_names
        rows = order_rows(spreads, labels)
        n_labels = len(labels)
        medians, rms, fixed = (
            n_smaller(rows, *what)
            for what in ((RANDOM, "median"), (RANDOM, "rms"), (SAME_M, "rms"))
        )
        text = (
            f"t = {t}, N_group = {self.n_group}. At the same share of the variance "
            f"({self.variance:.0%}; {spreads[PRIOR].m:g} components for prior groups, "
            f"{spreads[RANDOM].m:g} for random ones) the spread of prior groups is smaller in "
            f"{medians} of {n_labels} labels by its median over the stars, and in {rms} by its "
            f"root mean square; with as many components as prior groups, in {fixed} by that."
        )
        caption = (
            "Histograms of the spread of the label-PCA reproduction error of each star, a panel "
            "for each label, for groups of similar stars and for random groups"
        )
        figure = spreads_figure(spreads, labels)
        return Drawing(text, matched.sample, [(caption, figure)], [("Spread of the error", rows)])

"""Fig. 3: how far the first component of the label PCA reaches, against t and N_group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from torchfit.group.grouping import Grouping
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.matched_library import CLASSES, MatchedLibrary
from torchfit.paper.material import Material
from torchfit.paper.panels import class_panels, logarithmic
from torchfit.report.rows import Row
from torchfit.report.style import DENSITY, styled
from torchfit.spectra import evenly

SETTLED = 0.1
"""Change of a width that is none."""


class Bounds(NamedTuple):
    """Bounds of the first score of groups.

    Args:
        name: Spectral class.
        n_group: Stars in a group.
        t: Matched sets of a star.
        n_groups: Number of groups.
        lower: Median lower bound.
        upper: Median upper bound.
        m: Median number of components.
    """

    name: str
    n_group: int
    t: int
    n_groups: int
    lower: float
    upper: float
    m: float


def first_bounds(
    matched: MatchedLibrary, ts: Sequence[int], n_groups: Sequence[int], at_most: int
) -> list[Bounds]:
    """Median bounds of the first score by class, size of the groups, and number of sets.

    Args:
        matched: The matched library.
        ts: Numbers of matched sets.
        n_groups: Sizes of groups; a class makes whole groups only.
        at_most: Most groups of a class and size that are looked at, evenly chosen.

    Returns:
        What the library is large enough for.
    """
    found = []
    for name in CLASSES:
        members = np.flatnonzero(matched.classes == name)
        members = members[np.lexsort(matched.start[members].numpy().T[::-1])]
        for size in (size for size in n_groups if size <= len(members)):
            first = evenly(np.arange(len(members) // size), at_most) * size
            groups = [torch.from_numpy(members[at : at + size]) for at in first.tolist()]
            for t in (t for t in ts if t <= matched.sets.shape[1]):
                found.append(_median_bounds(matched, groups, t, (name, size)))
    return found


def _median_bounds(
    matched: MatchedLibrary, groups: Sequence[torch.Tensor], t: int, what: tuple[str, int]
) -> Bounds:
    grouping = Grouping(n_group=what[1])
    pcas = [matched.label_pca(star, t, grouping) for star in groups]
    lower, upper = (float(np.median([float(pca.bounds[end][0]) for pca in pcas])) for end in (0, 1))
    m = float(np.median([pca.scores.shape[1] for pca in pcas]))
    return Bounds(*what, t, len(groups), lower, upper, m)


def settled_at(bounds: Sequence[Bounds], tolerance: float = SETTLED) -> int | None:
    """The number of sets from which the width of the box changes no more.

    Args:
        bounds: Of one class and size of groups, by rising t.
        tolerance: Relative change that is none.

    Returns:
        The least t from which all widths are within the tolerance of that of the largest t;
        ``None`` if only the largest t is.
    """
    width = np.array([each.upper - each.lower for each in bounds])
    off = np.abs(width - width[-1]) > tolerance * width[-1]
    first = int(np.flatnonzero(off)[-1]) + 1 if off.any() else 0
    return bounds[first].t if first < len(bounds) - 1 else None


def bounds_rows(bounds: Sequence[Bounds]) -> list[Row]:
    """Where the bounds settle, by class and size of groups."""
    rows: list[Row] = []
    for name, size in dict.fromkeys((each.name, each.n_group) for each in bounds):
        some = [each for each in bounds if (each.name, each.n_group) == (name, size)]
        last, settled = some[-1], settled_at(some)
        rows.append(
            {
                "class": name,
                "N_group": size,
                "groups": last.n_groups,
                "lower": last.lower,
                "upper": last.upper,
                "m": last.m,
                "at t": last.t,
                "settled from t": "no" if settled is None else str(settled),
            }
        )
    return rows


@styled
def bounds_figure(bounds: Sequence[Bounds]) -> Figure:
    """Draw lower and upper bounds against t, a panel per class, a line per size of groups."""
    figure, panels = class_panels(list(dict.fromkeys(each.name for each in bounds)))
    sizes, ts = sorted({each.n_group for each in bounds}), sorted({each.t for each in bounds})
    for name, axes in panels.items():
        logarithmic(axes, "x", ts)
        for place, size in enumerate(sizes):
            some = [each for each in bounds if (each.name, each.n_group) == (name, size)]
            colour = _colour(place, len(sizes))
            for end in ("lower", "upper"):
                values = [getattr(each, end) for each in some]
                label = str(size) if end == "lower" else None
                axes.plot([each.t for each in some], values, color=colour, label=label, marker=".")
    handles, texts = _handles(list(panels.values()))
    figure.legend(handles, texts, title="N_group", loc="outside right center", fontsize=8)
    figure.supxlabel("matched label sets t", fontsize=10.5)
    figure.supylabel("median bounds of $d_1$", fontsize=10.5)
    return figure


def _handles(panels: Sequence[Axes]) -> tuple[list, list]:
    """One line of each size; a panel lacks the sizes that its class has too few stars for."""
    found = {
        text: handle
        for axes in panels
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    texts = sorted(found, key=int)
    return [found[text] for text in texts], texts


def _colour(place: int, n_colours: int) -> tuple[float, float, float, float]:
    return mpl.colormaps[DENSITY](0.9 * place / max(n_colours - 1, 1))


@dataclass(frozen=True)
class LabelPCABounds(PaperFigure):
    """Median bounds of the first label-PCA score against t, by class and size of groups.

    Args:
        t: Numbers of matched sets.
        n_group: Sizes of groups.
        at_most: Most groups of a class and size that are looked at.
    """

    t: Sequence[int] = (5, 10, 20, 50, 100, 200, 400)
    n_group: Sequence[int] = (1, 5, 20, 50, 100, 200)
    at_most: int = 20
    number = "Fig. 3"
    title = "Bounds of the first label-PCA score"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        matched = material.matched(max(self.t))
        bounds = first_bounds(matched, self.t, self.n_group, self.at_most)
        rows = bounds_rows(bounds)
        settled = sum(row["settled from t"] != "no" for row in rows)
        text = (
            "The box in which a group is searched, along its first component. The scores are in "
            "units of the prior half-widths, so that the box widens as the square root of N_group. "
            f"It settles (within {SETTLED:.0%} of the width at the largest t) in {settled} of "
            f"{len(rows)} cases; the paper takes t = 100."
        )
        caption = (
            "Median lower and upper bound of the first label-PCA score against the number t of "
            "matched label sets, a panel for each spectral class, a line for each size of groups"
        )
        tables = [("Where the bounds settle", rows)]
        return Drawing(text, matched.sample, [(caption, bounds_figure(bounds))], tables)

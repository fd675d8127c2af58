"""Fig. 4: what groups cost and save: time, and scatter of the temperature, against N_group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from torchfit.compare.published import published_value
from torchfit.files.table_pieces import Table
from torchfit.names import TEFF
from torchfit.optimise.problem import STOP_REASONS, StopReason
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import PAPER, UNGROUPED, GroupedTrial, Material
from torchfit.paper.panels import logarithmic
from torchfit.report.metrics import SPECTRAL_CLASSES, robust_sigma
from torchfit.report.rows import Row
from torchfit.report.style import CLASS_COLOURS, INK, RESIDUAL, WIDE, axis_name, new_figure, styled

SURVEY = int(published_value("Text", "spectra"))
"""Spectra of LAMOST DR10 that the paper's hours are of."""
HOURS = f"hours for {SURVEY}"
_HOUR = 3600.0
_STILL = 1e-6


def moved_share(trial: GroupedTrial) -> float:
    """Share of the stars whose labels are not those of their best match any more."""
    change = (trial.measured.labels - trial.measured.start).abs()
    still = change <= _STILL * trial.measured.start.abs().clamp_min(1.0)
    return float((~still.all(dim=1)).double().mean())


def stopped_at_once(trial: GroupedTrial, patience: int) -> float:
    """Share of the groups that stopped since their first iterations changed nothing."""
    fit, group = trial.measured.fit, trial.measured.group
    unchanged = fit.stop == STOP_REASONS.index(StopReason.UNCHANGED)
    first = torch.stack([(group == number).nonzero()[0, 0] for number in group.unique().tolist()])
    return float((unchanged & (fit.iterations == patience))[first].double().mean())


def cost_row(search: str, trial: GroupedTrial, patience: int) -> Row:
    """Time and scatter of a search.

    Args:
        search: What it is called.
        trial: What came of it.
        patience: Iterations without a change until a group stops.

    Returns:
        ``search, ms a star, hours`` for the paper's survey at this rate, shares of the stars that
        left their best match and of the groups that stopped at once, and the robust scatter of
        the temperature by class.
    """
    off, teff = trial.residual[:, 0].numpy(), trial.truth[:, 0].numpy()
    per_star = trial.seconds / len(off)
    scatter = {
        f"{each.name} (K)": robust_sigma(off[each.contains(teff)]) for each in SPECTRAL_CLASSES
    }
    return {
        "search": search,
        "ms a star": 1000 * per_star,
        HOURS: per_star * SURVEY / _HOUR,
        "% of stars moved": 100 * moved_share(trial),
        "% of groups stopped at once": 100 * stopped_at_once(trial, patience),
        **scatter,
    }


def same_stars(one: Table, other: Table) -> tuple[np.ndarray, np.ndarray]:
    """Temperatures in K of the spectra that two catalogues both have."""
    columns = [
        pd.Series(each["teff"].to_numpy(dtype=float), index=each["source"].to_numpy(dtype=object))
        for each in (one, other)
    ]
    both = pd.concat(columns, axis=1, join="inner").to_numpy()
    return both[:, 0], both[:, 1]


def grouped_minus_ungrouped(
    grouped: np.ndarray, ungrouped: np.ndarray, teff: np.ndarray
) -> list[Row]:
    """Difference of temperatures by class.

    Args:
        grouped: Temperature in K of the grouped search.
        ungrouped: Of the search star by star.
        teff: Temperature that puts a star in its class.

    Returns:
        Rows ``class, n, median (K), scatter (K)``.
    """
    off = grouped - ungrouped
    rows: list[Row] = []
    for each in SPECTRAL_CLASSES:
        some = off[each.contains(teff) & np.isfinite(off)]
        if some.size:
            rows.append(
                {
                    "class": each.name,
                    "n": some.size,
                    "median (K)": float(np.median(some)),
                    "scatter (K)": robust_sigma(some),
                    "% unchanged": 100 * float((np.abs(some) < _STILL * 1000).mean()),
                }
            )
    return rows


@styled
def cost_figure(rows: Mapping[int, Row], ours: Row, off: np.ndarray) -> Figure:
    """Draw time, scatter by class, and the histogram of grouped minus ungrouped.

    Args:
        rows: Rows of :func:`cost_row` by size of groups.
        ours: That of our default, drawn as a level.
        off: Temperature with groups minus that without, in K.
    """
    figure = new_figure((1.25 * WIDE[0], WIDE[1]))
    time, scatter, change = figure.subplots(1, 3)
    sizes = list(rows)
    for axes in (time, scatter):
        logarithmic(axes, "x", sizes)
        axes.set_xlabel("N_group")
    hours = [float(row[HOURS]) for row in rows.values()]
    time.plot(sizes, hours, color=RESIDUAL, marker=".", label="groups")
    time.axhline(float(ours[HOURS]), color=INK, linestyle="--", label="default")
    time.set(ylabel=f"hours for {SURVEY:,} spectra", ylim=(0, None))
    time.legend(fontsize=8)
    for name, colour in CLASS_COLOURS.items():
        values = [float(row[f"{name} (K)"]) for row in rows.values()]
        scatter.plot(sizes, values, color=colour, marker=".", label=name)
        scatter.axhline(float(ours[f"{name} (K)"]), color=colour, linestyle="--", linewidth=0.7)
    scatter.set(ylabel=axis_name(TEFF, "scatter"), yscale="log")
    scatter.legend(fontsize=8)
    some = off[np.isfinite(off)]
    limit = float(np.percentile(np.abs(some), 95)) if some.size else 1.0
    change.hist(some, np.linspace(-limit or -1.0, limit or 1.0, 41).tolist(), color=RESIDUAL)
    change.set(xlabel=axis_name(TEFF, "grouped − ungrouped"), ylabel="survey stars")
    return figure


@dataclass(frozen=True)
class GroupingCost(PaperFigure):
    """Time for the survey and scatter of the temperature against the size of groups.

    Args:
        n_group: Sizes of groups.
        patience: Iterations without a change until a group stops, as in ``optimise=paper``.
    """

    n_group: Sequence[int] = (1, 5, 20, 50, 100, 200)
    patience: int = 5
    number = "Fig. 4"
    title = "Time and scatter against the size of groups"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        trials = {size: material.trial(size) for size in self.n_group}
        rows = {
            size: cost_row(f"N_group = {size}", trial, self.patience)
            for size, trial in trials.items()
        }
        ours = cost_row("default, star by star", material.trial(None), self.patience)
        grouped, alone = same_stars(
            *(material.survey(reading).finished.table for reading in (PAPER, UNGROUPED))
        )
        changes = grouped_minus_ungrouped(grouped, alone, alone)
        first, last = rows[min(rows)], rows[max(rows)]
        text = (
            "The paper's search (label PCA, Bayesian optimisation, unweighted), all groups in one "
            f"batch. From N_group = {min(rows)} to {max(rows)} a star takes "
            f"{first['ms a star']:.1f} and {last['ms a star']:.1f} ms; the scatter of FGK stars is "
            f"{first['FGK (K)']:.0f} and {last['FGK (K)']:.0f} K. With the largest groups "
            f"{last['% of stars moved']:.0f} % of the stars leave their best match, and "
            f"{last['% of groups stopped at once']:.0f} % of the groups stop after the "
            f"{self.patience} iterations that every group has; with the smallest "
            f"{first['% of stars moved']:.0f} % and {first['% of groups stopped at once']:.0f} %. "
            f"The default takes {ours['ms a star']:.1f} ms for {ours['FGK (K)']:.0f} K."
        )
        caption = (
            "Against the number of stars in a group: hours for the paper's survey at this rate, "
            "and scatter of the temperature of held-out library stars by class; histogram of the "
            "temperature with groups minus that without, of survey stars"
        )
        sample = (
            f"{len(trials[self.n_group[0]].truth)} library stars held out, in one process; "
            f"{len(grouped)} survey stars"
        )
        tables = [
            ("Time and scatter by size of groups", [*rows.values(), ours]),
            ("Temperature with groups minus that of groups of one star, survey", changes),
        ]
        return Drawing(text, sample, [(caption, cost_figure(rows, ours, grouped - alone))], tables)

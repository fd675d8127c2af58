"""The section on open clusters."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from torchfit.compare.clusters import ClusterComparison
from torchfit.files.table_pieces import Table, rows_of
from torchfit.names import FE_H, LOGG, TEFF
from torchfit.report.comparisons import join_sentence
from torchfit.report.figures.cluster import cluster_figure
from torchfit.report.page import Section
from torchfit.report.rows import Row

_TITLE = "Open clusters"
_DRAWN = 6


def clusters_section(table: Table, comparison: ClusterComparison, sample: np.ndarray) -> Section:
    """Show the members of clusters, as Fig. 26 and 27 of the paper.

    Args:
        table: The catalogue.
        comparison: Members found among our stars.
        sample: Our stars that count.

    Returns:
        The section: [Fe/H] by cluster, and the richest clusters and all with an isochrone drawn.
    """
    text = join_sentence(comparison.line)
    member = np.where(sample, comparison.cluster, "")
    names, counts = np.unique(member[member != ""].astype(str), return_counts=True)
    if not names.size:
        return Section(_TITLE, f"{text} No member is among the stars that count.")
    richest = names[np.argsort(-counts, kind="stable")]
    drawn = [n for n in richest if comparison.isochrone(n) is not None]
    drawn += [n for n in richest[:_DRAWN] if n not in drawn]
    figures = [
        (
            f"{name}: gravity against temperature of its members",
            _draw(_members(table, member == name), comparison.isochrone(name), name),
        )
        for name in drawn
    ]
    rows = [
        _row(_members(table, member == name), comparison.fe_h[member == name], name)
        for name in richest
    ]
    return Section(_TITLE, text, figures, [("[Fe/H] of the members", rows)])


def _members(table: Table, member: np.ndarray) -> pd.DataFrame:
    return rows_of(table, np.flatnonzero(member), [TEFF, LOGG, FE_H])


def _draw(members: pd.DataFrame, isochrone: np.ndarray | None, name: str) -> Figure:
    teff, logg = (members[label].to_numpy(dtype=float) for label in (TEFF, LOGG))
    return cluster_figure(name, teff, logg, isochrone)


def _row(members: pd.DataFrame, published: np.ndarray, name: str) -> Row:
    fe_h = members[FE_H].to_numpy(dtype=float)
    fe_h, published = fe_h[np.isfinite(fe_h)], published[np.isfinite(published)]
    nan = float("nan")
    return {
        "cluster": name,
        "stars": fe_h.size,
        "mean [Fe/H]": float(fe_h.mean()) if fe_h.size else nan,
        "sigma": float(fe_h.std()) if fe_h.size > 1 else nan,
        "published [Fe/H]": float(np.median(published)) if published.size else nan,
    }

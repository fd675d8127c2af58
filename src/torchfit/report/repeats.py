"""The section on repeat visits."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from torchfit.compare.repeats import MAX_RATIO_DIFFERENCE, Repeats, find_repeats
from torchfit.files.table_pieces import Table
from torchfit.report.figures.repeats import repeats_figure
from torchfit.report.metrics import robust_sigma
from torchfit.report.page import Section
from torchfit.report.rows import Row
from torchfit.report.style import label_unit

_TITLE = "Repeat visits"
_EDGES = (0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0, np.inf)


def repeats_section(
    table: Table, labels: Sequence[str], snr: Float[np.ndarray, " star"]
) -> Section:
    """Show what measurements of one star differ by, as Fig. 10 of the paper.

    Args:
        table: The catalogue.
        labels: Labels of the emulator.
        snr: Signal-to-noise ratio of every star in the band of its class.

    Returns:
        The section; without repeats it says so.
    """
    repeats = find_repeats(table, snr)
    if not repeats.first.size:
        return Section(_TITLE, "No star was seen twice: nothing can be said of repeats.")
    rows = repeat_rows(table, repeats, labels)
    text = (
        f"{repeats.first.size} pairs of visits to one star, on different nights, whose S/N differ "
        f"by at most {MAX_RATIO_DIFFERENCE:.0%}. The scatter is the robust one of the difference "
        "over √2, beside the median error that the catalogue gives."
    )
    drawn = [row for row in rows if np.isfinite(float(row["median S/N"]))]
    if not drawn:
        text += " Their S/N is not known, so there is no figure against it."
    caption = "Scatter of repeat visits against S/N"
    figures = [(caption, repeats_figure(drawn, labels))] if drawn else []
    return Section(_TITLE, text, figures, [("Repeat visits by S/N", rows)])


def repeat_rows(table: Table, repeats: Repeats, labels: Sequence[str]) -> list[Row]:
    """Scatter of repeats and claimed errors by range of S/N.

    Args:
        table: The catalogue.
        repeats: Pairs of visits.
        labels: Labels of the emulator.

    Returns:
        Rows ``label, unit, S/N, median S/N, pairs, scatter, median error``; a range without a
        pair has no row, and the scatter of a single pair is NaN.
    """
    ranges = {
        f"{low:g}-{high:g}" if np.isfinite(high) else f"> {low:g}": (repeats.snr >= low)
        & (repeats.snr < high)
        for low, high in pairwise(_EDGES)
    } | {"unknown": np.isnan(repeats.snr)}
    return [
        _row(table, repeats, label, name, inside)
        for label in labels
        for name, inside in ranges.items()
        if inside.any()
    ]


def _row(table: Table, repeats: Repeats, label: str, name: str, inside: np.ndarray) -> Row:
    off = repeats.scatter(table[label].to_numpy(dtype=float))[inside]
    errors = table[f"e_{label}"].to_numpy(dtype=float)[repeats.first[inside]]
    good = errors[np.isfinite(errors)]
    # About zero, not about the median: an offset between visits is an error of them too.
    both = np.concatenate([off, -off])
    return {
        "label": label,
        "unit": label_unit(label),
        "S/N": name,
        "median S/N": float(np.median(repeats.snr[inside])),
        "pairs": int(np.isfinite(off).sum()),
        "scatter": robust_sigma(both) if np.isfinite(off).sum() > 1 else float("nan"),
        "median error": float(np.median(good)) if good.size else float("nan"),
    }

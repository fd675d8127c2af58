"""Table 2 of the paper: the recommended sample by class, dwarfs and giants."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from torchfit.flags.snr import PAPER_THRESHOLDS, SnrRule
from torchfit.names import LOGG
from torchfit.report.rows import Row, format_value
from torchfit.report.style import label_unit

DWARF_LOGG = 3.8
"""Gravity in dex from which a star counts as a dwarf, as in the paper."""

_LATEX_LABELS = {
    "teff": r"\Delta T_\mathrm{eff}",
    "logg": r"\Delta\log g",
    "fe_h": r"\Delta[\mathrm{Fe/H}]",
    "alpha_fe": r"\Delta[\alpha/\mathrm{Fe}]",
}


def table_two(sample: pd.DataFrame, labels: Sequence[str]) -> list[Row]:
    """Summarise a sample by class, and by giants and dwarfs within it.

    Args:
        sample: Stars of the catalogue.
        labels: Labels of the emulator.

    Returns:
        Rows ``class, kind, N``, mean and standard deviation of the errors of every label,
        the same of the reduced chi-squared, and the least S/N in the band of the class. NaN
        where nothing is known; a kind without a star has no row.
    """
    giant = (sample[LOGG] < DWARF_LOGG).to_numpy()
    snr = SnrRule().ratio(sample)
    rows = []
    for name in PAPER_THRESHOLDS:
        inside = (sample["spectral_class"] == name).to_numpy()
        for kind, chosen in (("giants", inside & giant), ("dwarfs", inside & ~giant)):
            if chosen.any():
                rows.append(_row(name, kind, sample[chosen], snr[chosen], labels))
    return rows


def _row(name: str, kind: str, stars: pd.DataFrame, snr: np.ndarray, labels: Sequence[str]) -> Row:
    row: dict[str, str | int | float] = {"class": name, "kind": kind, "N": len(stars)}
    for column in (*(f"e_{label}" for label in labels), "rchi2"):
        mean, spread = _mean_and_spread(stars[column].to_numpy(dtype=float))
        row |= {column: mean, f"± {column}": spread}
    return row | {"min S/N": float(np.nanmin(snr)) if np.isfinite(snr).any() else float("nan")}


def _mean_and_spread(values: np.ndarray) -> tuple[float, float]:
    good = values[np.isfinite(values)]
    if not good.size:
        return float("nan"), float("nan")
    return float(good.mean()), float(good.std()) if good.size > 1 else float("nan")


def latex_table(rows: Sequence[Row], labels: Sequence[str]) -> str:
    """Set Table 2 in LaTeX.

    Args:
        rows: Rows of :func:`table_two`.
        labels: Labels of the emulator.

    Returns:
        A ``tabular`` environment that needs no package.
    """
    names = [f"e_{label}" for label in labels]
    heads = [f"${_LATEX_LABELS[label]}$ ({label_unit(label)})" for label in labels]
    head = ["Class", "Kind", "$N$", *heads, r"$\chi^2_\nu$", "min S/N"]
    lines = [_latex_line(row, [*names, "rchi2"]) for row in rows]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{ll{'r' * (len(head) - 2)}}}",
            r"\hline",
            rf"{' & '.join(head)} \\",
            r"\hline",
            *lines,
            r"\hline",
            r"\end{tabular}",
            "",
        ]
    )


def _latex_line(row: Row, names: Sequence[str]) -> str:
    pairs = [rf"${format_value(row[name])} \pm {format_value(row[f'± {name}'])}$" for name in names]
    cells = [str(row["class"]), str(row["kind"]), str(row["N"]), *pairs]
    return rf"{' & '.join([*cells, format_value(row['min S/N'])])} \\"

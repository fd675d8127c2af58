"""Table 2 of the paper: the recommended sample by class, dwarfs and giants."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from torchfit.files.table_pieces import Table
from torchfit.flags.snr import PAPER_THRESHOLDS
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


def table_two(
    table: Table,
    sample: Bool[np.ndarray, " star"],
    labels: Sequence[str],
    snr: Float[np.ndarray, " star"],
) -> list[Row]:
    """Summarise a sample by class, and by giants and dwarfs within it.

    Args:
        table: The catalogue.
        sample: Its stars that count.
        labels: Labels of the emulator.
        snr: Signal-to-noise ratio of every star in the band of its class.

    Returns:
        Rows ``class, kind, N``, mean and standard deviation of the errors of every label,
        the same of the reduced chi-squared, and the least S/N in the band of the class. NaN
        where nothing is known; a kind without a star has no row.
    """
    groups = _groups(table, sample)
    rows: list[dict[str, str | int | float]] = [
        {"class": name, "kind": kind, "N": len(stars)} for (name, kind), stars in groups.items()
    ]
    for column in (*(f"e_{label}" for label in labels), "rchi2"):
        values = table[column].to_numpy(dtype=float)
        for row, stars in zip(rows, groups.values(), strict=True):
            row[column], row[f"± {column}"] = _mean_and_spread(values[stars])
    for row, stars in zip(rows, groups.values(), strict=True):
        known = snr[stars][np.isfinite(snr[stars])]
        row["min S/N"] = float(known.min()) if known.size else float("nan")
    return list(rows)


def _groups(
    table: Table, sample: Bool[np.ndarray, " star"]
) -> dict[tuple[str, str], Int[np.ndarray, " member"]]:
    """Places of the stars by class and kind, where there is one."""
    giant, spectral_class = (table[LOGG] < DWARF_LOGG).to_numpy(), table["spectral_class"]
    groups = {}
    for name in PAPER_THRESHOLDS:
        inside = sample & (spectral_class == name).to_numpy()
        groups[name, "giants"] = np.flatnonzero(inside & giant)
        groups[name, "dwarfs"] = np.flatnonzero(inside & ~giant)
    return {key: stars for key, stars in groups.items() if stars.size}


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
    heads = [_latex_head(label) for label in labels]
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


def _latex_head(label: str) -> str:
    plain = rf"\Delta\mathrm{{{label}}}".replace("_", r"\_")
    unit = f" ({label_unit(label)})" if label_unit(label) else ""
    return f"${_LATEX_LABELS.get(label, plain)}${unit}"


def _latex_line(row: Row, names: Sequence[str]) -> str:
    pairs = [rf"${format_value(row[name])} \pm {format_value(row[f'± {name}'])}$" for name in names]
    cells = [str(row["class"]), str(row["kind"]), str(row["N"]), *pairs]
    return rf"{' & '.join([*cells, format_value(row['min S/N'])])} \\"

"""Fig. 7: scatter of the labels of library stars by spectral subclass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from torchfit.catalogue.finished import CATALOGUE
from torchfit.catalogue.parts import read_part
from torchfit.exceptions import DataError
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import OURS, PAPER, Material
from torchfit.report.metrics import SPECTRAL_CLASSES, TeffRange, residual_rows
from torchfit.report.rows import Row
from torchfit.report.style import INK, MODEL, RESIDUAL, WIDE, axis_name, new_figure, styled

SUBCLASSES = tuple(
    TeffRange(name, low, high)
    for name, low, high in (
        ("M5-9", 0.0, 3100.0), ("M0-4", 3100.0, 3850.0), ("K5-9", 3850.0, 4500.0),
        ("K0-4", 4500.0, 5280.0), ("G5-9", 5280.0, 5660.0), ("G0-4", 5660.0, 5950.0),
        ("F5-9", 5950.0, 6550.0), ("F0-4", 6550.0, 7300.0), ("A5-9", 7300.0, 8300.0),
        ("A0-4", 8300.0, 10000.0), ("B5-9", 10000.0, 16000.0), ("B0-4", 16000.0, 31500.0),
        ("O", 31500.0, np.inf),
    )
)  # fmt: skip
"""Half classes as ranges of temperature of dwarfs, after Pecaut & Mamajek 2013."""

_STYLES = ((RESIDUAL, "o"), (MODEL, "s"), (INK, "^"), ("#aa4499", "v"))


@dataclass(frozen=True)
class Measured:
    """Library stars with published and measured labels.

    Args:
        truth: Published labels; the first is the temperature in K.
        found: Measured ones.
        labels: Their names.
    """

    truth: Float[np.ndarray, "star label"]
    found: Float[np.ndarray, "star label"]
    labels: tuple[str, ...]

    def rows(self, sample: str, ranges: Sequence[TeffRange]) -> list[Row]:
        """Offset and robust scatter by range of temperature."""
        groups = {each.name: each.contains(self.truth[:, 0]) for each in ranges}
        rows = residual_rows(self.found - self.truth, self.labels, groups)
        return [{"sample": sample, **row} for row in rows]


def read_measured(folder: Path) -> Measured:
    """Labels of the stars of another library that ``torchfit infer`` has measured.

    Args:
        folder: Its results.

    Returns:
        The stars that are not in the training library and have published labels.

    Raises:
        DataError: If there is no catalogue, or none of its stars has published labels.
    """
    path = folder / f"{CATALOGUE}.parquet"
    if not path.is_file():
        raise DataError(f"no catalogue in {folder}: name a folder that `torchfit infer` has made")
    table = read_part(path)
    labels = tuple(name for name in ("teff", "logg", "fe_h", "alpha_fe") if name in table)
    table = table[~table["in_library"] & np.isfinite(table["teff_lit"].to_numpy(dtype=float))]
    if not len(table):
        raise DataError(f"no star of {folder} has a published temperature to compare with")
    truth = table[[f"{label}_lit" for label in labels]].to_numpy(dtype=float)
    return Measured(truth, table[list(labels)].to_numpy(dtype=float), labels)


@styled
def dispersion_figure(rows: Sequence[Row], labels: Sequence[str]) -> Figure:
    """Draw the scatter by subclass, a panel per label, a line per sample."""
    samples = list(dict.fromkeys(str(row["sample"]) for row in rows))
    figure = new_figure((WIDE[0], 1.7 * len(labels) + 0.8))
    panels = figure.subplots(len(labels), 1, sharex=True, squeeze=False).ravel()
    names = [each.name for each in SUBCLASSES]
    for axes, label in zip(panels, labels, strict=True):
        for place, sample in enumerate(samples):
            mine = [row for row in rows if (row["sample"], row["label"]) == (sample, label)]
            x = [names.index(str(row["class"])) for row in mine]
            y = [float(row["sigma_robust"]) for row in mine]
            colour, marker = _STYLES[place % len(_STYLES)]
            axes.plot(x, y, color=colour, marker=marker, markersize=4, label=sample)
        axes.set(ylabel=axis_name(label, "scatter"))
        if label == "teff":
            axes.set_yscale("log")
    panels[-1].set_xticks(range(len(names)), names)
    panels[0].legend(fontsize=8)
    return figure


@dataclass(frozen=True)
class LibraryDispersion(PaperFigure):
    """Scatter of each label by spectral subclass for the libraries that are at hand.

    Args:
        results: Folders that ``torchfit infer`` has written of other libraries, by their name.
    """

    results: Mapping[str, str] = field(default_factory=dict)
    number = "Fig. 7"
    title = "Scatter of library labels by subclass"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        labels = material.emulator.label_names
        samples = {}
        for reading in (OURS, PAPER):
            held_out = material.held_out(reading)
            samples[f"held out, {reading}"] = Measured(held_out.labels, held_out.predicted, labels)
        for name, folder in self.results.items():
            samples[name] = read_measured(Path(folder).expanduser())
        fine = [row for name, each in samples.items() for row in each.rows(name, SUBCLASSES)]
        coarse = [
            row for name, each in samples.items() for row in each.rows(name, SPECTRAL_CLASSES)
        ]
        scatter = {
            str(row["sample"]): float(row["sigma_robust"])
            for row in coarse
            if (row["class"], row["label"]) == ("FGK", "teff")
        }
        words = ", ".join(f"{name} {value:.0f} K" for name, value in scatter.items())
        text = (
            f"Robust scatter of the temperature of FGK stars: {words}. Subclasses are ranges of "
            "the published temperature. An emulator of the other folds measures every star; the "
            "paper does not say whether a MaStar star might match itself."
        )
        caption = (
            "Robust scatter of measured minus published labels against spectral subclass, a panel "
            "for each label, a line for each reading of the method and each library"
        )
        n_stars = {name: len(each.truth) for name, each in samples.items()}
        sample = ", ".join(f"{name} {n} stars" for name, n in n_stars.items())
        drawn = [label for label in labels if any(row["label"] == label for row in fine)]
        figures = [(caption, dispersion_figure(fine, drawn))]
        return Drawing(text, sample, figures, [("By class", coarse), ("By subclass", fine)])

"""Fig. 6: emulated against observed flux, of stars in the training and of stars held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from torchfit.emulator.emulator import Emulator
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import Material
from torchfit.report.figures.panels import draw_density, padded
from torchfit.report.metrics import SPECTRAL_CLASSES, TeffRange, robust_sigma
from torchfit.report.rows import Row, format_value
from torchfit.report.style import INK, new_figure, styled
from torchfit.report.training import HeldOut
from torchfit.spectra import evenly

IN_SAMPLE, HELD_OUT = "in the training", "held out"
_PIXELS = 500_000


@dataclass(frozen=True)
class FluxPairs:
    """Observed and emulated flux of the good pixels of some stars.

    Args:
        n_stars: Number of stars.
        flux: Observed.
        model: Emulated.
    """

    n_stars: int
    flux: Float[np.ndarray, " value"]
    model: Float[np.ndarray, " value"]

    def row(self, sample: str, name: str) -> Row:
        """Mean and scatter of observed minus emulated flux."""
        residual = self.flux - self.model
        return {
            "sample": sample,
            "range": name,
            "stars": self.n_stars,
            "mean": float(residual.mean(dtype=float)),
            "sigma": float(residual.std(dtype=float)),
            "robust sigma": robust_sigma(residual),
        }


def in_sample_pairs(
    emulator: Emulator, ranges: Sequence[TeffRange], at_most: int
) -> Mapping[str, FluxPairs]:
    """Flux of the emulator's own templates, by range of temperature.

    Args:
        emulator: The emulator.
        ranges: Ranges.
        at_most: Most stars of a range, evenly chosen.
    """
    library = emulator.library
    teff, found = library.labels[:, 0].numpy(), {}
    for each in ranges:
        star = torch.from_numpy(evenly(np.flatnonzero(each.contains(teff)), at_most))
        if len(star):
            spectra = library.spectra[star]
            good = spectra.good & emulator.flux_pca.good
            model = emulator.flux(library.labels[star])
            found[each.name] = FluxPairs(len(star), spectra.flux[good].numpy(), model[good].numpy())
    return found


def held_out_pairs(held_out: HeldOut, ranges: Sequence[TeffRange]) -> Mapping[str, FluxPairs]:
    """Flux of held-out stars, by range of temperature."""
    found = {}
    for each in ranges:
        inside = each.contains(held_out.teff)
        good = held_out.good[inside]
        if good.any():
            flux, model = held_out.flux[inside][good], held_out.model[inside][good]
            found[each.name] = FluxPairs(int(inside.sum()), flux, model)
    return found


@styled
def pairs_figure(samples: Mapping[str, Mapping[str, FluxPairs]]) -> Figure:
    """Draw emulated against observed flux, a row per sample, a column per range."""
    names = list(dict.fromkeys(name for pairs in samples.values() for name in pairs))
    figure = new_figure((2.3 * len(names) + 0.6, 2.3 * len(samples) + 0.7))
    panels = figure.subplots(len(samples), len(names), squeeze=False)
    for row, (sample, pairs) in zip(panels, samples.items(), strict=True):
        for axes, name in zip(row, names, strict=True):
            axes.set_title(f"{name}, {sample}", fontsize=9)
            if name in pairs:
                _draw(axes, pairs[name])
    figure.supxlabel("observed normalised flux", fontsize=10.5)
    figure.supylabel("emulated normalised flux", fontsize=10.5)
    return figure


def _draw(axes: Axes, pairs: FluxPairs) -> None:
    step = max(1, pairs.flux.size // _PIXELS)
    flux, model = pairs.flux[::step], pairs.model[::step]
    limits = padded(*(float(x) for x in np.percentile(flux, (0.02, 99.98))))
    axes.set(xlim=limits, ylim=limits)
    draw_density(axes, flux, model)
    axes.plot(limits, limits, color=INK, linewidth=0.8)
    row = pairs.row("", "")
    words = f"mean {format_value(row['mean'])}\nσ {format_value(row['sigma'])}"
    axes.text(0.04, 0.96, words, transform=axes.transAxes, verticalalignment="top", fontsize=8)


@dataclass(frozen=True)
class FluxOneToOne(PaperFigure):
    """Emulated against observed flux in four ranges of temperature.

    Args:
        at_most: Most stars of a range that are emulated in-sample.
    """

    at_most: int = 300
    number = "Fig. 6"
    title = "Emulated against observed flux"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        held_out = material.held_out()
        samples = {
            IN_SAMPLE: in_sample_pairs(material.emulator, SPECTRAL_CLASSES, self.at_most),
            HELD_OUT: held_out_pairs(held_out, SPECTRAL_CLASSES),
        }
        rows = [
            pairs[name].row(sample, name) for sample, pairs in samples.items() for name in pairs
        ]
        sigma = {(row["sample"], row["range"]): float(row["sigma"]) for row in rows}
        spans = {
            sample: " to ".join(
                f"{f([sigma[sample, name] for name in pairs]):.4f}" for f in (min, max)
            )
            for sample, pairs in samples.items()
        }
        text = (
            f"The standard deviation is {spans[IN_SAMPLE]} for templates that the emulator was "
            f"trained on, as in the paper, and {spans[HELD_OUT]} for held-out ones. It holds the "
            "noise of the spectra, too."
        )
        caption = (
            "Density of emulated against observed normalised flux, pixel by pixel, a column for "
            "each range of temperature, a row for stars in the training and one for held-out stars"
        )
        sample = (
            f"{sum(p.n_stars for p in samples[IN_SAMPLE].values())} library stars in-sample, "
            f"{len(held_out.labels)} held out"
        )
        tables = [("Observed minus emulated flux", rows)]
        return Drawing(text, sample, [(caption, pairs_figure(samples))], tables)

"""Fig. 5: spectra of library stars with those that the emulator makes of their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from matplotlib.figure import Figure

from torchfit.emulator.emulator import Emulator
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import Material
from torchfit.report.figures.panels import padded
from torchfit.report.metrics import SPECTRAL_CLASSES, TeffRange, robust_sigma
from torchfit.report.rows import Row
from torchfit.report.style import INK, MODEL, RESIDUAL, WIDE, new_figure, styled


@dataclass(frozen=True)
class Emulated:
    """A library star, and what the emulator makes of its labels.

    Args:
        name: Range of temperature that it stands for.
        teff: Its temperature in K.
        flux: Observed normalised flux.
        model: Emulated flux.
        sigma: Uncertainty of the emulated flux, Eq. 1.
        good: Pixels that count.
    """

    name: str
    teff: float
    flux: Float[np.ndarray, " pix"]
    model: Float[np.ndarray, " pix"]
    sigma: Float[np.ndarray, " pix"]
    good: Bool[np.ndarray, " pix"]

    @property
    def residual(self) -> Float[np.ndarray, " good"]:
        """Observed minus emulated flux of the good pixels."""
        return (self.flux - self.model)[self.good]

    def row(self) -> Row:
        """Scatter of the residual beside the uncertainty."""
        sigma = self.sigma[self.good]
        return {
            "range": self.name,
            "teff (K)": self.teff,
            "scatter of the residual": robust_sigma(self.residual),
            "median uncertainty of Eq. 1": float(np.median(sigma)),
            "% of pixels within it": 100 * float((np.abs(self.residual) <= sigma).mean()),
        }


def typical_stars(emulator: Emulator, ranges: Sequence[TeffRange]) -> list[Emulated]:
    """The library star of median residual in each range of temperature.

    Args:
        emulator: The emulator; its own templates are emulated, as in the paper.
        ranges: Ranges of temperature.

    Returns:
        One star a range that has one.
    """
    library = emulator.library
    teff, found = library.labels[:, 0].numpy(), []
    for each in ranges:
        star = torch.from_numpy(np.flatnonzero(each.contains(teff)))
        if len(star):
            found.append(_typical(emulator, star, each.name))
    return found


def _typical(emulator: Emulator, star: torch.Tensor, name: str) -> Emulated:
    library = emulator.library
    spectra, labels = library.spectra[star], library.labels[star]
    good, model = spectra.good & emulator.flux_pca.good, emulator.flux(labels)
    residual = torch.where(good, spectra.flux - model, 0.0)
    spread = residual.square().sum(dim=1) / good.sum(dim=1).clamp_min(1)
    place = int(spread.argsort(stable=True)[(len(star) - 1) // 2])
    sigma = emulator.flux_variance(labels[place : place + 1])[0].sqrt()
    return Emulated(
        name, float(labels[place, 0]), spectra.flux[place].numpy(), model[place].numpy(),
        sigma.numpy(), good[place].numpy(),
    )  # fmt: skip


@styled
def emulated_figure(wave: Float[np.ndarray, " pix"], star: Emulated) -> Figure:
    """Draw a spectrum, its emulation with the band of one standard deviation, and the residual."""
    figure = new_figure(WIDE)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1.0))
    flux = np.where(star.good, star.flux, np.nan)
    model = np.where(star.good, star.model, np.nan)
    above.plot(wave, flux, color=INK, linewidth=0.8, label="observed")
    above.plot(wave, model, color=MODEL, linewidth=0.8, label="emulated")
    above.set(ylabel="normalised flux", title=f"{star.name}: Teff {star.teff:.0f} K")
    low, high = np.nanpercentile(flux, (0.1, 99.9))
    above.set(xlim=(wave[0], wave[-1]), ylim=padded(float(low), float(high), 0.15))
    above.legend(loc="lower right", ncols=2)
    below.fill_between(wave, -star.sigma, star.sigma, color=MODEL, alpha=0.3, label="Eq. 1")
    below.plot(wave, flux - model, color=RESIDUAL, linewidth=0.6)
    limit = float(np.percentile(np.abs(star.residual), 99)) * 1.5 or 1.0
    below.set(ylim=(-limit, limit), xlabel="vacuum wavelength (Å)", ylabel="residual")
    below.legend(loc="lower right")
    figure.align_ylabels()
    return figure


@dataclass(frozen=True)
class ReproducedSpectra(PaperFigure):
    """A typical library star in each range of temperature with its emulated spectrum."""

    number = "Fig. 5"
    title = "Reproduced spectra"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        emulator = material.emulator
        stars = typical_stars(emulator, SPECTRAL_CLASSES)
        wave, rows = emulator.wave.numpy(), [star.row() for star in stars]
        shares = [float(row["% of pixels within it"]) for row in rows]
        text = (
            "Of each range of temperature the library star with the median residual, emulated by "
            "an emulator that was trained on it, as in the paper. The uncertainty of Eq. 1, "
            f"B cov(f) Bᵀ, holds {min(shares):.0f} to {max(shares):.0f} % of the pixels: it is "
            "that of the mean of the Gaussian process, and knows neither the noise of the "
            "spectrum nor what the components leave out."
        )
        figures = [
            (
                f"Observed and emulated spectrum of a typical star of range {star.name}, "
                f"{star.teff:.0f} K, and the residual with the uncertainty of Eq. 1",
                emulated_figure(wave, star),
            )
            for star in stars
        ]
        sample = f"{len(stars)} of {len(emulator.library)} library spectra, in-sample"
        return Drawing(text, sample, figures, [("Residual and uncertainty", rows)])

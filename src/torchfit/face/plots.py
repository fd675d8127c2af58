"""Plots of the face: matplotlib axes in, the same axes out."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot
from matplotlib.axes import Axes

from torchfit.report.style import INK, MODEL, RESIDUAL

BAND, OFFSET = 0.25, 0.15


def plot_prediction(
    wave: Float[np.ndarray, " pix"],
    flux: Float[np.ndarray, "star pix"],
    deviation: Float[np.ndarray, "star pix"],
    captions: Sequence[str],
    axes: Axes | None = None,
) -> Axes:
    """Draw predicted spectra, each with its uncertainty as a band.

    Args:
        wave: Vacuum wavelength in Angstrom.
        flux: Normalised flux.
        deviation: Its standard deviation.
        captions: What each spectrum is.
        axes: Where to draw; new axes if not given.

    Returns:
        The axes.
    """
    axes = pyplot.figure(figsize=(9, 3.5)).add_subplot() if axes is None else axes
    for values, sigma, caption in zip(flux, deviation, captions, strict=True):
        (line,) = axes.plot(wave, values, linewidth=0.8, label=caption)
        low, high = values - sigma, values + sigma
        axes.fill_between(wave, low, high, color=line.get_color(), alpha=BAND, linewidth=0)
    axes.set(xlabel="vacuum wavelength (Å)", ylabel="normalised flux")
    axes.legend(fontsize="small")
    return axes


def plot_fit(
    wave: Float[np.ndarray, " pix"],
    flux: Float[np.ndarray, " pix"],
    model: Float[np.ndarray, " pix"],
    caption: str,
    axes: Axes | None = None,
) -> Axes:
    """Draw an observed spectrum, its model, and the residual below them.

    Args:
        wave: Vacuum wavelength in Angstrom.
        flux: Normalised flux; NaN in bad pixels.
        model: Model flux.
        caption: Title.
        axes: Where to draw; new axes if not given.

    Returns:
        The axes.
    """
    axes = pyplot.figure(figsize=(9, 3.5)).add_subplot() if axes is None else axes
    residual = flux - model
    base = float(np.nanmin([np.nanmin(flux), np.nanmin(model)])) - OFFSET
    axes.plot(wave, flux, color=INK, linewidth=0.8, label="observed")
    axes.plot(wave, model, color=MODEL, linewidth=0.8, label="model")
    axes.plot(wave, base + residual, color=RESIDUAL, linewidth=0.6, label="residual, shifted")
    axes.axhline(base, color=RESIDUAL, linewidth=0.4)
    axes.set(xlabel="vacuum wavelength (Å)", ylabel="normalised flux")
    axes.set_title(caption, fontsize="medium", parse_math=False)
    axes.legend(fontsize="small", ncols=3)
    return axes

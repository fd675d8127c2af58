"""One spectrum with its model and what is left."""

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.figure import Figure

from torchfit.report.figures.panels import padded, residual_limit, stacked_panels
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import format_value
from torchfit.report.style import INK, MODEL, RESIDUAL, WIDE, styled

_ABOVE, _BELOW = 2.2, 1.0


@styled
def spectrum_figure(
    wave: Float[np.ndarray, " pix"],
    flux: Float[np.ndarray, " pix"],
    model: Float[np.ndarray, " pix"],
    good: Bool[np.ndarray, " pix"],
    title: str,
) -> Figure:
    """Draw an observed spectrum, its model, and the residual beneath.

    Args:
        wave: Vacuum wavelength in Angstrom.
        flux: Observed normalised flux.
        model: Model flux.
        good: Pixels that count; the others are left out of ``flux`` and of the residual.
        title: What the spectrum is, as plain text.

    Returns:
        The figure.
    """
    shown = np.where(good, flux, np.nan)
    figure, above, below = stacked_panels(WIDE, _ABOVE / _BELOW)
    above.plot(wave, shown, color=INK, linewidth=0.8, label="observed")
    above.plot(wave, model, color=MODEL, linewidth=0.8, label="model")
    above.legend(loc="lower right", ncols=2)
    above.set_title(title, parse_math=False)
    above.set(xlim=(wave[0], wave[-1]), ylim=_flux_limits(shown, model), ylabel="normalised flux")
    limit = residual_limit(shown - model)
    below.plot(wave, shown - model, color=RESIDUAL, linewidth=0.6)
    below.set(ylim=(-limit, limit), xlabel="vacuum wavelength (Å)", ylabel="residual")
    spread = format_value(robust_sigma(shown - model))
    below.set_title(f"robust scatter {spread}", loc="right", fontsize=8.5)
    return figure


def _flux_limits(shown: np.ndarray, model: np.ndarray) -> tuple[float, float]:
    """Limits that hold the lines but not a stray pixel."""
    values = np.concatenate([shown, model])
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, (0.1, 99.9))
    return padded(float(low), float(high), 0.15)

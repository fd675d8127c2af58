"""The signal-to-noise ratio by band, where a file does not say it."""

import numpy as np
from jaxtyping import Float64

BANDS = {
    "u": (3500.0, 4000.0),
    "g": (4000.0, 5500.0),
    "r": (5600.0, 6900.0),
    "i": (6900.0, 8200.0),
    "z": (8200.0, 9500.0),
}
"""Where the bands of SDSS have most of their response, vacuum Angstrom."""
_LEAST = 100
"""Good pixels that a band must have."""


def band_snr(
    wave: Float64[np.ndarray, " pix"],
    flux: Float64[np.ndarray, " pix"],
    ivar: Float64[np.ndarray, " pix"],
) -> dict[str, float]:
    """Median signal-to-noise ratio per pixel of every band that a spectrum covers.

    Args:
        wave: Vacuum wavelength in Angstrom.
        flux: Flux.
        ivar: Inverse variance; 0 marks a bad pixel.

    Returns:
        The ratio by band (``u g r i z``), not below 0; a band with few good pixels is left out.
    """
    good = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0)
    wave, ratio = wave[good], flux[good] * np.sqrt(ivar[good])
    inside = {band: (wave >= low) & (wave < high) for band, (low, high) in BANDS.items()}
    return {
        band: max(0.0, float(np.median(ratio[here])))
        for band, here in inside.items()
        if np.count_nonzero(here) >= _LEAST
    }

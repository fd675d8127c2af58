"""A regular grid of mock spectra on disk, with the errors of a line list."""

from itertools import product
from pathlib import Path

import numpy as np
import torch
from astropy.io import fits

from torchfit.mock.lines import INTRINSIC_SIGMA
from torchfit.mock.star import StarModel
from torchfit.names import FWHM_PER_SIGMA, LABELS, SPEED_OF_LIGHT

FORMATS = ("npz", "fits")
RESOLVING_POWER = SPEED_OF_LIGHT / (FWHM_PER_SIGMA * INTRINSIC_SIGMA)
"""What mock lines are drawn with, 4243."""
WAVES = (3700.0, 9000.0)
_STEP = 0.5
_AT_ONCE = 64
AXES = {
    "logg": np.array([0.5, 1.4, 2.3, 3.2, 4.1, 5.0]),
    "fe_h": np.array([-2.0, -1.5, -1.0, -0.5, 0.0, 0.5]),
    "alpha_fe": np.array([-0.1, 0.15, 0.4]),
}
"""Values of the labels beside the temperature."""


def write_grid(
    folder: Path,
    teff: tuple[float, float] = (4000.0, 7500.0),
    n_teff: int = 8,
    line_error: float = 0.0,
    format: str = "npz",
) -> int:
    """Write the spectra of a regular grid, a file each.

    Files are named by their labels, ``t05000_g4.25_m-0.50_a+0.15.npz``, with arrays ``wave`` and
    ``flux``; or FITS images with a linear axis and the labels in header cards.

    Args:
        folder: Where to; made when missing.
        teff: Lowest and highest temperature in K.
        n_teff: Number of temperatures, evenly spaced in the logarithm.
        line_error: Errors of the line list in dex of the oscillator strengths.
        format: npz or fits.

    Returns:
        Number of files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wave = np.arange(WAVES[0], WAVES[1] + _STEP, _STEP)
    model = StarModel(torch.from_numpy(wave).float(), line_error)
    temperatures = np.geomspace(*teff, n_teff).round()
    nodes = np.array(list(product(temperatures, *AXES.values())))
    for some in np.array_split(nodes, max(1, len(nodes) // _AT_ONCE)):
        for labels, flux in zip(some, model(torch.from_numpy(some).float()), strict=True):
            _write(folder, labels, wave, flux.numpy(), format)
    return len(nodes)


def _write(folder: Path, labels: np.ndarray, wave: np.ndarray, flux: np.ndarray, kind: str) -> None:
    teff, logg, fe_h, alpha_fe = labels
    name = f"t{teff:05.0f}_g{logg:.2f}_m{fe_h:+.2f}_a{alpha_fe:+.2f}.{kind}"
    if kind == "npz":
        np.savez(folder / name, wave=wave, flux=flux)
        return
    cards = {"CRVAL1": wave[0], "CDELT1": _STEP, "CRPIX1": 1.0, "CUNIT1": "Angstrom"}
    cards |= {name.upper(): value for name, value in zip(LABELS, labels, strict=True)}
    fits.PrimaryHDU(flux, fits.Header(cards)).writeto(folder / name, overwrite=True)

"""P1: windows in wavelength that have no weight: telluric, dichroic, diffuse interstellar bands."""

from collections.abc import Sequence
from importlib.resources import files

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

MASK_WINDOWS = (
    (6850.0, 6960.0),
    (7210.0, 7350.0),
    (7560.0, 7720.0),
    (8105.0, 8240.0),
    (5700.0, 6050.0),
)
"""The paper's telluric windows and the dichroic region of LAMOST (last), in Angstrom."""


def interstellar_windows(min_ew: float, half_width: float) -> list[tuple[float, float]]:
    """List the diffuse interstellar bands as windows.

    Args:
        min_ew: Weakest band to take, equivalent width toward HD 204827 in milli-Angstrom.
        half_width: Smallest half-width of a window in Angstrom; a broader band takes its FWHM.

    Returns:
        Windows (low, high) in vacuum Angstrom, in the frame of the interstellar gas.

    References:
        Hobbs et al. 2008, ApJ 680, 1256 (380 bands, 4259-8026 Angstrom; air, here converted).
    """
    text = files("torchfit.preprocess").joinpath("hobbs2008.csv").read_text(encoding="ascii")
    bands = np.loadtxt(text.splitlines(), delimiter=",", skiprows=1)
    return [
        (wave - max(fwhm, half_width), wave + max(fwhm, half_width))
        for wave, fwhm, ew in bands.tolist()
        if ew >= min_ew
    ]


def inside_windows(
    wave: Float[Tensor, "*batch pix"], windows: Sequence[tuple[float, float]]
) -> Bool[Tensor, "*batch pix"]:
    """Tell which pixels fall into any window, limits included.

    Args:
        wave: Wavelength in Angstrom, in the frame of the windows.
        windows: Limits (low, high) in Angstrom.

    Returns:
        True inside.
    """
    if not windows:
        return torch.zeros_like(wave, dtype=torch.bool)
    lows, highs = torch.tensor(windows, dtype=wave.dtype, device=wave.device).unbind(1)
    # Inside, more windows have begun than have ended.
    begun = torch.searchsorted(lows.sort().values, wave, right=True)
    ended = torch.searchsorted(highs.sort().values, wave)
    return begun > ended

"""Extinction by interstellar dust."""

import torch
from jaxtyping import Float
from torch import Tensor

_R_V = 3.1
_OPTICAL_A = (1.0, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999)
_OPTICAL_B = (0.0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)


def extinction_curve(wave: Float[Tensor, " pix"]) -> Float[Tensor, " pix"]:
    r"""Extinction in magnitudes per E(B-V) = 1 for :math:`R_V = 3.1`.

    .. math:: A(\lambda) / E(B-V) = R_V a(x) + b(x), \quad x = 10^4 / \lambda

    Args:
        wave: Wavelength in Angstrom, 3030-20000.

    References:
        Cardelli, Clayton & Mathis 1989, ApJ 345, 245, equations 2 and 3.
    """
    x = 1e4 / wave
    powers = (x - 1.82)[:, None] ** torch.arange(8).to(wave)
    optical = powers @ (_R_V * wave.new_tensor(_OPTICAL_A) + wave.new_tensor(_OPTICAL_B))
    infrared = (_R_V * 0.574 - 0.527) * x**1.61
    return torch.where(x > 1.1, optical, infrared)


def redden(
    flux: Float[Tensor, "star pix"], wave: Float[Tensor, " pix"], ebv: Float[Tensor, " star"]
) -> Float[Tensor, "star pix"]:
    """Dim and redden spectra.

    Args:
        flux: Flux before the dust.
        wave: Wavelength in Angstrom.
        ebv: Colour excess E(B-V) in magnitudes.
    """
    return flux * 10 ** (-0.4 * ebv[:, None] * extinction_curve(wave))

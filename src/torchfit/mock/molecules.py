"""Molecular bands of cool stars."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.mock.atmosphere import LN_10, Atmosphere
from torchfit.mock.tables import numbers, read_table

_MOLECULES, _BANDS = "molecules.csv", "bands.csv"
_RISE = 2.0
"""Distance in Angstrom over which a band head rises."""


def band_profiles(wave: Float[Tensor, " pix"]) -> Float[Tensor, "molecule pix"]:
    """Relative opacity of every molecule, in the order of molecules.csv.

    A band begins at its head and fades over its width: towards the red, or towards the violet
    where the width is negative. Heads are approximate; widths, strengths, and the numbers of
    molecules.csv were adjusted until cool stars look like those of MILES and STELIB.

    Args:
        wave: Vacuum wavelength in Angstrom.
    """
    columns = [numbers(_BANDS, name) for name in ("head", "width", "strength")]
    molecules = read_table(_MOLECULES)["molecule"]
    total = wave.new_zeros(len(molecules), len(wave))
    for molecule, head, width, strength in zip(
        read_table(_BANDS)["molecule"], *columns, strict=True
    ):
        inside = (wave - head) * math.copysign(1.0, width)
        tail = torch.exp(-inside.clamp_min(0.0) / abs(width))
        total[molecules.index(molecule)] += strength * torch.sigmoid(inside / _RISE) * tail
    return total


def molecule_depth(star: Atmosphere) -> Float[Tensor, "star molecule"]:
    r"""Optical depth of every molecule, in the order of molecules.csv.

    .. math:: \tau = \tau_{max}
        \frac{10^{n [Fe/H] + n_\alpha [\alpha/Fe] + p (\log g - 4.44)}}
        {1 + 10^{-D (\theta - \theta_0)}}

    It grows towards low temperature like the law of mass action, until all atoms are bound.

    Args:
        star: The stars.
    """

    def column(name: str) -> Float[Tensor, " molecule"]:
        """One number of every molecule."""
        return star.teff.new_tensor(numbers(_MOLECULES, name))

    cold = star.theta[:, None] - column("theta")
    scaling = (
        column("n_metal") * star.fe_h[:, None]
        + column("n_alpha") * star.alpha_fe[:, None]
        + column("gravity") * (star.logg[:, None] - 4.44)
    )
    return column("depth") * torch.sigmoid(LN_10 * column("energy") * cold) * 10**scaling

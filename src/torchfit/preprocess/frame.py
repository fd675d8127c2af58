"""P2: from the observed frame to the rest frame of the star."""

from jaxtyping import Float
from torch import Tensor


def rest_wave(
    wave: Float[Tensor, "star pix"], z: Float[Tensor, " star"]
) -> Float[Tensor, "star pix"]:
    r"""Shift wavelengths to the rest frame, :math:`\lambda_{rest} = \lambda_{obs} / (1 + z)`.

    Args:
        wave: Observed vacuum wavelength in Angstrom.
        z: Redshift of each star, positive when receding.

    Returns:
        Rest wavelength in Angstrom.
    """
    return wave / (1 + z[:, None])

"""CFI: the correlation of every survey spectrum with every library spectrum."""

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.match.weights import pixel_weights
from torchfit.spectra import Spectra


def correlate(
    star: Spectra, template: Spectra, scatter: float | None = None
) -> Float[Tensor, "star template"]:
    r"""Weighted Pearson correlation over the pixels that are good in both spectra.

    With the weights :math:`w_{st}` of the star where the template is good and 0 elsewhere, all sums
    (:math:`\sum w`, :math:`\sum w a`, :math:`\sum w a^2`, :math:`\sum w a b`, ...) are matrix
    products, so memory grows as star x template.

    Args:
        star: Normalised survey spectra.
        template: Normalised library spectra on the same grid.
        scatter: Model scatter of the weights, see :func:`torchfit.match.weights.pixel_weights`;
            ``None`` weighs all good pixels alike, as the paper does.

    Returns:
        Correlation in [-1, 1]; -1 where a pair has fewer than two pixels in common or a spectrum
        does not vary over them.

    Raises:
        ValueError: If the grids differ.
    """
    if star.wave.shape != template.wave.shape or not torch.equal(star.wave, template.wave):
        raise ValueError("star and template must lie on the same grid")
    weight, good = pixel_weights(star, scatter), template.good.to(template.flux)
    # Flux is near 1: taken from 1, the sums of squares lose no digits.
    a = torch.where(star.good, star.flux - 1, 0.0)
    b = torch.where(template.good, template.flux - 1, 0.0)
    total, weighted = weight @ good.mT, weight * a
    sum_a, sum_b = weighted @ good.mT, weight @ b.mT
    covariance = total * (weighted @ b.mT) - sum_a * sum_b
    square_a = total * ((weighted * a) @ good.mT)
    square_b = total * (weight @ b.square().mT)
    variance_a, variance_b = square_a - sum_a.square(), square_b - sum_b.square()
    # Of a single pixel in common only rounding is left.
    rounding = 1e4 * torch.finfo(total.dtype).eps
    usable = (variance_a > rounding * square_a) & (variance_b > rounding * square_b)
    norm = torch.where(usable, variance_a * variance_b, 1.0).sqrt()
    return torch.where(usable, covariance / norm, -1.0).clamp(-1, 1)

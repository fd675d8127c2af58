"""How far noise may have moved the start labels."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.likelihood.stars_by_key import StarsByKey


def start_noise(
    slope: Float[Tensor, "*star label pix"], noise: Float[Tensor, "*star pix"], scatter: float
) -> Float[Tensor, "*star label label"]:
    r"""Covariance of the errors that the noise of spectra makes in their start labels.

    The matching weighs pixels by :math:`w = 1/(\sigma^2 + s^2)` and ends at a library star, whose
    unit labels have a variance of 1. With the slopes D of the flux, labels of least weighted
    squares under such a prior are off, by the noise and for want of signal, by the covariance

    .. math:: (A + I)^{-1} (C + I) (A + I)^{-1}, \quad A = D w D^T, \quad C = D w^2 \sigma^2 D^T.

    Args:
        slope: Derivatives of the flux by the unit labels.
        noise: Variance of the noise of the pixels; infinite where a pixel is bad.
        scatter: Model scatter s that the matching allows for, in units of the continuum.

    Returns:
        Covariance of unit labels: I where the spectrum says nothing of them, and next to nothing
        without noise.
    """
    weight, by_noise = _weights(noise, scatter)
    least = (slope * weight[..., None, :]) @ slope.mT
    moved = (slope * by_noise[..., None, :]) @ slope.mT
    return _covariance(least, moved)


class StartSums(NamedTuple):
    r"""Sums over the pixels for stars that share their noise, :math:`B^T w B` and so on.

    Args:
        least: Gram matrix of the components under w.
        moved: The same under :math:`w^2 \sigma^2`.
    """

    least: Float[Tensor, "comp comp"]
    moved: Float[Tensor, "comp comp"]

    @classmethod
    def of(
        cls, basis: Float[Tensor, "pix comp"], noise: Float[Tensor, " pix"], scatter: float
    ) -> "StartSums":
        """Sums of one noise; arguments as in :func:`start_noise`."""
        columns = [(basis * w.sqrt()[:, None]).float() for w in _weights(noise, scatter)]
        return cls(*(each.mT @ each for each in columns))


def shared_start_noise(
    jacobian: Float[Tensor, "star label comp"], stars: StarsByKey, sums: Sequence[StartSums]
) -> Float[Tensor, "star label label"]:
    """:func:`start_noise` of stars that share their noise.

    Args:
        jacobian: Derivatives of the coefficients by the unit labels, single precision.
        stars: Which noise each star has.
        sums: Sums of every noise.
    """
    least, moved = (
        stars.times(jacobian, [each[place] for each in sums]) @ jacobian.mT for place in (0, 1)
    )
    return _covariance(least.double(), moved.double())


def _weights(
    noise: Float[Tensor, "*star pix"], scatter: float
) -> tuple[Float[Tensor, "*star pix"], Float[Tensor, "*star pix"]]:
    r"""Weights w, and :math:`w^2 \sigma^2`."""
    weight = 1 / (noise + scatter**2)
    return weight, weight * (1 - scatter**2 * weight)


def _covariance(
    least: Float[Tensor, "*star label label"], moved: Float[Tensor, "*star label label"]
) -> Float[Tensor, "*star label label"]:
    eye = torch.eye(least.shape[-1], dtype=least.dtype, device=least.device)
    half = torch.linalg.solve(least + eye, moved + eye)
    covariance = torch.linalg.solve(least + eye, half.mT)
    return 0.5 * (covariance + covariance.mT)

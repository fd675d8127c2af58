"""The surrogate of Bayesian optimisation, and the climb of its upper confidence bound; batched."""

from typing import Any

import torch
from botorch.acquisition import UpperConfidenceBound
from botorch.models.model import Model
from botorch.posteriors import Posterior
from jaxtyping import Float
from torch import Tensor

OBSERVATION_NOISE = 1e-4
LENGTHSCALES = torch.logspace(-1.5, 1.0, 26, dtype=torch.float64)
CLIMB_STEPS = 20
FIRST_STEP = 0.05
"""First step of a climb, as a share of the region."""
SQRT5 = 5.0**0.5


class GroupPosterior(Posterior):
    """Mean and variance at single points.

    Args:
        mean: Predictive means.
        variance: Predictive variances.
    """

    def __init__(self, mean: Float[Tensor, "*b 1 1"], variance: Float[Tensor, "*b 1 1"]) -> None:
        self.mean, self.variance = mean, variance

    def rsample(self, sample_shape: torch.Size | None = None) -> Tensor:
        """Draw values; the points are independent of each other."""
        shape = torch.Size() if sample_shape is None else sample_shape
        noise = torch.randn(*shape, *self.mean.shape, dtype=self.dtype, device=self.device)
        return self.mean + self.variance.clamp_min(0.0).sqrt() * noise

    @property
    def device(self) -> torch.device:
        """Where the numbers are."""
        return self.mean.device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the numbers."""
        return self.mean.dtype


class GroupSurrogate(Model):
    r"""One Gaussian process per group, with a Matern-5/2 kernel k of one length scale.

    .. math::
        m(x) = k(x, X)\,K^{-1} y, \quad s^2(x) = 1 - k(x, X)\,K^{-1} k(X, x), \quad
        K = k(X, X) + 10^{-4} I.

    A BoTorch model like ``SingleTaskGP``, with the same numbers, for what a search of many small
    groups asks a thousand times: single points of all groups in a handful of operations.

    Args:
        x: Points in the unit cube.
        y: Standardised values.
        lengthscale: Length scale of each group.
    """

    def __init__(
        self,
        x: Float[Tensor, "group point m"],
        y: Float[Tensor, "group point"],
        lengthscale: Float[Tensor, " group"],
    ) -> None:
        super().__init__()
        self.x, self.y, self.lengthscale = x, y, lengthscale
        factor = torch.linalg.cholesky(_covariance(_distance(x, x), lengthscale))
        self.inverse = torch.cholesky_inverse(factor)
        self.weights = (self.inverse @ y[:, :, None])[:, :, 0]

    @property
    def num_outputs(self) -> int:
        """One value a point."""
        return 1

    @property
    def batch_shape(self) -> torch.Size:
        """One process per group."""
        return self.lengthscale.shape

    def posterior(
        self, X: Float[Tensor, "*b group 1 m"], *args: Any, **kwargs: Any
    ) -> GroupPosterior:
        """Mean and variance at one or several points of every group, each by itself.

        Args:
            X: Points.
            args: Nothing that this model knows.
            kwargs: Likewise.

        Returns:
            The posterior.
        """
        points = X[..., 0, :].reshape(-1, len(self.x), self.x.shape[2]).transpose(0, 1)
        kernel = _matern(_distance(points, self.x) / self.lengthscale[:, None, None])
        mean = (kernel @ self.weights[:, :, None])[..., 0]
        variance = 1 - ((kernel @ self.inverse) * kernel).sum(dim=2)
        shape = (*X.shape[:-1], 1)
        return GroupPosterior(mean.mT.reshape(shape), variance.mT.reshape(shape))


def _distance(
    x: Float[Tensor, "group row m"], y: Float[Tensor, "group column m"]
) -> Float[Tensor, "group row column"]:
    """Distances from differences: those of one pair never depend on the other pairs."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _matern(
    distance: Float[Tensor, "*batch row column"],
) -> Float[Tensor, "*batch row column"]:
    """Matern-5/2 kernel of distances in length scales."""
    scaled = SQRT5 * distance
    return (1 + scaled + scaled.square() / 3) * torch.exp(-scaled)


def _covariance(
    distance: Float[Tensor, "group point point"], lengthscale: Float[Tensor, "*scale group"]
) -> Float[Tensor, "*scale group point point"]:
    """Covariance of values observed at points of given distances."""
    covariance = _matern(distance / lengthscale[..., None, None])
    covariance.diagonal(dim1=-2, dim2=-1).add_(OBSERVATION_NOISE)
    return covariance


def fit_surrogate(
    x: Float[Tensor, "group point m"], y: Float[Tensor, "group point"]
) -> GroupSurrogate:
    """One Gaussian process per group; the length scale is the likeliest of a grid.

    One hyperparameter needs no gradient: a grid cannot fail, is the same for a group alone and in
    a batch, and costs one batched Cholesky.

    Args:
        x: Points in the unit cube.
        y: Standardised values.

    Returns:
        BoTorch model with one batch element per group.
    """
    n_moving = (x.amax(dim=1) - x.amin(dim=1) > 1e-9).sum(dim=1).clamp_min(1).to(x)
    scales = LENGTHSCALES.to(x)[:, None] * n_moving.sqrt()
    factor = torch.linalg.cholesky(_covariance(_distance(x, x), scales))
    white = torch.linalg.solve_triangular(factor, y[:, :, None], upper=False)
    half_log_det = factor.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
    likeliest = (-0.5 * white.square().sum(dim=(-2, -1)) - half_log_det).argmax(dim=0)
    return GroupSurrogate(x, y, scales.gather(0, likeliest[None])[0])


def climb(
    acqf: UpperConfidenceBound,
    start: Float[Tensor, "climb group m"],
    region: tuple[Float[Tensor, "group m"], Float[Tensor, "group m"]],
) -> Float[Tensor, "group m"]:
    r"""Climb the bound from several points of every group at once, and take the highest seen.

    Projected gradient steps :math:`x + \alpha g` whose length follows the curvature along the last
    step, :math:`\alpha = |s|^2 / |s \cdot \Delta g|`; every climb has its own.

    Args:
        acqf: Upper confidence bound, one batch element per group.
        start: Where the climbs begin, inside the region.
        region: Lower and upper corners of each group's region.

    Returns:
        The highest point reached by each group.

    References:
        Barzilai & Borwein 1988, IMA J. Numer. Anal. 8, 141; Birgin, Martinez & Raydan 2000, SIAM J.
        Optim. 10, 1196.
    """
    low, high = region
    x, (value, gradient) = start, _value_and_slope(acqf, start)
    best, highest = x, value
    size = gradient.abs().amax(dim=2).clamp_min(1e-12)
    step = FIRST_STEP * (high - low).amax(dim=1) / size
    for _ in range(CLIMB_STEPS):
        before, slope = x, gradient
        x = (x + step[:, :, None] * gradient).clamp(low, high)
        value, gradient = _value_and_slope(acqf, x)
        higher = value > highest
        best = torch.where(higher[:, :, None], x, best)
        highest = torch.where(higher, value, highest)
        moved, change = x - before, gradient - slope
        bend = (moved * change).sum(dim=2).abs().clamp_min(1e-12)
        step = moved.square().sum(dim=2) / bend
    first = highest.argmax(dim=0)
    return best.gather(0, first[None, :, None].expand(1, -1, best.shape[2]))[0]


def _value_and_slope(
    acqf: UpperConfidenceBound, x: Float[Tensor, "climb group m"]
) -> tuple[Float[Tensor, "climb group"], Float[Tensor, "climb group m"]]:
    """The bound and its gradient."""
    x = x.detach().requires_grad_(True)
    value = acqf(x[:, :, None])
    (gradient,) = torch.autograd.grad(value.sum(), x)
    return value.detach(), gradient

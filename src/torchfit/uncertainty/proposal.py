"""Where a sampler looks for a star's labels: a heavy-tailed bell around what is known of it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

DOF = 6
"""Degrees of freedom; even, so that its chi-squared is a sum of exponentials."""


@dataclass(frozen=True)
class StudentT:
    r"""A multivariate Student-t of each star, :math:`x = m + L z\sqrt{\nu / \chi^2_\nu}`.

    Its tails are heavier than those of a posterior that is nearly Gaussian, so that a Metropolis
    step to an independent draw from it is seldom refused and never stuck for long.

    Args:
        centre: m of each star.
        factor: L of each star, lower triangular.
    """

    centre: Float[Tensor, "star label"]
    factor: Float[Tensor, "star label label"]

    @property
    def n_uniform(self) -> int:
        """How many uniform numbers one draw takes."""
        return self.centre.shape[1] + DOF // 2

    def draw(
        self, uniform: Float[Tensor, "star walker number"]
    ) -> Float[Tensor, "star walker label"]:
        """Points from uniform numbers within (0, 1).

        Args:
            uniform: :attr:`n_uniform` numbers per point.

        Returns:
            One point for each row of numbers.
        """
        n_labels = self.centre.shape[1]
        normal = torch.special.ndtri(uniform[..., :n_labels])
        chi_squared = -2 * uniform[..., n_labels:].log().sum(dim=-1, keepdim=True)
        step = (normal * (DOF / chi_squared).sqrt()) @ self.factor.mT
        return self.centre[:, None] + step

    def log_density(
        self, point: Float[Tensor, "star walker label"]
    ) -> Float[Tensor, "star walker"]:
        r"""Log density up to a constant of each star, :math:`-\frac{\nu+d}{2}\log(1 + r^2/\nu)`.

        Args:
            point: Points of each star.

        Returns:
            Log density; r is the distance from the centre in units of L.
        """
        offset = (point - self.centre[:, None]).mT
        white = torch.linalg.solve_triangular(self.factor, offset, upper=False)
        power = (DOF + point.shape[2]) / 2
        return -power * (white.square().sum(dim=1) / DOF).log1p()

    def moved_to(self, point: Float[Tensor, "star sample label"]) -> "StudentT":
        """The bell with mean and covariance of some points, all of a star with equal weight.

        A little of the old shape is added: it is what is left when points of a star are all one.
        """
        centre = point.mean(dim=1)
        offset = point - centre[:, None]
        covariance = offset.mT @ offset / point.shape[1]
        covariance = covariance + 1e-3 * self.factor @ self.factor.mT
        return StudentT(centre, torch.linalg.cholesky(covariance))

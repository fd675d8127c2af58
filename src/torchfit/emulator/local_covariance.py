"""A covariance that changes smoothly with temperature, from residuals of known stars."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class LocalCovariance:
    """Covariance matrices at nodes in log10 teff, linear in between, constant beyond.

    Args:
        nodes: Nodes in log10(teff / K), evenly spaced, increasing; at least two.
        matrices: Covariance at each node.
    """

    nodes: Float[Tensor, " node"]
    matrices: Float[Tensor, "node dim dim"]

    def at(self, teff: Float[Tensor, " star"]) -> Float[Tensor, "star dim dim"]:
        """Covariance at given temperatures.

        Args:
            teff: Temperature in K.

        Returns:
            One covariance per star.
        """
        step = self.nodes[1] - self.nodes[0]
        place = ((teff.log10() - self.nodes[0]) / step).clamp(0, len(self.nodes) - 1)
        low = place.long().clamp_max(len(self.nodes) - 2)
        share = (place - low)[:, None, None]
        return (1 - share) * self.matrices[low] + share * self.matrices[low + 1]


def robust_covariance(
    residual: Float[Tensor, "star dim"],
    weight: Float[Tensor, " star"],
    dof: float = 4.0,
    n_iterations: int = 30,
) -> Float[Tensor, "dim dim"]:
    r"""Covariance of residuals about zero, with outliers weighed down.

    The multivariate Student-t estimate: :math:`\Sigma = \sum_i w_i u_i r_i r_i^T / \sum_i w_i` with
    :math:`u_i = (\nu + d) / (\nu + r_i^T \Sigma^{-1} r_i)`, iterated.

    Args:
        residual: Residuals, mean zero.
        weight: Weight of each star, not negative.
        dof: Degrees of freedom; smaller is more robust.
        n_iterations: Rounds of re-weighting.

    Returns:
        Symmetric positive definite covariance.

    References:
        Lange, Little & Taylor 1989, JASA 84, 881.
    """
    dim = residual.shape[1]
    eye = torch.eye(dim, dtype=residual.dtype, device=residual.device)
    down = torch.ones_like(weight)
    covariance = eye
    for _ in range(n_iterations):
        scaled = residual * (weight * down / weight.sum())[:, None]
        covariance = scaled.mT @ residual
        covariance = covariance + (1e-9 * covariance.diagonal().mean() + 1e-12) * eye
        whitened = torch.linalg.solve_triangular(
            torch.linalg.cholesky(covariance), residual.mT, upper=False
        )
        down = (dof + dim) / (dof + whitened.square().sum(dim=0))
    return covariance


def fit_local_covariance(
    teff: Float[Tensor, " star"],
    residual: Float[Tensor, "star dim"],
    n_nodes: int = 15,
    bandwidth: float = 0.04,
) -> LocalCovariance:
    r"""Estimate the covariance of residuals along temperature.

    At each node stars count by a Gaussian in log10 teff. Where they are few the estimate leans on
    the correlations of all stars: :math:`(1-\lambda)\Sigma_{local} + \lambda D R D`, with R the
    correlation of all stars, D the local standard deviations, and
    :math:`\lambda = d / (d + n_{eff})`.

    Args:
        teff: Temperature in K.
        residual: Residuals of the stars.
        n_nodes: Number of nodes over the range of ``teff``.
        bandwidth: Standard deviation of the Gaussian in dex.

    Returns:
        The local covariance.
    """
    log_teff = teff.log10()
    low, high = log_teff.min().item(), log_teff.max().item()
    nodes = torch.linspace(low, max(high, low + 1e-3), n_nodes, dtype=teff.dtype)
    overall = robust_covariance(residual, torch.ones_like(teff))
    matrices = []
    for node in nodes:
        weight = torch.exp(-0.5 * ((log_teff - node) / bandwidth).square()) + 1e-12
        local = robust_covariance(residual, weight)
        shrink = residual.shape[1] / (residual.shape[1] + float(weight.sum()))
        ratio = (local.diagonal() / overall.diagonal()).sqrt()
        matrices.append((1 - shrink) * local + shrink * overall * ratio[:, None] * ratio)
    return LocalCovariance(nodes, torch.stack(matrices))

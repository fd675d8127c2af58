"""Variances and covariances that change smoothly with temperature, from known residuals."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
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
        weight = node_weights(self.nodes, teff)
        return torch.einsum("sn,nij->sij", weight, self.matrices)


@dataclass(frozen=True)
class LocalVariance:
    """Variances at nodes in log10 teff, linear in between, constant beyond.

    Args:
        nodes: Nodes in log10(teff / K), evenly spaced, increasing; at least two.
        values: Variance of each pixel at each node.
    """

    nodes: Float[Tensor, " node"]
    values: Float[Tensor, "node pix"]

    def at(self, teff: Float[Tensor, " star"]) -> Float[Tensor, "star pix"]:
        """Variances at given temperatures.

        Args:
            teff: Temperature in K.

        Returns:
            One variance per star and pixel, in the precision of ``teff``.
        """
        return node_weights(self.nodes.to(teff), teff) @ self.values.to(teff)


def node_weights(
    nodes: Float[Tensor, " node"], teff: Float[Tensor, " star"]
) -> Float[Tensor, "star node"]:
    """Weights of linear interpolation between evenly spaced nodes.

    Args:
        nodes: Nodes in log10(teff / K).
        teff: Temperature in K.

    Returns:
        Two weights per star that sum to 1; all on the last node beyond the ends.
    """
    step = nodes[1] - nodes[0]
    place = ((teff.log10() - nodes[0]) / step).clamp(0, len(nodes) - 1)
    offset = place[:, None] - torch.arange(len(nodes), dtype=teff.dtype, device=teff.device)
    return (1 - offset.abs()).clamp_min(0)


def nodes_over(teff: Float[Tensor, " star"], n_nodes: int) -> Float[Tensor, " node"]:
    """Evenly spaced nodes in log10 teff over the range of some stars."""
    low, high = teff.min().log10().item(), teff.max().log10().item()
    return torch.linspace(low, max(high, low + 1e-3), n_nodes, dtype=teff.dtype)


def nearness(
    nodes: Float[Tensor, " node"], teff: Float[Tensor, " star"], bandwidth: float
) -> Float[Tensor, "node star"]:
    """Gaussian weight of each star at each node; never quite 0."""
    distance = (teff.log10() - nodes[:, None]) / bandwidth
    return torch.exp(-0.5 * distance.square()) + 1e-12


def fit_local_variance(
    teff: Float[Tensor, " star"],
    residual: Float[Tensor, "star pix"],
    good: Bool[Tensor, "star pix"],
    n_nodes: int,
    bandwidth: float,
) -> LocalVariance:
    r"""Mean square of residuals along temperature, as large as the typical star's.

    :math:`t_p = m \sum_i w_i r_{ip}^2 / \sum_i w_i` with weights falling off from the node, and m
    such that the weighted median star has :math:`\langle r_{ip}^2 / t_p \rangle_p = 1`: a few poor
    spectra shall not loosen the limits for all.

    Args:
        teff: Temperature in K.
        residual: Residuals of the stars.
        good: Residuals that count.
        n_nodes: Number of nodes over the range of ``teff``.
        bandwidth: Standard deviation of the Gaussian weight in dex.

    Returns:
        The local variance; 0 in pixels that no star has.
    """
    nodes = nodes_over(teff, n_nodes)
    weight = nearness(nodes, teff, bandwidth)
    square, counted = torch.where(good, residual, 0.0).square(), good.to(residual)
    values = (weight @ square) / (weight @ counted).clamp_min(1e-300)
    ratio = (square @ (1 / values.clamp_min(1e-300)).mT) / counted.sum(dim=1, keepdim=True)
    return LocalVariance(nodes, values * weighted_median(ratio.mT, weight)[:, None])


def weighted_median(
    values: Float[Tensor, "row star"], weight: Float[Tensor, "row star"]
) -> Float[Tensor, " row"]:
    """Least value at which half of each row's weight is reached.

    Args:
        values: Values.
        weight: Weights, positive.

    Returns:
        One value per row.
    """
    ordered, order = values.sort(dim=1)
    reached = weight.gather(1, order).cumsum(dim=1)
    place = torch.searchsorted(reached, 0.5 * reached[:, -1:])
    return ordered.gather(1, place)[:, 0]


def robust_covariance(
    residual: Float[Tensor, "star dim"],
    weight: Float[Tensor, " star"],
    dof: float = 4.0,
    n_iterations: int = 30,
) -> Float[Tensor, "dim dim"]:
    r"""Covariance of residuals about zero, with outliers down-weighted.

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
    nodes = nodes_over(teff, n_nodes)
    overall = robust_covariance(residual, torch.ones_like(teff))
    matrices = []
    for weight in nearness(nodes, teff, bandwidth):
        local = robust_covariance(residual, weight)
        shrink = residual.shape[1] / (residual.shape[1] + float(weight.sum()))
        ratio = (local.diagonal() / overall.diagonal()).sqrt()
        matrices.append((1 - shrink) * local + shrink * overall * ratio[:, None] * ratio)
    return LocalCovariance(nodes, torch.stack(matrices))

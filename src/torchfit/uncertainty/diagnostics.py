"""Whether chains have forgotten where they began, and how many independent draws they are worth."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def split_rhat(chains: Float[Tensor, "*star step chain"]) -> Float[Tensor, "*star"]:
    r"""Potential scale reduction of rank-normalised split chains; 1 when all agree.

    Every chain is cut in half; values become normal scores of their ranks among all draws of the
    star, :math:`\Phi^{-1}((r - 3/8)/(S + 1/4))`. With the variance W within and B/n between the
    halves, :math:`\hat R = \sqrt{((n-1)/n\,W + B/n)/W}`. The larger of the values for the draws
    (location) and for their distances from the median (scale) is taken.

    Args:
        chains: Draws of each star, in order.

    Returns:
        R-hat; NaN for draws that are all the same.

    References:
        Vehtari et al. 2021, Bayesian Analysis 16, 667, Eqs. 1-4 and 14.
    """
    halves = _split(chains)
    distance = (halves - halves.flatten(-2).median(dim=-1).values[..., None, None]).abs()
    return torch.maximum(_rhat(_normal_scores(halves)), _rhat(_normal_scores(distance)))


def effective_size(chains: Float[Tensor, "*star step chain"]) -> Float[Tensor, "*star"]:
    r"""Number of independent draws whose mean would be as well known.

    :math:`S_{eff} = S/\tau`, :math:`\tau = -1 + 2\sum_k (\rho_{2k} + \rho_{2k+1})` with the
    autocorrelation combined over split chains, :math:`\rho_t = 1 - (W - \bar\gamma_t)/V`. The sum
    ends before its pairs turn negative, and no pair counts more than the one before.

    Args:
        chains: Draws of each star, in order.

    Returns:
        Effective sample size, at most :math:`S \log_{10} S`; NaN for draws that are all the same.

    References:
        Geyer 1992, Statistical Science 7, 473 (initial monotone sequence); Vehtari et al. 2021,
        Bayesian Analysis 16, 667, Eqs. 10-13.
    """
    halves = _split(chains)
    n_steps, n_chains = halves.shape[-2:]
    covariance = _autocovariance(halves).mean(dim=-1)
    within = covariance[..., :1] * n_steps / (n_steps - 1)
    total = covariance[..., :1] + halves.mean(dim=-2).var(dim=-1)[..., None]
    correlation = 1 - (within - covariance) / total
    correlation[..., 0] = 1
    even = n_steps // 2 * 2
    pairs = correlation[..., :even:2] + correlation[..., 1:even:2]
    positive = (pairs > 0).cumprod(dim=-1).bool()
    pairs = torch.where(positive, pairs, 0.0).cummin(dim=-1).values
    n_draws = n_steps * n_chains
    time = (-1 + 2 * pairs.sum(dim=-1)).clamp_min(1 / math.log10(n_draws))
    return torch.where((total > 0)[..., 0], n_draws / time, torch.nan)


def _split(chains: Float[Tensor, "*star step chain"]) -> Float[Tensor, "*star half chains"]:
    """Both halves of every chain as chains of their own; an odd step in the middle is left out."""
    half = chains.shape[-2] // 2
    return torch.cat([chains[..., :half, :], chains[..., -half:, :]], dim=-1)


def _normal_scores(chains: Float[Tensor, "*star step chain"]) -> Float[Tensor, "*star step chain"]:
    """Normal quantiles of the ranks among all draws of a star; equal draws share a mean rank."""
    flat = chains.flatten(-2).contiguous()
    ordered = flat.sort(dim=-1).values
    low = torch.searchsorted(ordered, flat)
    high = torch.searchsorted(ordered, flat, right=True)
    rank = (low + high + 1).to(flat) / 2
    scores = torch.special.ndtri((rank - 0.375) / (flat.shape[-1] + 0.25))
    return scores.reshape(chains.shape)


def _rhat(chains: Float[Tensor, "*star step chain"]) -> Float[Tensor, "*star"]:
    n_steps = chains.shape[-2]
    within = chains.var(dim=-2).mean(dim=-1)
    between = chains.mean(dim=-2).var(dim=-1)
    return ((n_steps - 1) / n_steps + between / within).sqrt()


def _autocovariance(chains: Float[Tensor, "*star step chain"]) -> Float[Tensor, "*star lag chain"]:
    """Biased autocovariance of every chain at every lag, by the Fourier transform."""
    n_steps = chains.shape[-2]
    offset = chains - chains.mean(dim=-2, keepdim=True)
    power = torch.fft.rfft(offset, n=2 * n_steps, dim=-2).abs().square()
    return torch.fft.irfft(power, n=2 * n_steps, dim=-2)[..., :n_steps, :] / n_steps

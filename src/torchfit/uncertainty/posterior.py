"""The posterior of the labels of many stars, sampled in one batch."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.library.scaling import LabelScaler
from torchfit.optimise.problem import Problem
from torchfit.uncertainty.diagnostics import effective_size, split_rhat
from torchfit.uncertainty.proposal import StudentT
from torchfit.uncertainty.sampler import EnsembleSampler, LogDensity

QUANTILES = (0.16, 0.5, 0.84)
"""Quantiles that are kept of every label."""


@dataclass(frozen=True)
class Posterior:
    """What is kept of the draws of every star; NaN for a star that was not sampled.

    Args:
        mean: Mean labels (K, dex, dex, ...).
        covariance: Covariance of the labels.
        quantiles: Labels at :data:`QUANTILES`.
        rhat: Greatest split-R-hat of a star's labels; see
            :func:`torchfit.uncertainty.diagnostics.split_rhat`.
        ess: Least effective sample size of a star's labels.
    """

    mean: Float[Tensor, "star label"]
    covariance: Float[Tensor, "star label label"]
    quantiles: Float[Tensor, "star label quantile"]
    rhat: Float[Tensor, " star"]
    ess: Float[Tensor, " star"]

    @property
    def std(self) -> Float[Tensor, "star label"]:
        """Standard deviations of the labels."""
        return self.covariance.diagonal(dim1=1, dim2=2).sqrt()

    @classmethod
    def of_draws(cls, draws: Float[Tensor, "star step walker label"]) -> "Posterior":
        """Sum up draws.

        Args:
            draws: Labels.

        Returns:
            Moments, quantiles and diagnostics.
        """
        flat = draws.flatten(1, 2)
        mean = flat.mean(dim=1)
        offset = flat - mean[:, None]
        levels = torch.tensor(QUANTILES, dtype=draws.dtype, device=draws.device)
        by_label = draws.permute(0, 3, 1, 2)
        return cls(
            mean,
            offset.mT @ offset / (flat.shape[1] - 1),
            flat.quantile(levels, dim=1).permute(1, 2, 0),
            split_rhat(by_label).amax(dim=1),
            effective_size(by_label).amin(dim=1),
        )

    @classmethod
    def unsampled(cls, labels: Float[Tensor, "star label"]) -> "Posterior":
        """No star sampled.

        Args:
            labels: Anything of the shape, precision and device of the labels.
        """
        nothing = torch.full_like(labels, torch.nan)
        return cls(
            nothing,
            nothing[:, :, None].expand(-1, -1, labels.shape[1]).clone(),
            nothing[:, :, None].expand(-1, -1, len(QUANTILES)).clone(),
            nothing[:, 0].clone(),
            nothing[:, 0].clone(),
        )

    def put(self, place: Int[Tensor, " chosen"], other: "Posterior") -> None:
        """Write the rows of ``other`` into some places."""
        for name, values in vars(other).items():
            getattr(self, name)[place] = values


def sample_posterior(
    sampler: EnsembleSampler,
    problem: Problem,
    scaler: LabelScaler,
    unit: Float[Tensor, "star label"],
    star: Int[Tensor, " star"],
) -> Float[Tensor, "star step walker label"]:
    r"""Draw labels from :math:`p(x) \propto e^{-\chi^2(x)/2}` inside the box of the library.

    The loss holds the prior on the start labels; beside it the density is flat in unit labels,
    that is in log Teff, log g, [Fe/H] ...

    Args:
        sampler: Settings of the sampler.
        problem: Loss and box.
        scaler: Labels to unit labels.
        unit: Unit labels of the solution.
        star: Number of each star, for its random numbers.

    Returns:
        Labels (K, dex, dex, ...), every step of every walker.
    """
    bell = laplace(problem, unit)
    return scaler.from_unit(sampler.sample(log_density(problem), bell, star))


def laplace(problem: Problem, unit: Float[Tensor, "star label"]) -> StudentT:
    r"""The bell of the Fisher matrix, :math:`(H + 12/w^2)^{-1}`, around a solution.

    The second term is the variance of a flat density over a box of width w: where the spectrum
    says nothing, H is singular, and the box is all that is known.

    Args:
        problem: Loss and box.
        unit: Unit labels of the solution.

    Returns:
        Where to begin to sample.
    """
    hessian = problem.objective.derivatives(unit)[2].to(unit)
    width = (problem.upper - problem.lower).clamp_min(1e-6)
    covariance = torch.linalg.inv(hessian + torch.diag(12 / width.square()))
    return StudentT(unit, torch.linalg.cholesky((covariance + covariance.mT) / 2))


def log_density(problem: Problem) -> LogDensity:
    """The log posterior of the stars of a problem, up to a constant of each.

    Args:
        problem: Loss and box.

    Returns:
        A function of several unit labels per star; -inf outside the box.
    """

    def evaluate(x: Float[Tensor, "star walker label"]) -> Float[Tensor, "star walker"]:
        """Logarithm of the posterior, but for a constant."""
        inside = ((x >= problem.lower) & (x <= problem.upper)).all(dim=2)
        # Far outside, the emulator's mean may be any number; it is not asked.
        loss = problem.objective.loss(x.clamp(problem.lower, problem.upper))
        return torch.where(inside, -0.5 * loss, -torch.inf)

    return evaluate

"""Bayesian optimisation of groups inside a trust region, for boxes of many dimensions."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.optimise.bo import BayesianOptimisation


@dataclass(frozen=True)
class TrustRegionOptimisation(BayesianOptimisation):
    """Seek the next point of each group near its best point so far.

    In a box of tens of dimensions nearly every point is far from all others, and the upper
    confidence bound only explores. The region is a cube around the best point; it doubles after
    a run of improvements and halves after a run of failures. Groups, surrogate, stop and result
    are those of :class:`torchfit.optimise.bo.BayesianOptimisation`.

    Args:
        length: First side of the region, as a share of the box.
        min_length: Least side.
        max_length: Greatest side.
        successes: Improvements in a row that double the side.
        failures: Failures in a row that halve it.

    References:
        Eriksson et al. 2019, NeurIPS, "Scalable global optimization via local Bayesian
        optimization" (TuRBO).
    """

    kappa: float = 1.0
    patience: int = 20
    length: float = 0.4
    min_length: float = 2.0**-7
    max_length: float = 1.0
    successes: int = 3
    failures: int = 4

    def _region(
        self, x: Float[Tensor, "group point m"], loss: Float[Tensor, "group point"]
    ) -> tuple[Float[Tensor, "group m"], Float[Tensor, "group m"]]:
        """Corners of the trust region of each group."""
        best = x[torch.arange(len(x)), loss.argmin(dim=1)]
        half = 0.5 * self.region_length(loss)[:, None]
        return (best - half).clamp(0, 1), (best + half).clamp(0, 1)

    def region_length(self, loss: Float[Tensor, "group point"]) -> Float[Tensor, " group"]:
        """Side of the region after the points tried so far.

        Args:
            loss: Loss of the points in the order they were tried, the first ones included.

        Returns:
            Side as a share of the box.
        """
        n_first = self.n_random + 1
        best = loss[:, :n_first].min(dim=1).values
        length = torch.full_like(best, self.length)
        streak = torch.zeros_like(best)
        for value in loss[:, n_first:].unbind(1):
            improved = value < best - self.tolerance * best.abs()
            best = torch.minimum(best, value)
            streak = torch.where(improved, streak.clamp_min(0) + 1, streak.clamp_max(0) - 1)
            grow, shrink = streak >= self.successes, streak <= -self.failures
            length = torch.where(grow, 2 * length, torch.where(shrink, length / 2, length))
            streak = torch.where(grow | shrink, 0.0, streak)
        return length.clamp(self.min_length, self.max_length)

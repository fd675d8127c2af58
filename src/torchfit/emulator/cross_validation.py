"""The paper's way to the hyperparameters: a grid, judged by cross validation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import radial_part


@dataclass(frozen=True)
class HyperparameterGrid:
    """Candidate hyperparameters; every combination is tried.

    Args:
        lengthscale: Length scales in unit labels, one for all labels.
        outputscale: Factors of the kernel.
        noise: Variances of the noise on standardised coefficients.
    """

    lengthscale: Sequence[float]
    outputscale: Sequence[float]
    noise: Sequence[float]

    def __iter__(self) -> Iterator[tuple[float, float, float]]:
        """All combinations (lengthscale, outputscale, noise)."""
        return product(self.lengthscale, self.outputscale, self.noise)


def held_out_error(
    gp: SharedKernelGP,
    x: Float[Tensor, "template label"],
    y: Float[Tensor, "template comp"],
    fold: Int[Tensor, " template"],
) -> float:
    """Mean squared error of held-out outputs at the process's present hyperparameters.

    Args:
        gp: Gaussian process; it is left conditioned on the last training side.
        x: Unit labels.
        y: Outputs.
        fold: Fold of each template, all visits of a star in one.

    Returns:
        Mean over templates and outputs.
    """
    total = 0.0
    for held_out in fold.unique():
        test = fold == held_out
        gp.condition(x[~test], y[~test])
        total += float((y[test] - gp.mean(x[test])).square().sum())
    return total / y.numel()


def cross_validate(
    gp: SharedKernelGP,
    x: Float[Tensor, "template label"],
    y: Float[Tensor, "template comp"],
    fold: Int[Tensor, " template"],
    grid: HyperparameterGrid,
) -> float:
    """Set the hyperparameters to the grid point of least held-out error, also those held fixed.

    Args:
        gp: Gaussian process, changed in place.
        x: Unit labels.
        y: Outputs weighted as their errors shall count.
        fold: Fold of each template.
        grid: Candidates.

    Returns:
        The least held-out mean squared error.
    """
    scores = {}
    with tqdm(list(grid), desc="cross validation", unit="point") as points:
        for point in points:
            _assign(gp, point)
            scores[point] = held_out_error(gp, x, y, fold)
    best = min(scores, key=lambda point: scores[point])
    _assign(gp, best)
    return scores[best]


def _assign(gp: SharedKernelGP, point: tuple[float, float, float]) -> None:
    radial = radial_part(gp.kernel)
    lengthscale, outputscale, noise = torch.tensor(point, dtype=torch.float64)
    with torch.no_grad():
        radial.base_kernel.initialize(lengthscale=lengthscale)
        radial.initialize(outputscale=outputscale)
        gp.likelihood.initialize(noise=noise)

"""The chain of optimisers: each goes on from where the last has stopped."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.optimise.problem import Fit, Optimiser, Problem


@dataclass(frozen=True)
class Found:
    """What the optimisers have found.

    Args:
        fit: Where they ended.
        grouped: Unit labels after the last that moves groups; NaN where none does.
    """

    fit: Fit
    grouped: Float[Tensor, "star label"]


def search(
    problem: Problem, start: Float[Tensor, "star label"], optimisers: Iterable[Optimiser]
) -> Found:
    """Run optimisers one after the other.

    What is best for a group may lead one of its stars into a minimum that is not its lowest. So an
    optimiser of single stars that follows one of groups also starts from where those stars came
    from that the groups have moved, and keeps the lower end.

    Args:
        problem: The stars.
        start: Unit labels to start from.
        optimisers: In their order; none leaves the start.

    Returns:
        The best of every star.
    """
    fit = before = Fit.at_start(problem, start)
    grouped = torch.full_like(fit.unit, torch.nan)
    follows_groups = False
    for optimiser in optimisers:
        came_from, before = before, fit
        fit = optimiser.minimise(problem, before)
        if optimiser.moves_groups:
            grouped = fit.unit
        elif follows_groups:
            fit = _or_from(came_from, before, fit, problem, optimiser)
        follows_groups = optimiser.moves_groups
    return Found(fit, grouped)


def _or_from(came_from: Fit, before: Fit, fit: Fit, problem: Problem, optimiser: Optimiser) -> Fit:
    """The lower of two ends, where the groups have moved a star."""
    star = (before.unit != came_from.unit).any(dim=1).nonzero()[:, 0]
    if not len(star):
        return fit
    other = optimiser.minimise(problem[star], came_from[star])
    return fit.with_rows(star, fit[star].or_lower(other))

"""Where the inducing points stand, and how many stars each stands for."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

STARS_AT_ONCE = 2048


def farthest_points(
    scaled: Float[Tensor, "template label"], n_points: int
) -> Int[Tensor, " centre"]:
    """Choose stars that leave no other far from its nearest one.

    The first is nearest to the mean, every next one is the farthest from all before. Against
    random stars or k-means++ this kept the mean of the process 5 to 100 times nearer to the exact
    one at the same number of points (mock MaStar, 512-2048 points).

    Args:
        scaled: Labels in units of the length scales.
        n_points: How many to choose, at most as many as there are stars.

    Returns:
        Their places, in the order of choice.

    References:
        Gonzalez 1985, Theoretical Computer Science 38, 293.
    """
    distance = torch.full_like(scaled[:, 0], torch.inf)
    place = (scaled - scaled.mean(dim=0)).square().sum(dim=1).argmin()
    chosen = []
    for _ in range(n_points):
        chosen.append(place)
        distance = torch.minimum(distance, (scaled - scaled[place]).square().sum(dim=1))
        place = distance.argmax()
    return torch.stack(chosen)


def nearest_counts(
    scaled: Float[Tensor, "template label"], centres: Float[Tensor, "centre label"]
) -> Float[Tensor, " centre"]:
    """Count the stars that have each centre as their nearest.

    Args:
        scaled: Labels in units of the length scales.
        centres: The centres in the same units.

    Returns:
        Counts, which sum to the number of stars.
    """
    nearest = [torch.cdist(some, centres).argmin(dim=1) for some in scaled.split(STARS_AT_ONCE)]
    return torch.cat(nearest).bincount(minlength=len(centres)).to(scaled)

"""Folds by star: all visits of a star fall on the same side."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from torchfit.exceptions import ConfigError


def folds_by_star(star_names: Sequence[str], n_folds: int, seed: int) -> Int[Tensor, " template"]:
    """Deal the stars into folds of nearly equal size.

    Args:
        star_names: Name of the star of each template.
        n_folds: Number of folds, at least 2 and at most the number of stars.
        seed: Seed of the shuffle.

    Returns:
        Fold of each template, 0 ... n_folds - 1; equal for equal names.

    Raises:
        ConfigError: If there are fewer stars than folds, or fewer than two folds.
    """
    stars = sorted(set(star_names))
    if not 2 <= n_folds <= len(stars):
        raise ConfigError(f"n_folds={n_folds} must lie within 2 and the {len(stars)} stars")
    order = torch.randperm(len(stars), generator=torch.Generator().manual_seed(seed))
    fold = {stars[star]: place % n_folds for place, star in enumerate(order.tolist())}
    return torch.tensor([fold[name] for name in star_names])

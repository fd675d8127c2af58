"""Ordering of a survey into groups of similar spectra."""

from collections.abc import Sequence

import numpy as np

from torchfit.exceptions import ConfigError


def order_into_groups(
    spectral_classes: Sequence[str] | np.ndarray, start: np.ndarray, n_group: int
) -> np.ndarray:
    """Cut the stars of each class, sorted by their start labels, into groups.

    Stars are sorted by start temperature, then gravity and the other labels, then by their place
    in the survey, so the order does not depend on how files were read. A class of n stars makes
    ceil(n / n_group) groups whose sizes differ by one at most.

    Args:
        spectral_classes: Class of each star.
        start: Start labels, shape (star, label).
        n_group: Largest number of stars in a group.

    Returns:
        Group number of each star, 0 ... n_groups - 1, classes in alphabetical order.

    Raises:
        ConfigError: If ``n_group`` is not positive.
    """
    if n_group < 1:
        raise ConfigError(f"group.n_group={n_group} must be at least 1")
    classes = np.asarray(spectral_classes)
    group = np.full(len(classes), -1)
    n_groups = 0
    for name in np.unique(classes):
        stars = np.flatnonzero(classes == name)
        stars = stars[np.lexsort(start[stars].T[::-1])]
        pieces = np.array_split(stars, -(-len(stars) // n_group))
        for piece in pieces:
            group[piece] = n_groups
            n_groups += 1
    return group

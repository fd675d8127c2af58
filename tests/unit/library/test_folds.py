import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.library.folds import folds_by_star

NAMES = [f"star {number % 13}" for number in range(40)]


@pytest.mark.parametrize("n_folds", [2, 5, 13])
def test_every_fold_has_nearly_as_many_stars(n_folds):
    fold = folds_by_star(NAMES, n_folds, seed=1)
    stars = torch.bincount(torch.tensor([fold[NAMES.index(name)] for name in set(NAMES)]))
    assert len(stars) == n_folds
    assert stars.max() - stars.min() <= 1


def test_visits_of_a_star_share_a_fold():
    fold = folds_by_star(NAMES, 4, seed=1)
    for name in set(NAMES):
        assert len({int(f) for f, n in zip(fold, NAMES, strict=True) if n == name}) == 1


def test_the_seed_decides():
    assert torch.equal(folds_by_star(NAMES, 4, 1), folds_by_star(NAMES, 4, 1))
    assert not torch.equal(folds_by_star(NAMES, 4, 1), folds_by_star(NAMES, 4, 2))


def test_the_order_of_the_templates_does_not_matter():
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0)).tolist()
    shuffled = folds_by_star([NAMES[place] for place in order], 4, seed=1)
    assert torch.equal(shuffled, folds_by_star(NAMES, 4, seed=1)[order])


@pytest.mark.parametrize("n_folds", [0, 1, 14])
def test_too_few_or_too_many_folds_are_refused(n_folds):
    with pytest.raises(ConfigError, match="13 stars"):
        folds_by_star(NAMES, n_folds, seed=1)

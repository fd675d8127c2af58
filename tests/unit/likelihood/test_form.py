"""Products with the matrix of each star's key."""

import pytest
import torch

from torchfit.likelihood.form import StarsByKey, WhitenedForm

KEY = torch.tensor([2, 0, 2, 3, 0])


@pytest.fixture
def matrices():
    return torch.rand(4, 3, 3, generator=torch.Generator().manual_seed(0)).double()


@pytest.mark.parametrize("rows", [(), (2,)])
def test_every_star_meets_the_matrix_of_its_key(matrices, rows):
    """Key 1 has no star."""
    left = torch.rand(5, *rows, 3, generator=torch.Generator().manual_seed(1)).double()
    expected = torch.stack([row @ matrices[key] for row, key in zip(left, KEY, strict=True)])
    stars = StarsByKey.of(KEY, len(matrices), KEY.device)
    torch.testing.assert_close(stars.times(left, matrices), expected)
    torch.testing.assert_close(stars.times(left, list(matrices)), expected)


def test_chosen_stars_keep_their_coordinates(matrices):
    left = torch.rand(5, 2, 3, generator=torch.Generator().manual_seed(1)).double()
    pull, constant = left[:, 0], left[:, 1, 0]
    form = WhitenedForm(matrices, torch.ones(4, 3).double(), KEY, pull, constant)
    chosen = torch.tensor([3, 1])
    torch.testing.assert_close(form[chosen].whiten(left[chosen]), form.whiten(left)[chosen])

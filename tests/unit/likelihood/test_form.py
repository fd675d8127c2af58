"""Products with the matrix of each star's key."""

import pytest
import torch

from torchfit.likelihood.form import WhitenedForm

KEY = torch.tensor([2, 0, 2, 3, 0])


@pytest.fixture
def matrices():
    return torch.rand(4, 3, 3, generator=torch.Generator().manual_seed(0)).double()


def test_chosen_stars_keep_their_coordinates(matrices):
    left = torch.rand(5, 2, 3, generator=torch.Generator().manual_seed(1)).double()
    pull, constant = left[:, 0], left[:, 1, 0]
    form = WhitenedForm(matrices, torch.ones(4, 3).double(), KEY, pull, constant)
    chosen = torch.tensor([3, 1])
    torch.testing.assert_close(form[chosen].whiten(left[chosen]), form.whiten(left)[chosen])

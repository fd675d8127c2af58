import pytest
import torch

from torchfit.likelihood.stars_by_key import StarsByKey

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

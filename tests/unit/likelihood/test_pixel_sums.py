import numpy as np
import pytest
import torch

from torchfit.likelihood.pixel_sums import PixelSums, marginalise_emulator

N_STARS, N_PIX, N_COMP = 3, 40, 4
SIGMA = [0.5, 2.0]


@pytest.fixture
def parts(generator):
    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    weight = torch.rand(N_STARS, N_PIX, generator=generator, dtype=torch.float64) + 0.1
    return draw(N_PIX, N_COMP), weight, draw(N_STARS, N_PIX), draw(N_STARS, N_PIX, 2)


def test_dropping_pixels_is_not_having_had_them(parts, generator, assert_close):
    basis, weight, y, columns = parts
    outlier = torch.rand(weight.shape, generator=generator) < 0.2
    outlier[1] = False
    dropped = PixelSums(basis, weight, y, columns, SIGMA)
    dropped.drop(outlier)
    weight, y = torch.where(outlier, 0.0, weight), torch.where(outlier, 0.0, y)
    without = PixelSums(basis, weight, y, columns, SIGMA)
    for one, other in zip(dropped.form(), without.form(), strict=True):
        assert_close(one, other)


def test_dropping_nothing_changes_nothing(parts):
    sums = PixelSums(*parts, SIGMA)
    before = sums.form()
    sums.drop(torch.zeros_like(parts[1], dtype=torch.bool))
    for one, other in zip(sums.form(), before, strict=True):
        assert torch.equal(one, other)


def test_residual_is_the_noise_part_of_the_posterior(parts, generator, assert_close):
    """y - B f - T c at the posterior mean is N C^-1 (y - B f_0), C the sum of all covariances."""
    basis, weight, y, columns = parts
    centre = torch.randn(N_STARS, N_COMP, generator=generator, dtype=torch.float64)
    root = torch.randn(N_COMP, N_COMP, generator=generator, dtype=torch.float64)
    prior = root @ root.mT + torch.eye(N_COMP)
    factor = torch.linalg.cholesky(prior).expand(N_STARS, -1, -1)
    found = PixelSums(*parts, SIGMA).residual(centre, factor)
    for star in range(N_STARS):
        noise = np.diag(1 / weight[star].numpy())
        columns_scaled = columns[star].numpy() * SIGMA
        b = basis.numpy()
        total = noise + b @ prior.numpy() @ b.T + columns_scaled @ columns_scaled.T
        left = noise @ np.linalg.solve(total, y[star].numpy() - b @ centre[star].numpy())
        assert_close(found[star], weight[star].sqrt() * torch.from_numpy(left))


def test_without_nuisances_the_form_is_plain(parts):
    basis, weight, y, _ = parts
    sums = PixelSums(basis, weight, y, torch.zeros(N_STARS, N_PIX, 0).double(), [])
    for one, other in zip(sums.form(), sums.plain(), strict=True):
        assert torch.equal(one, other)


def test_a_star_without_weight_has_no_precision(parts):
    basis, weight, y, columns = parts
    weight[1], y[1] = 0.0, 0.0
    form = PixelSums(basis, weight, y, columns, SIGMA).form()
    factor = torch.eye(N_COMP).double().expand(N_STARS, -1, -1)
    precision, linear, constant = marginalise_emulator(form, factor)
    assert precision[1].abs().max() < 1e-12
    assert linear[1].abs().max() < 1e-12
    assert constant[1].abs() < 1e-12

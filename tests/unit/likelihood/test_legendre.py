import numpy as np
import pytest
import torch

from torchfit.likelihood.legendre import legendre, legendre_gram


def test_legendre_is_orthogonal_and_one_at_the_red_end():
    wave = torch.linspace(0, 1, 20001, dtype=torch.float64)
    terms = legendre(wave, 4)
    assert torch.equal(terms[-1], torch.ones(5, dtype=torch.float64))
    product = terms.mT @ terms / len(wave) * 2
    expected = torch.diag(2 / (2 * torch.arange(5).double() + 1))
    assert (product - expected).abs().max() < 1e-3


def test_legendre_of_a_high_degree_is_that_of_numpy(assert_close):
    wave = torch.linspace(3800, 7400, 3601, dtype=torch.float64)
    expected = np.polynomial.legendre.legvander(np.linspace(-1, 1, 3601), 100)
    assert_close(legendre(wave, 100), torch.from_numpy(expected))


@pytest.mark.parametrize("degree", [0, 1, 10, 60])
def test_sums_of_pairs_are_those_over_the_pixels(degree, generator, assert_close):
    """Of any weights, on any grid: the products are identities, not sums that happen to agree."""
    wave = torch.rand(301, generator=generator, dtype=torch.float64).cumsum(dim=0) + 4000
    weight = torch.rand(3, 301, generator=generator, dtype=torch.float64)
    weight[1, ::3] = 0.0
    terms = legendre(wave, degree)
    expected = torch.einsum("sp,pi,pj->sij", weight, terms, terms)
    assert_close(legendre_gram(weight, wave, degree), expected)
    single = legendre_gram(weight.float(), wave, degree)
    assert_close(single, expected, dtype=torch.float32)
    assert single.dtype == torch.float32

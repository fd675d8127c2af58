import pytest
import torch

from torchfit.preprocess.resolution import convolve

ALL = torch.ones(1, 80, dtype=torch.bool)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.0])
def test_a_constant_stays_up_to_the_edges_and_beside_bad_pixels(sigma):
    good = ALL.clone()
    good[0, 20:30] = False
    found = convolve(torch.full((1, 80), 3.0, dtype=torch.float64), good, sigma)
    torch.testing.assert_close(found[good], torch.full((70,), 3.0, dtype=torch.float64))
    assert (found[~good] == 0).all()


def test_a_gaussian_line_widens_in_quadrature(assert_close):
    pixel = torch.arange(80.0, dtype=torch.float64)
    line = torch.exp(-0.5 * ((pixel - 40) / 3).square())[None]
    found = convolve(line, ALL, 4.0)[0]
    expected = 3 / 5 * torch.exp(-0.5 * ((pixel - 40) / 5).square())
    assert (found - expected).abs().max() < 1e-4


def test_a_narrow_gaussian_changes_nothing(generator, assert_close):
    flux = torch.rand(1, 80, generator=generator, dtype=torch.float64)
    assert_close(convolve(flux, ALL, 0.05), flux)


def test_a_bad_pixel_has_no_say(generator):
    flux = torch.rand(1, 80, generator=generator, dtype=torch.float64)
    good = ALL.clone()
    good[0, 33] = False
    changed = flux.clone()
    changed[0, 33] = 1e6
    assert torch.equal(convolve(flux, good, 2.0), convolve(changed, good, 2.0))

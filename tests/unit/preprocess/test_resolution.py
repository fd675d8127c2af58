import pytest
import torch

from torchfit.names import FWHM_PER_SIGMA
from torchfit.preprocess.resolution import broaden, on_pixels, smooth_to

ALL = torch.ones(1, 80, dtype=torch.bool)
PIXEL = torch.arange(80.0, dtype=torch.float64)


def variance(value):
    return torch.tensor([[value]], dtype=torch.float64)


def gaussian(sigma):
    return torch.exp(-0.5 * ((PIXEL - 40) / sigma).square())[None] / sigma


def moment(line):
    """Second moment of a line about pixel 40."""
    return float((line * (PIXEL - 40).square()).sum() / line.sum())


@pytest.mark.parametrize("value", [-0.5, 0.09, 1.0, 16.0])
def test_a_constant_stays_up_to_the_edges_and_beside_bad_pixels(value):
    good = ALL.clone()
    good[0, 20:30] = False
    found = broaden(torch.full((1, 80), 3.0, dtype=torch.float64), good, variance(value))
    torch.testing.assert_close(found[good], torch.full((70,), 3.0, dtype=torch.float64))
    assert (found[~good] == 0).all()


def test_a_gaussian_line_widens_in_quadrature():
    found = broaden(gaussian(3), ALL, variance(16.0))
    assert (found - gaussian(5)).abs().max() < 2e-5


@pytest.mark.parametrize("value", [-0.4, 0.0, 0.01, 0.2, 0.7, 3.0])
def test_the_variance_of_a_line_grows_by_exactly_that(value):
    found = broaden(gaussian(2), ALL, variance(value))
    assert moment(found) == pytest.approx(moment(gaussian(2)) + value, abs=1e-9)


def test_sharpening_undoes_broadening_to_first_order():
    line = gaussian(2)
    back = broaden(broaden(line, ALL, variance(0.3)), ALL, variance(-0.3))
    changed = (broaden(line, ALL, variance(0.3)) - line).abs().max()
    assert (back - line).abs().max() < 0.1 * changed


def test_every_pixel_has_its_own_width():
    """Two lines far apart, of which one is in pixels that are not convolved."""
    lines = gaussian(2).roll(-20, dims=1) + gaussian(2).roll(20, dims=1)
    half = 2.0 * (PIXEL >= 40).double()[None]
    found = broaden(lines, ALL, half)
    assert torch.equal(found[:, :40], lines[:, :40])
    assert (found - broaden(lines, ALL, variance(2.0)))[:, 44:].abs().max() < 1e-12


def test_no_variance_changes_nothing(generator):
    flux = torch.rand(1, 80, generator=generator, dtype=torch.float64)
    assert torch.equal(broaden(flux, ALL, variance(0.0)), flux)


def test_a_bad_pixel_has_no_weight(generator):
    flux = torch.rand(1, 80, generator=generator, dtype=torch.float64)
    good = ALL.clone()
    good[0, 33] = False
    changed = flux.clone()
    changed[0, 33] = torch.nan
    assert torch.equal(broaden(flux, good, variance(4.0)), broaden(changed, good, variance(4.0)))


def test_more_stars_than_one_round_are_each_as_alone(generator):
    flux = torch.rand(300, 80, generator=generator, dtype=torch.float64)
    good = torch.rand(300, 80, generator=generator) > 0.2
    widths = torch.rand(300, 1, generator=generator, dtype=torch.float64)
    widths[0] = 2.0
    found = broaden(flux, good, widths)
    pair = [0, 299]
    assert torch.equal(found[pair], broaden(flux[pair], good[pair], widths[pair]))


WAVE = 5000 + 0.5 * PIXEL[None]


def widths(value):
    return torch.full_like(WAVE, value)


def test_a_sharper_spectrum_is_brought_to_the_resolution_whatever_its_pixels():
    line = gaussian(3)
    found = smooth_to(WAVE, line, ALL, widths(0.5 * 3), widths(0.5 * 5))
    assert (found - gaussian(5)).abs().max() < 2e-5


@pytest.mark.parametrize("own", [2.5, 4.0, torch.nan, 0.0, -1.0])
def test_no_spectrum_is_made_sharper_nor_one_changed_whose_width_is_not_known(own):
    line = gaussian(3)
    assert torch.equal(smooth_to(WAVE, line, ALL, widths(own), widths(2.5)), line)


def test_nothing_passes_over_a_gap_between_two_arms(generator):
    """The pixels at the gap are bad, as readers of arms leave them."""
    flux = torch.rand(1, 80, generator=generator, dtype=torch.float64)
    wave, good = WAVE + 900 * (PIXEL >= 40), ALL.clone()
    good[:, 39:41] = False
    other = flux.clone()
    other[:, 40:] += 100
    first, second = (
        smooth_to(wave, each, good, widths(0.4), widths(2.5)) for each in (flux, other)
    )
    torch.testing.assert_close(first[:, :39], second[:, :39], rtol=0, atol=1e-3)


def test_a_width_known_on_a_grid_is_interpolated_and_constant_beyond():
    grid = torch.tensor([5000.0, 5010.0, 5020.0], dtype=torch.float64)
    fwhm = torch.tensor([2.0, 3.0, 5.0], dtype=torch.float64)
    wave = torch.tensor([[4000.0, 5000.0, 5005.0, 5015.0, 9000.0]], dtype=torch.float64)
    wanted = torch.tensor([[2.0, 2.0, 2.5, 4.0, 5.0]], dtype=torch.float64) / FWHM_PER_SIGMA
    torch.testing.assert_close(on_pixels(wave, grid, fwhm), wanted)

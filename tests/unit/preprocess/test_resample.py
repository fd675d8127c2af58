import pytest
import torch

from torchfit.preprocess.resample import fill_bad, resample, spline_curvature

WAVE = torch.arange(4000.0, 4030.0, dtype=torch.float64)[None]


def test_bad_pixels_become_the_line_between_their_neighbours():
    flux = torch.tensor([[9.0, 1.0, torch.nan, torch.inf, 7.0, 2.0, -3.0]], dtype=torch.float64)
    wave = torch.tensor([[1.0, 2.0, 3.0, 6.0, 8.0, 9.0, 12.0]], dtype=torch.float64)
    good = torch.tensor([[False, True, False, False, True, True, False]])
    found = fill_bad(wave, flux, good)
    assert found.tolist() == [[1.0, 1.0, 2.0, 5.0, 7.0, 2.0, 2.0]]


def test_a_spectrum_without_a_good_pixel_is_filled_with_zeros():
    flux = torch.full((1, 5), torch.nan, dtype=torch.float64)
    found = fill_bad(WAVE[:, :5], flux, torch.zeros(1, 5, dtype=torch.bool))
    assert torch.equal(found, torch.zeros_like(found))


def test_a_straight_line_has_no_curvature(assert_close):
    found = spline_curvature(WAVE, 3 * WAVE - 7, torch.ones_like(WAVE, dtype=torch.bool))
    assert_close(found + 1, torch.ones_like(WAVE))


def test_resampling_on_its_own_grid_changes_nothing(generator):
    flux = torch.rand(1, 30, generator=generator, dtype=torch.float64)
    ivar = torch.rand(1, 30, generator=generator, dtype=torch.float64)
    ivar[0, 7:9] = 0
    new_flux, new_ivar = resample(WAVE, flux, ivar, WAVE[0])
    good = ivar > 0
    torch.testing.assert_close(new_flux, torch.where(good, flux, 0.0))
    torch.testing.assert_close(new_ivar, ivar)


def test_a_pixel_is_bad_beside_a_bad_one_and_good_on_a_good_one():
    ivar = torch.ones_like(WAVE)
    ivar[0, 10] = 0
    grid = torch.tensor([4008.5, 4009.0, 4009.5, 4010.0, 4010.5, 4011.0, 4011.5]).double()
    flux, new_ivar = resample(WAVE, torch.ones_like(WAVE), ivar, grid)
    assert (new_ivar > 0).tolist()[0] == [True, True, False, False, False, True, True]
    assert torch.equal(flux > 0, new_ivar > 0)


def test_a_pixel_outside_the_spectrum_is_bad():
    grid = torch.arange(3990.0, 4040.0, dtype=torch.float64)
    flux, ivar = resample(WAVE, torch.ones_like(WAVE), torch.ones_like(WAVE), grid)
    inside = (grid >= 4000) & (grid <= 4029)
    assert torch.equal(ivar[0] > 0, inside)
    assert (flux[0, ~inside] == 0).all()


@pytest.mark.parametrize("step", [0.5, 1.0, 2.0])
def test_information_per_angstrom_is_kept(step):
    grid = torch.arange(4002.0, 4027.0, step, dtype=torch.float64)
    _, ivar = resample(WAVE, torch.ones_like(WAVE), torch.full_like(WAVE, 3.0), grid)
    torch.testing.assert_close(ivar / step, torch.full_like(ivar, 3.0))


def test_flux_that_is_not_finite_is_bad_whatever_its_variance():
    flux = torch.ones_like(WAVE)
    flux[0, 4] = torch.nan
    new_flux, new_ivar = resample(WAVE, flux, torch.ones_like(WAVE), WAVE[0])
    assert new_ivar[0, 4] == 0
    assert new_flux.isfinite().all()
    assert (new_ivar[0, [3, 5]] > 0).all()


def test_every_star_has_its_own_wavelengths(generator, assert_close):
    wave = torch.cat([WAVE, WAVE * 1.001])
    flux = torch.rand(2, 30, generator=generator, dtype=torch.float64)
    grid = torch.arange(4006.0, 4028.0, 0.7, dtype=torch.float64)
    both, _ = resample(wave, flux, torch.ones_like(flux), grid)
    for star in range(2):
        row = slice(star, star + 1)
        alone, _ = resample(wave[row], flux[row], torch.ones(1, 30).double(), grid)
        assert_close(both[row], alone)

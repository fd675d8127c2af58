from dataclasses import replace

import numpy as np
import pytest
import torch

from torchfit.preprocess.resolution import on_pixels, smooth_to
from torchfit.spectra import Spectrum, StarInfo
from torchfit.velocity.search import Velocities

LABELS = (5700.0, 3.0, -0.5)


def columns(velocities):
    return torch.stack(list(vars(velocities).values()), dim=1)


@pytest.mark.parametrize("velocity", [-880.0, -301.0, 0.0, 17.0, 450.0, 880.0])
def test_a_velocity_is_found_within_its_error(search, observed, velocity):
    found = search([observed(LABELS, velocity, snr=100.0)])
    assert abs(float(found.v) - velocity) < 5 * float(found.error)
    assert 0 < float(found.error) < 5
    assert float(found.cfi) > 0.9


def test_errors_are_those_of_the_noise(search, observed):
    stars = [observed(LABELS, 40.0, snr=20.0, seed=seed) for seed in range(200)]
    found = search(stars)
    pull = (found.v - 40.0) / found.error
    assert 0.75 < float(pull.std()) < 1.35
    assert abs(float(pull.mean())) < 0.5


@pytest.mark.parametrize("snr", [10.0, 40.0])
def test_without_errors_the_residuals_tell_them(search, observed, snr):
    known = search([observed(LABELS, 90.0, snr, seed) for seed in range(20)])
    unknown = search([observed(LABELS, 90.0, snr, seed, has_ivar=False) for seed in range(20)])
    assert (unknown.v - known.v).abs().median() < known.error.median()
    assert 0.5 < float((unknown.error / known.error).median()) < 1.5


@pytest.mark.parametrize("scale", [1e-17, 1.0, 1e6])
def test_the_scale_of_the_flux_does_not_matter(search, observed, scale):
    star = observed(LABELS, 30.0)
    scaled = replace(star, flux=star.flux * scale, ivar=star.ivar / scale**2)
    torch.testing.assert_close(columns(search([scaled])), columns(search([star])))


def test_two_stars_have_two_peaks(search, observed):
    one, other = (observed(LABELS, velocity, snr=80.0) for velocity in (-800.0, 800.0))
    both = replace(one, flux=one.flux + other.flux, ivar=one.ivar / 2)
    assert float(search([both]).ratio) > 0.8 > 0.6 > float(search([one]).ratio)


@pytest.mark.parametrize("velocity", [-1080.0, 1080.0])
def test_a_correlation_that_rises_to_its_end_has_no_small_error(search, observed, velocity):
    found = search([observed(LABELS, velocity, snr=200.0)])
    assert float(found.error) == search.max_velocity
    assert 900 <= float(found.v) * np.sign(velocity) < 1000


def test_a_sharper_spectrum_is_brought_to_the_resolution_of_the_templates(
    search, observed, emulator
):
    star = observed(LABELS, 70.0, snr=200.0)
    width, wave = np.full_like(star.wave, 0.3), torch.from_numpy(star.wave)[None]
    wide = on_pixels(wave, emulator.wave, emulator.library.lsf_fwhm)
    flux, good, own = (torch.from_numpy(x)[None] for x in (star.flux, star.good, width))
    smooth = replace(star, flux=smooth_to(wave, flux, good, own, wide)[0].numpy())
    sharp = replace(star, lsf_sigma=width)
    torch.testing.assert_close(columns(search([sharp])), columns(search([smooth])))
    assert float(search([sharp]).v) != float(search([star]).v)


def test_masked_windows_have_no_weight(search, observed):
    star = observed(LABELS, 55.0)
    inside = (star.wave > 4090) & (star.wave < 4130)
    wild = replace(star, flux=np.where(inside, 1e5, star.flux))
    masked = [(4090.0, 4130.0)]
    torch.testing.assert_close(columns(search([wild], masked)), columns(search([star], masked)))


def test_a_spectrum_that_templates_do_not_cover_has_no_velocity(search, observed):
    wave = np.arange(6000.0, 6500.0)
    other = Spectrum(wave, np.ones_like(wave), np.ones_like(wave), StarInfo("red"))
    found = search([other, observed(LABELS)])
    assert columns(found)[0].isnan().all() and columns(found)[1].isfinite().all()


def test_what_was_not_measured_is_not_a_number():
    unknown = Velocities.unknown(3)
    known = Velocities(*(torch.full((1,), float(n), dtype=torch.float64) for n in range(5)))
    some = unknown.with_rows(torch.tensor([1]), known)
    assert columns(some)[[0, 2]].isnan().all() and columns(some)[1].tolist() == [0, 1, 2, 3, 4]
    assert some.row(1) == {"v_ccf": 0.0, "e_v_ccf": 1.0, "ccf_ratio": 2.0}

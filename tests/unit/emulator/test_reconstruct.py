from dataclasses import replace

import numpy as np
import pytest
import torch

from torchfit.emulator.reconstruct import SCATTER, Reconstruction, SurveyPreprocessor
from torchfit.exceptions import ConfigError
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectrum, StarInfo

N_PIX = 1201
PLAIN = Preprocessor(4000.0, 5200.0, 1.0, dib_min_ew=None, median_window=200)
WAVE = PLAIN.wave.numpy()
SLOPE = 3.0 - 2.0 * (WAVE - 4000.0) / 1200.0
DRAWS = 200


def lines(depth):
    """Broad and narrow lines, which are many: the median lies well above the mean."""
    narrow = sum(np.exp(-0.5 * ((WAVE - centre) / 3.0) ** 2) for centre in range(4010, 5200, 17))
    broad = sum(np.exp(-0.5 * ((WAVE - centre) / 25.0) ** 2) for centre in (4100, 4340, 4860))
    return 1.0 - depth * (0.25 * narrow + 0.4 * broad)


def normalised(depth):
    """The library's spectrum of a star, divided by its own running median."""
    return PLAIN([spectrum(SLOPE * lines(depth), 0.0, False)]).flux[0]


def spectrum(flux, noise, has_ivar=True):
    ivar = np.full(N_PIX, 1.0 if noise == 0 else noise**-2)
    return Spectrum(WAVE.copy(), flux, ivar, StarInfo("here", z=0.0), has_ivar)


def observed(seed, noise, depth=1.2):
    draw = np.random.default_rng(seed).normal(size=N_PIX)
    return spectrum(SLOPE * lines(depth) + noise * draw, noise)


@pytest.fixture(scope="module")
def reconstruction():
    """Stars whose lines differ in depth around one, and whose continua wave a little."""
    mean, phase = normalised(1.0), torch.linspace(0, torch.pi, N_PIX, dtype=torch.float64)
    waves = [0.05 * mean * torch.cos(number * phase) for number in range(8)]
    basis = torch.stack([normalised(1.3) - mean, *waves], dim=1)
    return Reconstruction(mean, basis, torch.ones(N_PIX, dtype=torch.bool))


@pytest.fixture(scope="module")
def survey(reconstruction):
    return SurveyPreprocessor.of(PLAIN, reconstruction)


def test_it_is_the_wiener_filter(reconstruction):
    generator = torch.Generator().manual_seed(3)
    flux = 1 + 0.1 * torch.randn(4, N_PIX, generator=generator, dtype=torch.float64)
    ivar = 400 * torch.rand(4, N_PIX, generator=generator, dtype=torch.float64)
    ivar[1, ::3], flux[1, ::3] = 0.0, torch.nan
    mean, basis = reconstruction.mean.numpy(), reconstruction.basis.numpy()
    for row, found in enumerate(reconstruction(flux, ivar).numpy()):
        good = ivar[row].numpy() > 0
        covariance = np.diag(1 / ivar[row].numpy()[good] + SCATTER**2)
        signal = basis @ basis.T
        # As the expected signal of a Gaussian process of all pixels, without normal equations.
        gain = np.linalg.solve(signal[np.ix_(good, good)] + covariance, signal[good]).T
        wanted = mean + gain @ (flux[row].numpy()[good] - mean[good])
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_of_nothing_it_is_the_mean(reconstruction):
    nothing = torch.zeros(1, N_PIX, dtype=torch.float64)
    torch.testing.assert_close(reconstruction(nothing, nothing)[0], reconstruction.mean)


def test_pixels_that_the_components_do_not_know_do_not_count(reconstruction):
    known = reconstruction.known.clone()
    known[300:500] = False
    some = replace(reconstruction, known=known)
    flux = normalised(1.2).repeat(2, 1)
    flux[1, 300:500] = 7.0
    first, second = some(flux, torch.full_like(flux, 100.0))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def continua(preprocessor, noise, depth=1.2, n_draws=DRAWS):
    """Logarithm of the continua of noisy spectra over that of the same star without noise."""
    generator = torch.Generator().manual_seed(9)
    quiet = torch.from_numpy(SLOPE * lines(depth)).expand(n_draws, -1)
    shape = (n_draws, N_PIX)
    flux = quiet + noise * torch.randn(shape, generator=generator, dtype=torch.float64)
    ivar = torch.full_like(flux, noise**-2)
    known = torch.ones(n_draws, dtype=torch.bool)
    truth = PLAIN.continuum(quiet[:1], ivar[:1], known[:1])
    return (preprocessor.continuum(flux, ivar, known) / truth).log()


@pytest.mark.parametrize("noise", [0.4, 0.8])
def test_noise_does_not_bend_the_continuum(survey, noise):
    bent, straight = (continua(each, noise).mean(dim=0) for each in (PLAIN, survey))
    assert straight.square().mean() < bent.square().mean() / 4


@pytest.mark.parametrize("noise", [0.1, 0.4])
def test_it_scatters_no_more_than_before(survey, noise):
    before, after = (continua(each, noise).std(dim=0) for each in (PLAIN, survey))
    assert after.square().mean() < before.square().mean()


def test_without_noise_it_is_the_library_s(survey):
    spectra = [observed(1, 1e-7), spectrum(SLOPE * lines(2.0), 0.0, False)]
    plain, found = PLAIN(spectra), survey(spectra)
    torch.testing.assert_close(found.flux, plain.flux, rtol=1e-8, atol=0)
    assert torch.equal(found.flux[1], plain.flux[1]), "no errors, no noise"
    assert torch.equal(found.good, plain.good)


def test_what_stands_in_bad_pixels_does_not_matter(survey):
    one = observed(4, 0.4)
    ivar = np.where(np.random.default_rng(5).random(N_PIX) < 0.3, 0.0, one.ivar)
    clean = replace(one, ivar=ivar)
    wild = replace(clean, flux=np.where(ivar > 0, one.flux, np.nan))
    absurd = replace(clean, flux=np.where(ivar > 0, one.flux, 1e30))
    found = survey([clean, wild, absurd])
    assert torch.equal(found.flux[0], found.flux[1]) and torch.equal(found.ivar[0], found.ivar[1])
    assert torch.equal(found.flux[0], found.flux[2])
    assert torch.equal(found.good[0], found.good[1]) and found.is_finite.all()


@pytest.mark.parametrize("unit", [1e-17, 1e20])
def test_units_do_not_matter(survey, unit):
    one = observed(6, 0.4)
    other = replace(one, flux=one.flux * unit, ivar=one.ivar / unit**2)
    found = survey([one, other])
    torch.testing.assert_close(found.flux[1], found.flux[0], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.ivar[1], found.ivar[0], rtol=1e-9, atol=1e-12)


def test_a_star_does_not_depend_on_its_batch(survey):
    spectra = [observed(seed, 0.1 * (1 + seed)) for seed in range(5)]
    together = survey(spectra)
    for row, each in enumerate(spectra):
        torch.testing.assert_close(survey([each]).flux[0], together.flux[row], rtol=1e-12, atol=0)


@pytest.mark.parametrize("part", [slice(0, 300), slice(500, 520), slice(400, 401)])
def test_short_spectra_and_negative_flux_are_finite(survey, part):
    one = observed(7, 3.0)
    some = (
        Spectrum(one.wave[part], one.flux[part], one.ivar[part], one.info)
        if part.stop - part.start > 1
        else replace(one, ivar=np.where(WAVE == 4400, 1.0, 0.0))
    )
    gloomy = replace(one, flux=-np.abs(one.flux))
    found = survey([some, gloomy])
    assert found.is_finite.all()
    assert not found.good[1].any()


def test_smooth_medians_are_straightened_too(reconstruction):
    smooth = replace(PLAIN, smoothing=15)
    spectra = [observed(seed, 0.3) for seed in range(20)]
    plain, found = (
        each(spectra) for each in (smooth, SurveyPreprocessor.of(smooth, reconstruction))
    )
    assert not torch.equal(plain.flux, found.flux)
    assert found.is_finite.all()


def test_none_leaves_every_continuum_as_it_is():
    spectra = [observed(8, 0.3)]
    found = SurveyPreprocessor.of(PLAIN, None)(spectra)
    assert torch.equal(found.flux, PLAIN(spectra).flux)


@pytest.mark.parametrize("wrong", [0, -3])
def test_it_takes_a_component_at_least(wrong):
    with pytest.raises(ConfigError, match=f"preprocess: reconstruct={wrong} must be"):
        replace(PLAIN, reconstruct=wrong)

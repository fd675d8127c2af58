from dataclasses import replace

import numpy as np
import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.preprocess.compose import Preprocessor, stack
from torchfit.spectra import Spectrum, StarInfo

PREPROCESSOR = Preprocessor(4000.0, 4200.0, 1.0, dib_min_ew=None, median_window=51)


def make_spectrum(wave, line=4100.0, z=0.0, has_ivar=True, scale=1.0, **info):
    rest = wave / (1 + z)
    flux = scale * (2 + rest / 4000) * (1 - 0.5 * np.exp(-0.5 * ((rest - line) / 3) ** 2))
    ivar = np.full_like(wave, 400.0 if has_ivar else 1.0)
    return Spectrum(wave, flux, ivar, StarInfo("here", z=z, **info), has_ivar)


def test_the_grid_includes_both_ends():
    wave = PREPROCESSOR.wave
    assert wave.dtype == torch.float64
    assert (wave[0], wave[-1], len(wave)) == (4000.0, 4200.0, 201)
    assert len(Preprocessor(wave_max=8700.0).wave) == 4901
    assert Preprocessor(3800.0, 3900.0, 0.1, median_window=5).wave[-1].item() == pytest.approx(3900)


def test_the_grid_stops_before_an_end_it_does_not_hit():
    assert Preprocessor(4000.0, 4010.5, 2.0, median_window=3).wave[-1] == 4010.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"wave_step": 0.0},
        {"wave_step": -1.0},
        {"wave_max": 3000.0},
        {"median_window": 0},
        {"median_window": 5000},
        {"smoothing": 0},
        {"smoothing": 4},
        {"smoothing": 401},
    ],
)
def test_an_impossible_grid_is_refused(wrong):
    with pytest.raises(ConfigError, match="preprocess"):
        Preprocessor(**wrong)


def test_spectra_of_any_length_come_onto_one_grid():
    short, long = np.arange(4050.0, 4150.0, 0.9), np.arange(3990.0, 4210.0, 1.3)
    spectra = PREPROCESSOR([make_spectrum(short), make_spectrum(long)])
    assert spectra.flux.shape == (2, 201)
    covered = (PREPROCESSOR.wave >= short[0]) & (PREPROCESSOR.wave <= short[-1])
    assert torch.equal(spectra.good[0], covered)
    assert spectra.good[1].all()
    both = covered & (PREPROCESSOR.wave > 4075) & (PREPROCESSOR.wave < 4125)
    assert (spectra.flux[0, both] - spectra.flux[1, both]).abs().max() < 0.02


def test_a_redshifted_star_is_brought_to_rest():
    wave = np.arange(3980.0, 4230.0, 0.9)
    rest, moving = PREPROCESSOR([make_spectrum(wave), make_spectrum(wave, z=5e-4)]).flux
    assert PREPROCESSOR.wave[moving.argmin()] == PREPROCESSOR.wave[rest.argmin()] == 4100
    assert (rest - moving).abs().max() < 5e-3


def test_windows_are_masked_in_the_observed_frame():
    """At z = 0.002 the window 4100-4110 falls on 4092-4102 Angstrom at rest."""
    wave = np.arange(3980.0, 4230.0, 0.5)
    masked = Preprocessor(
        4000.0, 4200.0, 1.0, windows=[[4100.0, 4110.0]], dib_min_ew=None, median_window=51
    )
    rest, moving = masked([make_spectrum(wave), make_spectrum(wave, z=0.002)]).good
    grid = masked.wave
    assert (~rest).equal((grid > 4099.4) & (grid < 4110.6))
    assert (~moving).equal((grid > 4099.4 / 1.002) & (grid < 4110.6 / 1.002))


def test_extra_windows_belong_to_one_survey():
    wave = np.arange(3980.0, 4230.0, 0.5)
    spectra = PREPROCESSOR([make_spectrum(wave)], extra_windows=[(4150.0, 4160.0)])
    assert not spectra.good[0, 150:161].any()
    assert PREPROCESSOR([make_spectrum(wave)]).good.all()


def test_interstellar_bands_are_masked_on_demand():
    none = Preprocessor(windows=[], dib_min_ew=None)
    strong = Preprocessor(windows=[], dib_min_ew=200.0)
    assert none.masked_windows == []
    assert any(low < 5782.08 < high for low, high in strong.masked_windows)


PAPER = replace(PREPROCESSOR, clip_sigma=None)


@pytest.mark.parametrize("has_ivar", [True, False])
def test_flux_beyond_a_limit_is_masked(has_ivar):
    wave = np.arange(3980.0, 4230.0, 1.0)
    spectrum = make_spectrum(wave, has_ivar=has_ivar)
    spectrum.flux[100] *= 50
    spectrum.flux[150] *= -1
    high, low = int(wave[100] - 4000), int(wave[150] - 4000)
    spectra = PREPROCESSOR([spectrum])
    assert not spectra.good[0, high]
    assert spectra.flux[0, high] == 0
    assert spectra.flux[0, low] < 0
    strict = replace(PREPROCESSOR, clip_lower=0.0)([spectrum])
    assert not strict.good[0, low]


def test_in_the_papers_reading_it_becomes_the_continuum_and_stays_good():
    wave = np.arange(3980.0, 4230.0, 1.0)
    spectrum = make_spectrum(wave)
    spectrum.flux[100] *= 50
    spectrum.flux[150] *= -1
    high, low = int(wave[100] - 4000), int(wave[150] - 4000)
    spectra = PAPER([spectrum])
    assert spectra.flux[0, high] == 1
    assert spectra.good[0, high]
    assert (spectra.flux <= 2).all()
    assert spectra.flux[0, low] < 0
    assert replace(PAPER, clip_lower=0.0)([spectrum]).flux[0, low] == 1


def test_noise_alone_masks_nothing():
    """Of a spectrum as faint as its noise, what is kept would lie too low by far."""
    wave, rng = np.arange(3980.0, 4230.0, 1.0), np.random.default_rng(0)
    spectra = []
    for _ in range(20):
        spectrum = make_spectrum(wave)
        sigma = 0.8 * np.median(spectrum.flux)
        noisy = spectrum.flux + sigma * rng.normal(size=len(wave))
        spectra.append(replace(spectrum, flux=noisy, ivar=np.full(len(wave), sigma**-2)))
    kept = PREPROCESSOR(spectra)
    assert kept.good.double().mean() > 0.999
    assert (kept.flux > 2).double().mean() > 0.05


def test_normalised_again_a_noisy_spectrum_has_a_median_of_one():
    spectra = PREPROCESSOR([make_spectrum(np.arange(3980.0, 4230.0, 0.7))])
    again = PREPROCESSOR.normalised_again(replace(spectra, flux=1.7 * spectra.flux))
    once = PREPROCESSOR.normalised_again(spectra)
    torch.testing.assert_close(again.flux, once.flux)
    torch.testing.assert_close(again.ivar, once.ivar * 1.7**2)


def test_a_survey_without_errors_gets_a_mask():
    wave = np.arange(3980.0, 4230.0, 0.7)
    bad = make_spectrum(wave, has_ivar=False)
    bad.ivar[50:60] = 0
    spectra = PREPROCESSOR([bad, make_spectrum(wave)])
    assert spectra.has_ivar.tolist() == [False, True]
    assert set(spectra.ivar[0].tolist()) == {0.0, 1.0}
    assert spectra.ivar[1].max() > 100


def test_the_unit_of_the_flux_does_not_matter(assert_close):
    wave = np.arange(3980.0, 4230.0, 0.9)
    first, second = PREPROCESSOR([make_spectrum(wave), make_spectrum(wave, scale=1e-15)]).flux
    assert_close(first, second)


def test_a_spectrum_that_does_not_reach_the_grid_has_no_good_pixel():
    spectra = PREPROCESSOR([make_spectrum(np.arange(6000.0, 6100.0))])
    assert not spectra.good.any()
    assert (spectra.flux == 0).all()


def test_stacking_pads_with_bad_pixels_that_still_increase():
    a, b = make_spectrum(np.arange(4000.0, 4100.0)), make_spectrum(np.arange(4000.0, 4010.0))
    b.ivar[3] = 0
    b.flux[4] = np.nan
    wave, flux, ivar = stack([a, b])
    assert wave.shape == (2, 100)
    assert (wave.diff(dim=1) > 0).all()
    assert (ivar[1] > 0).nonzero()[:, 0].tolist() == [0, 1, 2, 5, 6, 7, 8, 9]
    assert flux.isfinite().all()


def test_a_large_batch_is_its_stars():
    """More stars than are done at once, of different lengths."""
    waves = [np.arange(3990.0 + n % 7, 4210.0 - n % 5, 1.3) for n in range(70)]
    spectra = [make_spectrum(wave, scale=1.0 + n) for n, wave in enumerate(waves)]
    batch = PREPROCESSOR(spectra)
    for star in (0, 31, 32, 69):
        alone = PREPROCESSOR([spectra[star]])
        torch.testing.assert_close(batch.flux[star], alone.flux[0])
        torch.testing.assert_close(batch.ivar[star], alone.ivar[0])


@pytest.mark.parametrize("limits", [{"clip_upper": 0.0}, {"clip_lower": 1.5}, {"clip_sigma": -1.0}])
def test_a_limit_beyond_the_continuum_is_refused(limits):
    with pytest.raises(ConfigError, match=next(iter(limits))):
        Preprocessor(**limits)

import numpy as np
import pytest

from torchfit.preprocess.binning import binned
from torchfit.spectra import Spectrum, StarInfo

STEP = 1 / 128
WIDTH = 10 * STEP


def spectrum(flux, ivar, sigma=None, step=STEP, has_ivar=True):
    wave = 5000 + step * np.arange(len(flux))
    width = None if sigma is None else np.full(len(flux), sigma)
    return Spectrum(wave, flux, ivar, StarInfo("x"), has_ivar, width)


def test_bins_are_means_of_good_pixels_with_their_weight():
    flux, ivar = np.arange(101.0), np.full(101, 4.0)
    flux[7], ivar[7] = np.nan, 0.0
    found = binned(spectrum(flux, ivar), WIDTH)
    # Half of the pixels 0, 10, ... lies in either of two bins; 0 begins in its middle.
    inside = np.array([0, *range(1, 7), 8, 9, 10])
    share = np.array([0.5, *[1] * 8, 0.5])
    assert found.flux[0] == pytest.approx((inside * share).sum() / share.sum())
    assert found.flux[1] == pytest.approx(15.0)
    assert found.ivar[1] == pytest.approx(4 * 10)
    np.testing.assert_allclose(found.wave, 5000 + (np.arange(10) + 0.5) * WIDTH)


def test_the_flux_is_conserved_whatever_the_pixels(rng):
    wave = np.sort(rng.uniform(5000, 5010, 3000))
    one = Spectrum(wave, rng.uniform(1, 2, 3000), np.ones(3000), StarInfo("x"), has_ivar=False)
    ends = np.concatenate([[wave[0]], (wave[1:] + wave[:-1]) / 2, [wave[-1]]])
    inside = binned(one, 0.1)
    total = (one.flux * np.diff(ends)).sum()
    last = wave[-1] - (inside.wave[-1] - 0.05)
    lengths = np.r_[np.full(len(inside.wave) - 1, 0.1), last]
    assert (inside.flux * lengths).sum() == pytest.approx(total)


def test_a_gap_has_no_bin():
    ivar = np.ones(100)
    ivar[20:51] = 0
    found = binned(spectrum(np.ones(100), ivar), WIDTH)
    assert len(found.wave) == 7 and (np.diff(found.wave) > 0).all()
    np.testing.assert_allclose(found.flux, 1.0)


def test_without_errors_the_weight_stays_a_mask():
    assert set(binned(spectrum(np.ones(100), np.ones(100), has_ivar=False), WIDTH).ivar) == {1.0}


def test_the_box_adds_its_variance():
    found = binned(spectrum(np.ones(100), np.ones(100), sigma=0.3), WIDTH)
    np.testing.assert_allclose(found.lsf_sigma**2, 0.3**2 + WIDTH**2 / 12)


def test_pixels_that_are_coarse_already_stay():
    coarse = spectrum(np.ones(100), np.ones(100), step=0.6 * WIDTH)
    assert binned(coarse, WIDTH) is coarse

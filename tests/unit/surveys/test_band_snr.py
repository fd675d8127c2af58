import numpy as np
import pytest

from torchfit.surveys.band_snr import band_snr

WAVE = np.arange(4000.0, 8000.0)


def test_the_median_of_the_good_pixels_of_a_band():
    flux = np.where(WAVE < 5600, 10.0, 20.0)
    ivar = np.where(WAVE < 4200, 0.0, 4.0)
    flux[1000], flux[1001] = np.nan, 1e9
    assert band_snr(WAVE, flux, ivar) == {"g": 20.0, "r": 40.0, "i": 40.0}


def test_a_spectrum_below_zero_has_no_signal():
    assert band_snr(WAVE, -np.ones_like(WAVE), np.ones_like(WAVE))["g"] == 0


@pytest.mark.parametrize("good", [0, 99])
def test_a_band_of_few_good_pixels_has_none(good):
    ivar = (np.arange(len(WAVE)) < good).astype(float)
    assert band_snr(WAVE, np.ones_like(WAVE), ivar) == {}

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from torchfit.exceptions import SpectrumError
from torchfit.surveys.plausible import demand_noise, is_measured, night, sky_position

ANY = st.floats(width=64)


def test_sound_pixels_stay():
    rng = np.random.default_rng(0)
    flux, ivar = rng.normal(100, 3, 500), rng.uniform(0.01, 1, 500)
    assert is_measured(flux, ivar).all()


@pytest.mark.parametrize(
    ("flux", "ivar"),
    [(np.nan, 1), (np.inf, 1), (100, 0), (100, -1), (100, np.inf), (100, np.nan), (1e300, 1),
     (100, 1e9), (1e-9, 1e9)],
)  # fmt: skip
def test_one_absurd_pixel_goes_alone(flux, ivar):
    all_flux, all_ivar = np.full(50, 100.0), np.full(50, 0.04)
    all_flux[7], all_ivar[7] = flux, ivar
    assert np.flatnonzero(~is_measured(all_flux, all_ivar)).tolist() == [7]


def test_the_unit_of_the_flux_does_not_matter():
    flux, ivar = np.full(50, 1.0), np.full(50, 0.04)
    flux[3] = 1e9
    for unit in (1e-150, 1e-17, 1e20, 1e140):
        np.testing.assert_array_equal(
            is_measured(flux * unit, ivar / unit**2), is_measured(flux, ivar)
        )


@given(arrays(np.float64, 20, elements=ANY), arrays(np.float64, 20, elements=ANY))
def test_what_is_left_can_be_weighted(flux, ivar):
    good = is_measured(flux, ivar)
    assert np.isfinite(flux[good] ** 2 * ivar[good]).all()
    assert (ivar[good] > 0).all()


@given(st.integers(0, 2**32 - 1), st.floats(0, 100))
def test_noise_of_any_signal_is_noise(seed, snr):
    flux = np.random.default_rng(seed).normal(snr, 1, 100)
    demand_noise(flux, np.ones(100), "x")


def test_errors_that_are_none_are_refused():
    flux = np.random.default_rng(0).normal(1000, 30, 100)
    with pytest.raises(SpectrumError, match=r"^x: the inverse variance is not that of the flux"):
        demand_noise(flux, np.full(100, 1e-38), "x")
    with pytest.raises(SpectrumError, match=r"^x: no good pixel"):
        demand_noise(flux[:0], flux[:0], "x")


@given(ANY, ANY)
def test_a_position_is_on_the_sky_or_unknown(ra, dec):
    found = sky_position(ra, dec)
    if math.isnan(found[0]):
        assert math.isnan(found[1])
        assert not (0 <= ra <= 360 and -90 <= dec <= 90)
    else:
        assert found == (ra, dec)


@pytest.mark.parametrize(
    ("mjd", "expected"),
    [(55903.0, 55903), (np.nan, None), (np.inf, None), (-9999.0, None), (1e20, None), (0.0, None)],
)
def test_night(mjd, expected):
    assert night(mjd) == expected

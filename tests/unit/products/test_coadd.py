import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import ConfigError
from torchfit.names import SPEED_OF_LIGHT
from torchfit.products.coadd import Coadd, at_rest


def noisy(n_stars, n_pix=400, seed=0):
    rng = np.random.default_rng(seed)
    sigma = rng.uniform(0.02, 0.1, (n_stars, n_pix))
    flux = 1 + sigma * rng.standard_normal((n_stars, n_pix))
    return torch.from_numpy(flux), torch.from_numpy(sigma**-2.0)


def test_the_mean_is_that_of_numpy_and_its_error_is_propagated():
    flux, ivar = noisy(12)
    mean = Coadd(n_sigma=None)(flux, ivar)
    expected = np.average(flux.numpy(), axis=0, weights=ivar.numpy())
    np.testing.assert_allclose(mean.flux, expected, rtol=1e-12)
    np.testing.assert_allclose(mean.ivar, ivar.sum(dim=0), rtol=1e-12)
    assert (mean.n_contributors == 12).all()


def test_errors_are_those_of_the_noise():
    flux, ivar = noisy(20, n_pix=20000)
    mean = Coadd()(flux, ivar)
    assert float(((mean.flux - 1) * mean.ivar.sqrt()).std()) == pytest.approx(1, abs=0.03)


def test_outliers_are_rejected_and_no_others():
    flux, ivar = noisy(15, seed=2)
    clean = Coadd(n_sigma=8.0)(flux, ivar)
    spoiled = flux.clone()
    spoiled[3, 100:103], spoiled[7, 50] = 4.0, -3.0
    mean = Coadd(n_sigma=8.0)(spoiled, ivar)
    touched = torch.zeros(flux.shape[1], dtype=torch.bool)
    touched[[50, 100, 101, 102]] = True
    assert (mean.n_contributors == 15 - touched.long()).all()
    np.testing.assert_array_equal(mean.flux[~touched], clean.flux[~touched])
    assert (mean.flux[touched] - 1).abs().max() < 5 / mean.ivar[touched].sqrt().min()
    assert (mean.weight[3, 100:103] == 0).all()


def test_what_all_share_is_no_outlier():
    flux, ivar = noisy(10)
    flux[:, 30] -= 0.6
    mean = Coadd(n_sigma=6.0)(flux, ivar)
    assert mean.n_contributors[30] == 10
    assert float(mean.flux[30]) == pytest.approx(0.4, abs=0.05)


def test_stars_that_differ_by_more_than_their_errors_are_kept():
    flux, ivar = noisy(40)
    spread = 20 * 0.05 * torch.linspace(-1, 1, 40, dtype=torch.float64)[:, None]
    mean = Coadd()(flux + spread, ivar)
    assert (mean.n_contributors == 40).all()


@pytest.mark.parametrize("n_stars", [1, 2])
def test_of_one_or_two_nobody_can_tell_which_is_wrong(n_stars):
    flux, ivar = noisy(n_stars)
    flux[0, 5] = 100.0
    assert (Coadd()(flux, ivar).n_contributors == n_stars).all()


@given(st.sampled_from([np.nan, np.inf, -np.inf, 1e300]), st.integers(0, 5))
def test_masked_pixels_have_no_weight_whatever_they_hold(value, star):
    flux, ivar = noisy(6, n_pix=30)
    ivar[star, ::3] = 0
    ivar[:, 7] = 0
    spoiled = torch.where(ivar > 0, flux, value)
    mean, expected = Coadd()(spoiled, ivar), Coadd()(flux, ivar)
    np.testing.assert_array_equal(mean.flux, expected.flux)
    np.testing.assert_array_equal(mean.n_contributors, (expected.weight > 0).sum(dim=0))
    assert (mean.flux[7], mean.ivar[7], mean.n_contributors[7]) == (0, 0, 0)


def test_the_order_of_the_stars_does_not_matter():
    flux, ivar = noisy(9)
    back = Coadd()(flux.flip(0), ivar.flip(0))
    np.testing.assert_allclose(back.flux, Coadd()(flux, ivar).flux, rtol=1e-12)


def test_velocities_are_removed():
    wave = torch.arange(5000.0, 5200.0, dtype=torch.float64)
    v_rad = torch.tensor([0.0, 30.0, -45.0, torch.nan], dtype=torch.float64)
    shift = 1 + v_rad.nan_to_num(0.0)[:, None] / SPEED_OF_LIGHT
    flux = 1 - 0.5 * torch.exp(-0.5 * ((wave / shift - 5100) / 3) ** 2)
    rest, ivar = at_rest(wave, flux, torch.ones_like(flux), v_rad)
    inside = (ivar > 0).all(dim=0)
    assert inside[2:-2].all()
    np.testing.assert_allclose(rest[:, inside], flux[:1, inside].expand(4, -1), atol=2e-3)


@pytest.mark.parametrize("settings", [{"n_sigma": 0.0}, {"n_sigma": -1.0}, {"rounds": 0}])
def test_settings_without_sense(settings):
    with pytest.raises(ConfigError, match="coadd"):
        Coadd(**settings)

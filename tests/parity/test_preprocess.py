"""Running median and spline against scipy, numpy loops, and an analytic integral."""

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d, median_filter

from torchfit.preprocess.continuum import (
    _by_filter,
    _by_wavelet_matrix,
    running_mean,
    running_median,
)
from torchfit.preprocess.resample import resample, spline_curvature
from torchfit.preprocess.resolution import broaden

N_STARS, N_PIX = 3, 120


def loop_median(flux, good, window):
    """Upper median of the good pixels of every window of the reflected spectrum."""
    before, after = window // 2, (window - 1) // 2
    padded = np.pad(flux, (before, after), mode="symmetric")
    usable = np.pad(good, (before, after), mode="symmetric")
    median = np.full(len(flux), np.nan)
    for pixel in range(len(flux)):
        inside = padded[pixel : pixel + window][usable[pixel : pixel + window]]
        if len(inside):
            median[pixel] = np.sort(inside)[len(inside) // 2]
    return median


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("window", [1, 2, 3, 40, 41, N_PIX - 1, N_PIX])
def test_running_median_is_scipys(rng, window, ties, dtype):
    flux = rng.normal(size=(N_STARS, N_PIX)).astype(dtype)
    flux = np.round(flux) if ties else flux
    expected = np.stack([median_filter(row, [window], mode="reflect") for row in flux])
    found = running_median(
        torch.from_numpy(flux), torch.ones(flux.shape, dtype=torch.bool), window
    ).numpy()
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)


def test_running_median_of_400_pixels_is_scipys(rng):
    flux = rng.normal(size=(2, 900))
    expected = np.stack([median_filter(row, [400], mode="reflect") for row in flux])
    found = running_median(torch.from_numpy(flux), torch.ones(2, 900, dtype=torch.bool), 400)
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("share", [0.1, 0.6, 0.97])
@pytest.mark.parametrize("window", [1, 8, 41, N_PIX])
def test_running_median_of_good_pixels_is_a_loops(rng, window, share):
    flux = np.round(rng.normal(size=(N_STARS, N_PIX)), 1)
    good = rng.random(flux.shape) > share
    good[0, 30:80] = False
    expected = np.stack([loop_median(f, g, window) for f, g in zip(flux, good, strict=True)])
    found = running_median(torch.from_numpy(flux), torch.from_numpy(good), window)
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("window", [1, 2, 7, 8, 60])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_filter_and_wavelet_matrix_select_the_same_pixels(generator, window, share, dtype):
    """One runs on a CPU, the other on every other device."""
    flux = torch.randn(4, 150, generator=generator, dtype=torch.float64).round(decimals=1).to(dtype)
    good = torch.rand(4, 150, generator=generator) >= share
    n_good = good.long().unfold(1, window, 1).sum(dim=2)
    filtered = _by_filter(flux, good, n_good // 2, window)
    counted = _by_wavelet_matrix(flux, good, n_good // 2, window)
    assert filtered.dtype == counted.dtype == dtype
    assert torch.equal(filtered[n_good > 0], counted[n_good > 0])


def uneven(rng, n_pix):
    return np.cumsum(rng.uniform(0.3, 1.7, size=(N_STARS, n_pix)), axis=1) + 4000


@pytest.mark.parametrize("n_pix", [2, 3, 4, N_PIX])
def test_resampling_is_scipys_natural_spline(rng, assert_close, n_pix):
    wave, flux = uneven(rng, n_pix), rng.normal(size=(N_STARS, n_pix))
    low, high = wave[:, 0].max(), wave[:, -1].min()
    grid = np.linspace(low + 1e-6, max(high, low + 1.0) - 1e-6, 53)
    inside = (grid >= wave[:, :1]) & (grid <= wave[:, -1:])
    new_flux, new_ivar = resample(
        *(torch.from_numpy(a) for a in (wave, flux, np.ones_like(flux), grid))
    )
    for star in range(N_STARS):
        spline = CubicSpline(wave[star], flux[star], bc_type="natural")
        assert_close(new_flux[star], np.where(inside[star], spline(grid), 0))
    np.testing.assert_array_equal(new_ivar.numpy() > 0, inside)


def test_spline_curvature_is_scipys(rng, assert_close):
    wave, flux = uneven(rng, N_PIX), rng.normal(size=(N_STARS, N_PIX))
    good = torch.ones(flux.shape, dtype=torch.bool)
    curvature = spline_curvature(torch.from_numpy(wave), torch.from_numpy(flux), good)
    for star in range(N_STARS):
        spline = CubicSpline(wave[star], flux[star], bc_type="natural")
        assert_close(curvature[star], spline(wave[star], 2))


def test_spline_through_good_pixels_is_scipys_between_the_outermost(rng, assert_close):
    """Bad pixels in between are filled by straight lines; beyond, nothing bends the spline."""
    wave, flux = uneven(rng, N_PIX), rng.normal(size=(N_STARS, N_PIX))
    good = rng.random(flux.shape) > 0.3
    good[:, :7] = good[:, -5:] = False
    grid = np.linspace(wave[:, 0].max(), wave[:, -1].min(), 77)
    new_flux, new_ivar = resample(
        *(torch.from_numpy(a) for a in (wave, flux, good.astype(float), grid))
    )
    for star in range(N_STARS):
        keep = np.flatnonzero(good[star])
        knots = wave[star][keep[0] : keep[-1] + 1]
        filled = np.interp(knots, wave[star][keep], flux[star][keep])
        expected = CubicSpline(knots, filled, bc_type="natural")(grid)
        usable = new_ivar[star].numpy() > 0
        assert usable.any()
        assert_close(new_flux[star][usable], expected[usable])


@pytest.mark.parametrize("window", [1, 5, 15])
def test_running_mean_of_good_pixels_is_a_convolutions(rng, assert_close, window):
    flux, good = rng.normal(size=(N_STARS, N_PIX)), rng.random((N_STARS, N_PIX)) > 0.3
    found = running_mean(torch.from_numpy(flux), torch.from_numpy(good), window)
    box = np.ones(window)
    for star in range(N_STARS):
        total = np.convolve(flux[star] * good[star], box, mode="same")
        number = np.convolve(good[star].astype(float), box, mode="same")
        assert_close(found[star], total / np.maximum(number, 1))


@pytest.mark.parametrize("variance", [0.16, 1.7, 9.0])
def test_convolution_away_from_bad_pixels_is_a_power_of_a_kernel_of_three(
    rng, assert_close, variance
):
    flux = rng.normal(size=(N_STARS, N_PIX))
    good = torch.ones(N_STARS, N_PIX, dtype=torch.bool)
    n_passes = int(np.ceil(3 * variance))
    share = variance / (2 * n_passes)
    kernel = np.ones(1)
    for _ in range(n_passes):
        kernel = np.convolve(kernel, [share, 1 - 2 * share, share])
    found = broaden(torch.from_numpy(flux), good, torch.tensor([[variance]], dtype=torch.float64))
    for star in range(N_STARS):
        expected = np.convolve(flux[star], kernel, mode="same")
        inner = slice(n_passes, -n_passes)
        assert_close(found[star, inner], expected[inner])


@pytest.mark.parametrize("sigma", [1.3, 3.0])
def test_convolution_of_a_resolved_spectrum_is_scipys_gaussian_filter(rng, sigma):
    """Noise that two pixels already smooth, as every spectrum of a spectrograph."""
    flux = gaussian_filter1d(rng.normal(size=(N_STARS, N_PIX)), 1.2, truncate=8)
    good = torch.ones(N_STARS, N_PIX, dtype=torch.bool)
    found = broaden(torch.from_numpy(flux), good, torch.tensor([[sigma**2]], dtype=torch.float64))
    expected = gaussian_filter1d(flux, sigma, truncate=8)
    inner = slice(20, -20)
    assert (found - expected)[:, inner].abs().max() < 0.01 * flux.std()


def test_convolution_beside_bad_pixels_is_a_matrix_product(rng, assert_close):
    flux, good = rng.normal(size=(N_STARS, N_PIX)), rng.random((N_STARS, N_PIX)) > 0.3
    width = rng.uniform(-0.4, 4.0, size=(N_STARS, N_PIX))
    n_passes = int(np.ceil(3 * np.abs(width).max()))
    neighbours = np.eye(N_PIX, k=1) - 2 * np.eye(N_PIX) + np.eye(N_PIX, k=-1)
    found = broaden(torch.from_numpy(flux), torch.from_numpy(good), torch.from_numpy(width))
    for star in range(N_STARS):
        step = np.eye(N_PIX) + (width[star] / (2 * n_passes))[:, None] * neighbours
        kernel = np.linalg.matrix_power(step, n_passes)
        expected = kernel @ (good[star] * flux[star]) / (kernel @ good[star])
        assert_close(found[star, good[star]], expected[good[star]])

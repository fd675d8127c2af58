import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies import junk, mask, seeds
from tests.unit.preprocess.normalising import normalise

from torchfit.preprocess.compose import Preprocessor
from torchfit.preprocess.continuum import clip, running_median
from torchfit.preprocess.frame import rest_wave
from torchfit.preprocess.mask import inside_windows
from torchfit.preprocess.resample import fill_bad, resample
from torchfit.preprocess.resolution import broaden
from torchfit.spectra import Spectrum, StarInfo

PREPROCESSOR = Preprocessor(
    4000.0, 4090.0, 1.0, windows=[[4040.0, 4045.0]], dib_min_ew=None, median_window=21
)
shares = st.sampled_from([0.0, 0.1, 0.5, 0.95, 1.0])


def draw(seed, n_pix=60, n_stars=2):
    """Random wavelengths and flux."""
    rng = np.random.default_rng(seed)
    wave = 4000 + np.cumsum(rng.uniform(0.5, 1.5, (n_stars, n_pix)), axis=1)
    return torch.from_numpy(wave), torch.from_numpy(rng.lognormal(size=(n_stars, n_pix)))


def same(one, other):
    """Equal bit by bit, NaN being NaN."""
    torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@settings(max_examples=40)
@given(seeds, shares, junk)
def test_a_bad_pixel_has_no_say_in_filling_and_resampling(seed, share, value):
    wave, flux = draw(seed)
    bad = torch.from_numpy(mask(seed, flux.shape, share))
    changed = torch.where(bad, value, flux)
    ivar = torch.where(bad, 0.0, torch.ones_like(flux))
    same(fill_bad(wave, changed, ~bad), fill_bad(wave, flux, ~bad))
    grid = torch.arange(4000.0, 4060.0, 0.8, dtype=torch.float64)
    for one, other in zip(
        resample(wave, changed, ivar, grid), resample(wave, flux, ivar, grid), strict=True
    ):
        same(one, other)
        assert one.isfinite().all()


@settings(max_examples=40)
@given(seeds, shares, junk, st.integers(1, 60), st.sampled_from([1, 5]))
def test_a_bad_pixel_has_no_say_in_the_continuum(seed, share, value, window, smoothing):
    _, flux = draw(seed)
    bad = torch.from_numpy(mask(seed, flux.shape, share))
    changed = torch.where(bad, value, flux)
    same(running_median(changed, ~bad, window), running_median(flux, ~bad, window))
    ivar = torch.where(bad, 0.0, torch.ones_like(flux))
    for one, other in zip(
        normalise(changed, ivar, window, smoothing),
        normalise(flux, ivar, window, smoothing),
        strict=True,
    ):
        same(one, other)
        assert one.isfinite().all()


@settings(max_examples=40)
@given(seeds, shares, st.sampled_from([0.0, -7.0, 1e6]))
def test_a_bad_pixel_has_no_say_in_the_convolution(seed, share, value):
    _, flux = draw(seed)
    bad = torch.from_numpy(mask(seed, flux.shape, share))
    variance = torch.full_like(flux[:1], 4.0)
    same(broaden(torch.where(bad, value, flux), ~bad, variance), broaden(flux, ~bad, variance))


def spectrum(wave, flux, ivar, z, has_ivar):
    return Spectrum(wave, flux, ivar, StarInfo("made", z=z), has_ivar)


@settings(max_examples=40)
@given(seeds, st.sampled_from([0.0, 0.2, 0.6]), junk, st.floats(-0.002, 0.002), st.booleans())
def test_a_bad_pixel_has_no_say_in_preprocessing(seed, share, value, z, has_ivar):
    wave, flux = (values[0].numpy() for values in draw(seed, n_pix=100))
    bad = mask(seed, flux.shape, share)
    ivar = np.where(bad, 0.0, 1.0 if not has_ivar else 25.0)
    first = PREPROCESSOR([spectrum(wave, flux, ivar, z, has_ivar)])
    second = PREPROCESSOR([spectrum(wave, np.where(bad, value, flux), ivar, z, has_ivar)])
    same(first.flux, second.flux)
    same(first.ivar, second.ivar)
    assert first.flux.isfinite().all()
    error = first.ivar.rsqrt() if has_ivar else 0.0
    assert (first.flux <= 2 + 5 * error).all()


@settings(max_examples=40)
@given(seeds, junk, st.floats(-0.002, 0.002))
def test_what_stands_in_a_window_has_no_say(seed, value, z):
    wave, flux = (values[0].numpy() for values in draw(seed, n_pix=100))
    inside = inside_windows(torch.from_numpy(wave), PREPROCESSOR.masked_windows).numpy()
    ivar = np.ones_like(flux)
    first = PREPROCESSOR([spectrum(wave, flux, ivar, z, True)])
    second = PREPROCESSOR([spectrum(wave, np.where(inside, value, flux), ivar, z, True)])
    same(first.flux, second.flux)
    same(first.ivar, second.ivar)


@settings(max_examples=40)
@given(seeds, st.permutations(range(4)))
def test_the_order_of_spectra_does_not_matter(seed, order):
    rng = np.random.default_rng(seed)
    spectra = []
    for n_pix in rng.integers(20, 120, 4):
        wave, flux = (values[0].numpy() for values in draw(seed + n_pix, n_pix))
        ivar = 1.0 - mask(seed, flux.shape, 0.2)
        ivar[0] = 1.0
        spectra.append(spectrum(wave, flux, ivar, rng.uniform(-1e-3, 1e-3), True))
    batch = PREPROCESSOR(spectra)
    turned = PREPROCESSOR([spectra[star] for star in order])
    torch.testing.assert_close(turned.flux, batch.flux[list(order)])
    torch.testing.assert_close(turned.ivar, batch.ivar[list(order)])


@settings(max_examples=40)
@given(seeds)
def test_a_spectrum_alone_is_as_in_a_batch(seed):
    wave, flux = (values.numpy() for values in draw(seed, n_pix=90))
    short = spectrum(wave[0][:50], flux[0][:50], np.ones(50), 1e-3, True)
    long = spectrum(wave[1], flux[1], np.ones(90), 0.0, False)
    both = PREPROCESSOR([short, long])
    for star, one in enumerate((short, long)):
        alone = PREPROCESSOR([one])
        torch.testing.assert_close(alone.flux[0], both.flux[star])
        torch.testing.assert_close(alone.ivar[0], both.ivar[star])


@settings(max_examples=40)
@given(st.floats(-0.5, 3.0), seeds)
def test_shift_and_shift_back(z, seed):
    wave, _ = draw(seed)
    shift = torch.full((2,), z, dtype=torch.float64)
    back = rest_wave(rest_wave(wave, shift), 1 / (1 + shift) - 1)
    torch.testing.assert_close(back, wave)


@settings(max_examples=40)
@given(
    seeds,
    st.floats(0.5, 3.0) | st.none(),
    st.floats(-1.0, 0.4) | st.none(),
)
def test_clipping_leaves_what_lies_within_and_sets_the_rest_to_one(seed, upper, lower):
    flux = torch.from_numpy(np.random.default_rng(seed).normal(1, 1.5, (2, 50)))
    clipped = clip(flux, upper, lower)
    within = torch.ones_like(flux, dtype=torch.bool)
    if upper is not None:
        within &= flux <= upper
    if lower is not None:
        within &= flux >= lower
    assert torch.equal(clipped, torch.where(within, flux, 1.0))
    if upper is None or upper >= 1:
        assert torch.equal(clip(clipped, upper, lower), clipped)


@settings(max_examples=40)
@given(seeds, st.integers(1, 40))
def test_the_median_lies_within_its_window(seed, window):
    _, flux = draw(seed, n_pix=40)
    found = running_median(flux, torch.ones_like(flux, dtype=torch.bool), window)
    assert (found >= flux.min(dim=1, keepdim=True).values).all()
    assert (found <= flux.max(dim=1, keepdim=True).values).all()
    turned = running_median(-flux, torch.ones_like(flux, dtype=torch.bool), window)
    if window % 2:
        assert torch.equal(turned, -found)


@settings(max_examples=40)
@given(seeds, st.floats(0.1, 5.0), st.floats(-3.0, 3.0))
def test_resampling_is_linear(seed, scale, offset):
    wave, flux = draw(seed)
    grid = torch.arange(4002.0, 4050.0, 0.9, dtype=torch.float64)
    ones = torch.ones_like(flux)
    first, ivar = resample(wave, flux, ones, grid)
    second, _ = resample(wave, scale * flux + offset, ones, grid)
    expected = torch.where(ivar > 0, scale * first + offset, 0.0)
    torch.testing.assert_close(second, expected)

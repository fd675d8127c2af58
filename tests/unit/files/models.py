"""Model spectra of some stars, with every kind of value."""

import numpy as np

from torchfit.files.model_spectra import ModelSpectra

WAVE = np.linspace(4000.0, 4010.0, 11)


def made_models(n_stars, first=0):
    """Spectra of stars numbered by threes; the last pixel is unknown, the first star not fitted."""
    rng = np.random.default_rng(first)
    shape = (n_stars, len(WAVE))
    flux, ivar, model, continuum = rng.uniform(0.5, 1.5, (4, *shape)).astype(np.float32)
    mask = rng.integers(0, 4, shape).astype(np.uint8)
    mask[:, -1] |= 4
    model[:, -1] = np.nan
    model[:1] = continuum[:1] = np.nan
    star = 3 * np.arange(first, first + n_stars)
    sources = [f"folder/β {number}.fits" for number in star]
    return ModelSpectra(WAVE, WAVE / 2000, star, sources, flux, ivar, mask, model, continuum)


def assert_same(found, expected):
    for name in ("wave", "lsf_fwhm", "star", "flux", "ivar", "mask", "model", "continuum"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)
        assert getattr(found, name).dtype == getattr(expected, name).dtype, name

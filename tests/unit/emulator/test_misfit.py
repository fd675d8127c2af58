from dataclasses import replace
from functools import partial

import pytest
import torch

from torchfit.emulator.misfit import Misfit, add_misfit
from torchfit.exceptions import ConfigError, DataError
from torchfit.library.library import Library
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.settings import FitSettings
from torchfit.spectra import Spectra

SIGMA, N_STARS = 0.003, 120
WRONG = {1: 1.35, 4: 0.7, 6: 1.25, 9: 0.75}
"""Factors of the depths of some lines of real stars: those of the grid are wrong."""


@pytest.fixture(scope="module")
def real_stars(analytic_flux, draw_labels, library):
    """``real_stars(n, seed)``: stars whose lines are not as deep as the emulator believes."""

    def make(n_stars, seed, wrong=WRONG):
        labels, wave = draw_labels(n_stars, seed), library.spectra.wave
        flux = analytic_flux(labels, wave)
        for line, factor in wrong.items():
            centre = wave[0] + 20 + 31 * line
            near = ((wave - centre) / 12).square().mul(-0.5).exp()
            flux = 1 - (1 - flux) * (1 + (factor - 1) * near)
        generator = torch.Generator().manual_seed(seed)
        flux = flux + SIGMA * torch.randn(flux.shape, generator=generator, dtype=torch.float64)
        ivar = torch.full_like(flux, SIGMA**-2)
        spectra = Spectra(wave, flux, ivar, torch.ones(n_stars, dtype=torch.bool))
        names = tuple(f"real {number}" for number in range(n_stars))
        return Library(spectra, labels, library.label_names, names, library.lsf_fwhm)

    return make


@pytest.fixture(scope="module")
def learn(emulator):
    return partial(add_misfit, emulator, n_best=3, bandwidth=0.04)


def pulls(emulator, stars):
    """Errors of measured labels in units of those that the fit expects."""
    fitter, everyone = BatchFitter(emulator, FitSettings()), torch.arange(len(stars))
    found = fitter.measure(GroupBatch(everyone, torch.zeros(len(stars)).long(), stars.spectra))
    return (found.labels - stars.labels) / found.errors.total


def spread(values):
    return 1.4826 * values.abs().median(dim=0).values


def test_errors_of_labels_become_honest(emulator, learn, real_stars):
    test = real_stars(60, seed=71)
    before = spread(pulls(emulator, test))
    after = spread(pulls(learn(real_stars(N_STARS, seed=70)), test))
    # 1 of honest errors; of 60 stars such a spread has an error of 1.17 / sqrt(60) = 0.15.
    assert (before > 1.5).all() and before.max() > 4
    assert ((after - 1).abs() < 3 * 0.15).all()


def test_no_direction_and_no_pixel_becomes_surer(emulator, learn, real_stars):
    wide = learn(real_stars(N_STARS, seed=70))
    for name in ("residuals", "start_error"):
        own, new = getattr(emulator, name).matrices, getattr(wide, name).matrices
        excess = torch.linalg.eigvalsh(new - own)
        assert (excess > -1e-9 * own.abs().amax()).all()
        torch.testing.assert_close(new, new.mT)
    assert (wide.truncation.values >= emulator.truncation.values).all()


def test_the_mean_and_the_templates_stay(emulator, learn, real_stars, draw_labels):
    wide, labels = learn(real_stars(N_STARS, seed=70)), draw_labels(4, 3)
    assert torch.equal(wide.flux(labels), emulator.flux(labels))
    assert wide.library is emulator.library


def test_stars_that_fit_teach_little(emulator, learn, real_stars):
    own, none = emulator.residuals.matrices, {}
    fitting = learn(real_stars(N_STARS, seed=70, wrong=none)).residuals.matrices
    misfitting = learn(real_stars(N_STARS, seed=70)).residuals.matrices
    trace = [each.diagonal(0, 1, 2).sum() for each in (own, fitting, misfitting)]
    assert trace[1] - trace[0] < 0.2 * (trace[2] - trace[0])


def test_what_stands_in_masked_pixels_does_not_matter(learn, real_stars):
    stars = real_stars(N_STARS, seed=70)
    bad = torch.zeros_like(stars.spectra.flux, dtype=torch.bool)
    bad[::3, 50:60] = True
    found = [
        learn(
            replace(
                stars,
                spectra=replace(
                    stars.spectra.without(bad), flux=stars.spectra.flux.masked_fill(bad, value)
                ),
            )
        )
        for value in (0.0, 1e6)
    ]
    assert torch.equal(found[0].residuals.matrices, found[1].residuals.matrices)
    assert torch.equal(found[0].truncation.values, found[1].truncation.values)
    assert torch.equal(found[0].start_error.matrices, found[1].start_error.matrices)


def test_too_few_stars_and_another_resolution_are_refused(learn, real_stars):
    with pytest.raises(DataError, match="stars are too few for"):
        learn(real_stars(10, seed=70))
    stars = real_stars(N_STARS, seed=70)
    with pytest.raises(DataError, match=r"resolution of 3\.00 .* the grid 2\.00; set library"):
        learn(replace(stars, lsf_fwhm=1.5 * stars.lsf_fwhm))


def test_stars_of_low_snr_and_of_other_labels_do_not_teach(real_stars, preprocessor):
    stars = real_stars(20, seed=70)
    faint = stars.spectra.ivar.clone()
    faint[:5] = 1.0
    some = replace(stars, spectra=replace(stars.spectra, ivar=faint))
    misfit = Misfit(lambda preprocessor: some, min_snr=30.0)
    assert misfit.read(preprocessor, stars.label_names).star_names == stars.star_names[5:]
    with pytest.raises(DataError, match=r"set misfit\.stars\.cuts\.label_names"):
        misfit.read(preprocessor, ("teff", "logg"))
    with pytest.raises(ConfigError, match="negative"):
        Misfit(lambda preprocessor: some, min_snr=-1.0)

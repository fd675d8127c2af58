from dataclasses import replace

import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.names import FWHM_PER_SIGMA
from torchfit.preprocess.resolution import broaden
from torchfit.spectra import Spectra


def test_it_predicts_the_flux_of_unseen_stars(emulator, draw_labels, analytic_flux):
    """Labels towards the middle of the library, where it has neighbours on all sides."""
    labels = emulator.library.labels.mean(dim=0) + 0.6 * (
        draw_labels(60, 12) - emulator.library.labels.mean(dim=0)
    )
    error = emulator.flux(labels) - analytic_flux(labels, emulator.wave)
    assert error.std() < 0.005
    assert error.std() < 0.2 * emulator.library.spectra.flux.std(dim=0).mean()


def test_flux_is_zero_where_nothing_is_known(masked_emulator, draw_labels):
    flux = masked_emulator.flux(draw_labels(3, 12))
    unknown = ~masked_emulator.flux_pca.good
    assert (flux[:, unknown] == 0).all()
    assert (flux[:, ~unknown] > 0.3).all()


def test_flux_is_mean_plus_basis_times_coefficients(emulator, draw_labels, assert_close):
    labels = draw_labels(3, 12)
    coefficients = emulator.gp.mean(emulator.scaler.to_unit(labels)) * emulator.comp_scale
    assert_close(emulator.flux(labels), emulator.flux_pca.reconstruct(coefficients))


def test_flux_variance_is_the_diagonal_of_the_full_covariance(emulator, draw_labels, assert_close):
    labels = draw_labels(3, 12)
    variance = emulator.gp.variance(emulator.scaler.to_unit(labels))
    basis = emulator.basis
    for star in range(3):
        covariance = basis @ variance[star].diag() @ basis.mT
        assert_close(emulator.flux_variance(labels)[star], covariance.diagonal())


def test_variance_grows_away_from_the_library(emulator):
    inside = emulator.library.labels[:1]
    outside = torch.tensor([[30000.0, 9.0, 5.0]], dtype=torch.float64)
    assert emulator.flux_variance(outside).sum() > 10 * emulator.flux_variance(inside).sum()


def test_bounds_are_those_of_the_library(emulator, assert_close):
    lower, upper = (emulator.scaler.from_unit(bound) for bound in emulator.bounds)
    assert_close(lower, emulator.library.labels.min(dim=0).values)
    assert_close(upper, emulator.library.labels.max(dim=0).values)


def seen(emulator, fwhm):
    """The emulator at a resolution that is the same everywhere."""
    return emulator.at_resolution(None if fwhm is None else torch.full_like(emulator.wave, fwhm))


def constant(sigma):
    return torch.tensor([[sigma**2]], dtype=torch.float64)


@pytest.mark.parametrize("fwhm", [None, 0.5, 2.0])
def test_it_is_never_made_sharper(emulator, fwhm):
    assert seen(emulator, fwhm) is emulator


def test_a_resolving_power_is_no_width(emulator):
    with pytest.raises(ConfigError, match="wavelength over resolving power"):
        seen(emulator, 1800.0)


def test_lower_resolution_is_the_convolution_of_its_spectra(
    masked_emulator, draw_labels, assert_close
):
    smooth = seen(masked_emulator, 6.0)
    sigma = (6.0**2 - 2.0**2) ** 0.5 / FWHM_PER_SIGMA
    flux = masked_emulator.flux(draw_labels(5, 12))
    good = masked_emulator.flux_pca.good.expand_as(flux)
    assert_close(smooth.flux(draw_labels(5, 12)), broaden(flux, good, constant(sigma)))
    templates = masked_emulator.library.spectra
    assert_close(
        smooth.library.spectra.flux, broaden(templates.flux, templates.good, constant(sigma))
    )
    assert (smooth.library.lsf_fwhm == 6.0).all()


def test_lower_resolution_is_that_of_broader_lines(emulator, draw_labels, analytic_flux):
    """The true spectra at FWHM 2 seen at FWHM 8, against the lines broadened analytically."""
    labels = emulator.library.labels
    sigma = (8.0**2 - 2.0**2) ** 0.5 / FWHM_PER_SIGMA
    expected = analytic_flux(labels, emulator.wave, resolution=sigma)
    found = seen(emulator, 8.0).library.spectra.flux
    inner = slice(20, -20)
    assert (found - expected)[:, inner].std() < 0.004
    assert (emulator.library.spectra.flux - expected)[:, inner].std() > 0.01


def test_the_step_of_the_grid_counts(emulator):
    """The same Gaussian is half as many pixels on a grid of twice the step."""
    coarse = replace(
        emulator, preprocessor=replace(emulator.preprocessor, wave_step=2.0, median_window=51)
    )
    sigma = 0.5 * (6.0**2 - 2.0**2) ** 0.5 / FWHM_PER_SIGMA
    spectra: Spectra = emulator.library.spectra
    expected = broaden(spectra.flux, spectra.good, constant(sigma))
    torch.testing.assert_close(seen(coarse, 6.0).library.spectra.flux, expected)


def test_two_steps_down_in_resolution_are_nearly_one(emulator, draw_labels):
    labels = draw_labels(5, 12)
    twice = seen(seen(emulator, 6.0), 10.0).flux(labels)
    once = seen(emulator, 10.0).flux(labels)
    inner = slice(40, -40)
    assert (twice - once)[:, inner].abs().max() < 1e-4


def test_it_knows_its_labels_and_pixels(emulator, preprocessor):
    assert emulator.label_names == ("teff", "logg", "fe_h")
    assert torch.equal(emulator.wave, preprocessor.wave)
    assert emulator.basis.shape == (400, 8)

from dataclasses import replace

import pytest
import torch
from tests.metrics import fit_by, loss_of, plain_metric, plain_nuisance

from torchfit.exceptions import ConfigError
from torchfit.likelihood.exact import STARS_AT_ONCE, ExactLikelihood
from torchfit.names import SPEED_OF_LIGHT
from torchfit.spectra import Spectra


@pytest.fixture
def labels(draw_labels):
    return draw_labels(5, 30)


def test_unweighted_pixels_count_one_where_good_and_known(masked_emulator, observe, labels):
    spectra = observe(labels, 0.01, masked=0.2)
    weight = plain_metric(weighted=False).pixel_weights(masked_emulator, spectra, labels[:, 0])
    assert torch.equal(weight > 0, spectra.good & masked_emulator.flux_pca.good)
    assert set(weight.flatten().tolist()) == {0.0, 1.0}


def test_weights_add_noise_truncation_and_floor(emulator, observe, labels, assert_close):
    spectra = observe(labels, 0.01, masked=0.2)
    weight = plain_metric(noise_floor=0.03).pixel_weights(emulator, spectra, labels[:, 0])
    variance = 1e-4 + emulator.truncation.at(labels[:, 0]) + 9e-4
    assert_close(weight, torch.where(spectra.good, 1 / variance, 0.0))


def test_a_star_without_errors_is_judged_by_its_residuals(emulator, observe, labels):
    with_errors, without = (observe(labels, 0.02, has_ivar=has) for has in (True, False))
    weights = [
        plain_metric().pixel_weights(emulator, s, labels[:, 0]) for s in (with_errors, without)
    ]
    assert (weights[1] / weights[0]).median().item() == pytest.approx(1.0, rel=0.15)


def test_unweighted_has_neither_prior_nor_nuisance(emulator, observe, labels, assert_close):
    spectra = observe(labels, 0.01)
    plain = loss_of(plain_metric(weighted=False), emulator, spectra, labels)
    rich = plain_metric(weighted=False, nuisance=plain_nuisance(3, 0.1, 20.0), prior_strength=5.0)
    other = loss_of(rich, emulator, spectra, labels)
    unit = emulator.scaler.to_unit(labels) + 0.1
    assert torch.equal(plain.loss(unit), other.loss(unit))
    assert (plain.prior.precision == 0).all()


def test_unweighted_loss_is_the_sum_of_squares(masked_emulator, observe, labels, assert_close):
    spectra = observe(labels, 0.01, masked=0.2)
    objective = loss_of(plain_metric(weighted=False), masked_emulator, spectra, labels)
    residual = spectra.flux - masked_emulator.flux(labels)
    good = spectra.good & masked_emulator.flux_pca.good
    expected = torch.where(good, residual, 0.0).square().sum(dim=1)
    assert_close(objective.loss(masked_emulator.scaler.to_unit(labels)), expected)


def test_chi_squared_at_the_truth_is_near_what_the_weights_say(emulator, observe, draw_labels):
    """Below the number of pixels, for the truncation holds the noise of the library too."""
    labels = draw_labels(80, 31)
    objective = loss_of(plain_metric(prior_strength=0.0), emulator, observe(labels, 0.01), labels)
    chi2 = objective.chi_squared(emulator.scaler.to_unit(labels))
    expected = (1e-4 / (1e-4 + emulator.truncation.at(labels[:, 0]))).sum(dim=1)
    assert (chi2 / expected).median().item() == pytest.approx(1.0, rel=0.1)


def test_more_stars_than_fit_at_once_are_the_same_in_pieces(
    emulator, observe, draw_labels, assert_close
):
    labels = draw_labels(STARS_AT_ONCE + 3, 31)
    spectra = observe(labels, 0.01)
    metric = plain_metric(nuisance=plain_nuisance(2, 0.1, velocity_sigma=20.0))
    unit = emulator.scaler.to_unit(labels)
    whole = loss_of(metric, emulator, spectra, labels).loss(unit)
    last = loss_of(metric, emulator, spectra[STARS_AT_ONCE:], labels[STARS_AT_ONCE:])
    assert_close(whole[STARS_AT_ONCE:], last.loss(unit[STARS_AT_ONCE:]))
    model = emulator.flux(labels)
    velocity = metric.velocity(emulator, spectra, labels, model)
    part = metric.velocity(emulator, *(x[STARS_AT_ONCE:] for x in (spectra, labels, model)))
    assert_close(velocity[STARS_AT_ONCE:], part)


def test_a_nuisance_takes_a_tilted_continuum_away(emulator, observe, labels):
    spectra = observe(labels, 0.003)
    x = torch.linspace(-1, 1, 400, dtype=torch.float64)
    tilted = replace(spectra, flux=spectra.flux * (1 + 0.03 * x))
    unit = emulator.scaler.to_unit(labels)
    plain = plain_metric(prior_strength=0.0)
    free = replace(plain, nuisance=plain_nuisance(continuum_degree=2))
    before = loss_of(plain, emulator, spectra, labels).loss(unit)
    assert (loss_of(plain, emulator, tilted, labels).loss(unit) > 1.5 * before).all()
    assert (loss_of(free, emulator, tilted, labels).loss(unit) < 1.2 * before).all()


def rippled(spectra, seed):
    """The same with errors of the flux calibration of 2 %, six to ten waves long."""
    generator = torch.Generator().manual_seed(seed)
    phase = torch.linspace(0, 2 * torch.pi, spectra.flux.shape[1], dtype=torch.float64)
    waves = torch.arange(6, 11)[:, None] * phase
    size = torch.randn(2, len(spectra), 5, generator=generator, dtype=torch.float64)
    return replace(
        spectra,
        flux=spectra.flux * (1 + 0.02 * (size[0] @ waves.sin() + size[1] @ waves.cos()) / 5**0.5),
    )


def test_a_continuum_that_follows_the_flux_calibration_brings_two_nights_together(
    emulator, observe, draw_labels
):
    truth = draw_labels(40, 31)
    nights = [rippled(observe(truth, 0.005, seed=seed), seed) for seed in (1, 2)]
    apart = []
    for degree in (4, 30):
        likelihood = ExactLikelihood(plain_metric(nuisance=plain_nuisance(degree, 0.02)), emulator)
        one, other = (fit_by(likelihood, emulator, night, truth)[1].unit for night in nights)
        apart.append((one - other).square().mean(dim=0).sqrt())
    assert (apart[1] < 0.9 * apart[0]).all()


def doppler(spectra, velocity):
    """Spectra of stars that recede, by interpolation in wavelength."""
    wave = spectra.wave
    place = (wave * (1 - velocity / SPEED_OF_LIGHT) - wave[0]).clamp(0, len(wave) - 1.001)
    low = place.long()
    flux = torch.lerp(spectra.flux[:, low], spectra.flux[:, low + 1], place - low)
    return replace(spectra, flux=flux)


@pytest.mark.parametrize("velocity", [-25.0, 0.0, 25.0])
def test_the_velocity_of_a_shifted_star_is_found(emulator, observe, labels, velocity):
    spectra = replace(observe(labels, 0.0), ivar=torch.full((5, 400), 1e5).double())
    metric = plain_metric(nuisance=plain_nuisance(velocity_sigma=100.0))
    found = metric.velocity(emulator, doppler(spectra, velocity), labels, emulator.flux(labels))
    assert (found - velocity).abs().max() < 3


def test_pixels_the_emulator_does_not_know_do_not_hold_the_velocity(
    masked_emulator, observe, labels
):
    """The emulated flux is 0 there: an edge that would look like the steepest of lines."""
    spectra = replace(observe(labels, 0.0), ivar=torch.full((5, 400), 1e5).double())
    metric = plain_metric(nuisance=plain_nuisance(velocity_sigma=100.0))
    found = metric.velocity(
        masked_emulator, doppler(spectra, 25.0), labels, masked_emulator.flux(labels)
    )
    assert (found - 25).abs().max() < 3


def test_a_shifted_star_fits_with_a_velocity(masked_emulator, observe, labels):
    spectra, unit = observe(labels, 0.004), masked_emulator.scaler.to_unit(labels)
    moving = doppler(spectra, 40.0)
    fixed, free = plain_metric(), plain_metric(nuisance=plain_nuisance(velocity_sigma=50.0))
    before = loss_of(fixed, masked_emulator, spectra, labels).chi_squared(unit)
    assert (loss_of(fixed, masked_emulator, moving, labels).chi_squared(unit) > 2 * before).all()
    assert (loss_of(free, masked_emulator, moving, labels).chi_squared(unit) < 1.5 * before).all()


@pytest.mark.parametrize(
    "metric",
    [plain_metric(), plain_metric(weighted=False, nuisance=plain_nuisance(velocity_sigma=10.0))],
)
def test_no_velocity_is_not_a_number(emulator, observe, labels, metric):
    spectra, model = observe(labels, 0.01), emulator.flux(labels)
    assert metric.velocity(emulator, spectra, labels, model).isnan().all()


def test_a_star_without_a_good_pixel_has_only_its_prior(emulator, observe, labels, assert_close):
    spectra = observe(labels, 0.01)
    blank = Spectra(spectra.wave, spectra.flux, torch.zeros_like(spectra.ivar), torch.zeros(5) > 0)
    metric = plain_metric(nuisance=plain_nuisance(2, 0.1, velocity_sigma=20.0))
    objective = loss_of(metric, emulator, blank, labels)
    unit = emulator.scaler.to_unit(labels) + 0.3
    assert objective.chi_squared(unit).abs().max() < 1e-9
    assert_close(objective.loss(unit), objective.prior.penalty(unit))
    assert (metric.velocity(emulator, blank, labels, emulator.flux(labels)) == 0).all()


def test_noisier_stars_have_a_flatter_objective(emulator, observe, labels):
    hessians = [
        loss_of(
            plain_metric(prior_strength=0.0), emulator, observe(labels, sigma), labels
        ).derivatives(emulator.scaler.to_unit(labels))[2]
        for sigma in (0.005, 0.05)
    ]
    sharp, flat = (h.diagonal(dim1=1, dim2=2) for h in hessians)
    assert (flat < sharp).all()


def test_the_covariance_of_the_emulator_limits_the_precision(emulator, observe, labels):
    """However good the spectrum, P is at most the inverse of the emulator's own covariance."""
    spectra = replace(observe(labels, 0.0), ivar=torch.full((5, 400), 1e12).double())
    objective = loss_of(plain_metric(), emulator, spectra, labels)
    limit = torch.linalg.inv(emulator.residuals.at(labels[:, 0]))
    assert (torch.linalg.eigvalsh(limit - objective.form.precision) > -1e-8).all()
    assert (torch.linalg.eigvalsh(objective.form.precision) > 0).all()


@pytest.mark.parametrize("setting", [{"prior_strength": -1.0}, {"noise_floor": -0.01}])
def test_negative_settings_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        plain_metric(**setting)

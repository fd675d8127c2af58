"""The shared metric against the exact one, in the errors of the labels."""

from dataclasses import replace

import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.likelihood.exact import Metric
from torchfit.likelihood.noise import NoiseShape
from torchfit.likelihood.nuisance import Nuisance
from torchfit.likelihood.outliers import Outliers
from torchfit.likelihood.shared import CommonMetric
from torchfit.measure.fitting import Fitting
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.uncertainty.fisher import fisher_errors

N_STARS = 24
NUISANCE = Nuisance(2, 0.05, velocity_sigma=20.0)


@pytest.fixture(scope="module")
def labels(draw_labels):
    return draw_labels(N_STARS, 20)


@pytest.fixture(scope="module")
def spectra(observe, labels):
    return observe(labels, 0.01, seed=20, masked=0.02)


@pytest.fixture(scope="module")
def start(labels):
    generator = torch.Generator().manual_seed(3)
    offset = torch.randn(N_STARS, 3, generator=generator).double()
    return labels + offset * torch.tensor([60.0, 0.1, 0.08]).double()


def fitted(metric, emulator, spectra, start):
    fit = Fitting(metric, {"lm": LevenbergMarquardt()}).fit(emulator, spectra, start, None)
    return fit, emulator.scaler.from_unit(fit.fit.unit)


def difference(emulator, spectra, start, shape=None):
    """Distance of the labels of both metrics, in errors of the exact one, and both fits."""
    exact, expected = fitted(Metric(nuisance=NUISANCE), emulator, spectra, start)
    common, found = fitted(CommonMetric(nuisance=NUISANCE, shape=shape), emulator, spectra, start)
    residuals = emulator.residuals.at(start[:, 0])
    objective = exact.problem.objective
    errors = fisher_errors(objective, residuals, emulator.scaler, exact.fit.unit)
    return (found - expected).abs() / errors.total, exact, common


def test_labels_are_those_of_the_exact_metric(emulator, spectra, start):
    distance, _, _ = difference(emulator, spectra, start)
    assert distance.median() < 0.1
    assert distance.quantile(0.95) < 0.5


def test_errors_are_those_of_the_exact_metric(emulator, spectra, start):
    _, exact, common = difference(emulator, spectra, start)
    residuals, unit = emulator.residuals.at(start[:, 0]), exact.fit.unit
    one = fisher_errors(exact.problem.objective, residuals, emulator.scaler, unit)
    other = fisher_errors(common.problem.objective, None, emulator.scaler, unit)
    for name in ("total", "noise"):
        ratio = getattr(other, name) / getattr(one, name)
        assert (ratio.median() - 1).abs() < 0.1
        assert ((ratio > 0.7) & (ratio < 1.4)).double().mean() > 0.9


def test_chi_squared_is_that_of_the_exact_metric(emulator, spectra, start):
    _, exact, common = difference(emulator, spectra, start)
    one = exact.problem.objective.chi_squared(exact.fit.unit)
    other = common.problem.objective.chi_squared(common.fit.unit)
    assert (other / one).median() == pytest.approx(1.0, abs=0.1)


def test_a_noise_that_runs_with_wavelength_is_weighed(emulator, spectra, start):
    """Half of the pixels are four times as noisy; knowing the shape brings the exact labels."""
    slope = torch.where(torch.arange(400) < 200, 1.0, 16.0).double()
    generator = torch.Generator().manual_seed(4)
    noise = 0.01 * torch.randn(spectra.flux.shape, generator=generator).double()
    flux = spectra.flux + (slope.sqrt() - 1) * noise
    uneven = replace(spectra, flux=flux, ivar=spectra.ivar / slope)
    shape = NoiseShape.flat(emulator.residuals.nodes, 400)
    shape.add(uneven, start[:, 0])
    flat, _, _ = difference(emulator, uneven, start)
    known, _, _ = difference(emulator, uneven, start, shape)
    assert known.median() < 0.15
    assert known.median() < 0.5 * flat.median()


def test_a_bad_pixel_has_no_say(emulator, spectra, start):
    junk = replace(spectra, flux=torch.where(spectra.good, spectra.flux, 1e3))
    metric = CommonMetric(nuisance=NUISANCE)
    one, other = (metric.fold(emulator, each, start).objective for each in (spectra, junk))
    assert torch.equal(one.pull, other.pull)
    assert torch.equal(one.constant, other.constant)


def test_a_missing_stretch_pulls_nowhere(emulator, observe, labels, start):
    """A tenth of the spectrum is missing: the labels move by no more than their errors grow."""
    whole = observe(labels, 0.01, seed=20)
    ivar = whole.ivar.clone()
    ivar[:, 100:140] = 0
    distance, _, _ = difference(emulator, replace(whole, ivar=ivar), start)
    assert distance.median() < 0.3


def test_a_star_that_lacks_much_is_not_for_it(emulator, spectra):
    ivar = spectra.ivar.clone()
    ivar[3, :200] = 0
    fits = CommonMetric().fits(emulator, replace(spectra, ivar=ivar))
    assert not fits[3]
    assert fits.sum() == N_STARS - 1


def test_its_exact_metric_has_its_settings():
    metric = CommonMetric(nuisance=NUISANCE, prior_strength=0.5, outliers=Outliers())
    assert metric.exact == Metric(nuisance=NUISANCE, prior_strength=0.5, outliers=Outliers())


def test_cosmic_rays_are_clipped(emulator, spectra, start):
    flux = spectra.flux.clone()
    flux[:, [60, 61, 200]] += 0.5
    metric = CommonMetric(outliers=Outliers(grow=0))
    folded = metric.fold(emulator, replace(spectra, flux=flux), start)
    hit = spectra.good[:, [60, 61, 200]]
    assert (folded.clipped[:, [60, 61, 200]] == hit).double().mean() > 0.95
    assert folded.clipped.sum() - hit.sum() <= 6


def test_a_velocity_is_found(emulator, preprocessor, analytic_flux, labels, observe):
    still, wave = observe(labels, 0.002, seed=1), preprocessor.wave
    (slope,) = torch.gradient(analytic_flux(labels, wave), spacing=(wave,), dim=1)
    moved = replace(still, flux=still.flux - 15.0 / 299792.458 * wave * slope)
    metric = CommonMetric(nuisance=Nuisance(2, 0.05, velocity_sigma=100.0))
    found, before = (metric.velocity(emulator, each, labels) for each in (moved, still))
    assert (found - before).median() == pytest.approx(15.0, abs=1.0)


@pytest.mark.parametrize("setting", [{"rounds": 0}, {"max_missing": 1.0}, {"prior_strength": -1.0}])
def test_impossible_settings_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        CommonMetric(**setting)


def test_a_loss_answers_in_the_precision_it_was_asked_in(emulator, spectra, start):
    """And to the limit of single precision: 1e-3 of the constant's own rounding."""
    objective = CommonMetric(nuisance=NUISANCE).objective(emulator, spectra, start)
    unit = emulator.scaler.to_unit(start)
    for dtype in (torch.float32, torch.float64):
        loss, gradient, hessian = objective.derivatives(unit.to(dtype))
        several = objective.loss(unit.to(dtype)[:, None])
        assert {x.dtype for x in (loss, gradient, hessian, several)} == {dtype}
        torch.testing.assert_close(several[:, 0], loss, rtol=1e-5, atol=1e-2)

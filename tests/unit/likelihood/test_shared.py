"""The shared metric against the exact one, in the errors of the labels."""

from dataclasses import replace

import pytest
import torch
from tests.metrics import fit_by, plain_metric, plain_nuisance

from torchfit.exceptions import ConfigError
from torchfit.likelihood.exact import ExactLikelihood
from torchfit.likelihood.metric import Sharing
from torchfit.likelihood.noise import NodeNoise, NoiseShape
from torchfit.likelihood.outliers import Outliers
from torchfit.likelihood.shared import SharedLikelihood
from torchfit.uncertainty.fisher import fisher_errors

N_STARS = 24
NUISANCE = plain_nuisance(2, 0.05, velocity_sigma=20.0)


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


def shared(emulator, noise=None, sharing=None, **settings):
    metric = plain_metric(**({"nuisance": NUISANCE} | settings), sharing=sharing or Sharing())
    return SharedLikelihood(metric, emulator, noise)


def errors(emulator, fitted):
    problem, fit = fitted
    return fisher_errors(problem.objective.at(fit.unit), emulator.scaler, fit.unit)


def difference(emulator, spectra, start, noise=None):
    """Distance of the labels of both, in errors of the exact one, and both fits."""
    likelihood = ExactLikelihood(plain_metric(nuisance=NUISANCE), emulator)
    exact = fit_by(likelihood, emulator, spectra, start)
    common = fit_by(shared(emulator, noise), emulator, spectra, start)
    found, expected = (emulator.scaler.from_unit(fit.unit) for _, fit in (common, exact))
    return (found - expected).abs() / errors(emulator, exact).total, exact, common


def test_labels_are_those_of_the_exact_metric(emulator, spectra, start):
    distance, _, _ = difference(emulator, spectra, start)
    assert distance.median() < 0.1
    assert distance.quantile(0.95) < 0.5


def test_errors_are_those_of_the_exact_metric(emulator, spectra, start):
    _, exact, common = difference(emulator, spectra, start)
    one, other = errors(emulator, exact), errors(emulator, common)
    for name in ("total", "noise"):
        ratio = getattr(other, name) / getattr(one, name)
        assert (ratio.median() - 1).abs() < 0.1
        assert ((ratio > 0.7) & (ratio < 1.4)).double().mean() > 0.9


def test_chi_squared_is_that_of_the_exact_metric(emulator, spectra, start):
    _, exact, common = difference(emulator, spectra, start)
    one = exact[0].objective.chi_squared(exact[1].unit)
    other = common[0].objective.chi_squared(common[1].unit)
    assert (other / one).median() == pytest.approx(1.0, abs=0.1)


def test_a_noise_that_runs_with_wavelength_is_weighted(emulator, spectra, start):
    """Half of the pixels are four times as noisy; knowing the shape brings the exact labels."""
    slope = torch.where(torch.arange(400) < 200, 1.0, 16.0).double()
    generator = torch.Generator().manual_seed(4)
    noise = 0.01 * torch.randn(spectra.flux.shape, generator=generator).double()
    flux = spectra.flux + (slope.sqrt() - 1) * noise
    uneven = replace(spectra, flux=flux, ivar=spectra.ivar / slope)
    shape = noise_of(emulator, uneven, n_stars=100)
    flat, _, _ = difference(emulator, uneven, start)
    known, _, _ = difference(emulator, uneven, start, shape)
    assert known.median() < 0.15
    assert known.median() < 0.5 * flat.median()


def noise_of(emulator, spectra, n_stars):
    """The same shape for all temperatures, as if that many stars had defined it."""
    nodes = emulator.residuals.nodes
    noise = NodeNoise.of(spectra)
    noise = replace(noise, n_stars=torch.full_like(noise.n_stars, n_stars))
    return NoiseShape.of(nodes, 400, dict.fromkeys(range(len(nodes)), noise))


@pytest.mark.parametrize(("n_stars", "has_ivar", "takes"), [
    (30, True, True), (29, True, False), (0, True, False), (0, False, True), (30, False, False),
])  # fmt: skip
def test_stars_share_a_noise_that_many_have(emulator, spectra, start, n_stars, has_ivar, takes):
    noise = noise_of(emulator, spectra, n_stars)
    stars = replace(spectra, has_ivar=torch.full((N_STARS,), has_ivar))
    likelihood = SharedLikelihood(plain_metric(sharing=Sharing()), emulator, noise)
    assert (likelihood.takes(stars, start) == takes).all()


def test_labels_do_not_depend_on_a_few_neighbours(emulator, spectra, start):
    """A sixth of a survey has a noise of another kind: no label moves by a tenth of its error."""
    slope = torch.linspace(-1.5, 1.5, 400).double().exp()
    odd = replace(spectra, ivar=torch.cat([spectra.ivar[:4] * slope, spectra.ivar[4:]]))
    known = (noise_of(emulator, each, 100) for each in (spectra, odd))
    one, other = (fit_by(shared(emulator, noise), emulator, spectra, start) for noise in known)
    moved = (emulator.scaler.from_unit(fit.unit) for _, fit in (one, other))
    assert ((next(moved) - next(moved)).abs() < 0.1 * errors(emulator, one).total).all()


def test_a_bad_pixel_has_no_weight(emulator, spectra, start):
    junk = replace(spectra, flux=torch.where(spectra.good, spectra.flux, 1e3))
    one, other = (shared(emulator).condense(s, start).objective.form for s in (spectra, junk))
    assert torch.equal(one.pull, other.pull)
    assert torch.equal(one.constant, other.constant)


def test_a_missing_stretch_pulls_to_no_side(emulator, observe, labels, start):
    """A tenth of the spectrum is missing: the labels move by no more than their errors grow."""
    whole = observe(labels, 0.01, seed=20)
    ivar = whole.ivar.clone()
    ivar[:, 100:140] = 0
    distance, _, _ = difference(emulator, replace(whole, ivar=ivar), start)
    assert distance.median() < 0.3


def test_a_star_that_lacks_much_is_not_for_it(emulator, spectra, start):
    ivar = spectra.ivar.clone()
    ivar[3, :200] = 0
    takes = shared(emulator).takes(replace(spectra, ivar=ivar), start)
    assert not takes[3]
    assert takes.sum() == N_STARS - 1


def test_cosmic_rays_are_clipped(emulator, spectra, start):
    flux = spectra.flux.clone()
    flux[:, [60, 61, 200]] += 0.5
    likelihood = shared(emulator, nuisance=plain_nuisance(), outliers=Outliers(grow=0))
    folded = likelihood.condense(replace(spectra, flux=flux), start)
    hit = spectra.good[:, [60, 61, 200]]
    assert (folded.clipped[:, [60, 61, 200]] == hit).double().mean() > 0.95
    assert folded.clipped.sum() - hit.sum() <= 6


@pytest.mark.parametrize("setting", [{"rounds": 0}, {"max_missing": 1.0}, {"max_missing": -0.1}])
def test_impossible_settings_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        Sharing(**setting)


def test_without_sharing_there_is_no_such_likelihood(emulator):
    with pytest.raises(ConfigError, match="sharing"):
        SharedLikelihood(plain_metric(), emulator)


def test_an_unweighted_sum_is_not_shared():
    with pytest.raises(ConfigError, match="weighted"):
        plain_metric(weighted=False, sharing=Sharing())


def test_a_loss_answers_in_the_precision_it_was_asked_in(emulator, spectra, start):
    """And to the limit of single precision: 1e-3 of the constant's own rounding."""
    objective = shared(emulator).condense(spectra, start).objective
    unit = emulator.scaler.to_unit(start)
    for dtype in (torch.float32, torch.float64):
        loss, gradient, hessian = objective.derivatives(unit.to(dtype))
        several = objective.loss(unit.to(dtype)[:, None])
        assert {x.dtype for x in (loss, gradient, hessian, several)} == {dtype}
        torch.testing.assert_close(several[:, 0], loss, rtol=1e-5, atol=1e-2)

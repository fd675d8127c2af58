from dataclasses import replace

import numpy as np
import torch
from tests.contract.optimiser_contract import make_problem
from tests.metrics import loss_of, plain_metric, plain_nuisance

from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.problem import Fit
from torchfit.uncertainty.fisher import fisher_errors


def total_errors(emulator, objective, unit):
    return fisher_errors(objective.at(unit), emulator.scaler, unit).total


def test_without_a_prior_errors_are_the_inverse_hessian_carried_to_the_labels(
    emulator, observe, draw_labels, assert_close
):
    labels = draw_labels(4, 40)
    objective = loss_of(plain_metric(prior_strength=0.0), emulator, observe(labels, 0.01), labels)
    unit = emulator.scaler.to_unit(labels)
    found = total_errors(emulator, objective, unit)
    hessian = objective.derivatives(unit)[2].numpy()
    scale = emulator.scaler.scale(unit).numpy()
    for star in range(4):
        covariance = np.diag(scale[star]) @ np.linalg.inv(hessian[star]) @ np.diag(scale[star])
        assert_close(found[star], np.sqrt(np.diag(covariance)))


def test_errors_grow_with_noise_and_with_nuisances(emulator, observe, draw_labels):
    labels = draw_labels(4, 40)
    unit = emulator.scaler.to_unit(labels)

    def errors(sigma, nuisance):
        objective = loss_of(
            plain_metric(nuisance=nuisance), emulator, observe(labels, sigma), labels
        )
        return total_errors(emulator, objective, unit)

    assert (errors(0.05, plain_nuisance()) > errors(0.01, plain_nuisance())).all()
    assert (errors(0.01, plain_nuisance(5, 1.0, 50.0)) > errors(0.01, plain_nuisance())).all()


def test_without_pixels_nothing_is_known(emulator, observe, draw_labels):
    """The prior alone gives no error: it stands where it was put by the same lack of pixels."""
    labels = draw_labels(3, 40)
    objective = loss_of(plain_metric(), emulator, observe(labels, 0.01, masked=1.0), labels)
    assert total_errors(emulator, objective, emulator.scaler.to_unit(labels)).isnan().all()


def test_a_singular_hessian_has_no_error(emulator, observe, draw_labels):
    labels = draw_labels(3, 40)
    spectra = observe(labels, 0.01, masked=1.0)
    objective = loss_of(plain_metric(weighted=False), emulator, spectra, labels)
    unit = emulator.scaler.to_unit(labels)
    assert total_errors(emulator, objective, unit).isnan().all()


def scatter_and_errors(emulator, observe, draw_labels, sigma, same_emulator_error=False):
    """Spectra drawn as the metric says: emulated flux + emulator error + pixel noise."""
    n_stars = 300
    labels = draw_labels(30, 41).mean(dim=0).expand(n_stars, 3).clone()
    spectra = observe(labels, sigma, seed=41)
    generator = torch.Generator().manual_seed(5)
    residuals = emulator.residuals.at(labels[:, 0])
    factor = torch.linalg.cholesky(residuals)
    draw = torch.randn(n_stars, factor.shape[1], 1, generator=generator).double()
    if same_emulator_error:
        draw = draw[:1]
    noise = torch.randn(n_stars, 400, generator=generator).double()
    deviation = (sigma**2 + emulator.truncation.at(labels[:, 0])).sqrt()
    flux = emulator.flux(labels) + (factor @ draw)[:, :, 0] @ emulator.basis.mT + deviation * noise
    metric = plain_metric(prior_strength=0.0)
    problem, _ = make_problem(emulator, spectra[:2], (0, 0), metric)
    objective = loss_of(metric, emulator, replace(spectra, flux=flux), labels)
    problem = replace(problem, objective=objective, candidates=None)
    start = Fit.at_start(problem, emulator.scaler.to_unit(labels))
    unit = LevenbergMarquardt().minimise(problem, start).unit
    errors = fisher_errors(objective.at(unit), emulator.scaler, unit)
    return emulator.scaler.from_unit(unit).std(dim=0), errors


def test_errors_are_the_scatter_of_stars(emulator, observe, draw_labels):
    scatter, errors = scatter_and_errors(emulator, observe, draw_labels, 0.02)
    assert ((scatter / errors.total.median(dim=0).values - 1).abs() < 0.15).all()


def test_the_noise_part_is_the_scatter_of_repeats_of_one_star(emulator, observe, draw_labels):
    scatter, errors = scatter_and_errors(emulator, observe, draw_labels, 0.004, True)
    assert ((scatter / errors.noise.median(dim=0).values - 1).abs() < 0.15).all()
    assert (errors.noise < 0.8 * errors.total).all()


def test_the_parts_make_the_whole(emulator, observe, draw_labels, assert_close):
    _, errors = scatter_and_errors(emulator, observe, draw_labels, 0.02)
    assert_close(torch.hypot(errors.noise, errors.model), errors.total)
    assert_close(errors[torch.tensor([2, 5])].total, errors.total[[2, 5]])
    assert (errors.noise > 0).all()
    assert (errors.model > 0).all()


def test_a_prior_from_the_same_noise_does_not_lessen_it(emulator, observe, draw_labels):
    """Start labels are matched, as in a survey; the inverse Hessian would claim half as much."""
    truth = draw_labels(300, 42)
    metric = plain_metric(start_scatter=None)
    problem, start = make_problem(emulator, observe(truth, 0.06, seed=42), (0,) * 300, metric)
    unit = LevenbergMarquardt().minimise(problem, start).unit
    errors = fisher_errors(problem.objective.at(unit), emulator.scaler, unit)
    inverse = torch.linalg.inv(problem.objective.derivatives(unit)[2])
    claimed = inverse.diagonal(dim1=1, dim2=2).sqrt() * emulator.scaler.scale(unit)
    difference = (emulator.scaler.from_unit(unit) - truth).abs()
    ours, theirs = (
        (difference / size).median(dim=0).values / 0.6745 for size in (errors.total, claimed)
    )
    assert ((ours > 0.75) & (ours < 1.25)).all()
    assert (theirs > 1.5).all()

from dataclasses import replace

import numpy as np
import torch
from tests.contract.optimiser_contract import make_problem

from torchfit.optimise.fit import Fit
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.metric import Metric
from torchfit.optimise.nuisance import Nuisance
from torchfit.uncertainty.fisher import fisher_errors


def test_errors_are_the_inverse_hessian_carried_to_the_labels(
    emulator, observe, draw_labels, assert_close
):
    labels = draw_labels(4, 40)
    objective = Metric().objective(emulator, observe(labels, 0.01), labels)
    unit = emulator.scaler.to_unit(labels)
    found = fisher_errors(objective, emulator.scaler, unit)
    hessian = objective.derivatives(unit)[2].numpy()
    scale = emulator.scaler.scale(unit).numpy()
    for star in range(4):
        covariance = np.diag(scale[star]) @ np.linalg.inv(hessian[star]) @ np.diag(scale[star])
        assert_close(found[star], np.sqrt(np.diag(covariance)))


def test_errors_grow_with_noise_and_with_nuisances(emulator, observe, draw_labels):
    labels = draw_labels(4, 40)
    unit = emulator.scaler.to_unit(labels)

    def errors(sigma, nuisance):
        objective = Metric(nuisance=nuisance).objective(emulator, observe(labels, sigma), labels)
        return fisher_errors(objective, emulator.scaler, unit)

    assert (errors(0.05, Nuisance()) > errors(0.01, Nuisance())).all()
    assert (errors(0.01, Nuisance(5, 1.0, 50.0)) > errors(0.01, Nuisance())).all()


def test_without_pixels_the_errors_are_those_of_the_prior(
    emulator, observe, draw_labels, assert_close
):
    labels = draw_labels(3, 40)
    objective = Metric().objective(emulator, observe(labels, 0.01, masked=1.0), labels)
    unit = emulator.scaler.to_unit(labels)
    found = fisher_errors(objective, emulator.scaler, unit)
    covariance = emulator.start_error.at(labels[:, 0]).diagonal(dim1=1, dim2=2)
    assert_close(found, covariance.sqrt() * emulator.scaler.scale(unit))


def test_a_singular_hessian_has_no_error(emulator, observe, draw_labels):
    labels = draw_labels(3, 40)
    spectra = observe(labels, 0.01, masked=1.0)
    objective = Metric(weighted=False).objective(emulator, spectra, labels)
    assert fisher_errors(objective, emulator.scaler, emulator.scaler.to_unit(labels)).isnan().all()


def test_errors_are_the_scatter_of_repeated_observations(emulator, observe, draw_labels):
    """Spectra drawn as the metric says: emulated flux + emulator error + pixel noise."""
    n_stars = 300
    labels = draw_labels(30, 41).mean(dim=0).expand(n_stars, 3).clone()
    spectra = observe(labels, 0.02, seed=41)
    generator = torch.Generator().manual_seed(5)
    factor = torch.linalg.cholesky(emulator.residuals.at(labels[:, 0]))
    draw = torch.randn(n_stars, factor.shape[1], 1, generator=generator).double()
    noise = torch.randn(n_stars, 400, generator=generator).double()
    deviation = (4e-4 + emulator.truncation.at(labels[:, 0])).sqrt()
    flux = emulator.flux(labels) + (factor @ draw)[:, :, 0] @ emulator.basis.mT + deviation * noise
    metric = Metric(prior_strength=0.0)
    problem, _ = make_problem(emulator, spectra[:2], (0, 0), metric)
    objective = metric.objective(emulator, replace(spectra, flux=flux), labels)
    problem = replace(problem, objective=objective)
    start = Fit.at_start(problem, emulator.scaler.to_unit(labels))
    fit = LevenbergMarquardt().minimise(problem, start)
    scatter = emulator.scaler.from_unit(fit.unit).std(dim=0)
    claimed = fisher_errors(objective, emulator.scaler, fit.unit).median(dim=0).values
    assert ((scatter / claimed - 1).abs() < 0.15).all()

from dataclasses import replace

import pytest
import torch
from tests.contract.optimiser_contract import make_problem
from tests.metrics import plain_metric

from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.uncertainty.fisher import fisher_errors
from torchfit.uncertainty.posterior import Posterior, laplace, sample_posterior
from torchfit.uncertainty.sampler import EnsembleSampler

N_STARS = 6
SAMPLER = EnsembleSampler(n_warmup=60, n_steps=400)


@pytest.fixture(scope="module")
def fitted(emulator, observe, draw_labels):
    """A function that fits stars of some noise: problem and unit labels at the solution."""

    def fit(sigma=0.01, masked=0.0, metric=None):
        spectra = observe(draw_labels(N_STARS, 50), sigma, seed=50, masked=masked)
        problem, start = make_problem(emulator, spectra, (0,) * N_STARS, metric)
        return problem, LevenbergMarquardt().minimise(problem, start).unit

    return fit


@pytest.fixture(scope="module")
def case(fitted):
    return fitted()


@pytest.fixture(scope="module")
def draws(emulator, case):
    return sample(emulator, *case)


def sample(emulator, problem, unit, star=None, sampler=SAMPLER):
    star = torch.arange(len(unit)) if star is None else star
    return sample_posterior(sampler, problem, emulator.scaler, unit, star)


def grid_moments(emulator, problem, unit, star, n_points=41):
    """Mean and standard deviation of the labels of one star by brute force.

    The cells of the grid fill the part of the box within five Fisher errors.
    """
    reach = 5 * laplace(problem, unit).factor[star].square().sum(dim=1).sqrt()
    low = torch.maximum(unit[star] - reach, problem.lower)
    high = torch.minimum(unit[star] + reach, problem.upper)
    middle = (torch.arange(n_points).double() + 0.5) / n_points
    points = torch.cartesian_prod(*(a + (b - a) * middle for a, b in zip(low, high, strict=True)))
    objective = problem.objective[torch.tensor([star])]
    loss = torch.cat([objective.loss(part[None])[0] for part in points.split(5000)])
    weight = torch.exp(-0.5 * (loss - loss.min()))[:, None]
    labels = emulator.scaler.from_unit(points)
    mean = (weight * labels).sum(dim=0) / weight.sum()
    return mean, ((weight * (labels - mean).square()).sum(dim=0) / weight.sum()).sqrt()


def test_moments_are_those_of_brute_force(emulator, case, draws):
    problem, unit = case
    posterior = Posterior.of_draws(draws)
    for star in range(2):
        mean, std = grid_moments(emulator, problem, unit, star)
        tolerance = 4 / posterior.ess[star].sqrt()
        assert ((posterior.mean[star] - mean).abs() < tolerance * std).all()
        assert ((posterior.std[star] / std - 1).abs() < tolerance).all()


def test_sharp_posteriors_are_the_fisher_matrix(emulator, fitted):
    """Where the emulator fits exactly and errors are small, nothing bends within them."""
    problem, unit = fitted(metric=plain_metric(prior_strength=0.0))
    unit = (unit + unit.mean(dim=0)) / 2
    objective = problem.objective
    precision = 400 * objective.form.precision
    offset = objective.predictor.mean(unit) - objective.centre
    pull = (precision @ offset[:, :, None])[:, :, 0]
    error = objective.form.emulator_error
    nothing = replace(error.covariance, matrices=torch.zeros_like(error.covariance.matrices))
    error = replace(error, covariance=nothing)
    form = replace(objective.form, precision=precision, pull=pull, emulator_error=error)
    problem = replace(problem, objective=replace(objective, form=form))
    posterior = Posterior.of_draws(sample(emulator, problem, unit))
    fisher = fisher_errors(problem.objective.at(unit), emulator.scaler, unit).total
    ratio = posterior.std / fisher
    assert ((ratio - 1).abs() < 0.07).all()


def test_without_pixels_the_prior_is_left_inside_the_box(emulator, fitted):
    problem, unit = fitted(masked=1.0)
    draws = sample(emulator, problem, unit)
    inside = emulator.scaler.to_unit(draws)
    assert (inside >= problem.lower - 1e-9).all()
    assert (inside <= problem.upper + 1e-9).all()
    assert Posterior.of_draws(draws).rhat.max() < 1.05


def test_without_pixels_and_prior_the_box_is_left(emulator, fitted):
    problem, unit = fitted(masked=1.0, metric=plain_metric(prior_strength=0.0))
    draws = emulator.scaler.to_unit(sample(emulator, problem, unit)).flatten(0, 2)
    width = problem.upper - problem.lower
    assert ((draws.std(dim=0) / width - 12**-0.5).abs() < 0.02).all()


def test_chains_mix_and_quantiles_are_in_order(draws):
    posterior = Posterior.of_draws(draws)
    assert posterior.rhat.max() < 1.03
    assert posterior.ess.min() > 700
    assert (posterior.quantiles.diff(dim=2) > 0).all()
    spread = (posterior.quantiles[..., 2] - posterior.quantiles[..., 0]) / 2
    assert ((spread / posterior.std - 1).abs() < 0.3).all()


def test_the_covariance_is_that_of_the_draws(draws, assert_close):
    posterior = Posterior.of_draws(draws)
    for star in range(N_STARS):
        assert_close(posterior.covariance[star], draws[star].flatten(0, 1).T.cov())
    assert_close(posterior.std, draws.flatten(1, 2).std(dim=1))


def test_a_star_does_not_depend_on_its_batch(emulator, case, draws):
    problem, unit = case
    some = torch.tensor([4, 1])
    alone = replace(problem, objective=problem.objective[some])
    torch.testing.assert_close(sample(emulator, alone, unit[some], some), draws[some])


def test_rows_are_put_into_their_places(draws):
    posterior = Posterior.of_draws(draws)
    whole = Posterior.unsampled(torch.zeros(10, 3, dtype=torch.float64))
    place = torch.tensor([9, 0, 4, 5, 6, 2])
    whole.put(place, posterior)
    for name, values in vars(posterior).items():
        assert torch.equal(getattr(whole, name)[place], values)
        assert getattr(whole, name)[[1, 3, 7, 8]].isnan().all()

from dataclasses import replace

import pytest
import torch
from tests.contract.optimiser_contract import GROUPS, IndependentGroupsContract, make_problem
from tests.metrics import plain_metric

from torchfit.exceptions import ConfigError
from torchfit.optimise.bo import BayesianOptimisation

FAST = BayesianOptimisation(
    n_random=4, max_iterations=4, min_iterations=1, raw_samples=32, num_restarts=2
)


class TestContract(IndependentGroupsContract):
    @pytest.fixture
    def optimiser(self):
        return replace(FAST, max_iterations=2)


@pytest.fixture(scope="module")
def case(emulator, observe, draw_labels):
    return make_problem(emulator, observe(draw_labels(len(GROUPS), 20), 0.01, seed=20), GROUPS)


@pytest.fixture(scope="module")
def singles(emulator, observe, draw_labels):
    """Every star its own group: there the search has something to find."""
    spectra = observe(draw_labels(8, 20), 0.01, seed=20)
    return make_problem(emulator, spectra, tuple(range(8)))


def group_loss(problem, fit):
    return problem.subspace.group_mean(fit.loss)


def test_more_iterations_never_end_higher(singles):
    problem, start = singles
    short, long = (
        replace(FAST, max_iterations=n, patience=99).minimise(problem, start) for n in (1, 6)
    )
    assert (group_loss(problem, long) <= group_loss(problem, short)).all()
    assert (group_loss(problem, long) < group_loss(problem, short)).any()


def test_the_search_beats_as_many_random_points(singles):
    problem, start = singles
    blind = replace(FAST, max_iterations=0, n_random=16).minimise(problem, start)
    led = replace(FAST, max_iterations=12, n_random=4, patience=99).minimise(problem, start)
    assert (blind.evaluations == led.evaluations).all()
    assert group_loss(problem, led).log().mean() < group_loss(problem, blind).log().mean() - 0.1


def test_it_moves_only_inside_the_space_of_the_group(case, emulator):
    """Labels are mean + scale d Q for one d per group, where no limit of the library is met."""
    problem, start = case
    fit = FAST.minimise(problem, start)
    space = problem.subspace
    moved = (fit.unit != start.unit).any(dim=1)
    free = ((fit.unit > problem.lower) & (fit.unit < problem.upper)).all(dim=1)
    assert (moved & free).any()
    labels = emulator.scaler.from_unit(fit.unit)
    offset = (labels - space.mean) / space.scale
    for group in range(space.n_groups):
        stars = (space.group == group) & moved & free
        if not stars.any():
            continue
        loadings = space.loadings[stars].transpose(1, 2).flatten(0, 1)
        target = offset[stars].flatten()
        d = torch.linalg.lstsq(loadings, target).solution
        torch.testing.assert_close(loadings @ d, target)


def test_a_group_keeps_its_start_when_nothing_is_better(case):
    problem, start = case
    perfect = replace(start, loss=start.loss - 1e9)
    fit = FAST.minimise(problem, perfect)
    assert torch.equal(fit.unit, perfect.unit)
    assert torch.equal(fit.loss, perfect.loss)


def flat(problem):
    """The same space with a loss that is the same everywhere."""
    objective = problem.objective
    prior = replace(objective.prior, precision=torch.zeros_like(objective.prior.precision))
    return replace(
        problem,
        objective=replace(
            objective,
            form=replace(
                objective.form,
                precision=torch.zeros_like(objective.form.precision),
                pull=torch.zeros_like(objective.form.pull),
            ),
            prior=prior,
        ),
    )


@pytest.mark.parametrize("patience", [1, 3])
def test_stops_when_unchanged_for_patience_iterations(case, patience):
    problem, start = case
    optimiser = replace(FAST, patience=patience, max_iterations=9)
    fit = optimiser.minimise(flat(problem), start)
    assert set(fit.stop_reasons()) == {"unchanged"}
    assert set(fit.iterations.tolist()) == {patience}


def test_makes_at_least_the_least_iterations(case):
    problem, start = case
    fit = replace(FAST, patience=1, min_iterations=4).minimise(flat(problem), start)
    assert set(fit.iterations.tolist()) == {4}
    assert set(fit.stop_reasons()) == {"unchanged"}


def test_makes_at_most_the_most_iterations(case):
    problem, start = case
    fit = replace(FAST, patience=99, max_iterations=2).minimise(problem, start)
    assert set(fit.iterations.tolist()) == {2}
    assert set(fit.stop_reasons()) == {"max_iterations"}


def test_counts_every_evaluation_of_a_group(case):
    problem, start = case
    fit = replace(FAST, patience=99, max_iterations=2).minimise(problem, start)
    first = 1 + FAST.n_random
    assert torch.equal(fit.evaluations, start.evaluations + first + 2)


def test_an_improvement_below_the_tolerance_does_not_count(singles):
    problem, start = singles
    strict = replace(FAST, tolerance=1.0, patience=2, max_iterations=9).minimise(problem, start)
    assert set(strict.iterations.tolist()) == {2}
    lenient = replace(FAST, tolerance=0.0, patience=2, max_iterations=9).minimise(problem, start)
    assert lenient.iterations.max() > 2


def test_groups_stop_each_at_their_own_time(singles):
    problem, start = singles
    fit = replace(FAST, patience=2, max_iterations=12).minimise(problem, start)
    assert len(set(fit.iterations.tolist())) > 1
    assert set(fit.stop_reasons()) == {"unchanged"}
    assert torch.equal(fit.evaluations, start.evaluations + 1 + FAST.n_random + fit.iterations)


def test_another_seed_is_another_search(singles):
    problem, start = singles
    first, second = (replace(FAST, seed=seed).minimise(problem, start) for seed in (0, 1))
    assert not torch.equal(first.unit, second.unit)


@pytest.mark.parametrize(
    "wrong",
    [{"n_random": 0}, {"patience": 0}, {"num_restarts": 0}, {"raw_samples": 1}],
)
def test_a_number_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        replace(FAST, **wrong)


def test_unweighted_search_lowers_the_sum_of_squares(emulator, observe, draw_labels):
    spectra = observe(draw_labels(8, 20), 0.01, seed=20)
    metric = plain_metric(weighted=False)
    problem, start = make_problem(emulator, spectra, tuple(range(8)), metric)
    fit = FAST.minimise(problem, start)
    before, after = (
        (spectra.flux - emulator.flux(emulator.scaler.from_unit(f.unit))).square().sum(dim=1)
        for f in (start, fit)
    )
    assert (after <= before).all()
    assert (after < before).any()

from dataclasses import replace

import pytest
import torch
from tests.contract.optimiser_contract import GROUPS, OptimiserContract, make_problem, not_above

from torchfit.exceptions import ConfigError
from torchfit.optimise.gradient import GradientDescent
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.problem import Fit


class TestContract(OptimiserContract):
    @pytest.fixture(
        params=[
            (m, c) for m in ("adam", "lbfgs") for c in ("labels", "label_pca", "active_subspace")
        ],
        ids="-".join,
    )
    def optimiser(self, request):
        method, coordinates = request.param
        return GradientDescent(method, coordinates, max_iterations=8)


@pytest.fixture
def case(emulator, observe, draw_labels):
    return make_problem(emulator, observe(draw_labels(len(GROUPS), 20), 0.01, seed=20), GROUPS)


@pytest.mark.parametrize(("method", "lr"), [("adam", 0.05), ("lbfgs", 1.0)])
def test_many_steps_reach_what_levenberg_marquardt_reaches(case, method, lr):
    _, start = case
    fit = GradientDescent(method, lr=lr, max_iterations=400, tolerance=1e-12).minimise(*case)
    other = LevenbergMarquardt(max_iterations=200, tolerance=1e-12).minimise(*case)
    assert (fit.loss < start.loss).all()
    assert ((fit.loss - other.loss) / other.loss).abs().median() < 1e-4


def test_active_subspace_does_not_mind_labels_of_unlike_scales(case):
    """One step size serves all directions when each is measured in its standard deviation."""
    _, start = case
    aim = LevenbergMarquardt(max_iterations=200, tolerance=1e-12).minimise(*case).loss
    fit = GradientDescent("adam", "active_subspace", lr=0.3, max_iterations=200).minimise(*case)
    assert (fit.loss - aim < 0.01 * (start.loss - aim)).all()


def test_a_direction_that_nothing_constrains_is_left(case):
    problem, start = case
    objective = problem.objective
    blank = replace(
        objective,
        form=replace(
            objective.form,
            precision=torch.zeros_like(objective.form.precision),
            pull=torch.zeros_like(objective.form.pull),
        ),
        prior=replace(
            objective.prior,
            precision=torch.diag_embed(torch.tensor([[4.0, 1.0, 0.0]] * len(start.loss)).double()),
        ),
        support=replace(objective.support, weight=0.0),
    )
    problem = replace(problem, objective=blank)
    begun = Fit.at_start(problem, start.unit + 0.1)
    fit = GradientDescent("lbfgs", "active_subspace").minimise(problem, begun)
    assert torch.equal(fit.unit[:, 2], begun.unit[:, 2])
    torch.testing.assert_close(fit.unit[:, :2], objective.prior.mean[:, :2], atol=1e-4, rtol=0)


@pytest.mark.parametrize("method", ["adam", "lbfgs"])
def test_stops_by_itself_or_runs_out(case, method):
    short = GradientDescent(method, max_iterations=3).minimise(*case)
    assert set(short.stop_reasons()) == {"max_iterations"}
    assert set(short.iterations.tolist()) == {3}
    loose = GradientDescent(method, max_iterations=300, tolerance=0.5).minimise(*case)
    assert set(loose.stop_reasons()) == {"converged"}
    assert 10 < loose.iterations[0] < 300


def test_every_evaluation_is_counted(case):
    _, start = case
    fit = GradientDescent("adam", max_iterations=7).minimise(*case)
    assert torch.equal(fit.evaluations, start.evaluations + 7)


def test_no_star_ends_above_its_start(case):
    _, start = case
    wild = GradientDescent("adam", lr=5.0, max_iterations=20).minimise(*case)
    assert not_above(wild.loss, start.loss)


@pytest.mark.parametrize("wrong", [{"method": "sgd"}, {"coordinates": "pixels"}])
def test_an_unknown_word_is_refused(wrong):
    """Where beartype checks the annotation it says so first."""
    with pytest.raises((ConfigError, TypeError)):
        replace(GradientDescent(), **wrong)

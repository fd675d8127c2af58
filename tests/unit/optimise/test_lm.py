from dataclasses import replace

import pytest
import torch
from tests.contract.optimiser_contract import (
    GROUPS,
    IndependentGroupsContract,
    chosen,
    make_problem,
    not_above,
)
from tests.metrics import plain_metric

from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel
from torchfit.emulator.predictor import Prediction
from torchfit.likelihood.form import DenseForm
from torchfit.likelihood.objective import Objective, StartPrior, Support
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.problem import Fit


class TestContract(IndependentGroupsContract):
    @pytest.fixture
    def optimiser(self):
        return LevenbergMarquardt()


@pytest.fixture
def spectra(observe, draw_labels):
    return observe(draw_labels(len(GROUPS), 20), 0.01, seed=20)


@pytest.fixture
def case(emulator, spectra):
    return make_problem(emulator, spectra, GROUPS)


def test_no_star_ends_above_its_start(case):
    problem, start = case
    fit = LevenbergMarquardt(max_iterations=3).minimise(problem, start)
    assert not_above(fit.loss, start.loss)


def test_a_star_is_the_same_alone_and_in_a_batch(emulator, spectra, assert_close):
    fit = LevenbergMarquardt().minimise(*make_problem(emulator, spectra, GROUPS))
    for star in range(len(GROUPS)):
        one = chosen(spectra, [star])
        alone = LevenbergMarquardt().minimise(*make_problem(emulator, one, [0]))
        assert_close(alone.unit[0], fit.unit[star])
        assert alone.iterations[0] == fit.iterations[star]


def test_every_star_has_its_own_stop(case):
    problem, start = case
    best = LevenbergMarquardt(max_iterations=200, tolerance=1e-12).minimise(problem, start)
    unit = start.unit.clone()
    unit[2] = best.unit[2]
    fit = LevenbergMarquardt().minimise(problem, Fit.at_start(problem, unit))
    assert set(fit.stop_reasons()) == {"converged"}
    others = torch.arange(len(GROUPS)) != 2
    assert fit.iterations[2] < fit.iterations[others].min()


def test_runs_out_of_iterations(case):
    problem, start = case
    fit = LevenbergMarquardt(max_iterations=1).minimise(problem, start)
    assert fit.iterations.tolist() == [1] * len(GROUPS)
    assert fit.evaluations.tolist() == [2] * len(GROUPS)
    assert set(fit.stop_reasons()) == {"max_iterations"}


def test_no_iteration_is_the_start(case):
    problem, start = case
    fit = LevenbergMarquardt(max_iterations=0).minimise(problem, start)
    assert torch.equal(fit.unit, start.unit)
    assert torch.equal(fit.evaluations, start.evaluations)


def test_a_looser_tolerance_stops_no_later(case):
    problem, start = case
    loose = LevenbergMarquardt(tolerance=1e-2).minimise(problem, start)
    tight = LevenbergMarquardt(tolerance=1e-10).minimise(problem, start)
    assert (loose.iterations <= tight.iterations).all()
    assert loose.iterations.sum() < tight.iterations.sum()
    assert not_above(tight.loss, loose.loss)


def test_the_gradient_vanishes_at_an_inner_solution(case):
    problem, start = case
    fit = LevenbergMarquardt(max_iterations=200, tolerance=1e-14).minimise(problem, start)
    inner = ((fit.unit > problem.lower) & (fit.unit < problem.upper)).all(dim=1)
    assert inner.any()
    _, gradient, hessian = problem.objective.derivatives(fit.unit)
    step = torch.linalg.solve(hessian, gradient)
    assert step[inner].abs().max() < 1e-5


def test_a_label_on_the_edge_is_held_and_the_others_go_on(emulator, observe, draw_labels):
    """Stars hotter than the library: the temperature on the edge, the others at their best."""
    labels = draw_labels(6, 21)
    labels[:, 0] = emulator.library.labels[:, 0].max() * 1.02
    problem, start = make_problem(
        emulator, observe(labels, 0.002), (0,) * 6, plain_metric(weighted=False)
    )
    fit = LevenbergMarquardt(max_iterations=100, tolerance=1e-14).minimise(problem, start)
    assert set(fit.stop_reasons()) == {"converged"}
    _, gradient, hessian = problem.objective.derivatives(fit.unit)
    inner = (fit.unit > problem.lower) & (fit.unit < problem.upper)
    held = (fit.unit[:, 0] == problem.upper[0]) & inner[:, 1:].all(dim=1)
    assert held.any()
    assert (gradient[held, 0] < 0).all()
    step = torch.linalg.solve(hessian[held, 1:, 1:], gradient[held, 1:])
    assert step.abs().max() < 1e-4


@pytest.fixture
def rough(case, generator):
    """A landscape of hills much narrower than the box, where a Gauss-Newton step overshoots."""
    problem, start = case
    gp = SharedKernelGP(build_kernel(3, linear=False, lengthscale=0.3, outputscale=1.0), 1e-3)
    gp.condition(
        2 * torch.rand(150, 3, generator=generator).double() - 1,
        torch.randn(150, 4, generator=generator).double(),
    )
    n_stars = len(GROUPS)
    nothing = StartPrior(start.unit, torch.zeros(n_stars, 3, 3).double())
    eye = torch.eye(4).double().expand(n_stars, 4, 4)
    target = torch.randn(n_stars, 4, generator=generator).double()
    centre, error = torch.zeros_like(target), problem.objective.form.emulator_error
    form = DenseForm.about(centre, (eye, target, target.square().sum(dim=1)), error)
    origin = replace(problem.objective.origin, prediction=Prediction(centre, *[centre] * 3))
    objective = Objective(gp.predictor, origin, form, nothing, Support(weight=0.0))
    rough = replace(problem, objective=objective)
    return rough, Fit.at_start(rough, 0.5 * torch.randn(n_stars, 3, generator=generator).double())


def test_an_overshooting_step_is_not_taken(rough):
    problem, start = rough
    before = start
    for n_iterations in range(1, 12):
        fit = LevenbergMarquardt(max_iterations=n_iterations).minimise(problem, start)
        assert not_above(fit.loss, before.loss)
        torch.testing.assert_close(fit.loss, problem.objective.loss(fit.unit))
        before = fit
    assert (fit.loss < start.loss).all()


def test_a_star_that_says_converged_stands_at_a_minimum(rough):
    problem, start = rough
    fit = LevenbergMarquardt(damping=1e-9, max_iterations=200).minimise(problem, start)
    converged = torch.tensor([reason == "converged" for reason in fit.stop_reasons()])
    inner = ((fit.unit > problem.lower) & (fit.unit < problem.upper)).all(dim=1) & converged
    assert inner.sum() >= 3
    _, gradient, hessian = problem.objective.derivatives(fit.unit)
    size = (gradient.square() / hessian.diagonal(dim1=1, dim2=2)).sum(dim=1)
    assert (size[inner] < 1e-4 * (1 + fit.loss[inner])).all()


def test_an_unweighted_star_without_a_good_pixel_is_singular_and_stays(emulator, spectra):
    ivar = spectra.ivar.clone()
    ivar[1] = 0
    problem, start = make_problem(
        emulator, replace(spectra, ivar=ivar), GROUPS, plain_metric(weighted=False)
    )
    fit = LevenbergMarquardt().minimise(problem, start)
    assert [place for place, why in enumerate(fit.stop_reasons()) if why == "singular"] == [1]
    assert torch.equal(fit.unit[1], start.unit[1])


def test_a_loss_that_is_not_finite_is_reported_and_the_others_are_fitted(case):
    problem, start = case
    constant = problem.objective.constant.clone()
    constant[4] = torch.nan
    form = replace(problem.objective.form, constant=constant)
    broken = replace(problem, objective=replace(problem.objective, form=form))
    fit = LevenbergMarquardt().minimise(broken, Fit.at_start(broken, start.unit))
    whole = LevenbergMarquardt().minimise(problem, start)
    assert fit.stop_reasons()[4] == "singular"
    assert fit.iterations[4] == 0
    others = torch.arange(len(GROUPS)) != 4
    torch.testing.assert_close(fit.unit[others], whole.unit[others])

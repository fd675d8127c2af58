from dataclasses import dataclass, replace

import pytest
import torch
from tests.contract.optimiser_contract import make_problem

from torchfit.likelihood.exact import Metric
from torchfit.measure.fitting import Fitting
from torchfit.optimise.lm import LevenbergMarquardt


@dataclass(frozen=True)
class Record:
    """An optimiser that notes when it runs, and counts one iteration."""

    name: str
    log: list
    moves_groups = False

    def minimise(self, problem, start):
        self.log.append((self.name, start.iterations.tolist()))
        return replace(start, iterations=start.iterations + 1)


@pytest.fixture
def case(emulator, observe, draw_labels):
    spectra = observe(draw_labels(2, 20), 0.01)
    problem, start = make_problem(emulator, spectra, (0, 0))
    return emulator, spectra, emulator.scaler.from_unit(start.unit), problem.subspace


def test_optimisers_run_in_order_each_from_the_last(case):
    log = []
    optimisers = {"b": Record("b", log), "a": Record("a", log)}
    fit = Fitting(Metric(), optimisers).fit(*case).fit
    assert log == [("b", [0, 0]), ("a", [1, 1])]
    assert fit.iterations.tolist() == [2, 2]


def test_no_optimiser_leaves_the_start(case, assert_close):
    fitted = Fitting(Metric(), {}).fit(*case)
    problem, fit = fitted.problem, fitted.fit
    assert_close(fit.unit, case[0].scaler.to_unit(case[2]))
    assert fit.iterations.tolist() == [0, 0]
    assert torch.equal(fit.loss, problem.objective.loss(fit.unit))


def test_the_problem_has_metric_box_and_space(case, assert_close):
    emulator, spectra, start, space = case
    metric = Metric(noise_floor=0.05)
    fitted = Fitting(metric, {"lm": LevenbergMarquardt()}).fit(*case)
    problem, fit = fitted.problem, fitted.fit
    assert problem.subspace is space
    assert torch.equal(problem.lower, emulator.bounds[0])
    assert torch.equal(problem.upper, emulator.bounds[1])
    expected = metric.objective(emulator, spectra, start)
    assert_close(fit.loss, expected.loss(fit.unit))

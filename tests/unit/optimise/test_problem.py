import pytest
import torch
from tests.contract.optimiser_contract import make_problem

from torchfit.optimise.problem import STOP_REASONS, Fit, StopReason


@pytest.fixture
def case(emulator, observe, draw_labels):
    return make_problem(emulator, observe(draw_labels(4, 20), 0.01), (0, 0, 1, 1))


def test_the_start_has_one_evaluation_and_its_loss(case):
    problem, start = case
    assert start.iterations.tolist() == [0] * 4
    assert start.evaluations.tolist() == [1] * 4
    assert torch.equal(start.loss, problem.objective.loss(start.unit))
    assert set(start.stop_reasons()) == {"max_iterations"}


def test_the_start_is_moved_into_the_box(case):
    problem, _ = case
    far = torch.tensor([[99.0, -99.0, 0.0]], dtype=torch.float64).expand(4, 3)
    fit = Fit.at_start(problem, far)
    expected = torch.stack([problem.upper[0], problem.lower[1], torch.zeros(()).double()])
    assert torch.equal(fit.unit, expected.expand(4, 3))
    assert torch.equal(fit.loss, problem.objective.loss(fit.unit))


def test_numbers_stand_for_stop_reasons(case):
    _, start = case
    fit = Fit(start.unit, start.loss, start.iterations, start.evaluations, torch.arange(4))
    assert fit.stop_reasons() == [str(reason) for reason in StopReason]
    assert len(STOP_REASONS) == 4

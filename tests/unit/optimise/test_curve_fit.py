import pytest
import torch
from tests.contract.optimiser_contract import (
    GROUPS,
    IndependentGroupsContract,
    make_problem,
    not_above,
)

from torchfit.optimise.curve_fit import CurveFit
from torchfit.optimise.lm import LevenbergMarquardt


class TestContract(IndependentGroupsContract):
    @pytest.fixture
    def optimiser(self):
        return CurveFit()


@pytest.fixture
def case(emulator, observe, draw_labels):
    return make_problem(emulator, observe(draw_labels(len(GROUPS), 20), 0.01, seed=20), GROUPS)


def test_it_ends_where_levenberg_marquardt_ends(case):
    fit = CurveFit(tolerance=1e-13).minimise(*case)
    other = LevenbergMarquardt(max_iterations=200, tolerance=1e-13).minimise(*case)
    torch.testing.assert_close(fit.loss, other.loss, rtol=1e-6, atol=0)


def test_no_star_ends_above_its_start(case):
    _, start = case
    assert not_above(CurveFit().minimise(*case).loss, start.loss)


def test_runs_out_of_evaluations(case):
    fit = CurveFit(max_evaluations=1).minimise(*case)
    assert set(fit.stop_reasons()) == {"max_iterations"}

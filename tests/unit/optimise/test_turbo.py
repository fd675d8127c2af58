from dataclasses import replace

import pytest
import torch
from tests.contract.optimiser_contract import (
    IndependentGroupsContract,
    make_problem,
)

from torchfit.optimise import bo
from torchfit.optimise.turbo import TrustRegionOptimisation

FAST = TrustRegionOptimisation(
    n_random=4, max_iterations=4, min_iterations=1, patience=4, raw_samples=32, num_restarts=2
)


class TestContract(IndependentGroupsContract):
    @pytest.fixture
    def optimiser(self):
        return replace(FAST, max_iterations=2)


@pytest.fixture(scope="module")
def singles(emulator, observe, draw_labels):
    spectra = observe(draw_labels(8, 20), 0.01, seed=20)
    return make_problem(emulator, spectra, tuple(range(8)))


def lengths(loss, **settings):
    optimiser = replace(FAST, n_random=1, tolerance=0.0, length=0.4, **settings)
    return optimiser.region_length(torch.tensor(loss).double()).tolist()


def test_the_region_starts_with_its_first_length():
    assert lengths([[3.0, 2.0]]) == [0.4]


def test_improvements_in_a_row_double_it_and_failures_halve_it():
    rising, falling = [3.0, 3.0, 4.0, 4.0, 4.0, 4.0], [3.0, 3.0, 2.0, 1.0, 0.5, 0.4]
    assert lengths([rising, falling], successes=3, failures=4) == pytest.approx([0.2, 0.8])


def test_a_broken_row_starts_again():
    assert lengths([[3.0, 3.0, 2.0, 1.0, 4.0, 0.5, 0.4]], successes=3) == [0.4]


def test_it_stays_within_its_limits():
    loss = [[3.0, 3.0, *[9.0] * 60], [3.0, 3.0, *(-torch.arange(60.0)).tolist()]]
    assert lengths(loss, min_length=0.1, max_length=0.9) == pytest.approx([0.1, 0.9])


def test_points_are_sought_inside_the_region(singles, monkeypatch):
    """Every new point lies within half a side of the best before it."""
    problem, start = singles
    optimiser = replace(FAST, length=0.2, failures=99, successes=99, patience=99)
    add, offsets = bo._History.add, []

    def spy(history, groups, point, tolerance):
        best = history.points[groups, history.values[groups].argmin(dim=1)]
        offsets.append((point - best).abs().max().item())
        add(history, groups, point, tolerance)

    monkeypatch.setattr(bo._History, "add", spy)
    optimiser.minimise(problem, start)
    assert len(offsets) == FAST.max_iterations
    assert 0.01 < max(offsets) <= 0.1 + 1e-9


def test_it_finds_more_than_as_many_random_points(singles):
    problem, start = singles
    blind = replace(FAST, max_iterations=0, n_random=16).minimise(problem, start)
    led = replace(FAST, max_iterations=12, patience=99).minimise(problem, start)
    gain = blind.loss.log().mean() - led.loss.log().mean()
    assert gain > 0.1

"""The chain of optimisers, with optimisers whose ends are known."""

from dataclasses import dataclass, replace

import pytest
import torch
from tests.contract.optimiser_contract import GROUPS, make_problem

from torchfit.measure.search import search
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.problem import Fit


@dataclass
class Shift:
    """Moves every star by so much, whatever it costs."""

    step: float
    moves_groups: bool
    n_starts: int = 1

    def minimise(self, problem, start):
        moved = Fit.at_start(problem, start.unit + self.step)
        return replace(moved, iterations=start.iterations + 1)


LM = LevenbergMarquardt()


@pytest.fixture(scope="module")
def case(emulator, observe, draw_labels):
    return make_problem(emulator, observe(draw_labels(len(GROUPS), 20), 0.01, seed=20), GROUPS)


def test_no_optimiser_leaves_the_start(case):
    problem, start = case
    found = search(problem, start.unit, [])
    assert torch.equal(found.fit.unit, start.unit)
    assert found.grouped.isnan().all()


def test_labels_after_the_last_search_of_groups_are_kept(case):
    problem, start = case
    found = search(problem, start.unit, [Shift(0.01, True), Shift(0.01, True), LM])
    expected = Fit.at_start(problem, Fit.at_start(problem, start.unit + 0.01).unit + 0.01)
    assert torch.equal(found.grouped, expected.unit)
    assert not torch.equal(found.fit.unit, found.grouped)


def test_a_search_of_groups_never_leads_a_star_to_a_higher_end(case):
    problem, start = case
    alone = search(problem, start.unit, [LM]).fit
    for step in (-0.5, 0.02, 0.5):
        led = search(problem, start.unit, [Shift(step, True), LM]).fit
        assert (led.loss <= alone.loss).all()
        assert (led.iterations > alone.iterations).all()


def test_what_groups_have_found_counts_where_it_is_lower(case):
    """A star that nothing moves again stands at the lower of start and group's point."""
    problem, start = case
    there = Fit.at_start(problem, start.unit + 0.02)
    found = search(problem, start.unit, [Shift(0.02, True), Shift(0.0, False)]).fit
    assert torch.equal(found.loss, torch.minimum(start.loss, there.loss))
    assert len({bool(each) for each in there.loss < start.loss}) == 2


def test_the_end_of_a_search_of_groups_is_that_of_the_group(case):
    """The paper's reading: groups alone, where a star may end above its start."""
    problem, start = case
    found = search(problem, start.unit, [Shift(0.5, True)]).fit
    assert (found.loss > start.loss).any()


def test_stars_that_no_group_has_moved_are_not_fitted_twice(case):
    problem, start = case
    once, twice = (
        search(problem, start.unit, chain).fit for chain in ([LM], [Shift(0.0, True), LM])
    )
    assert torch.equal(once.unit, twice.unit)
    assert torch.equal(once.iterations + 1, twice.iterations)

"""Optimisers run one after the other on what the likelihood has made."""

from dataclasses import dataclass, replace

import pytest
import torch
from tests.metrics import loss_of, plain_metric

from torchfit.match.matching import Matching
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.settings import FitSettings


@dataclass(frozen=True)
class Record:
    """An optimiser that notes when it runs and on what, and counts one iteration."""

    name: str
    log: list
    moves_groups: bool = False
    n_starts: int = 1

    def minimise(self, problem, start):
        self.log.append((self.name, start.iterations.tolist(), problem))
        return replace(start, iterations=start.iterations + 1)


@pytest.fixture
def batch(observe, draw_labels):
    labels = draw_labels(2, 20)
    spectra = observe(labels, 0.01)
    return GroupBatch(torch.arange(2), torch.zeros(2).long(), spectra)


def measure(emulator, batch, metric=None, **optimisers):
    settings = FitSettings(Matching(t=10), metric=metric or plain_metric(), optimisers=optimisers)
    return BatchFitter(emulator, settings).measure(batch)


def test_optimisers_run_in_order_each_from_the_last(emulator, batch):
    log = []
    fit = measure(emulator, batch, b=Record("b", log), a=Record("a", log)).fit
    assert [entry[:2] for entry in log] == [("b", [0, 0]), ("a", [1, 1])]
    assert fit.iterations.tolist() == [2, 2]


def test_no_optimiser_leaves_the_start(emulator, batch, assert_close):
    found = measure(emulator, batch)
    assert_close(found.fit.unit, emulator.scaler.to_unit(found.start))
    assert found.fit.iterations.tolist() == [0, 0]


@pytest.mark.parametrize("moves_groups", [True, False])
@pytest.mark.parametrize("n_starts", [1, 3])
def test_the_problem_has_loss_box_and_what_its_optimisers_need(
    emulator, batch, assert_close, moves_groups, n_starts
):
    log, metric = [], plain_metric(noise_floor=0.05)
    found = measure(emulator, batch, metric, a=Record("a", log, moves_groups, n_starts))
    problem = log[0][2]
    assert torch.equal(problem.lower, emulator.bounds[0])
    assert torch.equal(problem.upper, emulator.bounds[1])
    assert (problem.subspace is not None) == moves_groups
    expected = loss_of(metric, emulator, batch.spectra, found.start)
    assert_close(found.fit.loss, expected.loss(found.fit.unit))

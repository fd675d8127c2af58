from types import SimpleNamespace

import numpy as np
import pytest
import torch

from torchfit.optimise.problem import STOP_REASONS, StopReason
from torchfit.paper.grouping_cost import (
    HOURS,
    cost_row,
    grouped_minus_ungrouped,
    moved_share,
    stopped_at_once,
)
from torchfit.paper.material import GroupedTrial

UNCHANGED, MOST = (
    STOP_REASONS.index(reason) for reason in (StopReason.UNCHANGED, StopReason.MAX_ITERATIONS)
)


@pytest.fixture
def trial(monkeypatch):
    """Four stars in two groups; the second group has moved."""
    truth = torch.tensor([[5000.0, 4.0], [5100.0, 4.1], [5200.0, 4.2], [5300.0, 4.3]])
    start = truth + torch.tensor([50.0, 0.0])
    labels = start.clone()
    labels[2:, 0] += 30.0
    fit = SimpleNamespace(iterations=torch.tensor([5, 5, 9, 9]), stop=torch.tensor([UNCHANGED] * 4))
    measured = SimpleNamespace(
        labels=labels, start=start, fit=fit, group=torch.tensor([3, 3, 7, 7])
    )
    made = object.__new__(GroupedTrial)
    for name, value in (("truth", truth), ("measured", measured), ("seconds", 0.4)):
        object.__setattr__(made, name, value)
    return made


def test_half_of_the_stars_moved(trial):
    assert moved_share(trial) == 0.5


def test_half_of_the_groups_stopped_at_once(trial):
    assert stopped_at_once(trial, 5) == 0.5
    assert stopped_at_once(trial, 9) == 0.5
    trial.measured.fit.stop[:] = MOST
    assert stopped_at_once(trial, 5) == 0.0


def test_hours_are_those_of_the_survey_of_the_paper(trial):
    row = cost_row("N_group = 2", trial, patience=5)
    assert row["ms a star"] == pytest.approx(100.0)
    assert row[HOURS] == pytest.approx(0.1 * 11_473_644 / 3600)
    # Residuals of 50, 50, 80 and 80 K.
    assert row["FGK (K)"] == pytest.approx(1.4826 * 15.0)
    assert np.isnan(row["M (K)"])


def test_what_groups_change():
    grouped = np.array([5000.0, 5110.0, np.nan, 9000.0])
    alone = np.array([5000.0, 5100.0, 5200.0, 9000.0])
    rows = {row["class"]: row for row in grouped_minus_ungrouped(grouped, alone, alone)}
    assert rows["FGK"]["n"] == 2 and rows["FGK"]["median (K)"] == 5.0
    assert rows["FGK"]["% unchanged"] == 50.0 and rows["A"]["% unchanged"] == 100.0
    assert set(rows) == {"FGK", "A"}

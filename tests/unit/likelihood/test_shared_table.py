"""What stars of one node and one level share, against the sums over pixels it stands for."""

import pytest
import torch
from tests.metrics import plain_nuisance

from torchfit.likelihood.outliers import Outliers
from torchfit.likelihood.shared_table import LevelMatrices, NodeColumns, NodeTables

NUISANCE = plain_nuisance(2, 0.05, velocity_sigma=20.0)
NODE = 7


@pytest.fixture(scope="module")
def columns(emulator):
    return NodeColumns.at(emulator, NODE, NUISANCE)


@pytest.fixture(scope="module")
def weight(emulator):
    variance = emulator.truncation.values[NODE] + 1e-4
    return torch.where(emulator.flux_pca.good, 1 / variance, 0.0)


@pytest.fixture(scope="module")
def table(columns, weight):
    return LevelMatrices.of(weight, columns)


@pytest.fixture(scope="module")
def y(emulator):
    generator = torch.Generator().manual_seed(2)
    return 0.02 * torch.randn(3, len(emulator.wave), generator=generator)


def shared(columns, table, n_stars):
    return NodeTables(columns, [table], torch.zeros(n_stars, dtype=torch.long))


def test_chi_squared_is_that_of_the_dense_covariance(emulator, columns, weight, table, y):
    """y^T (N + B S B^T + T L T^T)^-1 y, at the start and one step of coefficients away."""
    good = weight > 0
    dense = torch.diag(1 / weight[good]) + columns.own[good] @ columns.own[good].mT
    step = torch.linspace(-0.3, 0.3, len(columns.factor)).double()
    target, constant = shared(columns, table, 3).form(y)
    along = (step.float() @ table.whitener)[None]
    found = constant + (along * (along - 2 * target)).sum(dim=1)
    moved = (y.double() - emulator.basis @ step)[:, good]
    expected = (moved * torch.linalg.solve(dense, moved.mT).mT).sum(dim=1)
    torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-3)
    still = y.double()[:, good]
    expected = (still * torch.linalg.solve(dense, still.mT).mT).sum(dim=1)
    torch.testing.assert_close(constant.double(), expected, rtol=1e-3, atol=1e-3)


def test_a_spectrum_without_gaps_is_left_alone(columns, table, y):
    good = torch.ones_like(y, dtype=torch.bool)
    filled = shared(columns, table, 3).fill(y, good, None, 2)
    assert torch.equal(filled.y, y)
    assert not filled.clipped.any()
    assert filled.score.isnan().all()


def test_only_bad_pixels_and_outliers_are_filled(columns, table, y):
    good = torch.ones_like(y, dtype=torch.bool)
    good[:, 40:44] = False
    hit = y.clone()
    hit[1, 100] = 3.0
    filled = shared(columns, table, 3).fill(hit.masked_fill(~good, 0), good, Outliers(grow=0), 2)
    assert filled.clipped.nonzero().tolist() == [[1, 100]]
    kept = good & ~filled.clipped
    assert torch.equal(filled.y[kept], hit[kept])
    assert (filled.y[~kept].abs() < 0.5).all()
    assert filled.score[1] > 2 * filled.score[0]

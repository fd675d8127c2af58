"""The methods that ``python benchmarks/peers.py`` stands beside torchfit do what they should."""

import sys

import numpy as np
import pytest
from tests.integration.running import ROOT

sys.path.append(str(ROOT / "benchmarks"))

from sklearn.preprocessing import PolynomialFeatures

from peer_models import PEERS, Fold, _derivative, cannon

N_TRAIN, N_TEST, N_PIX, SIGMA = 220, 40, 80, 0.01


@pytest.fixture(scope="module")
def world():
    """Flux that is a quadratic of three labels, with noise; two classes by the first label."""
    rng = np.random.default_rng(0)
    weights = 0.05 * rng.normal(size=(10, N_PIX))
    unit = rng.uniform(-1.5, 1.5, (N_TRAIN + N_TEST, 3))
    flux = 1 + PolynomialFeatures(2).fit_transform(unit) @ weights
    flux += SIGMA * rng.normal(size=flux.shape)
    start = unit + 0.3 * rng.normal(size=unit.shape)
    train, test = slice(N_TRAIN), slice(N_TRAIN, None)
    fold = Fold(
        flux[train], unit[train], flux[test], start[test],
        (unit[train, 0] > 0).astype(int), (start[test, 0] > 0).astype(int),
    )  # fmt: skip
    return fold, unit[test]


@pytest.mark.parametrize("name", PEERS)
def test_labels_are_found(world, name):
    fold, true = world
    found, _ = PEERS[name](fold)
    error = np.median(np.abs(found - true))
    assert error < (0.5 if name == "knn" else 0.2)
    assert error < np.median(np.abs(true - fold.unit.mean(axis=0)))


def test_the_quadratic_model_is_right_where_the_world_is_quadratic(world):
    fold, true = world
    found, errors = cannon(fold)
    pull = (found - true) / errors
    assert np.abs(pull).max() < 5
    assert np.mean(np.abs(pull) < 1) == pytest.approx(0.68, abs=0.12)


def test_derivatives_of_monomials():
    terms = PolynomialFeatures(2).fit(np.zeros((1, 3)))
    x, step = np.array([0.3, 0.0, -1.2]), 1e-6
    for label in range(3):
        moved = x + step * np.eye(3)[label]
        numeric = (terms.transform(moved[None])[0] - terms.transform(x[None])[0]) / step
        np.testing.assert_allclose(_derivative(terms.powers_, x, label), numeric, atol=1e-5)

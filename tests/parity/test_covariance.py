"""Robust and local covariances against loops over stars."""

import numpy as np
import pytest
import torch

from torchfit.emulator.local_covariance import (
    LocalCovariance,
    fit_local_covariance,
    robust_covariance,
)


@pytest.fixture
def residual(rng):
    values = rng.normal(size=(60, 3)) @ np.array([[1.0, 0.3, 0], [0, 0.5, 0.1], [0, 0, 2.0]])
    values[:4] *= 20
    return values


def loop_robust(residual, weight, dof=4.0, n_iterations=30):
    """Student-t estimate, star by star."""
    dim = residual.shape[1]
    down = np.ones(len(residual))
    for _ in range(n_iterations):
        covariance = np.zeros((dim, dim))
        for r, w, u in zip(residual, weight, down, strict=True):
            covariance += w * u * np.outer(r, r) / weight.sum()
        covariance += (1e-9 * np.trace(covariance) / dim + 1e-12) * np.eye(dim)
        inverse = np.linalg.inv(covariance)
        down = np.array([(dof + dim) / (dof + r @ inverse @ r) for r in residual])
    return covariance


@pytest.mark.parametrize("dof", [1.0, 4.0, 1e6])
def test_robust_covariance_is_a_loops(rng, residual, assert_close, dof):
    weight = rng.random(len(residual))
    found = robust_covariance(torch.from_numpy(residual), torch.from_numpy(weight), dof)
    assert_close(found, loop_robust(residual, weight, dof))


def test_many_degrees_of_freedom_give_the_plain_covariance(residual):
    weight = np.ones(len(residual))
    found = robust_covariance(torch.from_numpy(residual), torch.from_numpy(weight), dof=1e9)
    np.testing.assert_allclose(found, residual.T @ residual / len(residual), rtol=1e-5)


def test_local_covariance_is_a_loops(rng, residual, assert_close):
    teff = rng.uniform(4000, 7000, len(residual))
    found = fit_local_covariance(torch.from_numpy(teff), torch.from_numpy(residual), 5, 0.05)
    nodes = np.linspace(np.log10(teff.min()), np.log10(teff.max()), 5)
    overall = loop_robust(residual, np.ones(len(residual)))
    spread = np.sqrt(np.diag(overall))
    assert_close(found.nodes, nodes)
    for node, matrix in zip(nodes, found.matrices, strict=True):
        weight = np.exp(-0.5 * ((np.log10(teff) - node) / 0.05) ** 2)
        local = loop_robust(residual, weight)
        deviation = np.sqrt(np.diag(local))
        borrowed = overall / np.outer(spread, spread) * np.outer(deviation, deviation)
        shrink = 3 / (3 + weight.sum())
        assert_close(matrix, (1 - shrink) * local + shrink * borrowed)


def test_covariance_between_nodes_is_numpys_interpolation(rng, assert_close):
    nodes = np.linspace(3.6, 3.9, 4)
    matrices = rng.normal(size=(4, 2, 2))
    local = LocalCovariance(torch.from_numpy(nodes), torch.from_numpy(matrices))
    teff = 10 ** np.concatenate([[3.0, 3.6, 3.7, 3.9, 4.4], rng.uniform(3.6, 3.9, 20)])
    found = local.at(torch.from_numpy(teff)).numpy()
    for i in range(2):
        for j in range(2):
            assert_close(found[:, i, j], np.interp(np.log10(teff), nodes, matrices[:, i, j]))

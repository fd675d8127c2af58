"""Levenberg-Marquardt against scipy's bounded least squares on the same loss."""

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from tests.contract.optimiser_contract import make_problem
from tests.metrics import plain_metric

from torchfit.optimise.lm import LevenbergMarquardt


def square_root(matrix):
    """R with R^T R = matrix, for a positive semi-definite matrix."""
    value, vector = np.linalg.eigh(matrix)
    return np.sqrt(value.clip(min=0))[:, None] * vector.T


def scipy_loss(problem, start, star):
    """Least loss of one star: c - g P^-1 g + |R d - R^-T g|^2 + prior, as a sum of squares."""
    objective = problem.objective
    precision, pull = objective.form.precision[star].numpy(), objective.form.pull[star].numpy()
    root = square_root(precision)
    target = np.linalg.lstsq(root.T, pull, rcond=None)[0]
    prior_root = square_root(objective.prior.precision[star].numpy())
    centre = objective.prior.mean[star].numpy()

    def residual(x):
        f = objective.predictor.mean(torch.from_numpy(x)[None])[0]
        offset = (f - objective.centre[star]).numpy()
        return np.concatenate([root @ offset - target, prior_root @ (x - centre)])

    tight = 1e-14
    solution = least_squares(
        residual,
        start.unit[star].numpy().clip(problem.lower.numpy() + 1e-9, problem.upper.numpy() - 1e-9),
        bounds=(problem.lower.numpy(), problem.upper.numpy()),
        xtol=tight, ftol=tight, gtol=tight,
    )  # fmt: skip
    return 2 * solution.cost + objective.constant[star].item() - target @ target, solution.x


@pytest.mark.parametrize("weighted", [True, False])
def test_the_least_loss_is_scipys(emulator, observe, draw_labels, weighted):
    spectra = observe(draw_labels(10, 20), 0.01, seed=20)
    problem, start = make_problem(emulator, spectra, (0,) * 10, plain_metric(weighted=weighted))
    fit = LevenbergMarquardt(max_iterations=200, tolerance=1e-12).minimise(problem, start)
    for star in range(10):
        expected, unit = scipy_loss(problem, start, star)
        np.testing.assert_allclose(fit.loss[star], expected, rtol=1e-6)
        np.testing.assert_allclose(fit.unit[star], unit, atol=1e-3)

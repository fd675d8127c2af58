import pytest
import torch

from torchfit.emulator.cross_validation import (
    HyperparameterGrid,
    cross_validate,
    held_out_error,
)
from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel, hyperparameters

GRID = HyperparameterGrid([0.3, 1.0, 3.0], [0.5, 2.0], [0.01, 0.3])


@pytest.fixture
def data(generator):
    x = torch.randn(36, 2, generator=generator).double()
    y = torch.stack([x[:, 0].sin(), x[:, 0] * x[:, 1]], dim=1)
    y = y + 0.1 * torch.randn(36, 2, generator=generator).double()
    return x, y, torch.arange(36) % 4


def brute_force(x, y, fold, lengthscale, outputscale, noise):
    """Held-out error of a dense Gaussian process, fold by fold."""
    total = 0.0
    for number in range(4):
        train, test = fold != number, fold == number

        def kernel(a, b):
            return outputscale * torch.exp(-0.5 * (torch.cdist(a, b) / lengthscale).square())

        covariance = kernel(x[train], x[train]) + noise * torch.eye(int(train.sum()))
        mean = kernel(x[test], x[train]) @ torch.linalg.solve(covariance, y[train])
        total += (y[test] - mean).square().sum().item()
    return total / y.numel()


def test_the_grid_is_every_combination():
    points = list(GRID)
    assert len(points) == len(set(points)) == 12
    assert (1.0, 2.0, 0.01) in points


def test_held_out_error_is_brute_forces(data, assert_close):
    x, y, fold = data
    gp = SharedKernelGP(build_kernel(2, "rbf", True, False, 0.9, 1.3), 0.05)
    assert_close(held_out_error(gp, x, y, fold), brute_force(x, y, fold, 0.9, 1.3, 0.05))


def test_the_best_point_is_brute_forces(data, assert_close):
    x, y, fold = data
    scores = {point: brute_force(x, y, fold, *point) for point in GRID}
    best = min(scores, key=scores.get)
    gp = SharedKernelGP(build_kernel(2, linear=False))
    found = cross_validate(gp, x, y, fold, GRID)
    assert_close(found, scores[best])
    values = hyperparameters(gp.kernel, gp.likelihood)
    assert values["lengthscale"] == pytest.approx([best[0]] * 2)
    assert values["outputscale"] == pytest.approx([best[1]])
    assert values["noise"] == pytest.approx([best[2]])

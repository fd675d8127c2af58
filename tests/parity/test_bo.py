"""Surrogate and acquisition of a batch of groups against plain BoTorch, one group at a time."""

import pytest
import torch
from botorch.acquisition import UpperConfidenceBound
from botorch.models import SingleTaskGP
from botorch.optim import optimize_acqf
from gpytorch.kernels import MaternKernel
from gpytorch.likelihoods import FixedNoiseGaussianLikelihood
from gpytorch.mlls import ExactMarginalLogLikelihood
from tests.contract.optimiser_contract import make_problem

from torchfit.optimise import bo
from torchfit.optimise.bo import BayesianOptimisation
from torchfit.optimise.surrogate import LENGTHSCALES, OBSERVATION_NOISE

N_GROUPS, N_POINTS, M = 3, 12, 2


@pytest.fixture
def data(generator):
    x = torch.rand(N_GROUPS, N_POINTS, M, generator=generator, dtype=torch.float64)
    wave = torch.tensor([2.0, 5.0, 9.0], dtype=torch.float64)[:, None]
    y = torch.sin(wave * x[..., 0]) + x[..., 1].square()
    y = (y - y.mean(dim=1, keepdim=True)) / y.std(dim=1, keepdim=True)
    return x, y


def plain_model(x, y, lengthscale):
    """A single-group BoTorch model of given length scale."""
    kernel = MaternKernel(nu=2.5).double()
    kernel.lengthscale = lengthscale
    noise = torch.full_like(y[:, None], OBSERVATION_NOISE)
    likelihood = FixedNoiseGaussianLikelihood(noise[:, 0])
    return SingleTaskGP(
        x, y[:, None], noise, likelihood, covar_module=kernel, outcome_transform=None
    )


def likeliest(x, y):
    """Length scale of the grid with the highest exact marginal likelihood."""

    def likelihood(lengthscale):
        model = plain_model(x, y, lengthscale)
        mll = ExactMarginalLogLikelihood(model.likelihood, model).train()
        return mll(model(x), y).item()

    return max((M**0.5 * LENGTHSCALES).tolist(), key=likelihood)


def test_length_scale_is_the_likeliest_of_the_grid(data, assert_close):
    x, y = data
    found = bo.fit_surrogate(x, y).lengthscale
    expected = [likeliest(x[group], y[group]) for group in range(N_GROUPS)]
    assert len(set(expected)) > 1
    assert_close(found, expected)


def test_upper_confidence_bound_is_that_of_single_groups(data, generator, assert_close):
    x, y = data
    points = torch.rand(7, N_GROUPS, 1, M, generator=generator, dtype=torch.float64)
    model = bo.fit_surrogate(x, y)
    found = UpperConfidenceBound(model, beta=2.576**2)(points)
    for group in range(N_GROUPS):
        lengthscale = model.lengthscale[group].item()
        plain = plain_model(x[group], y[group], lengthscale).eval()
        expected = UpperConfidenceBound(plain, beta=2.576**2)(points[:, group])
        assert_close(found[:, group], expected.detach())


def test_the_next_point_is_botorchs(emulator, observe, draw_labels, monkeypatch):
    """The first proposal of every group reaches the bound that BoTorch's own optimiser finds."""
    spectra = observe(draw_labels(4, 20), 0.01, seed=20)
    problem, start = make_problem(emulator, spectra, (0, 0, 1, 1), max_comp=M)
    seen = []
    original = bo.UpperConfidenceBound
    monkeypatch.setattr(
        bo, "UpperConfidenceBound", lambda *a, **k: seen.append(original(*a, **k)) or seen[-1]
    )
    proposed = []
    add = bo._History.add
    monkeypatch.setattr(
        bo._History,
        "add",
        lambda self, groups, point, tolerance: (
            proposed.append(point) or add(self, groups, point, tolerance)
        ),
    )
    BayesianOptimisation(max_iterations=1).minimise(problem, start)
    (acqf,), (point,) = seen, proposed
    value = acqf(point[:, None])
    for group in range(2):
        model = acqf.model
        plain = plain_model(
            model.x[group],
            model.y[group],
            model.lengthscale[group].item(),
        ).eval()
        _, best = optimize_acqf(
            original(plain, beta=2.576**2),
            bounds=torch.tensor([[0.0] * M, [1.0] * M], dtype=torch.float64),
            q=1,
            num_restarts=8,
            raw_samples=128,
            options={"seed": 0},
        )
        assert value[group] > best - 1e-3

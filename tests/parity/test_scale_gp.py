"""The condensed Gaussian process of errors against GPyTorch, exact and with inducing points."""

import gpytorch
import pytest
import torch
from gpytorch.kernels import ConstantKernel, InducingPointKernel, RBFKernel, ScaleKernel

from torchfit.uncertainty.scale_gp import JITTER, Hyperparameters, ScaleGP, spread_out

HYPERPARAMETERS = Hyperparameters(torch.tensor([0.7, 1.5]).double(), 0.4, 0.25, 0.8)


class Reference(gpytorch.models.ExactGP):
    def __init__(self, x, y, points):
        likelihood = gpytorch.likelihoods.GaussianLikelihood().double()
        likelihood.noise = HYPERPARAMETERS.noise
        super().__init__(x, y, likelihood)
        base = ScaleKernel(RBFKernel(ard_num_dims=2)).double()
        base.base_kernel.lengthscale = HYPERPARAMETERS.lengthscale
        base.outputscale = HYPERPARAMETERS.outputscale
        level = ConstantKernel().double()
        level.constant = torch.tensor(HYPERPARAMETERS.constant).double()
        kernel = level + base
        self.covar_module = (
            kernel if points is None else InducingPointKernel(kernel, points, likelihood)
        )
        self.mean_module = gpytorch.means.ZeroMean()

    def forward(self, x):
        return gpytorch.distributions.MultivariateNormal(self.mean_module(x), self.covar_module(x))


@pytest.mark.parametrize("n_points", [80, 25])
def test_mean_and_variance(generator, n_points):
    x = torch.randn(80, 2, generator=generator).double()
    y = x[:, 0].sin() + torch.randn(80, generator=generator).double()
    new = torch.randn(30, 2, generator=generator).double()
    points = None if n_points == 80 else x[spread_out(x, n_points)].clone()
    reference = Reference(x, y, points).eval()
    with torch.no_grad(), gpytorch.settings.sgpr_diagonal_correction(False):
        expected = reference(new)
    mean, variance = ScaleGP.fit(x, y, HYPERPARAMETERS, n_points).predict(new)
    # Both add a jitter to the covariance of the points, each its own.
    torch.testing.assert_close(mean, expected.mean, rtol=0, atol=100 * JITTER)
    if points is None:
        torch.testing.assert_close(variance, expected.variance, rtol=0, atol=100 * JITTER)
    else:
        # GPyTorch leaves out what the points cannot see of the prior's variance.
        assert (variance >= expected.variance - 100 * JITTER).all()

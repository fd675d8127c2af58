"""The shared-kernel process against scikit-learn, dense algebra, and really leaving stars out."""

import numpy as np
import pytest
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel

from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel, linear_part, radial_part

N_TRAIN, N_TEST, N_LABELS, N_COMP = 40, 7, 3, 4
OUTPUTSCALE, NOISE = 2.1, 0.05
LENGTHSCALES = [0.8, 1.5, 2.5]


@pytest.fixture
def data(rng):
    x = rng.normal(size=(N_TRAIN + N_TEST, N_LABELS))
    y = np.sin(x @ rng.normal(size=(N_LABELS, N_COMP))) + 0.1 * rng.normal(size=(len(x), N_COMP))
    return (
        torch.from_numpy(x[:N_TRAIN]),
        torch.from_numpy(y[:N_TRAIN]),
        torch.from_numpy(x[-N_TEST:]),
    )


def make_gp(shape, linear, ard):
    kernel = build_kernel(N_LABELS, shape, ard, linear, None, OUTPUTSCALE)
    lengthscale = torch.tensor(LENGTHSCALES if ard else LENGTHSCALES[:1], dtype=torch.float64)
    radial_part(kernel).base_kernel.initialize(lengthscale=lengthscale)
    return SharedKernelGP(kernel, NOISE)


def scikit_learn(gp, shape, linear, ard):
    lengthscale = LENGTHSCALES if ard else LENGTHSCALES[0]
    radial = RBF(lengthscale) if shape == "rbf" else Matern(lengthscale, nu=2.5)
    kernel = ConstantKernel(OUTPUTSCALE) * radial + WhiteKernel(NOISE)
    if linear:
        slope = linear_part(gp.kernel).variance.detach().flatten()[0].item()
        kernel = kernel + ConstantKernel(slope) * DotProduct(0.0, sigma_0_bounds="fixed")
    return GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None)


every_kernel = pytest.mark.parametrize(
    ("shape", "linear", "ard"),
    [
        (shape, linear, ard)
        for shape in ("rbf", "matern52")
        for linear in (False, True)
        for ard in (False, True)
    ],
)


@every_kernel
def test_mean_variance_and_likelihood_are_scikit_learns(data, assert_close, shape, linear, ard):
    x, y, x_new = data
    gp = make_gp(shape, linear, ard)
    other = scikit_learn(gp, shape, linear, ard).fit(x.numpy(), y.numpy())
    mean, deviation = other.predict(x_new.numpy(), return_std=True)
    gp.condition(x, y)
    assert_close(gp.mean(x_new), mean)
    assert_close(gp.variance(x_new), deviation**2 - NOISE)
    likelihood = gp.log_marginal_likelihood(x, y).item()
    assert_close(likelihood, other.log_marginal_likelihood(other.kernel_.theta))


def test_a_slope_of_its_own_for_each_label_is_dense_algebras(data, assert_close):
    x, y, x_new = (values.numpy() for values in data)
    gp = make_gp("rbf", True, True)
    variance = torch.tensor([[0.2, 0.9, 1.7]], dtype=torch.float64)
    linear_part(gp.kernel).initialize(variance=variance)

    def kernel(a, b):
        offset = (a[:, None] - b) / np.array(LENGTHSCALES)
        radial = OUTPUTSCALE * np.exp(-0.5 * np.square(offset).sum(axis=2))
        return radial + (a * variance.numpy()) @ b.T

    inverse = np.linalg.inv(kernel(x, x) + NOISE * np.eye(N_TRAIN))
    cross = kernel(x_new, x)
    gp.condition(data[0], data[1])
    assert_close(gp.mean(data[2]), cross @ inverse @ y)
    expected = np.diag(kernel(x_new, x_new) - cross @ inverse @ cross.T)
    assert_close(gp.variance(data[2]), np.repeat(expected[:, None], N_COMP, axis=1))


@every_kernel
def test_closed_leave_one_out_residuals_are_those_of_leaving_out(
    data, assert_close, shape, linear, ard
):
    x, y, _ = data
    gp = make_gp(shape, linear, ard)
    closed = gp.condition(x, y)
    for star in range(0, N_TRAIN, 7):
        others = torch.arange(N_TRAIN) != star
        gp.condition(x[others], y[others])
        assert_close(closed[star], y[star] - gp.mean(x[star : star + 1])[0])


@every_kernel
def test_jacobian_is_that_of_autograd(data, assert_close, shape, linear, ard):
    x, y, x_new = data
    gp = make_gp(shape, linear, ard)
    gp.condition(x, y)
    mean, jacobian, _, _ = gp.predictor.derivatives(x_new)

    def dense_mean(point):
        return (gp.kernel(point[None], x).to_dense() @ gp.alpha)[0]

    expected = torch.stack([torch.func.jacrev(dense_mean)(point) for point in x_new])
    assert_close(mean, gp.mean(x_new))
    assert_close(jacobian.mT, expected.detach())


@every_kernel
def test_jacobian_is_that_of_finite_differences(data, shape, linear, ard):
    x, y, x_new = data
    gp = make_gp(shape, linear, ard)
    gp.condition(x, y)
    _, jacobian, _, _ = gp.predictor.derivatives(x_new)
    step = 1e-5
    for label in range(N_LABELS):
        offset = step * torch.eye(N_LABELS, dtype=torch.float64)[label]
        slope = (gp.mean(x_new + offset) - gp.mean(x_new - offset)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, label], slope, rtol=1e-6, atol=1e-8)


@every_kernel
def test_jacobian_at_a_template_is_finite_and_right(data, shape, linear, ard):
    """The distance to a template is 0 there, where a square root has no derivative."""
    x, y, _ = data
    gp = make_gp(shape, linear, ard)
    gp.condition(x, y)
    _, jacobian, _, _ = gp.predictor.derivatives(x[:3])
    step = 1e-5
    for label in range(N_LABELS):
        offset = step * torch.eye(N_LABELS, dtype=torch.float64)[label]
        slope = (gp.mean(x[:3] + offset) - gp.mean(x[:3] - offset)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, label], slope, rtol=1e-6, atol=1e-8)

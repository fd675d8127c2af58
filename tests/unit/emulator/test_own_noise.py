import math

import pytest
import torch
from scipy.optimize import minimize_scalar

from torchfit.emulator.gp import EACH, SharedKernelGP
from torchfit.emulator.kernel import build_kernel, dense_covariance
from torchfit.emulator.likelihood import OwnNoiseLikelihood
from torchfit.emulator.own_noise import LEAST, MOST, ExactModes, InducingModes, Modes

NOISE = (0.3, 0.03, 0.003)


@pytest.fixture
def world(generator):
    """200 stars of two labels with three outputs, whose noises differ a hundredfold."""
    x = 2 * torch.randn(200, 2, generator=generator).double()
    y = torch.stack([(2 * x[:, 0]).sin(), x[:, 1].cos(), (x[:, 0] - x[:, 1]).sin()], dim=1)
    return x, y + torch.tensor(NOISE).sqrt() * torch.randn(200, 3, generator=generator).double()


def make_gp(noise=EACH, n_inducing=None, shape="rbf", linear=True):
    return SharedKernelGP(build_kernel(2, shape, True, linear, 0.8, 1.0), noise, n_inducing)


def normal(covariance, noise):
    eye = torch.eye(len(covariance)).double()
    zero = torch.zeros(len(covariance)).double()
    return torch.distributions.MultivariateNormal(zero, covariance + noise * eye)


@torch.no_grad()
def covariance_of(gp, x):
    return dense_covariance(gp.kernel, x, x)


def test_the_density_is_that_of_a_normal_distribution(world, assert_close):
    x, y = world
    gp, noise = make_gp(), torch.tensor([0.01, 0.5]).double()
    found = ExactModes.of(gp.kernel, x).modes(y).log_density(noise)
    covariance = covariance_of(gp, x)
    expected = torch.stack([normal(covariance, value).log_prob(y.mT) for value in noise])
    assert_close(found.detach(), expected)


def test_the_density_of_points_is_that_of_what_they_see(world, assert_close):
    x, y = world
    kernel = make_gp().kernel
    with torch.no_grad():
        points = InducingModes.of(kernel, x, x[:30])
        seen = dense_covariance(kernel, x, x[:30]) @ points.whitener
        found = points.modes(y).log_density(torch.tensor([0.1]).double())[0]
        assert_close(found, normal(seen @ seen.mT, 0.1).log_prob(y.mT))


@pytest.mark.parametrize("n_inducing", [None, 40])
def test_every_noise_is_the_likeliest(world, n_inducing):
    x, y = world
    gp = make_gp(n_inducing=n_inducing)
    gp.condition(x, y)
    modes = gp._solve().modes(y)
    for comp, found in enumerate(gp.noise.tolist()):
        best = minimize_scalar(
            lambda level, comp=comp: (
                -modes.log_density(torch.tensor([level]).double().exp())[0, comp].item()
            ),
            bounds=(LEAST, MOST),
            method="bounded",
        )
        assert math.log(found) == pytest.approx(best.x, abs=5e-3)


def test_noises_of_outputs_are_found(world):
    gp = make_gp()
    gp.condition(*world)
    torch.testing.assert_close(
        gp.noise.log(), torch.tensor(NOISE).double().log(), atol=0.35, rtol=0
    )


@pytest.mark.parametrize("signal", [0.0, 1.0])
def test_the_noise_stays_within_its_bounds(signal):
    """Outputs of no signal, and outputs that are all signal."""
    value = torch.tensor([2.0, 1.0, 1e-9]).double()
    modes = Modes(value, signal * value[:, None], 0, torch.zeros(1).double())
    noise = modes.likeliest_noise().log()
    assert noise.isfinite().all()
    assert LEAST - 0.2 <= noise.item() <= MOST + 0.2


@pytest.mark.parametrize("shape", ["rbf", "matern52"])
@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("n_inducing", [None, 40])
def test_each_output_is_as_with_its_noise_alone(world, shape, linear, n_inducing):
    x, y = world
    gp, new = make_gp(EACH, n_inducing, shape, linear), x[:20] + 0.1
    rows = torch.tensor([3, 150, 17])
    residual = gp.condition(x, y, rows)
    for comp, noise in enumerate(gp.noise.tolist()):
        alone = make_gp(noise, n_inducing, shape, linear)
        left_out = alone.condition(x, y[:, comp : comp + 1], rows)[:, 0]
        for found, expected in (
            (residual[:, comp], left_out),
            (gp.mean(new)[:, comp], alone.mean(new)[:, 0]),
            (gp.variance(new)[:, comp], alone.variance(new)[:, 0]),
        ):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


def test_the_noise_of_others_does_not_bend_an_output(generator):
    """An output without noise that curves, as bands of cool stars do, beside one that is noise."""
    x = torch.rand(200, 2, generator=generator).double()
    curve = (-3 * x[:, 0]).exp() / 0.3
    y = torch.stack([curve, torch.randn(200, generator=generator).double()], dim=1)
    errors = []
    for noise in (EACH, 0.5):
        gp = make_gp(noise)
        gp.condition(x, y)
        errors.append((gp.mean(x) - y)[:, 0].square().mean().sqrt())
    assert errors[0] < 0.1 * errors[1]


@pytest.mark.parametrize("shape", ["rbf", "matern52"])
def test_the_gradient_is_that_at_the_likeliest_noise(world, shape, assert_close):
    x, y = (values[:40] for values in world)
    gp = make_gp(EACH, None, shape)
    covariance = covariance_of(gp, x).requires_grad_(True)
    OwnNoiseLikelihood.apply(covariance, y).backward()
    found = covariance.grad.clone()
    gp.condition(x, y)
    covariance.grad = None
    density = [normal(covariance, n).log_prob(y[:, i]) for i, n in enumerate(gp.noise.tolist())]
    torch.stack(density).sum().backward()
    mean = 0.5 * (covariance.grad + covariance.grad.mT)
    torch.testing.assert_close(found, mean, rtol=1e-6, atol=1e-8)


def test_the_marginal_likelihood_is_the_sum_over_outputs(world, assert_close):
    x, y = world
    gp = make_gp()
    gp.condition(x, y)
    covariance = covariance_of(gp, x)
    terms = [normal(covariance, n).log_prob(y[:, i]) for i, n in enumerate(gp.noise.tolist())]
    assert_close(gp.log_marginal_likelihood(x, y).item(), torch.stack(terms).sum())


@pytest.mark.parametrize("n_inducing", [None, 40])
def test_doubled_templates_break_nothing(world, n_inducing):
    x, y = world
    gp = make_gp(n_inducing=n_inducing)
    assert gp.condition(torch.cat([x, x]), torch.cat([y, y])).isfinite().all()

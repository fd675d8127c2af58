import pytest
import torch

from torchfit.emulator.gp import MIN_NOISE, SharedKernelGP
from torchfit.emulator.kernel import build_kernel, dense_covariance
from torchfit.emulator.solution import noisy_cholesky


@pytest.fixture
def data(generator):
    x = torch.randn(30, 2, generator=generator).double()
    y = torch.stack([x[:, 0].sin(), x[:, 1] * x[:, 0], x.sum(dim=1)], dim=1)
    return x, y


def make_gp(noise=0.01, linear=False, **kernel):
    kernel = build_kernel(2, linear=linear, lengthscale=1.2, outputscale=1.5, **kernel)
    return SharedKernelGP(kernel, noise)


def test_noise_arrives_and_is_frozen():
    gp = make_gp(0.037)
    assert gp.likelihood.noise.item() == pytest.approx(0.037, rel=1e-12)
    assert not any(parameter.requires_grad for parameter in gp.parameters())


def test_noise_is_free_when_not_given():
    gp = make_gp(None)
    assert gp.likelihood.raw_noise.requires_grad
    assert gp.likelihood.noise > MIN_NOISE


@pytest.mark.parametrize("noise", [0.0, 1e-9])
def test_noise_is_never_below_the_least(noise):
    assert make_gp(noise).likelihood.noise >= MIN_NOISE


def test_the_factor_is_that_of_kernel_plus_noise(data, assert_close):
    x, _ = data
    gp = make_gp()
    with torch.no_grad():
        factor = noisy_cholesky(gp.kernel, gp.likelihood.noise, x)
    expected = gp.kernel(x).to_dense().detach() + 0.01 * torch.eye(30)
    assert_close(factor @ factor.mT, expected)
    assert torch.equal(factor, factor.tril())


def test_doubled_templates_do_not_break_the_factor(data):
    x, y = data
    gp = make_gp(0.0)
    residual = gp.condition(torch.cat([x, x]), torch.cat([y, y]))
    assert residual.isfinite().all()


def test_little_noise_interpolates(data):
    x, y = data
    gp = make_gp(1e-5)
    gp.condition(x, y)
    assert (gp.mean(x) - y).abs().max() < 0.01
    assert (gp.variance(x) < 1e-4).all()


@pytest.mark.parametrize("shape", ["rbf", "matern52"])
def test_far_from_the_library_the_prior_comes_back(data, shape, assert_close):
    x, y = data
    gp = make_gp(shape=shape)
    gp.condition(x, y)
    far = torch.full((1, 2), 300.0, dtype=torch.float64)
    assert gp.mean(far).abs().max() < 1e-12
    assert_close(gp.variance(far), [[1.5, 1.5, 1.5]])


def test_a_linear_kernel_goes_on_along_a_slope(data):
    x, y = data
    gp = make_gp(linear=True)
    gp.condition(x, y)
    step = torch.tensor([[300.0, 300.0], [301.0, 301.0], [302.0, 302.0]], dtype=torch.float64)
    first, second = gp.mean(step).diff(dim=0)
    torch.testing.assert_close(first, second)
    assert 1 < first[2] < 2.5


def test_variance_is_between_zero_and_the_priors(data, generator):
    x, y = data
    gp = make_gp()
    gp.condition(x, y)
    variance = gp.variance(3 * torch.randn(50, 2, generator=generator).double())
    assert ((variance > 0) & (variance <= 1.5 + 1e-12)).all()


def test_outputs_do_not_mix(data, assert_close):
    x, y = data
    gp = make_gp()
    gp.condition(x, y)
    together = gp.mean(x[:5] + 0.1)
    for comp in range(3):
        gp.condition(x, y[:, comp : comp + 1])
        assert_close(gp.mean(x[:5] + 0.1)[:, 0], together[:, comp])


def test_the_likelihood_prefers_the_truth(data):
    x, y = data

    def likelihood(lengthscale):
        kernel = build_kernel(2, linear=False, lengthscale=lengthscale, outputscale=1.5)
        return SharedKernelGP(kernel, 0.01).log_marginal_likelihood(x, y).item()

    assert likelihood(1.2) > max(likelihood(0.05), likelihood(100.0))


def test_conditioning_survives_saving_and_loading(data):
    x, y = data
    gp = make_gp()
    gp.condition(x, y)
    state = gp.state_dict()
    other = make_gp()
    other.condition(x[:30] * 0, y * 0)
    other.load_state_dict(state)
    assert torch.equal(other.mean(x + 0.2), gp.mean(x + 0.2))
    assert torch.equal(other.variance(x + 0.2), gp.variance(x + 0.2))


@pytest.mark.parametrize("shape", ["rbf", "matern52"])
def test_the_gradient_of_the_likelihood_is_that_of_autograd(data, shape, assert_close):
    x, y = data
    gp = SharedKernelGP(build_kernel(2, shape, linear=True))
    gp.log_marginal_likelihood(x, y).backward()
    found = [parameter.grad.clone() for parameter in gp.parameters()]
    gp.zero_grad()
    covariance = dense_covariance(gp.kernel, x, x) + gp.likelihood.noise * torch.eye(30)
    zero = torch.zeros(30, dtype=torch.float64)
    torch.distributions.MultivariateNormal(zero, covariance).log_prob(y.mT).sum().backward()
    for one, parameter in zip(found, gp.parameters(), strict=True):
        assert_close(one, parameter.grad)

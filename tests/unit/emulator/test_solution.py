import pytest
import torch

from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel


@pytest.fixture
def world(generator):
    """300 noisy stars of two labels, and 50 more without noise."""
    x = 2 * torch.rand(350, 2, generator=generator).double()
    y = torch.stack([(2 * x[:, 0]).sin(), x[:, 0] * x[:, 1]], dim=1)
    y[:300] += 0.1 * torch.randn(300, 2, generator=generator).double()
    return x[:300], y[:300], x[300:], y[300:]


def make_gp(n_inducing=None, noise=0.01):
    return SharedKernelGP(build_kernel(2, "rbf", True, True, 0.8, 1.5), noise, n_inducing)


def test_as_many_points_as_stars_are_the_exact_process(world):
    x, y, x_new, _ = world
    exact, other = make_gp(), make_gp(300)
    torch.testing.assert_close(other.condition(x, y), exact.condition(x, y))
    assert torch.equal(other.mean(x_new), exact.mean(x_new))


def test_points_come_near_the_exact_process(world):
    x, y, x_new, _ = world
    exact, few, many = make_gp(), make_gp(12), make_gp(80)
    residual = exact.condition(x, y)
    found = many.condition(x, y)
    few.condition(x, y)
    error, poor = ((gp.mean(x_new) - exact.mean(x_new)).square().mean() for gp in (many, few))
    assert error < 1e-4 * 0.01
    assert error < poor
    assert (found - residual).abs().max() < 0.01
    torch.testing.assert_close(many.variance(x_new), exact.variance(x_new), rtol=0.02, atol=1e-6)


def test_leaving_out_is_leaving_out_with_points(world):
    """The points stay; the star has no say in their weights."""
    x, y, _, _ = world
    gp = make_gp(20)
    closed = gp.condition(x, y)
    star = int((~torch.isin(torch.arange(300), gp.centre)).nonzero()[0])
    others = torch.arange(300) != star
    left = make_gp(20)
    left.condition(x, y)
    solution = left._solution[1]
    cross = solution.kernel(solution.centres, x[others]).to_dense().detach()
    among = solution.prior @ solution.prior.mT
    total = solution.noise * among + cross @ cross.mT
    alpha = torch.linalg.solve(total, cross @ y[others])
    mean = solution.kernel(x[star : star + 1], solution.centres).to_dense().detach() @ alpha
    torch.testing.assert_close(closed[star], (y[star] - mean[0]).detach(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("n_inducing", [None, 25])
def test_residuals_of_some_rows_are_those_of_all(world, n_inducing, assert_close):
    x, y, _, _ = world
    rows = torch.tensor([3, 250, 17])
    some = make_gp(n_inducing).condition(x, y, rows)
    assert_close(some, make_gp(n_inducing).condition(x, y)[rows])


def test_the_variance_comes_back_to_the_priors_far_away(world):
    """A subset of regressors alone would be certain of itself there."""
    x, y, _, _ = world
    gp = SharedKernelGP(build_kernel(2, "rbf", True, False, 0.8, 1.5), 0.01, 25)
    gp.condition(x, y)
    far = torch.full((1, 2), 300.0, dtype=torch.float64)
    torch.testing.assert_close(gp.variance(far), torch.full((1, 2), 1.5).double())


def test_the_density_counts_all_stars(world):
    x, y, x_new, _ = world
    exact, gp = make_gp(), make_gp(60)
    exact.condition(x, y)
    gp.condition(x, y)
    one, other = (each.predictor.mean_and_density(x_new)[1] for each in (exact, gp))
    assert ((other / one - 1).abs() < 0.2).all()


def test_templates_that_agree_need_jitter(world):
    x, y, _, _ = world
    gp = make_gp(noise=2e-6)
    residual = gp.condition(torch.cat([x, x]), torch.cat([y, y]))
    assert residual.isfinite().all()

import pytest
import torch

from torchfit.emulator.local_covariance import (
    LocalCovariance,
    LocalVariance,
    fit_local_covariance,
    fit_local_variance,
    node_weights,
    nodes_over,
    robust_covariance,
    weighted_median,
)


@pytest.fixture
def stars(generator):
    """Residuals whose spread doubles from cool to hot."""
    teff = 4000 + 3000 * torch.rand(400, generator=generator).double()
    spread = torch.where(teff > 5500, 2.0, 1.0)
    return teff, spread[:, None] * torch.randn(400, 2, generator=generator).double()


def test_outliers_hardly_matter(stars):
    residual = stars[1].clone()
    weight = torch.ones(400).double()
    clean = robust_covariance(residual, weight)
    residual[:8] = 1000
    dirty = robust_covariance(residual, weight)
    assert (dirty.diagonal() / clean.diagonal() < 1.2).all()


def test_a_star_of_no_weight_does_not_matter(stars, assert_close):
    residual = stars[1].clone()
    weight = torch.ones(400).double()
    weight[:8] = 0
    clean = robust_covariance(residual[8:], weight[8:])
    residual[:8] = 1000
    assert_close(robust_covariance(residual, weight), clean)


def test_covariance_is_positive_definite_with_fewer_stars_than_dimensions(generator):
    residual = torch.randn(3, 6, generator=generator).double()
    found = robust_covariance(residual, torch.ones(3).double())
    assert (torch.linalg.eigvalsh(found) > 0).all()


def test_local_covariance_follows_the_temperature(stars):
    local = fit_local_covariance(*stars, n_nodes=9, bandwidth=0.03)
    cool, hot = local.at(torch.tensor([4300.0, 6700.0]).double()).diagonal(dim1=1, dim2=2).sqrt()
    assert (hot / cool > 1.5).all()
    assert (torch.linalg.eigvalsh(local.matrices) > 0).all()


def test_a_library_of_one_temperature_has_nodes_too(stars):
    teff = torch.full((400,), 5000.0).double()
    local = fit_local_covariance(teff, stars[1])
    assert (local.nodes.diff() > 0).all()
    assert local.at(teff[:2]).isfinite().all()


def test_weights_sum_to_one_and_are_local():
    nodes = torch.linspace(3.6, 3.9, 4, dtype=torch.float64)
    teff = 10 ** torch.tensor([3.0, 3.6, 3.65, 3.7, 3.83, 3.9, 4.5]).double()
    weight = node_weights(nodes, teff)
    torch.testing.assert_close(weight.sum(dim=1), torch.ones(7).double())
    assert ((weight > 1e-6).sum(dim=1) <= 2).all()
    assert weight[0].argmax() == 0
    assert weight[-1].argmax() == 3


def test_nodes_span_the_stars(stars):
    nodes = nodes_over(stars[0], 5)
    assert nodes[0].item() == pytest.approx(stars[0].min().log10().item())
    assert nodes[-1].item() == pytest.approx(stars[0].max().log10().item())


def test_a_covariance_at_a_node_is_its_own(generator, assert_close):
    matrices = torch.randn(4, 2, 2, generator=generator).double()
    local = LocalCovariance(torch.linspace(3.6, 3.9, 4, dtype=torch.float64), matrices)
    assert_close(local.at(10**local.nodes), matrices)


def test_local_variance_follows_the_temperature(stars):
    teff, residual = stars
    good = torch.ones_like(residual, dtype=torch.bool)
    local = fit_local_variance(teff, residual, good, n_nodes=9, bandwidth=0.03)
    cool, hot = local.at(torch.tensor([4300.0, 6700.0]).double()).sqrt()
    assert (hot / cool > 1.5).all()


def test_local_variance_makes_the_typical_star_fit(generator):
    teff = 4000 + 3000 * torch.rand(300, generator=generator).double()
    profile = torch.linspace(0.5, 2.0, 50).double()
    residual = profile * torch.randn(300, 50, generator=generator).double()
    residual[:15] *= 30
    good = torch.ones_like(residual, dtype=torch.bool)
    local = fit_local_variance(teff, residual, good, n_nodes=3, bandwidth=10.0)
    ratio = (residual.square() / local.at(teff)).mean(dim=1)
    assert ratio.median().item() == pytest.approx(1.0, rel=0.01)
    assert (ratio[15:] < 3).all()


def test_local_variance_of_masked_pixels(generator, assert_close):
    """A pixel masked in some stars is judged by the others, and 0 where no star has it."""
    teff = torch.full((200,), 5000.0).double()
    residual = torch.randn(200, 20, generator=generator).double()
    good = torch.rand(200, 20, generator=generator) > 0.3
    good[:, 7] = False
    junk = torch.where(good, residual, 1e6)
    local = fit_local_variance(teff, junk, good, n_nodes=2, bandwidth=0.1)
    assert (local.values[:, 7] == 0).all()
    others = [pixel for pixel in range(20) if pixel != 7]
    assert ((local.values[:, others] > 0.5) & (local.values[:, others] < 1.6)).all()


def test_variance_between_nodes_is_linear(generator, assert_close):
    local = LocalVariance(
        torch.tensor([3.6, 3.8], dtype=torch.float64),
        torch.tensor([[1.0, 2.0], [3.0, 6.0]]).double(),
    )
    assert_close(local.at(torch.tensor([10**3.7], dtype=torch.float64)), [[2.0, 4.0]])


def test_weighted_median_reaches_half_of_the_weight():
    values = torch.tensor([[5.0, 1.0, 3.0], [5.0, 1.0, 3.0]]).double()
    weight = torch.tensor([[1.0, 1.0, 1.0], [5.0, 1.0, 1.0]]).double()
    assert weighted_median(values, weight).tolist() == [3.0, 5.0]

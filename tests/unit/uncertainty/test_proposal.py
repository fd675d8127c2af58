import numpy as np
import torch
from scipy.stats import multivariate_t

from torchfit.uncertainty.proposal import DOF, StudentT
from torchfit.uncertainty.streams import Streams


def make_bell(generator, n_stars=3, n_labels=3):
    matrix = torch.randn(n_stars, n_labels, n_labels, generator=generator).double()
    covariance = matrix @ matrix.mT + 0.2 * torch.eye(n_labels).double()
    centre = torch.randn(n_stars, n_labels, generator=generator).double()
    return StudentT(centre, torch.linalg.cholesky(covariance))


def draws(bell, n_points):
    n_stars = len(bell.centre)
    uniform = Streams.of(0, torch.arange(n_stars)).uniform(0, n_points * bell.n_uniform)
    return bell.draw(uniform.reshape(n_stars, n_points, -1))


def test_the_density_is_that_of_scipy_up_to_a_constant(generator, assert_close):
    bell = make_bell(generator)
    points = draws(bell, 20)
    found = bell.log_density(points)
    for star in range(3):
        shape = (bell.factor[star] @ bell.factor[star].T).numpy()
        expected = multivariate_t(bell.centre[star].numpy(), shape, df=DOF).logpdf(points[star])
        assert_close(found[star] - found[star, 0], expected - expected[0])


def test_draws_have_the_moments_of_the_density(generator):
    bell = make_bell(generator)
    points = draws(bell, 40000)
    covariance = bell.factor @ bell.factor.mT * DOF / (DOF - 2)
    scale = covariance.diagonal(dim1=1, dim2=2).sqrt()
    assert ((points.mean(dim=1) - bell.centre) / scale).abs().max() < 5 / 200
    for star in range(3):
        found = np.cov(points[star].numpy().T)
        expected = covariance[star].numpy()
        assert np.abs(found - expected).max() < 0.06 * expected.max()


def test_it_moves_to_points(generator, assert_close):
    bell = make_bell(generator)
    points = torch.randn(3, 500, 3, generator=generator).double() * 5 + 7
    moved = bell.moved_to(points)
    assert_close(moved.centre, points.mean(dim=1))
    covariance = torch.stack([points[star].T.cov(correction=0) for star in range(3)])
    assert_close(moved.factor @ moved.factor.mT, covariance + 1e-3 * bell.factor @ bell.factor.mT)


def test_points_that_are_all_one_leave_a_small_bell(generator):
    bell = make_bell(generator)
    moved = bell.moved_to(bell.centre[:, None].expand(-1, 10, -1))
    torch.testing.assert_close(moved.factor, bell.factor * 1e-3**0.5)

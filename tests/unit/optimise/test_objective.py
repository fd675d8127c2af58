import pytest
import torch

from torchfit.optimise.metric import Metric
from torchfit.optimise.objective import StartPrior


@pytest.fixture
def objective(emulator, observe, draw_labels):
    labels = draw_labels(5, 33)
    return Metric().objective(emulator, observe(labels, 0.01), labels)


def test_chosen_stars_have_their_own_loss(objective, generator, assert_close):
    unit = torch.randn(5, 3, generator=generator).double()
    stars = torch.tensor([3, 0])
    assert len(objective) == 5
    assert len(objective[stars]) == 2
    assert_close(objective[stars].loss(unit[stars]), objective.loss(unit)[stars])


def test_chi_squared_is_not_negative(objective, generator):
    unit = torch.randn(5, 40, 3, generator=generator).double()
    assert (objective.chi_squared(unit) > -1e-6).all()


def test_the_hessian_is_symmetric_and_positive(objective, generator):
    hessian = objective.derivatives(torch.randn(5, 3, generator=generator).double())[2]
    torch.testing.assert_close(hessian, hessian.mT)
    assert (torch.linalg.eigvalsh(hessian) > 0).all()


def test_the_prior_is_zero_at_its_mean_and_grows_as_the_square(generator, assert_close):
    mean = torch.randn(2, 3, generator=generator).double()
    precision = torch.eye(3).double() * torch.tensor([2.0, 5.0]).double()[:, None, None]
    prior = StartPrior(mean, precision)
    assert (prior.penalty(mean) == 0).all()
    offset = torch.tensor([1.0, 0.0, 0.0]).double()
    assert_close(prior.penalty(mean + offset), [2.0, 5.0])
    assert_close(prior.penalty(mean + 3 * offset), [18.0, 45.0])
    several = mean[:, None] + torch.stack([offset, 2 * offset])
    assert_close(prior.penalty(several), [[2.0, 8.0], [5.0, 20.0]])

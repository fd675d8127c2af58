from dataclasses import replace

import pytest
import torch
from tests.metrics import loss_of, plain_metric

from torchfit.likelihood.prior import StartPrior
from torchfit.likelihood.support import Support


@pytest.fixture
def objective(emulator, observe, draw_labels):
    labels = draw_labels(5, 33)
    return loss_of(plain_metric(), emulator, observe(labels, 0.01), labels)


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


def test_what_the_spectrum_asks_for_is_a_newton_step_of_chi_squared(objective, assert_close):
    """Gradient and width of the parabola by finite differences, label by label."""
    unit = objective.prior.mean + 0.01
    step = 1e-4 * torch.eye(3).double()
    up, here, down = (objective.chi_squared(unit[:, None] + sign * step) for sign in (1, 0, -1))
    gradient, bend = (up - down) / 4e-4, (up - 2 * here + down) / 2e-8
    wanted, sigma = objective.at(unit).asked_for()
    fisher = objective.at(unit).information()[0]
    moved = torch.linalg.solve(fisher, -gradient)
    assert (wanted - unit - moved).abs().max() < 1e-3 * moved.abs().max()
    assert_close(sigma, torch.linalg.inv(fisher).diagonal(dim1=1, dim2=2).sqrt())
    assert (fisher.diagonal(dim1=1, dim2=2) / bend - 1).abs().median() < 0.1


def test_prior_and_wall_do_not_count_in_what_the_spectrum_asks_for(objective, emulator):
    unit = objective.prior.mean + 0.3
    other = replace(
        objective,
        prior=StartPrior(unit - 1, 50 * objective.prior.precision),
        support=Support(density=1e6, weight=10.0),
    )
    for ours, theirs in zip(
        objective.at(unit).asked_for(), other.at(unit).asked_for(), strict=True
    ):
        assert torch.equal(ours, theirs)
    assert not torch.equal(objective.derivatives(unit)[1], other.derivatives(unit)[1])


def test_a_star_without_a_good_pixel_asks_for_nothing(emulator, observe, draw_labels):
    labels = draw_labels(2, 33)
    spectra = observe(labels, 0.01)
    spectra.ivar[0] = 0
    objective = loss_of(plain_metric(), emulator, spectra, labels)
    wanted, sigma = objective.at(emulator.scaler.to_unit(labels)).asked_for()
    assert wanted[0].isnan().all() and sigma[0].isnan().all()
    assert wanted[1].isfinite().all() and sigma[1].isfinite().all()


def test_at_its_start_a_star_is_evaluated_once(objective, monkeypatch):
    start, moved = objective.origin.unit, objective.origin.unit + 0.1
    expected, elsewhere = objective.at(start).of_change(), objective.at_start(moved).of_change()
    assert all(map(torch.equal, elsewhere, objective.at(moved).of_change()))
    monkeypatch.setattr(type(objective.predictor), "derivatives", None)
    assert all(map(torch.equal, objective.at_start(start).of_change(), expected))
    chosen = objective[torch.tensor([2, 0])]
    assert torch.equal(chosen.at_start(start[[2, 0]]).prediction.mean, chosen.centre)

import math

import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.uncertainty.diagnostics import effective_size, split_rhat
from torchfit.uncertainty.proposal import StudentT
from torchfit.uncertainty.sampler import EnsembleSampler

N_STARS = 60


def gaussian(point):
    """Correlated, of very different scales, the same for every star."""
    x, y, z = point.unbind(dim=-1)
    return -0.5 * (x**2 + ((y - 0.9 * x) / 0.3) ** 2 + ((z - 5) / 100) ** 2)


def banana(point):
    x, y, z = point.unbind(dim=-1)
    return -0.5 * (x**2 + ((y - 0.5 * x**2) / 0.5) ** 2 + z**2)


def bell(scale=1.0, n_stars=N_STARS, centre=(0.0, 0.0, 5.0)):
    factor = scale * torch.diag(torch.tensor([1.0, 0.95, 100.0], dtype=torch.float64))
    centre = torch.tensor(centre, dtype=torch.float64).expand(n_stars, 3)
    return StudentT(centre, factor.expand(n_stars, 3, 3))


@pytest.mark.parametrize("stretch_every", [1, 2, 4])
def test_a_gaussian_is_found(stretch_every):
    """All stars are replicates: their means scatter as their effective sizes say."""
    sampler = EnsembleSampler(n_warmup=100, n_steps=300, stretch_every=stretch_every)
    draws = sampler.sample(gaussian, bell(), torch.arange(N_STARS))
    assert draws.shape == (N_STARS, 300, 16, 3)
    chains = draws.permute(0, 3, 1, 2)
    size = effective_size(chains)
    true_std = torch.tensor([1.0, math.hypot(0.9, 0.3), 100.0])
    mean = draws.mean(dim=(1, 2))
    pull = (mean - torch.tensor([0.0, 0.0, 5.0])) / true_std * size.sqrt()
    assert pull.mean(dim=0).abs().max() < 4 / math.sqrt(N_STARS)
    assert ((pull.std(dim=0) - 1).abs() < 0.35).all()
    assert ((draws.flatten(0, 2).std(dim=0) / true_std - 1).abs() < 0.04).all()
    assert split_rhat(chains).median() < 1.2


def test_draws_are_worth_more_than_stretches():
    def size(every):
        sampler = EnsembleSampler(n_steps=400, stretch_every=every)
        draws = sampler.sample(gaussian, bell(), torch.arange(N_STARS))
        return effective_size(draws.permute(0, 3, 1, 2)).mean()

    assert size(4) > 5 * size(1)


@pytest.mark.parametrize("stretch_every", [1, 4])
def test_a_banana_is_found(stretch_every):
    sampler = EnsembleSampler(n_walkers=32, n_warmup=300, n_steps=1500, stretch_every=stretch_every)
    start = bell(n_stars=20, centre=(0.0, 0.5, 0.0))
    start = StudentT(start.centre, torch.eye(3, dtype=torch.float64).expand(20, 3, 3))
    draws = sampler.sample(banana, start, torch.arange(20)).flatten(0, 2)
    assert draws.mean(dim=0) == pytest.approx(torch.tensor([0.0, 0.5, 0.0]).double(), abs=0.05)
    expected = torch.tensor([1.0, math.sqrt(0.5 + 0.25), 1.0]).double()
    assert draws.std(dim=0) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("scale", [0.2, 5.0])
def test_a_wrong_bell_is_mended_in_the_warmup(scale):
    sampler = EnsembleSampler(n_warmup=200, n_steps=400)
    draws = sampler.sample(gaussian, bell(scale), torch.arange(N_STARS))
    assert draws.flatten(0, 2).std(dim=0)[0] == pytest.approx(1.0, abs=0.04)
    assert effective_size(draws.permute(0, 3, 1, 2)).mean() > 1000


def test_a_box_cuts_the_posterior():
    def half(point):
        return torch.where((point > 0).all(dim=-1), gaussian(point), -torch.inf)

    draws = EnsembleSampler(n_steps=400).sample(half, bell(), torch.arange(N_STARS))
    assert draws.min() > 0
    only = EnsembleSampler(n_steps=400).sample(
        lambda point: torch.where(point[..., 0] > 0, -0.5 * point.square().sum(dim=-1), -torch.inf),
        StudentT(torch.zeros(N_STARS, 3).double(), torch.eye(3).double().expand(N_STARS, 3, 3)),
        torch.arange(N_STARS),
    )
    mean = only[..., 0].mean()
    assert float(mean) == pytest.approx(math.sqrt(2 / math.pi), abs=0.02)


def test_a_star_alone_is_as_in_the_batch():
    sampler = EnsembleSampler(n_steps=50)
    whole = sampler.sample(gaussian, bell(), torch.arange(N_STARS))
    star = torch.tensor([41, 3])
    torch.testing.assert_close(sampler.sample(gaussian, bell(n_stars=2), star), whole[star])


def test_seeds_differ_and_a_seed_repeats():
    star = torch.arange(4)
    first, again, other = (
        EnsembleSampler(n_steps=20, seed=seed).sample(gaussian, bell(n_stars=4), star)
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert (first != other).all()


def test_a_density_without_numbers_ends_as_it_began():
    draws = EnsembleSampler(n_steps=20).sample(
        lambda point: torch.full_like(point[..., 0], torch.nan), bell(), torch.arange(N_STARS)
    )
    assert (draws == draws[:, :1]).all()


@pytest.mark.parametrize(
    "setting",
    [
        {"n_walkers": 5},
        {"n_walkers": 2},
        {"n_warmup": 1},
        {"n_steps": 2},
        {"stretch_every": 0},
        {"stretch": 1.0},
    ],
)
def test_settings_without_sense_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        EnsembleSampler(**setting)

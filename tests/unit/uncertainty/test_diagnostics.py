import math

import numpy as np
import pytest
import torch
from scipy.stats import norm, rankdata

from torchfit.uncertainty.diagnostics import effective_size, split_rhat


def autoregressive(generator, correlation, n_stars=40, n_steps=2000, n_chains=4):
    """Chains of unit variance whose integrated correlation time is (1 + c) / (1 - c)."""
    noise = torch.randn(n_stars, n_steps, n_chains, generator=generator).double()
    chains = torch.empty_like(noise)
    chains[:, 0] = noise[:, 0]
    for step in range(1, n_steps):
        fresh = math.sqrt(1 - correlation**2) * noise[:, step]
        chains[:, step] = correlation * chains[:, step - 1] + fresh
    return chains


def plain_rhat(chains):
    """Vehtari et al. 2021 as it is written, for one star."""
    n_steps = len(chains) // 2 * 2
    halves = np.concatenate([chains[: n_steps // 2], chains[n_steps // 2 : n_steps]], axis=1)

    def rhat(values):
        rank = rankdata(values).reshape(values.shape)
        scores = norm.ppf((rank - 0.375) / (values.size + 0.25))
        n = len(scores)
        within = scores.var(axis=0, ddof=1).mean()
        between = n * scores.mean(axis=0).var(ddof=1)
        return math.sqrt(((n - 1) / n * within + between / n) / within)

    return max(rhat(halves), rhat(np.abs(halves - np.median(halves))))


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_rhat_is_the_formula(generator, shift, assert_close):
    chains = torch.randn(5, 101, 4, generator=generator).double()
    chains[:, :, 0] += shift
    chains[0] = chains[0].round(decimals=1)
    # An odd step is left out, and an even number of draws has no one in the middle.
    expected = [plain_rhat(np.delete(star.numpy(), 50, axis=0)) for star in chains]
    np.testing.assert_allclose(split_rhat(chains), expected, rtol=2e-3)


def test_chains_that_agree_have_rhat_1(generator):
    rhat = split_rhat(torch.randn(50, 400, 8, generator=generator).double())
    assert rhat.max() < 1.01


@pytest.mark.parametrize(
    "change",
    [
        lambda chains: chains[:, :, 0].add_(1.0),
        lambda chains: chains[:, :, 0].mul_(3.0),
        lambda chains: chains.add_(torch.linspace(0, 2, chains.shape[1])[:, None]),
    ],
    ids=["another place", "another scale", "a drift"],
)
def test_chains_that_disagree_are_seen(generator, change):
    chains = torch.randn(20, 400, 8, generator=generator).double()
    change(chains)
    assert split_rhat(chains).min() > 1.03


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_the_effective_size_of_an_autoregressive_chain_is_known(generator, correlation):
    chains = autoregressive(generator, correlation)
    expected = chains[0].numel() * (1 - correlation) / (1 + correlation)
    assert effective_size(chains).mean() == pytest.approx(expected, rel=0.06)


def test_the_effective_size_is_the_precision_of_the_mean(generator):
    """var(mean) = var / S_eff, over stars that are all the same."""
    chains = autoregressive(generator, 0.8, n_stars=500, n_steps=400)
    scatter = chains.mean(dim=(1, 2)).var()
    assert 1 / scatter == pytest.approx(float(effective_size(chains).mean()), rel=0.2)


def test_chains_that_stay_apart_are_worth_little(generator):
    chains = torch.randn(5, 400, 8, generator=generator).double() + 3 * torch.arange(8)
    assert effective_size(chains).max() < 40


def test_draws_that_are_all_the_same_have_no_diagnosis():
    chains = torch.ones(2, 20, 4, dtype=torch.float64)
    assert split_rhat(chains).isnan().all()
    assert effective_size(chains).isnan().all()

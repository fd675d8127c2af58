"""The batched sampler against emcee, star by star, on the same log density."""

from dataclasses import replace

import emcee
import numpy as np
import pytest
import torch
from tests.contract.optimiser_contract import make_problem

from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.uncertainty.posterior import Posterior, laplace, log_density, sample_posterior
from torchfit.uncertainty.sampler import EnsembleSampler

N_STARS = 2


@pytest.fixture(scope="module")
def case(emulator, observe, draw_labels):
    spectra = observe(draw_labels(N_STARS, 60), 0.02, seed=60)
    problem, start = make_problem(emulator, spectra, (0,) * N_STARS)
    return problem, LevenbergMarquardt().minimise(problem, start).unit


def run_emcee(problem, unit, star, n_walkers=32, n_steps=1500):
    """Unit labels drawn by emcee, and their effective number."""
    density = log_density(replace(problem, objective=problem.objective[torch.tensor([star])]))
    sampler = emcee.EnsembleSampler(
        n_walkers, 3, lambda x: density(torch.from_numpy(x)[None])[0].numpy(), vectorize=True
    )
    np.random.seed(star)
    width = laplace(problem, unit).factor[star].numpy()
    first = unit[star].numpy() + 0.5 * np.random.randn(n_walkers, 3) @ width.T
    first = np.clip(first, problem.lower + 1e-6, problem.upper - 1e-6)
    sampler.run_mcmc(first, n_steps)
    draws = sampler.get_chain(discard=300, flat=True)
    return draws, len(draws) / sampler.get_autocorr_time(tol=0).max()


@pytest.mark.parametrize("star", range(N_STARS))
def test_the_posterior_is_that_of_emcee(emulator, case, star):
    problem, unit = case
    expected, n_effective = run_emcee(problem, unit, star)
    expected = emulator.scaler.from_unit(torch.from_numpy(expected))
    sampler = EnsembleSampler(n_warmup=60, n_steps=1000)
    one = replace(problem, objective=problem.objective[torch.tensor([star])])
    draws = sample_posterior(
        sampler, one, emulator.scaler, unit[star : star + 1], torch.tensor([star])
    )
    found = Posterior.of_draws(draws)
    # Standard errors of a mean, of a standard deviation (Gaussian: half), and of quantiles (1.5).
    allowed = 4 * (1 / n_effective + 1 / float(found.ess)) ** 0.5
    spread = expected.std(dim=0)
    assert ((found.mean[0] - expected.mean(dim=0)).abs() < allowed * spread).all()
    assert ((found.std[0] / spread - 1).abs() < allowed).all()
    levels = torch.tensor([0.16, 0.5, 0.84], dtype=torch.float64)
    quantiles = expected.quantile(levels, dim=0).T
    assert ((found.quantiles[0] - quantiles).abs() < 1.5 * allowed * spread[:, None]).all()

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from tests.contract.optimiser_contract import make_problem
from tests.metrics import fit_by, plain_metric

from torchfit.exceptions import ConfigError
from torchfit.likelihood.exact import ExactLikelihood
from torchfit.likelihood.metric import Sharing
from torchfit.likelihood.shared import SharedLikelihood
from torchfit.measure.device import to_device
from torchfit.uncertainty.posterior import Posterior
from torchfit.uncertainty.sampler import EnsembleSampler
from torchfit.uncertainty.sampling import PosteriorSampling

STAR = torch.tensor([10, 11, 12, 13, 14])
SAMPLING = PosteriorSampling(EnsembleSampler(n_warmup=20, n_steps=100))


@pytest.fixture(scope="module")
def case(emulator, observe, draw_labels):
    problem, fit = make_problem(emulator, observe(draw_labels(5, 70), 0.01, seed=70), (0,) * 5)
    return problem, emulator.scaler, fit.unit, STAR


def test_all_stars_are_sampled(case):
    posterior = SAMPLING.posterior(*case)
    assert posterior.mean.isfinite().all()
    assert posterior.std.isfinite().all()


def test_the_metric_of_millions_in_single_precision(emulator, observe, draw_labels):
    """It is shared and approximate, and so is the posterior."""
    labels = draw_labels(5, 70)
    spectra = observe(labels, 0.01, seed=70)
    found, expected = (
        sampled(likelihood, emulator, spectra, labels)
        for likelihood in (
            SharedLikelihood(plain_metric(sharing=Sharing()), emulator),
            ExactLikelihood(plain_metric(), emulator),
        )
    )
    assert ((found.mean - expected.mean).abs() < expected.std).all()
    assert ((found.std / expected.std).log().abs() < 0.5).all()


def sampled(likelihood, emulator, spectra, start):
    problem, fit = fit_by(likelihood, emulator, spectra, start)
    return SAMPLING.posterior(problem, emulator.scaler, fit.unit, STAR)


def test_only_chosen_stars_are_sampled(case):
    whole = SAMPLING.posterior(*case)
    some = SAMPLING.posterior(*case, torch.tensor([11, 14, 99]))
    assert some.mean.isfinite().all(dim=1).tolist() == [False, True, False, False, True]
    torch.testing.assert_close(some.quantiles[[1, 4]], whole.quantiles[[1, 4]])


def test_no_star_is_sampled(case):
    none = torch.tensor([], dtype=torch.long)
    assert SAMPLING.posterior(*case, none).mean.isnan().all()


def test_the_size_of_batches_does_not_matter(case):
    whole = SAMPLING.posterior(*case)
    pieces = replace(SAMPLING, stars_at_once=2).posterior(*case)
    torch.testing.assert_close(pieces.mean, whole.mean)
    torch.testing.assert_close(pieces.rhat, whole.rhat)


def test_chains_that_disagree_have_not_mixed(case):
    posterior = SAMPLING.posterior(*case)
    rhat = torch.tensor([1.0, 1.04, 1.06, torch.nan, 2.0], dtype=torch.float64)
    told = replace(posterior, rhat=rhat)
    assert SAMPLING.has_not_mixed(told).tolist() == [False, False, True, True, True]
    assert not SAMPLING.has_not_mixed(Posterior.unsampled(case[2])).any()


@pytest.mark.parametrize("setting", [{"max_rhat": 1.0}, {"stars_at_once": 0}])
def test_settings_without_sense_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        PosteriorSampling(**setting)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_draws_the_same(case):
    device = torch.device("cuda")
    problem, scaler, unit, star = (to_device(each, device) for each in deepcopy(case))
    found = SAMPLING.posterior(problem, scaler, unit, star)
    assert found.mean.is_cuda
    expected = SAMPLING.posterior(*case)
    assert ((found.mean.cpu() - expected.mean).abs() < 0.2 * expected.std).all()

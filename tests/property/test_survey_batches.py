"""Batches as surveys have them: random gaps, unusable stars, one star, by every combination."""

import itertools

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.metrics import plain_metric, plain_nuisance

from torchfit.flags.bits import ResultFlag
from torchfit.group.grouping import Grouping
from torchfit.likelihood.metric import Sharing
from torchfit.likelihood.outliers import Outliers
from torchfit.match.matching import Matching
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.settings import FitSettings
from torchfit.optimise.bo import BayesianOptimisation
from torchfit.optimise.gradient import GradientDescent
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.turbo import TrustRegionOptimisation
from torchfit.spectra import Spectra
from torchfit.uncertainty.sampler import EnsembleSampler
from torchfit.uncertainty.sampling import PosteriorSampling

FEW = {"n_random": 2, "max_iterations": 1, "min_iterations": 1, "raw_samples": 8, "num_restarts": 2}
RICH = {"nuisance": plain_nuisance(2, velocity_sigma=20.0), "outliers": Outliers()}
METRICS = {
    "default": plain_metric(**RICH),
    "common": plain_metric(**RICH, sharing=Sharing()),
    "paper": plain_metric(weighted=False, prior_strength=0.0),
}
LM = LevenbergMarquardt(max_iterations=8)
OPTIMISERS = {
    "lm": {"lm": LM},
    "lm, three starts": {"lm": LevenbergMarquardt(max_iterations=4, n_starts=3)},
    "bo, lm": {"bo": BayesianOptimisation(**FEW), "lm": LM},
    "turbo, lm": {"turbo": TrustRegionOptimisation(**FEW), "lm": LM},
    "adam": {"adam": GradientDescent("adam", max_iterations=4)},
    "lbfgs": {"lbfgs": GradientDescent("lbfgs", "active_subspace", max_iterations=3)},
    "none": {},
}
SAMPLING = PosteriorSampling(EnsembleSampler(n_walkers=8, n_warmup=4, n_steps=8))
CELLS = list(itertools.product(METRICS, ("pixels", "components"), OPTIMISERS, (False, True)))


@pytest.fixture(scope="module")
def fitters(masked_emulator):
    def fitter(metric, space, optimisers, sampled):
        chosen = FitSettings(
            Matching(t=8, n_best=3, space=space),
            Grouping(max_comp=2),
            METRICS[metric],
            OPTIMISERS[optimisers],
            sampling=SAMPLING if sampled else None,
        )
        return BatchFitter(masked_emulator, chosen)

    return {cell: fitter(*cell) for cell in CELLS}


@st.composite
def gaps(draw):
    """Share of missing pixels of each star: a few, many, all but one, all."""
    n_stars = draw(st.integers(1, 4))
    shares = st.sampled_from([0.0, 0.02, 0.3, 0.9, 0.9975, 1.0])
    return draw(st.lists(shares, min_size=n_stars, max_size=n_stars)), draw(st.integers(0, 99))


def batch_of(spectra, shares, seed):
    generator = torch.Generator().manual_seed(seed)
    stars = torch.arange(len(shares))
    keep = torch.rand(len(shares), len(spectra.wave), generator=generator)
    bad = keep < torch.tensor(shares)[:, None]
    chosen = spectra[stars]
    ivar = torch.where(bad, 0.0, chosen.ivar)
    flux = torch.where(bad, torch.nan, chosen.flux).nan_to_num(7.0)
    has_ivar = torch.rand(len(shares), generator=generator) < 0.8
    ivar = torch.where(has_ivar[:, None], ivar, (ivar > 0).to(ivar))
    single = Spectra(spectra.wave, flux, ivar, has_ivar).to(torch.float32)
    return GroupBatch(stars, stars // 2, single)


@pytest.mark.parametrize("cell", CELLS, ids=str)
@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(gaps())
def test_no_star_stops_the_others(fitters, observe, draw_labels, masked_emulator, cell, gaps):
    batch = batch_of(observe(draw_labels(4, 12), 0.01, seed=12), *gaps)
    found = fitters[cell].measure(batch)
    assert torch.equal(found.star, batch.star)
    numbers = (found.labels, found.start, found.cfi, found.chi2, found.sse, found.v_rad)
    assert {x.dtype for x in (*numbers, found.errors.total, found.fit.unit)} == {torch.float64}
    usable = (batch.spectra.good & masked_emulator.flux_pca.good).any(dim=1)
    unfit = (found.flags & ResultFlag.INVALID) > 0
    assert unfit[~usable].all()
    assert found.labels[~unfit].isfinite().all()
    assert (found.chi2[~unfit] >= 0).all()
    weighted = cell[0] != "paper"
    assert (found.posterior is not None) == (cell[3] and weighted)


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=10)
@given(gaps())
def test_a_whole_star_does_not_depend_on_broken_ones(fitters, observe, draw_labels, metric, gaps):
    shares, seed = gaps
    spectra = observe(draw_labels(4, 12), 0.01, seed=12)
    fitter = fitters[metric, "pixels", "lm", False]
    alone = fitter.measure(batch_of(spectra, [0.0], 7))
    batch = batch_of(spectra, [0.0, *shares[1:]], seed)
    first = fitter.measure(batch[torch.tensor([0])])
    together = fitter.measure(batch)
    torch.testing.assert_close(together.labels[0], first.labels[0], rtol=1e-4, atol=1e-4)
    assert alone.labels.isfinite().all()

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import ConfigError
from torchfit.likelihood.exact import ExactLikelihood
from torchfit.likelihood.metric import Metric, Sharing
from torchfit.likelihood.noise import NodeNoise, NoiseShape
from torchfit.likelihood.shared import SharedLikelihood
from torchfit.likelihood.start_noise import start_noise

N_LABELS, N_PIX = 3, 60


def slopes(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4, N_LABELS, N_PIX, generator=generator, dtype=torch.float64)


@given(seed=st.integers(0, 20), log_noise=st.floats(-9, 9), masked=st.floats(0, 1))
def test_it_lies_between_nothing_and_the_whole_library(seed, log_noise, masked):
    noise = torch.full((4, N_PIX), 10**log_noise, dtype=torch.float64)
    bad = torch.rand(4, N_PIX, generator=torch.Generator().manual_seed(seed)) < masked
    found = start_noise(slopes(seed), noise.masked_fill(bad, torch.inf), 0.03)
    value = torch.linalg.eigvalsh(found)
    assert (value >= -1e-9).all()
    assert (value <= 1 + 1e-9).all()


@given(seed=st.integers(0, 20), factor=st.floats(1.01, 100))
def test_it_grows_with_the_noise(seed, factor):
    noise = torch.full((4, N_PIX), 0.1, dtype=torch.float64)
    less, more = (start_noise(slopes(seed), noise * f, 0.03) for f in (1.0, factor))
    assert (torch.linalg.eigvalsh(more - less) > -1e-9).all()


def test_without_noise_nothing_moves_and_without_spectrum_everything():
    none, all_bad = torch.zeros(4, N_PIX).double(), torch.full((4, N_PIX), torch.inf).double()
    assert start_noise(slopes(0), none, 0.03).abs().max() < 1e-6
    eye = torch.eye(N_LABELS, dtype=torch.float64).expand(4, -1, -1)
    blank = start_noise(torch.zeros_like(slopes(0)), torch.ones_like(none), 0.03)
    for found in (blank, start_noise(slopes(0), all_bad, 0.03)):
        torch.testing.assert_close(found, eye, atol=1e-9, rtol=0)


@pytest.fixture
def spectra(observe, draw_labels):
    return observe(draw_labels(6, 7), 0.05)


def precision(metric, emulator, spectra, start, noise=None):
    made = ExactLikelihood(metric, emulator)
    if metric.sharing is not None:
        made = SharedLikelihood(metric, emulator, noise)
    return made.condense(spectra, start).objective.prior.precision.double()


def test_the_prior_of_shared_matrices_is_about_that_of_each_star(emulator, spectra, draw_labels):
    """Their noise has steps."""
    start = draw_labels(6, 7)
    exact = precision(Metric(), emulator, spectra, start)
    shared = precision(Metric(sharing=Sharing()), emulator, spectra, start)
    fixed = precision(Metric(start_scatter=None), emulator, spectra, start)
    for one, other, plain in zip(exact, shared, fixed, strict=True):
        ratio = torch.linalg.eigvals(torch.linalg.solve(one, other)).real
        assert (ratio > 0.6).all()
        assert (ratio < 1.6).all()
        assert (torch.linalg.eigvalsh(plain - one) > 0).all()
        assert (torch.linalg.eigvalsh(plain - other) > 0).all()


@pytest.mark.parametrize("sharing", [None, Sharing()])
def test_more_noise_less_prior(emulator, observe, draw_labels, sharing):
    start, metric = draw_labels(6, 7), Metric(sharing=sharing)
    sizes = [
        torch.linalg.det(precision(metric, emulator, observe(start, sigma), start))
        for sigma in (0.003, 0.03, 0.3)
    ]
    assert (sizes[0] > sizes[1]).all()
    assert (sizes[1] > sizes[2]).all()


def test_the_noise_of_the_survey_has_its_shape(emulator, spectra, draw_labels):
    """Stars whose noise lies where the labels do not show have more of a prior."""
    start = draw_labels(6, 7)
    nodes = emulator.residuals.nodes
    uneven = spectra.ivar * torch.linspace(0.01, 2, spectra.ivar.shape[1], dtype=torch.float64)
    tilted = replace(spectra, ivar=uneven)
    noise = dict.fromkeys(range(len(nodes)), NodeNoise.of(tilted))
    shape = NoiseShape.of(nodes, len(emulator.wave), noise)
    metric = Metric(sharing=Sharing())
    known = precision(metric, emulator, tilted, start, shape)
    flat = precision(metric, emulator, tilted, start)
    exact = precision(Metric(), emulator, tilted, start)
    off = [(each - exact).norm() / exact.norm() for each in (known, flat)]
    assert off[0] < off[1]


def test_an_unweighted_sum_has_no_prior(emulator, spectra, draw_labels):
    found = precision(Metric(weighted=False), emulator, spectra, draw_labels(6, 7))
    assert (found == 0).all()


def test_a_scatter_must_be_positive():
    with pytest.raises(ConfigError, match="start_scatter"):
        Metric(start_scatter=0.0)

"""A small analytic world: labels, spectra, a library of them, and an emulator of the library."""

import os
import sys
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import settings
from tests.installed import install
from threadpoolctl import threadpool_limits

from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel
from torchfit.emulator.learner import MarginalLikelihood
from torchfit.emulator.training import EmulatorTraining
from torchfit.library.library import Library
from torchfit.names import LABELS
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectra

torch.set_num_threads(1)
threadpool_limits(1)  # small matrices on a shared machine: two threads wait for each other
# The same examples in every run; HYPOTHESIS_PROFILE=search looks for others.
settings.register_profile("torchfit", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "torchfit"))


def pytest_make_parametrize_id(config, val, argname):
    """The name of the parameter for bytes: packed ones hold the time, and a test has one name."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def _spawning():
    """Children can be spawned: a worker of pytest-xdist loses what Python asks its program for."""
    main = sys.modules["__main__"]
    if not hasattr(main, "__spec__"):
        main.__spec__ = None


TOLERANCE = {torch.float64: 1e-7, torch.float32: 1e-4}
"""The one tolerance of each precision, relative to the largest expected number."""

N_LABELS = 3
N_TEMPLATES = 90
N_REPEATS = 10
LIBRARY_NOISE = 0.005
LSF_FWHM = 2.0


def _assert_close(actual, expected, dtype=torch.float64):
    actual, expected = (np.asarray(values, dtype=np.float64) for values in (actual, expected))
    tolerance = TOLERANCE[dtype]
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * scale)


def _draw_labels(n_stars, seed):
    """Labels of an FGK library: 4500-7000 K, 1-5 dex, -1.5-0.5 dex."""
    generator = torch.Generator().manual_seed(seed)
    unit = torch.rand(n_stars, N_LABELS, generator=generator, dtype=torch.float64)
    low = torch.tensor([4500.0, 1.0, -1.5], dtype=torch.float64)
    return low + torch.tensor([2500.0, 4.0, 2.0], dtype=torch.float64) * unit


def _analytic_flux(labels, wave, resolution=0.0):
    """Twelve Gaussian lines whose depths follow the labels smoothly, each in its own way."""
    unit = torch.stack(
        [(labels[:, 0].log10() - 3.75) / 0.06, (labels[:, 1] - 3) / 1.2, (labels[:, 2] + 0.5) / 0.6]
    )
    flux = torch.ones(len(labels), len(wave), dtype=torch.float64)
    for line in range(12):
        sensitivity = torch.tensor([line, 2 * line + 2, 3 * line + 1], dtype=torch.float64).sin()
        depth = 0.3 * torch.sigmoid(sensitivity @ unit)
        width = 2 + 1.5 * (line % 3)
        broad = (width**2 + resolution**2) ** 0.5
        offset = (wave - (wave[0] + 20 + 31 * line)) / broad
        flux = flux - depth[:, None] * width / broad * torch.exp(-0.5 * offset**2)
    return flux


def _observe(wave, labels, sigma, seed=1, masked=0.0, has_ivar=True):
    """Noisy spectra of given labels; a share of the pixels is bad and holds nonsense."""
    generator = torch.Generator().manual_seed(seed)
    shape = (len(labels), len(wave))
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    bad = torch.rand(shape, generator=generator, dtype=torch.float64) < masked
    flux = torch.where(bad, 7.0, _analytic_flux(labels, wave) + sigma * noise)
    level = max(sigma, 1e-4) ** -2 if has_ivar else 1.0
    ivar = torch.where(bad, 0.0, torch.full(shape, level, dtype=torch.float64))
    return Spectra(wave, flux, ivar, torch.full((len(labels),), has_ivar))


@pytest.fixture(scope="session")
def assert_close():
    """Compare arrays within the one tolerance of their precision."""
    return _assert_close


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """torchfit installed from its wheel."""
    return install(tmp_path_factory.mktemp("installed"))


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def draw_labels():
    """``draw_labels(n_stars, seed)``: labels inside the library."""
    return _draw_labels


@pytest.fixture(scope="session")
def analytic_flux():
    """``analytic_flux(labels, wave, resolution)``: the truth behind every synthetic spectrum."""
    return _analytic_flux


@pytest.fixture(scope="session")
def preprocessor():
    return Preprocessor(4000.0, 4399.0, 1.0, windows=[], dib_min_ew=None, median_window=101)


@pytest.fixture(scope="session")
def observe(preprocessor):
    """``observe(labels, sigma, seed, masked, has_ivar)``: spectra on the emulator's grid."""
    return partial(_observe, preprocessor.wave)


def _library(spectra, labels):
    names = [f"star {max(number, N_REPEATS)}" for number in range(len(labels))]
    for number in range(N_REPEATS):
        names[number] = f"repeat {number // 2}"
    lsf_fwhm = torch.full_like(spectra.wave, LSF_FWHM)
    return Library(
        spectra, labels, LABELS[:N_LABELS], tuple(names), lsf_fwhm, {"licence": "none needed"}
    )


@pytest.fixture(scope="session")
def library(observe):
    """Ninety stars without bad pixels; the first ten are five stars seen twice."""
    labels = _draw_labels(N_TEMPLATES, seed=0)
    return _library(observe(labels, LIBRARY_NOISE, seed=0), labels)


@pytest.fixture(scope="session")
def masked_library(observe):
    """The same stars with 5 % of the pixels bad, and thirty pixels that no star has."""
    labels = _draw_labels(N_TEMPLATES, seed=0)
    spectra = observe(labels, LIBRARY_NOISE, seed=0, masked=0.05)
    ivar = spectra.ivar.clone()
    ivar[:, 180:210] = 0
    return _library(Spectra(spectra.wave, spectra.flux, ivar, spectra.has_ivar), labels)


@pytest.fixture(scope="session")
def training():
    """Hyperparameters held fixed, so that building is one Cholesky."""
    kernel = partial(build_kernel, linear=False, lengthscale=1.5, outputscale=2.0)
    return EmulatorTraining(kernel, MarginalLikelihood(), variance=0.999, max_comp=8, noise=0.02)


def _build(training, library, preprocessor):
    gp = SharedKernelGP(training.kernel(len(library.label_names)), training.noise)
    return training.build(library, preprocessor, gp, lambda gp, table: None)


@pytest.fixture(scope="session")
def emulator(training, library, preprocessor):
    return _build(training, library, preprocessor)


@pytest.fixture(scope="session")
def masked_emulator(training, masked_library, preprocessor):
    """An emulator that knows nothing of thirty pixels in the middle."""
    return _build(training, masked_library, preprocessor)

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import SpectrumError
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectra
from torchfit.survey.coding import Coded
from torchfit.surveys.lamost import LamostReader

BESIDE = Path(__file__).parents[3].parent / "shared" / "data"
ROOT = Path(os.environ.get("TORCHFIT_TEST_DATA", BESIDE)) / "lamost"


def spectra_of(flux, ivar, has_ivar=True):
    flux, ivar = (torch.as_tensor(np.asarray(x), dtype=torch.float64) for x in (flux, ivar))
    wave = torch.arange(flux.shape[1], dtype=torch.float64)
    return Spectra(wave, flux, ivar, torch.full((len(flux),), has_ivar))


def there_and_back(spectra):
    return Coded.of(spectra).spectra(spectra.wave).to(torch.float64)


@given(
    flux=st.lists(st.floats(-1e3, 1e3), min_size=6, max_size=6),
    log_ivar=st.lists(st.floats(-5, 8), min_size=6, max_size=6),
    good=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_a_spectrum_comes_back(flux, log_ivar, good):
    ivar = np.where(good, np.exp(log_ivar), 0.0)
    spectra = spectra_of([flux], [ivar])
    read = there_and_back(spectra)
    assert torch.equal(read.good, spectra.good)
    assert (read.flux[~spectra.good] == 0).all()
    depth = (1 - spectra.flux).abs()
    error = (read.flux - spectra.flux).abs()[spectra.good]
    assert (error <= depth[spectra.good] * (2**-11 + 2**-23) + 1e-7).all()
    ratio = (read.ivar / spectra.ivar)[spectra.good]
    assert ((ratio - 1).abs() < 0.028).all()


@pytest.mark.parametrize("level", [1.0, 1e-8, 3e6])
def test_equal_errors_stay_equal(level):
    ivar = np.full((2, 9), level)
    ivar[0, 3:5] = ivar[1] = 0
    read = there_and_back(spectra_of(np.ones((2, 9)), ivar))
    assert read.ivar[0].unique().numel() == 2
    torch.testing.assert_close(read.ivar, torch.from_numpy(ivar), rtol=1e-5, atol=0)


def test_a_mask_comes_back_as_ones_and_zeros():
    ivar = np.array([[1.0, 0.0, 1.0, 1.0]])
    read = there_and_back(spectra_of(np.ones((1, 4)), ivar, has_ivar=False))
    assert read.ivar.tolist() == ivar.tolist()
    assert not read.has_ivar.any()


def test_a_pixel_without_any_weight_is_bad():
    read = there_and_back(spectra_of(np.ones((1, 3)), [[1e4, 1.0, 1e-3]]))
    assert read.good.tolist() == [[True, True, False]]


def test_flux_beyond_half_precision_is_not_lost():
    read = there_and_back(spectra_of([[1e6, -1e6, 1.0]], np.ones((1, 3))))
    assert read.flux.tolist() == [[65505.0, -65503.0, 1.0]]


@pytest.mark.skipif(not ROOT.is_dir(), reason="no real LAMOST files: set TORCHFIT_TEST_DATA")
def test_the_harm_to_real_spectra():
    """Against double precision: the flux by 0.4 % of its noise, chi-squared by 0.2 %, at most."""
    spectra = []
    for _, outcome in (reader := LamostReader(str(ROOT))).spectra(reader.sources()):
        if not isinstance(outcome, SpectrumError):
            spectra.append(outcome)
    before = Preprocessor(3800.0, 8700.0, 1.0, dib_min_ew=30.0)(spectra)
    after = there_and_back(before)
    good = before.good
    assert torch.equal(after.good, good)
    in_sigma = torch.where(good, (after.flux - before.flux) * before.ivar.sqrt(), 0.0)
    rms = (in_sigma.square().sum(dim=1) / good.sum(dim=1)).sqrt()
    assert rms.max() < 0.004
    ratio = (after.ivar / before.ivar)[good]
    assert (ratio - 1).square().mean().sqrt() < 0.01
    chi2 = [(s.ivar * (s.flux - 1).square()).sum(dim=1) for s in (before, after)]
    assert (chi2[1] / chi2[0] - 1).abs().max() < 0.002

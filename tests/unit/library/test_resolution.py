import numpy as np
import pytest
import torch

from torchfit.exceptions import DataError
from torchfit.library.resolution import lsf_fwhm_of, resolution_nodes, to_one_resolution
from torchfit.names import FWHM_PER_SIGMA
from torchfit.spectra import Spectra, Spectrum, StarInfo
from torchfit.surveys.reader import SurveyReader

WAVE = torch.arange(5000.0, 5401.0, dtype=torch.float64)
NODES = resolution_nodes(WAVE)
LINE = 5200.0


class Reader(SurveyReader):
    """Only its resolution is asked for."""

    name = "made"

    def __init__(self, lsf_fwhm=None):
        self.lsf_fwhm = lsf_fwhm

    def sources(self):
        return []

    def read(self, source):
        raise NotImplementedError


def spectrum(lsf_sigma=None, z=0.0):
    wave = np.arange(4900.0, 5500.0, 0.7)
    sigma = None if lsf_sigma is None else np.broadcast_to(lsf_sigma, wave.shape).copy()
    ones = np.ones_like(wave)
    return Spectrum(wave, ones, ones, StarInfo("s", z=z), lsf_sigma=sigma)


def lines(sigmas):
    """One absorption line in each spectrum."""
    flux = torch.stack([1 - 2 / s * torch.exp(-0.5 * ((WAVE - LINE) / s).square()) for s in sigmas])
    return Spectra(WAVE, flux, torch.ones_like(flux), torch.ones(len(sigmas), dtype=torch.bool))


def widths(spectra):
    depth = 1 - spectra.flux
    variance = (depth * (WAVE - LINE).square()).sum(dim=1) / depth.sum(dim=1)
    return variance.sqrt()


def fwhm(sigmas):
    return FWHM_PER_SIGMA * torch.tensor(sigmas, dtype=torch.float64)[:, None].expand(-1, 101)


def test_a_spectrum_that_knows_its_resolution_goes_before_the_reader(assert_close):
    found = lsf_fwhm_of([spectrum(), spectrum(1.5)], Reader(2.5), NODES)
    assert_close(
        found,
        torch.stack([torch.full((101,), 2.5), FWHM_PER_SIGMA * torch.full((101,), 1.5)]).double(),
    )


def test_pixels_without_a_resolution_take_that_of_their_neighbours(assert_close):
    half = spectrum(1.5)
    half.lsf_sigma[:300], half.lsf_sigma[400] = np.nan, 0.0
    assert_close(lsf_fwhm_of([half], Reader(), NODES), fwhm([1.5]))
    half.lsf_sigma[:] = -1
    assert_close(lsf_fwhm_of([half], Reader(2.5), NODES), torch.full((1, 101), 2.5).double())


def test_the_redshift_is_taken_out(assert_close):
    moving = spectrum(1.5, z=0.01)
    moving.lsf_sigma[:] = moving.wave / 4000
    expected = FWHM_PER_SIGMA * NODES[None] / 4000
    assert_close(lsf_fwhm_of([moving], Reader(), NODES), expected)


def test_a_resolution_that_nobody_knows_is_refused():
    with pytest.raises(DataError, match="made states no resolution"):
        lsf_fwhm_of([spectrum(1.5), spectrum()], Reader(), NODES)


def test_all_templates_come_to_the_median_resolution(assert_close):
    """The lines are as wide as the line-spread function; sharpening is right to first order."""
    sigmas = [1.6, 1.7, 1.75, 1.8, 1.9]
    found, resolution = to_one_resolution(lines(sigmas), fwhm(sigmas))
    assert widths(found).tolist() == pytest.approx([1.75] * 5, rel=1e-6)
    assert_close(resolution, torch.full_like(WAVE, FWHM_PER_SIGMA * 1.75))
    assert (found.flux - found.flux[2]).abs().max() < 0.015
    assert (lines(sigmas).flux - found.flux[2]).abs().max() > 0.1


def test_a_template_is_not_sharpened_much():
    """Of a variance of 4 it loses a fifth of the median variance and no more."""
    sigmas = [1.5, 1.5, 2.0]
    found, _ = to_one_resolution(lines(sigmas), fwhm(sigmas))
    assert float(widths(found)[2]) == pytest.approx((2.0**2 - 0.2 * 1.5**2) ** 0.5)


def test_one_resolution_for_all_changes_nothing():
    spectra, known = lines([1.5, 1.5]), torch.full((2, 101), 2.5, dtype=torch.float64)
    found, resolution = to_one_resolution(spectra, known)
    assert found is spectra
    assert (resolution == 2.5).all()


def test_it_can_be_left_alone():
    sigmas = [1.5, 1.6, 1.9]
    spectra = lines(sigmas)
    found, resolution = to_one_resolution(spectra, fwhm(sigmas), change=False)
    assert found is spectra
    assert resolution[0] == pytest.approx(FWHM_PER_SIGMA * 1.6)

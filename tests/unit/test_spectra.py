from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import SpectrumError
from torchfit.spectra import Spectra, Spectrum, StarInfo, evenly, slices

WAVE, ONES = np.arange(4000.0, 4010.0), np.ones(10)
INFO = StarInfo("file.fits")


def test_a_good_pixel_is_finite_with_positive_finite_ivar():
    flux, ivar = ONES.copy(), ONES.copy()
    flux[:2] = np.nan, np.inf
    ivar[2:6] = 0, -1, np.nan, np.inf
    spectrum = Spectrum(WAVE, flux, ivar, INFO)
    assert spectrum.good.tolist() == [False] * 6 + [True] * 4


@pytest.mark.parametrize(
    ("wave", "flux", "ivar", "why"),
    [
        (WAVE[:5], ONES, ONES, "shapes"),
        (WAVE, ONES[:5], ONES, "shapes"),
        (WAVE, ONES, ONES[:5], "shapes"),
        (WAVE[None], ONES[None], ONES[None], "one row"),
        (WAVE[::-1], ONES, ONES, "increase"),
        (np.zeros(10), ONES, ONES, "increase"),
        (WAVE * np.nan, ONES, ONES, "increase"),
        (WAVE, ONES, ONES * 0, "no good pixel"),
        (WAVE, ONES * np.nan, ONES, "no good pixel"),
    ],
)
def test_a_spectrum_that_cannot_be_used_is_refused_by_name(wave, flux, ivar, why):
    with pytest.raises(SpectrumError, match=f"file.fits.*{why}"):
        Spectrum(wave, flux, ivar, INFO)


def test_the_resolution_of_every_pixel_has_the_length_of_the_spectrum():
    assert Spectrum(WAVE, ONES, ONES, INFO).lsf_sigma is None
    assert Spectrum(WAVE, ONES, ONES, INFO, lsf_sigma=2 * ONES).lsf_sigma.sum() == 20
    with pytest.raises(SpectrumError, match=r"file\.fits: lsf_sigma has shape"):
        Spectrum(WAVE, ONES, ONES, INFO, lsf_sigma=ONES[:5])


def test_unknown_facts_of_a_star_are_nan_or_empty():
    assert INFO.obsid is None
    assert np.isnan([INFO.ra, INFO.dec, INFO.z_err, INFO.ra_obs, INFO.dec_obs]).all()
    assert (INFO.mjd, INFO.sum_ormask, INFO.n_bad) == (None, None, None)
    assert (INFO.uid, INFO.gaia_source_id) == ("", "")
    assert (INFO.name, INFO.subclass, INFO.z, INFO.snr, INFO.labels) == ("", "", 0.0, {}, {})


@pytest.fixture
def batch():
    flux = torch.arange(12.0).reshape(3, 4)
    ivar = torch.ones(3, 4)
    ivar[1, 2] = 0
    return Spectra(torch.arange(4.0), flux, ivar, torch.tensor([True, False, True]))


def test_a_batch_knows_its_good_pixels(batch):
    assert len(batch) == 3
    assert (~batch.good).nonzero().tolist() == [[1, 2]]


def test_stars_are_chosen_by_index_mask_or_slice(batch):
    for choice in (torch.tensor([2, 1]), torch.tensor([False, True, True]), slice(1, 3)):
        chosen = batch[choice]
        assert len(chosen) == 2
        assert sorted(chosen.flux[:, 0].tolist()) == [4.0, 8.0]
        assert torch.equal(chosen.wave, batch.wave)
    assert batch[torch.tensor([2, 1])].has_ivar.tolist() == [True, False]


def test_shapes_that_disagree_are_refused():
    """Where jaxtyping is off, the class says so itself; where it is on, jaxtyping does."""
    with pytest.raises((SpectrumError, TypeError)):
        Spectra(torch.ones(5), torch.ones(2, 4), torch.ones(2, 4), torch.ones(2) > 0)


def test_coverage_counts_the_good_among_the_known():
    ivar = torch.tensor([[1.0, 0.0, 2.0, 3.0], [0.0, 0.0, 0.0, 4.0]]).double()
    spectra = Spectra(torch.arange(4.0), torch.ones_like(ivar), ivar, torch.ones(2).bool())
    assert spectra.coverage(torch.tensor([True, True, True, False])).tolist() == [
        pytest.approx(2 / 3),
        0.0,
    ]


@pytest.mark.parametrize(("n_rows", "sizes"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_slices_cover_every_row_once(n_rows, sizes):
    rows = list(range(n_rows))
    pieces = [rows[piece] for piece in slices(n_rows, 4)]
    assert [len(piece) for piece in pieces] == sizes
    assert [row for piece in pieces for row in piece] == rows


@given(st.integers(0, 50), st.integers(1, 50))
def test_places_are_all_or_evenly_chosen(n_places, at_most):
    places = 3 * np.arange(n_places)
    chosen = evenly(places, at_most)
    assert len(chosen) == min(n_places, at_most)
    assert set(chosen) <= set(places)
    if 1 < at_most < n_places:
        gaps = np.diff(chosen // 3)
        assert (chosen[0], chosen[-1]) == (places[0], places[-1])
        assert gaps.max() - gaps.min() <= 1


def test_what_is_not_finite_becomes_zero_and_the_rest_stays(batch):
    flux, ivar = batch.flux.clone(), batch.ivar.clone()
    flux[0, 1], flux[1, 0], ivar[0, 0], ivar[1, 1] = torch.nan, torch.inf, torch.nan, -torch.inf
    found = replace(batch, flux=flux, ivar=ivar).finite()
    for made, old in ((found.flux, flux), (found.ivar, ivar)):
        assert torch.equal(made[old.isfinite()], old[old.isfinite()])
        assert not made[~old.isfinite()].any()

from dataclasses import replace

import pytest
import torch

from torchfit.likelihood.joint_spectra import JointSpectra, coadd
from torchfit.spectra import Spectra

STAR = torch.tensor([0, 0, 1, 1, 1, 2, 2])


@pytest.fixture
def exposures(observe, draw_labels):
    return observe(draw_labels(3, 1)[STAR], 0.01, seed=2, masked=0.3)


@pytest.fixture
def joint(exposures):
    """Three stars of several exposures between two of one."""
    whole = coadd(exposures, STAR)
    single = exposures[:2]
    all_stars = Spectra.joined([single[:1], whole, single[1:]])
    columns = (all_stars.wave, all_stars.flux, all_stars.ivar, all_stars.has_ivar)
    return JointSpectra(*columns, exposures, STAR + 1)


def same(one, other):
    assert torch.equal(one.star, other.star)
    for a, b in ((one, other), (one.exposures, other.exposures)):
        assert all(torch.equal(getattr(a, n), getattr(b, n)) for n in ("flux", "ivar", "has_ivar"))


def test_the_mean_is_weighted_pixel_by_pixel(exposures, assert_close):
    found = coadd(exposures, STAR)
    for star in range(3):
        rows = exposures[star == STAR]
        w = torch.where(rows.good, rows.ivar, 0.0)
        assert_close(found.ivar[star], w.sum(dim=0))
        some = w.sum(dim=0) > 0
        mean = (w * rows.flux).sum(dim=0)[some] / w.sum(dim=0)[some]
        assert_close(found.flux[star, some], mean)
    assert found.has_ivar.all()


def test_the_coadd_of_one_exposure_is_that_exposure(exposures, assert_close):
    alone = coadd(exposures, torch.arange(7))
    assert torch.equal(alone.ivar, exposures.ivar)
    good = exposures.good
    assert_close(alone.flux[good], exposures.flux[good])


def test_without_errors_of_one_exposure_all_count_alike(exposures, assert_close):
    known = exposures.has_ivar.clone()
    known[3] = False
    ivar = torch.where(known[:, None], exposures.ivar, exposures.good.double())
    found = coadd(replace(exposures, has_ivar=known, ivar=ivar), STAR)
    assert found.has_ivar.tolist() == [True, False, True]
    assert set(found.ivar[1].tolist()) <= {0.0, 1.0}
    good = exposures.good[2:5]
    some = good.any(dim=0)
    mean = torch.where(good, exposures.flux[2:5], 0.0).sum(dim=0) / good.sum(dim=0).clamp_min(1)
    assert_close(found.flux[1, some], mean[some])


@pytest.mark.parametrize("junk", [torch.nan, torch.inf, -1e30])
def test_what_stands_in_bad_pixels_does_not_matter(exposures, junk):
    spoilt = replace(exposures, flux=torch.where(exposures.good, exposures.flux, junk))
    one, other = coadd(exposures, STAR), coadd(spoilt, STAR)
    assert torch.equal(one.flux, other.flux)
    assert torch.equal(one.ivar, other.ivar)


def test_exposures_are_counted(joint):
    assert joint.n_exposures.tolist() == [1, 2, 3, 2, 1]
    assert Spectra.joined([joint.exposures]).n_exposures.tolist() == [1] * 7


@pytest.mark.parametrize("chosen", [[3, 0, 2], [4, 0], [2, 2], []])
def test_chosen_stars_bring_their_exposures(joint, chosen):
    found = joint[torch.tensor(chosen, dtype=torch.long)]
    rows = [row for star in chosen for row in (joint.star == star).nonzero()[:, 0].tolist()]
    assert torch.equal(found.exposures.flux, joint.exposures.flux[rows])
    assert found.n_exposures.tolist() == joint.n_exposures[chosen].tolist()
    assert torch.equal(found.flux, joint.flux[chosen])


def test_a_slice_is_a_choice(joint):
    same(joint[1:4], joint[torch.tensor([1, 2, 3])])
    same(joint[torch.tensor([False, True, True, True, False])], joint[1:4])


def test_parts_joined_are_the_whole(joint):
    same(JointSpectra.joined([joint[:2], joint[2:3], joint[3:]]), joint)
    single = Spectra(joint.wave, joint.flux[:1], joint.ivar[:1], joint.has_ivar[:1])
    same(JointSpectra.joined([single, joint[1:]]), joint)


def test_precision_is_that_of_all(joint):
    single = joint.to(torch.float32)
    assert single.flux.dtype == single.exposures.ivar.dtype == torch.float32
    assert single.n_exposures.tolist() == joint.n_exposures.tolist()


def test_the_exposures_become_finite_too(joint):
    broken = replace(joint.exposures, flux=torch.full_like(joint.exposures.flux, torch.nan))
    found = replace(joint, exposures=broken).finite()
    assert isinstance(found, JointSpectra)
    assert torch.equal(found.exposures.flux, torch.zeros_like(broken.flux))
    assert torch.equal(found.star, joint.star)

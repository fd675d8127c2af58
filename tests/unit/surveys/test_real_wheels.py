"""The real archives, from the cache or the package index."""

import numpy as np
import pytest
import torch

from torchfit.surveys.lamost import LamostSampleReader
from torchfit.surveys.line_medium import lines_in_air
from torchfit.surveys.mastarhc import MastarHcReader
from torchfit.surveys.miles import MilesReader
from torchfit.surveys.stelib import StelibReader

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def miles():
    reader = MilesReader()
    return [reader.read(source) for source in reader.sources()]


@pytest.fixture(scope="module")
def stelib():
    reader = StelibReader()
    return [reader.read(source) for source in reader.sources()]


@pytest.fixture(scope="module")
def mastarhc():
    reader = MastarHcReader()
    return [reader.read(source) for source in reader.sources()]


def complete(spectra):
    return [s for s in spectra if s.info.labels.keys() == {"teff", "logg", "fe_h"}]


def test_miles_numbers(miles):
    assert len(miles) == 984
    assert len(complete(miles)) == 945
    assert all(s.info.name for s in miles)
    assert len({s.info.name for s in miles}) == 984


def test_miles_is_on_one_grid_and_nearly_all_good(miles):
    assert {s.wave.tobytes() for s in miles} == {miles[0].wave.tobytes()}
    assert sum((s.ivar == 0).any() for s in miles) == 30
    assert min(s.good.mean() for s in miles) > 0.99


def test_the_misprinted_star_has_a_spectrum(miles):
    (star,) = [s for s in miles if s.info.name == "HD044691A"]
    assert "_m0221V" in star.info.source
    assert star.info.labels == {"teff": 7950.0, "logg": 3.95, "fe_h": 0.35}


def test_stelib_numbers(stelib):
    assert len(stelib) == 255
    assert len(complete(stelib)) == 203
    assert len({s.info.name for s in stelib}) == 254


def test_stelib_positions(stelib):
    positions = {s.info.name: (s.info.ra, s.info.dec) for s in stelib}
    assert np.isfinite(list(positions.values())).all()
    assert positions["HD021581"] == pytest.approx((52.227, -0.418), abs=0.02)
    assert positions["HD113226"] == pytest.approx((195.544, 10.959), abs=0.02)


def test_the_libraries_agree_on_their_common_stars(miles, stelib):
    known = {s.info.name: s.info.labels for s in complete(miles)}
    pairs = [
        (s.info.labels["teff"], known[s.info.name]["teff"])
        for s in complete(stelib)
        if s.info.name in known
    ]
    ours, theirs = np.array(pairs).T
    assert len(pairs) > 100
    assert abs(np.median(ours - theirs)) < 30


def test_mastarhc_numbers(mastarhc):
    assert len(mastarhc) == 66
    assert [s.info.name for s in mastarhc if not s.has_ivar] == ["mastar-8047-9101"]
    assert {s.wave.tobytes() for s in mastarhc if s.has_ivar} == {mastarhc[1].wave.tobytes()}
    assert min(s.good.mean() for s in mastarhc) > 0.99


def test_the_resolution_of_the_averages_is_one_and_falls_as_stated(mastarhc):
    averages = [s for s in mastarhc if s.has_ivar]
    assert {s.lsf_sigma.tobytes() for s in averages} == {averages[0].lsf_sigma.tobytes()}
    wave = torch.tensor([5500.0], dtype=torch.float64)
    assert MastarHcReader().lsf_fwhm_at(wave).item() == pytest.approx(
        MastarHcReader.lsf_fwhm, abs=0.05
    )


def test_the_lines_of_mastarhc_are_in_vacuum(mastarhc):
    assert sum(lines_in_air(s.wave, s.flux, s.ivar, 0.0) for s in mastarhc) <= 1


@pytest.mark.parametrize("reader", [MilesReader(), StelibReader(), MastarHcReader()])
def test_licence(reader):
    provenance = reader.provenance()
    assert provenance["licence"].startswith("BSD 3-Clause License")
    assert provenance["version"] == "4.5.0"


def test_the_lamost_sample():
    reader = LamostSampleReader()
    stars = [reader.read(source) for source in reader.sources()]
    assert [s.info.subclass for s in stars] == ["F5", "G3"]
    assert [s.info.obsid for s in stars] == [359910161, 677503031]
    assert [s.info.z for s in stars] == [-0.00017162, -6.4e-06]
    assert reader.provenance()["licence"].startswith("MIT License")

"""The real archives, from the cache or the package index."""

import numpy as np
import pytest

from torchfit.surveys.lamost import LamostSampleReader
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


@pytest.mark.parametrize("reader", [MilesReader(), StelibReader()])
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

"""Every real LAMOST file is read or refused with a reason, and agrees with its index."""

import csv
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from torchfit.exceptions import SpectrumError
from torchfit.surveys.lamost import LamostReader

BESIDE = Path(__file__).parents[2].parent / "shared" / "data"
ROOT = Path(os.environ.get("TORCHFIT_TEST_DATA", BESIDE)) / "lamost"

pytestmark = pytest.mark.skipif(
    not (ROOT / "index.csv").is_file(),
    reason="no real LAMOST files: set TORCHFIT_TEST_DATA to the folder that holds lamost/",
)


@pytest.fixture(scope="module")
def index():
    with (ROOT / "index.csv").open() as file:
        return {row["path"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def outcome():
    """Spectra and reasons by source."""
    reader = LamostReader(str(ROOT))
    spectra, reasons = {}, {}
    for source in reader.sources():
        try:
            spectra[source] = reader.read(source)
        except SpectrumError as error:
            reasons[source] = str(error)
    return spectra, reasons


def test_every_file_of_the_index_is_a_source(index):
    assert LamostReader(str(ROOT)).sources() == sorted(index)


def test_refused_are_other_classes_and_impossible_redshifts(index, outcome):
    spectra, reasons = outcome
    refused = {path for path, row in index.items() if row["class"] != "STAR"}
    refused |= {path for path, row in index.items() if abs(float(row["z"])) > 0.004}
    assert reasons.keys() == refused
    assert len(spectra) + len(reasons) == len(index)
    for source, reason in reasons.items():
        assert reason.startswith(f"{source}: ")
        assert index[source]["class"] in reason or "redshift" in reason


def test_headers_agree_with_the_index(index, outcome):
    for source, spectrum in outcome[0].items():
        row, info = index[source], spectrum.info
        assert info.z == pytest.approx(float(row["z"]), abs=1e-9)
        assert info.subclass == row["subclass"]
        assert info.snr["g"] == pytest.approx(float(row["snrg"]))
        assert info.snr["i"] == pytest.approx(float(row["snri"]))
        assert info.ra == pytest.approx(float(row["ra"]))
        assert info.obsid == (int(row["obsid"]) if row["obsid"] else None)
        assert info.name.startswith("LAMOST J")


def test_arrays(outcome):
    for spectrum in outcome[0].values():
        assert 3899 <= spectrum.wave.size <= 3909
        assert spectrum.wave[0] == pytest.approx(3699.9863, abs=1e-3)
        assert spectrum.wave[-1] < 9100
        for array in (spectrum.wave, spectrum.flux, spectrum.ivar):
            assert array.dtype == np.float64
            assert array.dtype.isnative


def test_padding_is_bad(outcome):
    for spectrum in outcome[0].values():
        assert (spectrum.flux[spectrum.ivar > 0] != 0).all()


def test_signal_to_noise_is_that_of_the_header(outcome):
    """The median of flux over error in g is the header's, but for the cap at 99 of release 1."""
    ratios = []
    for spectrum in outcome[0].values():
        band = (spectrum.wave > 4000) & (spectrum.wave < 5500) & spectrum.good
        snr = np.median(spectrum.flux[band] * np.sqrt(spectrum.ivar[band]))
        if 20 < spectrum.info.snr["g"] < 99:
            ratios.append(snr / spectrum.info.snr["g"])
    assert len(ratios) > 50
    assert np.median(ratios) == pytest.approx(1, abs=0.1)


def test_the_axis_of_the_header_is_that_of_the_rows(outcome):
    """To the last digit of single precision."""
    spectra = outcome[0]
    (computed,) = {s.wave[:3899].tobytes() for p, s in spectra.items() if p.startswith("dr1/")}
    stored = next(s for p, s in spectra.items() if p.startswith("dr10/")).wave[:3899]
    np.testing.assert_allclose(np.frombuffer(computed), stored, rtol=1.2e-7)


def test_all_three_layouts_are_there(outcome):
    assert Counter(source.split("/")[0] for source in outcome[0]).keys() == {"dr1", "dr7", "dr10"}


def test_a_file_of_known_numbers(outcome):
    """The facts of one release 13 file, where it lies among the others."""
    known = [s for s in outcome[0].values() if s.info.obsid == 1247301001]
    if not known:
        pytest.skip("that file is not among these")
    np.testing.assert_allclose(known[0].flux[:2], [317.11896, 315.44144], rtol=1e-6)
    np.testing.assert_allclose(known[0].ivar[:2], [0.00452538, 0.00447378], rtol=1e-5)

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from tests.contract.reader_contract import ReaderContract
from tests.data.stelib import make as files

from torchfit.files.fetch import MANGADAP
from torchfit.files.fits_file import FitsUnit
from torchfit.files.fits_header import FitsHeader
from torchfit.surveys.stelib import StelibReader, sky_position, star_name


@pytest.fixture
def reader(tmp_path, monkeypatch):
    path = files.make(tmp_path / MANGADAP.filename)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(StelibReader, "wheel", replace(MANGADAP, sha256=found))
    return StelibReader(str(tmp_path))


class TestContract(ReaderContract):
    @pytest.fixture
    def reader(self, reader):
        return reader


def test_a_complete_star(reader):
    info = reader.read(reader.sources()[0]).info
    assert info.name == "HD021581"
    assert info.subclass == "G0"
    assert info.labels == {"teff": 4885.0, "logg": 2.12, "fe_h": -1.67}
    assert info.z == 0


def test_missing_labels_are_absent(reader):
    assert reader.read(reader.sources()[2]).info.labels == {"teff": 4885.0}


def test_what_was_not_observed_is_bad(reader):
    spectrum = reader.read(reader.sources()[0])
    assert not spectrum.has_ivar
    bad = np.flatnonzero(spectrum.ivar == 0)
    expected = [*range(262), *range(2400, 2500), *range(6700 - 286, 6700)]
    np.testing.assert_array_equal(bad, expected)


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("a.whl:x/STELIB_v3.2_HD053929lp.fits", "HD053929"),
        ("STELIB_v3.2_HD053929ss.fits", "HD053929"),
        ("STELIB_v3.2_HD048682B.fits", "HD048682B"),
        ("STELIB_v3.2_Feige110.fits", "Feige110"),
    ],
)
def test_star_name(member, name):
    assert star_name(member) == name


def unit_of(**cards):
    header = fits.Header({"SIMPLE": True})
    for key, value in cards.items():
        header[key] = value
    return FitsUnit(FitsHeader.parse(header.tostring().encode()))


@pytest.mark.parametrize(
    ("cards", "position"),
    [
        (
            {
                "RA": (0.90034264, "Mean RA  03 26 20.6"),
                "DEC": (0.01033138, "Mean Dec  -0 35 31"),
                "EQUINOX": "B1950.0",
            },
            (52.2271, -0.4175),
        ),
        ({"RA": "12:59:41.64", "DEC": "11:13:26.80", "EQUINOX": "B1950.0"}, (195.5441, 10.9591)),
        ({"RA": "12:55:35.40", "DEC": " 3:23:36.60", "EQUINOX": "J2000.0"}, (193.9009, 3.3975)),
        ({"RA": "14:13:40.44", "DEC": "-0:50:54.80", "EQUINOX": "B1950.0"}, (214.06, -1.082)),
    ],
    ids=["comment: HD021581", "B1950: Vindemiatrix", "J2000: Minelauva", "minus zero degrees"],
)
def test_sky_position_against_the_modern_one_to_an_arcminute(cards, position):
    assert sky_position(unit_of(**cards)) == pytest.approx(position, abs=1 / 60)


@pytest.mark.parametrize(
    "cards",
    [
        {},
        {"RA": 0.9, "DEC": 0.1, "EQUINOX": "J2000.0"},
        {"RA": "12:55:35.40", "DEC": "3:23:36.60", "EQUINOX": "B1900.0"},
        {"RA": "-", "DEC": "-", "EQUINOX": "J2000.0"},
        {"RA": "12:55:35.40", "DEC": "93:23:36.60", "EQUINOX": "J2000.0"},
    ],
)
def test_no_position_is_nan(cards):
    assert np.isnan(sky_position(unit_of(**cards))).all()

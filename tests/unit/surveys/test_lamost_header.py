import numpy as np
import pytest
from astropy.io import fits
from tests.data.lamost import make as files

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_file import FitsUnit, read_fits
from torchfit.files.fits_header import FitsHeader
from torchfit.surveys.lamost_header import Known, star_info
from torchfit.surveys.plausible import MAX_REDSHIFT


def unit_of(tmp_path, layout="table", **changes):
    return Known(read_fits(files.make(tmp_path / "x.fits", layout, changes), "x")[0])


def test_everything_in_a_new_header(tmp_path):
    info = star_info(unit_of(tmp_path), "x")
    assert info.source == "x"
    assert info.obsid == 1247301001
    assert info.name == "LAMOST J042543.91+323730.3"
    assert (info.ra, info.dec) == (66.43298, 32.625089)
    assert info.subclass == "G5"
    assert info.z == 4.19e-5
    assert info.snr == {"u": 21.9, "g": 102.45, "r": 194.94, "i": 236.02, "z": 187.13}
    assert info.labels == {}
    assert info.z_err == 1.428e-5
    assert (info.ra_obs, info.dec_obs) == (66.43298, 32.625089)
    assert info.mjd == 60591
    assert info.uid == info.gaia_source_id == ""


def test_the_first_release_has_no_obsid_and_other_snr_cards(tmp_path):
    info = star_info(unit_of(tmp_path, "first"), "x")
    assert info.obsid is None
    assert info.snr == dict.fromkeys("ugriz", 21.5)


def test_unknown_snr_is_absent(tmp_path):
    info = star_info(unit_of(tmp_path, SNRU=-9999.0, SNRZ=None), "x")
    assert info.snr.keys() == {"g", "r", "i"}


def minimal(**cards):
    header = fits.Header({"SIMPLE": True, "CLASS": "STAR", "Z": 0.0, **cards})
    return Known(FitsUnit(FitsHeader.parse(header.tostring().encode())))


@pytest.mark.parametrize(
    ("cards", "name"),
    [
        ({"DESIG": "LAMOST J1", "UID": "G1"}, "LAMOST J1"),
        ({"DESIG": " ", "UID": "G1", "RA": 1.0, "DEC": 2.0}, "G1"),
        ({"RA": 66.43298, "DEC": -2.625089}, "J66.4330-2.6251"),
        ({"RA": 66.43298}, ""),
    ],
)
def test_name(cards, name):
    assert star_info(minimal(**cards), "x").name == name


def test_a_bare_header_is_enough():
    info = star_info(minimal(), "x")
    assert info.obsid is None
    assert np.isnan(info.ra)
    assert info.subclass == ""
    assert info.snr == {}


@pytest.mark.parametrize("z", [MAX_REDSHIFT, -MAX_REDSHIFT])
def test_the_largest_redshift_is_allowed(z):
    assert star_info(minimal(Z=z), "x").z == z
    with pytest.raises(SpectrumError, match="no usable redshift"):
        star_info(minimal(Z=1.01 * z), "x")


def test_the_catalogue_goes_before_the_header(tmp_path):
    row = {
        "z": 1e-4,
        "uid": "G1",
        "subclass": "G3",
        "snrg": 7.0,
        "gaia_source_id": "12",
        "obsid": 5,
    }
    info = star_info(Known(unit_of(tmp_path, OBSID=5).unit, {**row, "teff": 5000.0}), "x")
    assert (info.z, info.uid, info.subclass, info.gaia_source_id) == (1e-4, "G1", "G3", "12")
    assert info.snr["g"] == 7.0
    assert info.snr["r"] == 194.94
    assert info.labels == {"teff": 5000.0}


def test_a_row_may_tell_that_it_is_a_star(tmp_path):
    known = Known(unit_of(tmp_path, CLASS="Unknown", Z=-9999.0).unit, {"class": "STAR", "z": 0.0})
    assert star_info(known, "x").z == 0


def test_a_row_of_another_spectrum(tmp_path):
    with pytest.raises(SpectrumError, match="x: its obsid is 1247301001, that of its row 5"):
        star_info(Known(unit_of(tmp_path).unit, {"obsid": 5}), "x")

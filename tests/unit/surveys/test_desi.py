import math
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tests.contract.reader_contract import ReaderContract
from tests.data.desi import make as files

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.names import FE_H, TEFF
from torchfit.surveys.desi import DesiReader

BESIDE = Path(__file__).parents[3].parent / "shared" / "data"
REAL = Path(os.environ.get("TORCHFIT_TEST_DATA", BESIDE)) / "desi"
Z = 2e-4


class TestContract(ReaderContract):
    @pytest.fixture
    def reader(self, tmp_path):
        files.make(tmp_path / "a" / "coadd-x-1.fits.gz", Z)
        files.make_redrock(tmp_path / "a" / "redrock-x-1.fits", [Z] * 4)
        files.make(tmp_path / "a" / "coadd-x-1.fits", Z)
        files.make(tmp_path / "spectra-y-2.fits", compressed=True)
        return DesiReader(str(tmp_path), only=[], default_z=0.0)

    def test_every_row_of_every_file(self, reader):
        assert len(reader.sources()) == 12


@pytest.fixture
def rows(tmp_path):
    """``rows(**settings)``: what reading the rows of the only file of spectra comes to."""

    def rows(**settings):
        reader = DesiReader(str(tmp_path), **settings)
        return [outcome for _, outcome in reader.spectra(reader.sources())]

    return rows


@pytest.fixture
def coadd(tmp_path):
    return files.make(tmp_path / "coadd-x.fits", Z)


def test_the_arms_are_one_spectrum_weighted_where_they_overlap(rows, coadd):
    spectrum = rows(default_z=Z)[0]
    assert np.diff(spectrum.wave).max() == pytest.approx(files.STEP, abs=1e-6)
    assert (spectrum.wave[0], spectrum.wave[-1]) == (4600.0, 7000.0)
    overlap = (spectrum.wave > 5760.1) & (spectrum.wave < 5799.9)
    alone = (spectrum.wave > 5300) & (spectrum.wave < 5700)
    assert set(spectrum.ivar[overlap]) == {8.0} and set(spectrum.ivar[alone]) == {4.0}
    assert spectrum.flux[overlap] == pytest.approx(20.0)


def test_the_resolution_is_that_of_the_matrix(rows, coadd):
    spectrum = rows(default_z=Z)[0]
    assert spectrum.lsf_sigma[spectrum.good] == pytest.approx(files.SIGMA, rel=0.01)


def test_pixels_are_masked_by_the_bits_that_are_named(rows, coadd):
    bad = [np.flatnonzero(rows(default_z=Z, **s)[0].ivar == 0).tolist()
           for s in ({}, {"masked": ["NODATA"]})]  # fmt: skip
    assert bad == [[files.SOME_BAD, files.NO_DATA, 200], [files.NO_DATA, 200]]


def test_what_is_known_of_the_target(rows, coadd):
    info = rows(default_z=Z)[0].info
    assert (info.obsid, info.uid) == (files.TARGETS[0], str(files.TARGETS[0]))
    assert info.gaia_source_id == str(files.GAIA)
    assert (info.mjd, info.ra, info.dec, info.name) == (59325, 215.0, 53.0, "J215.0000+53.0000")
    assert info.snr.keys() == {"g", "r", "i"} and info.snr["g"] == pytest.approx(40, rel=0.01)
    assert info.n_bad == 3


def test_dates_that_exposures_lack_are_no_reason_to_reject(rows, coadd):
    with fits.open(coadd, mode="update") as units:
        dates = units["EXP_FIBERMAP"].data["MJD"]
        dates[:2] = np.nan, 59300.1
        dates[2:4] = np.nan
    assert [each.info.mjd for each in rows()[:3:2]] == [59300, 59325]
    with fits.open(coadd, mode="update") as units:
        units["EXP_FIBERMAP"].columns.del_col("MJD")
    assert [each.info.mjd for each in rows()[:3:2]] == [None, None]


def test_redshifts_beside_are_not_said_to_be_no_fits(tmp_path, coadd):
    files.make_redrock(tmp_path / "redrock-x.fits", [Z])
    assert DesiReader(str(tmp_path)).remarks() == [
        "files that are no spectra by their names: 1 .fits"
    ]


def test_a_redshift_that_no_file_has_is_not_stated(rows, coadd):
    assert math.isnan(rows()[0].info.z)


def test_the_redshift_of_redrock(rows, coadd, tmp_path):
    files.make_redrock(
        tmp_path / "redrock-x.fits", [Z, Z, 0.3], ZERR=[1e-5] * 3, ZWARN=[0, 4, 0],
        SPECTYPE=["STAR", "STAR", "GALAXY"], SUBTYPE=["M", "", ""],
    )  # fmt: skip
    star, warned, galaxy, sky = rows()
    assert (star.info.z, star.info.z_err, star.info.subclass) == (Z, 1e-5, "M")
    assert "ZWARN is 4" in str(warned)
    assert "SPECTYPE is GALAXY" in str(galaxy)
    assert "OBJTYPE is SKY" in str(sky)
    assert "velocity" not in str(rows(only=["target"])[2]) and "km/s" in str(rows(only=[])[2])


def test_the_velocity_of_a_star_goes_before(rows, coadd, tmp_path):
    files.make_redrock(tmp_path / "redrock-x.fits", [0.0, 0.0], SPECTYPE=["STAR"] * 2)
    files.make_velocities(
        tmp_path / "rvtab_coadd-x.fits", [60.0, 60.0], RVS_WARN=[0, 1], VRAD_ERR=[1.0, 1.0],
        TEFF=[4000.0, 1.0], FEH=[-1.5, 1.0],
    )  # fmt: skip
    good, warned = rows()[:2]
    assert good.info.z == pytest.approx(60 / 299792.458)
    assert good.info.labels == {TEFF: 4000.0, FE_H: -1.5}
    assert warned.info.z == 0 and warned.info.labels == {}


def test_files_of_redshifts_are_named_for_resume(coadd, tmp_path):
    beside = files.make_redrock(tmp_path / "redrock-x.fits", [Z])
    assert DesiReader(str(tmp_path)).shared_files() == [beside]
    assert DesiReader(str(tmp_path)).file_of("coadd-x.fits:0001") == coadd


def test_only_the_milky_way_survey(rows, coadd):
    outcomes = rows(only=["mws"], default_z=Z)
    assert [isinstance(each, SpectrumError) for each in outcomes] == [False, True, True, True]


def test_a_restricted_fibre_is_good_another_is_named(tmp_path, rows):
    """Low transmission matters for the sky alone; what a later release adds has its name."""
    status = [8 | 1 << 12, 1 | 1 << 9 | 1 << 15 | 1 << 29, 0, 0]
    files.make(tmp_path / "spectra-x.fits", fibermap={"FIBERSTATUS": status})
    restricted, bad = rows(default_z=0.0)[:2]
    assert restricted.info.mjd == 59324
    assert "UNASSIGNED, BADPOSITION, LOWEFFTIME, BADPETALSNR" in str(bad)


def test_one_arm_alone(tmp_path, rows):
    files.make(tmp_path / "coadd-x.fits", arms="B")
    assert rows(default_z=0.0)[0].wave[-1] == 5800


@pytest.mark.parametrize("damage", ["cut", "text", "no arms", "empty"])
def test_a_file_that_is_none_is_rejects_with_a_reason(tmp_path, rows, damage):
    path = files.make(tmp_path / "coadd-x.fits", arms="" if damage == "no arms" else "B")
    if damage != "no arms":
        raw = path.read_bytes()
        path.write_bytes({"cut": raw[: len(raw) // 2], "text": b"no FITS", "empty": b""}[damage])
    for outcome in rows(default_z=0.0):
        assert isinstance(outcome, SpectrumError) and "DESI" in str(outcome)


def test_damaged_redshifts_are_a_reason(rows, coadd, tmp_path):
    (tmp_path / "redrock-x.fits").write_bytes(b"no FITS")
    assert "its redshifts cannot be read" in str(rows()[0])


def test_settings_that_make_no_sense_are_one_line(tmp_path):
    with pytest.raises(ConfigError, match="no stars; use target, mws, star"):
        DesiReader(str(tmp_path), only=["stars"])
    with pytest.raises(ConfigError, match="no bit NONE"):
        DesiReader(str(tmp_path), masked=["NONE"])
    with pytest.raises(DataError, match=r"no coadd-\*"):
        DesiReader(str(tmp_path)).sources()


def test_a_row_that_is_not_there(coadd, tmp_path):
    with pytest.raises(SpectrumError, match="no such row, the file has 4"):
        DesiReader(str(tmp_path)).read("coadd-x.fits:0009")


@pytest.mark.skipif(not REAL.is_dir(), reason="no real DESI files: set TORCHFIT_TEST_DATA")
def test_real_files():
    reader = DesiReader(str(REAL), default_z=0.0)
    outcomes = dict(reader.spectra(reader.sources()))
    assert len(outcomes) == 10
    read = {key: each for key, each in outcomes.items() if not isinstance(each, SpectrumError)}
    assert [key[-4:] for key in read] == ["0004", "0004"]
    for spectrum in read.values():
        assert spectrum.info.obsid == 39633300968442591
        width = 2.355 * spectrum.lsf_sigma[spectrum.good]
        assert 1.2 < np.nanmedian(width) < 2.2

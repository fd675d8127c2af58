import math
import os
from pathlib import Path

import numpy as np
import pytest
from tests.contract.reader_contract import ReaderContract
from tests.data.sdss import make as files

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.surveys.sdss import SdssReader

BESIDE = Path(__file__).parents[3].parent / "shared" / "data"
REAL = Path(os.environ.get("TORCHFIT_TEST_DATA", BESIDE)) / "sdss"


class TestContract(ReaderContract):
    @pytest.fixture
    def reader(self, tmp_path):
        files.make(tmp_path / "0618" / "spec-0618-52049-0372.fits.gz", "sdss", {"Z": 0.0})
        files.make(tmp_path / "spec-7454-56751-0770.fits", "boss", {"Z": -3e-4})
        files.make(tmp_path / "spec-101077-59845-27021.fits", "sdss5")
        return SdssReader(str(tmp_path))

    def test_three_layouts(self, spectra):
        old, fifth, boss = (spectrum.info for spectrum in spectra)
        assert [old.obsid, fifth.obsid, boss.obsid] == [
            695908431386667008, None, 8392669674856968192
        ]  # fmt: skip
        assert (fifth.uid, fifth.gaia_source_id) == ("27021597862918912", str(files.GAIA))
        assert boss.uid == "269459743"


@pytest.fixture
def read(tmp_path):
    def read(*arguments, **settings):
        path = files.make(tmp_path / "spec.fits", *arguments)
        reader = SdssReader(str(tmp_path), **settings)
        assert reader.sources() == [path.name]
        return reader.read(path.name)

    return read


def test_what_is_known_of_the_star(read):
    info = read().info
    assert (info.subclass, info.mjd, info.n_bad) == ("K0V", 56751, 3)
    assert info.z == pytest.approx(2e-4, rel=1e-6) and info.z_err == pytest.approx(1e-5, rel=1e-6)
    assert (info.ra, info.dec) == (156.66764, 17.972833) == (info.ra_obs, info.dec_obs)
    assert info.name == "J156.6676+17.9728"


def test_pixels_are_masked_by_the_bits_that_are_named(read, tmp_path):
    bad = np.flatnonzero(read().ivar == 0)
    assert bad.tolist() == [*files.BAD, 200]
    path = next(tmp_path.iterdir()).name
    others = SdssReader(str(tmp_path), masked=["NEARBADPIXEL"]).read(path)
    assert np.flatnonzero(others.ivar == 0).tolist() == [files.TOLERATED, 200]


def test_the_resolution_is_that_of_wdisp(read):
    spectrum = read()
    step = np.gradient(spectrum.wave)
    np.testing.assert_allclose(spectrum.lsf_sigma, 1.1 * step, rtol=2e-3)


def test_without_wdisp_it_is_not_known(read):
    assert read("boss", {}, {"wdisp": None}).lsf_sigma is None


def test_the_ratios_of_the_file_go_before_ours(read):
    assert read("sdss").info.snr == {"u": 1, "g": 2, "r": 3, "i": 4, "z": 5}


def test_a_file_without_ratios_gets_ours(read):
    info = read().info
    assert info.snr.keys() == {"g"} and info.snr["g"] == pytest.approx(60, rel=0.05)


def test_wavelengths_in_air_are_converted(tmp_path):
    files.make(tmp_path / "air.fits", cards={"VACUUM": False})
    files.make(tmp_path / "vacuum.fits")
    air, vacuum = (SdssReader(str(tmp_path)).read(f"{name}.fits") for name in ("air", "vacuum"))
    assert air.wave[1000] - vacuum.wave[1000] == pytest.approx(1.4, abs=0.05)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"CLASS": "GALAXY"}, "not a star"),
        ({"CLASS": None}, "no spectrum of SDSS"),
        ({"CLASS": ""}, "missing"),
        ({"Z": np.float32(0.3)}, "no usable redshift"),
        ({"ZWARNING": np.int32(1 << 7)}, "UNPLUGGED"),
    ],
)
def test_what_is_no_star_of_a_usable_redshift_is_rejected(read, row, reason):
    with pytest.raises(SpectrumError, match=f"spec.fits: .*{reason}"):
        read("boss", row)


@pytest.mark.parametrize(
    "columns",
    [
        {"ivar": np.zeros(files.N_PIX)},
        {"flux": np.full(files.N_PIX, np.nan)},
        {"and_mask": np.full(files.N_PIX, 1 << 24)},
        {"loglam": np.full(files.N_PIX, 1e30)},
        {"loglam": np.full(files.N_PIX, 3.6)},
        {"loglam": None},
    ],
)
def test_arrays_that_are_no_spectrum_are_rejected(read, columns):
    with pytest.raises(SpectrumError, match=r"spec\.fits: "):
        read("boss", {}, columns)


def test_a_list_instead_of_a_folder(tmp_path):
    files.make(tmp_path / "a" / "one.fits")
    files.make(tmp_path / "two.fits")
    listed = tmp_path / "list.txt"
    listed.write_text("# those that matter\ntwo.fits\n\na/one.fits\ngone.fits\ntwo.fits\n")
    reader = SdssReader(listed=str(listed))
    outcomes = dict(reader.spectra(reader.sources()))
    assert list(outcomes) == ["a/one.fits", "gone.fits", "two.fits"]
    assert [isinstance(each, SpectrumError) for each in outcomes.values()] == [False, True, False]
    elsewhere = SdssReader(str(tmp_path / "a"), listed=str(listed))
    assert elsewhere.file_of("one.fits") == tmp_path / "a" / "one.fits"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_list_of_another_system(tmp_path, encoding, end):
    """What editors and shells write: a mark of the encoding, other ends of lines, ``./``."""
    names = ["./one.fits", "a//two\u2028b.fits", "a/./two\u2028b.fits", "caf\u00e9.fits"]
    (tmp_path / "list").write_bytes(end.join(names).encode(encoding))
    expected = ["a/two\u2028b.fits", "caf\u00e9.fits", "one.fits"]
    assert SdssReader(listed=str(tmp_path / "list")).sources() == expected


def test_a_list_of_bytes_that_no_encoding_has(tmp_path):
    (tmp_path / "list").write_bytes(b"caf\xe9.fits\n")
    (tmp_path / "damaged").write_bytes(b"\xff\xfea")
    assert SdssReader(listed=str(tmp_path / "list")).sources() == ["caf\udce9.fits"]
    with pytest.raises(DataError, match="cannot be read as a list of files"):
        SdssReader(listed=str(tmp_path / "damaged")).sources()


def test_settings_that_make_no_sense_are_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"data\.root=FOLDER"):
        SdssReader()
    with pytest.raises(ConfigError, match="no bit NONSENSE; there are NOPLUG"):
        SdssReader("folder", masked=["NONSENSE"])
    with pytest.raises(DataError, match="as a list of files"):
        SdssReader(listed=str(tmp_path / "missing")).sources()


@pytest.mark.skipif(not REAL.is_dir(), reason="no real SDSS files: set TORCHFIT_TEST_DATA")
def test_real_files():
    reader = SdssReader(str(REAL))
    spectra = dict(reader.spectra(reader.sources()))
    kinds = [each.info.subclass for each in spectra.values()]
    assert kinds == ["M1", "M1", "M6III", "K0V"]
    for spectrum in spectra.values():
        assert spectrum.good.mean() > 0.85
        assert (spectrum.wave / spectrum.lsf_sigma / 2.355).min() > 1000
        assert spectrum.info.snr.keys() == set("ugriz")
        assert spectrum.info.obsid and not math.isnan(spectrum.info.z_err)

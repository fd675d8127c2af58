import numpy as np
import pytest
from tests.contract.reader_contract import ReaderContract
from tests.data.elodie import make as files

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.surveys.elodie import ElodieReader, smooth
from torchfit.surveys.medium import air_to_vacuum


@pytest.fixture
def root(tmp_path):
    return files.make(tmp_path / "elodie")


class TestContract(ReaderContract):
    @pytest.fixture
    def reader(self, root):
        return ElodieReader(str(root))


def test_stars_are_those_of_the_table(root):
    infos = [ElodieReader(str(root)).read(f"ll/{n:05d}.fits").info for n in files.NUMBERS]
    assert [info.name for info in infos] == ["HD000245", "HD000245", "HD000358", "HD001835"]
    assert infos[0].labels == {"teff": 5433.0, "logg": 3.5, "fe_h": -0.78}
    assert infos[2].labels == {"teff": 14007.0}
    assert infos[2].subclass == ""
    assert infos[3].subclass == "G3V"


def test_a_spectrum_without_a_row_has_no_labels(root):
    files.write(root / "ll" / "00009.fits", files.flux_of(), None)
    assert ElodieReader(str(root)).read("ll/00009.fits").info.labels == {}


def test_errors_and_undefined_pixels(root):
    spectrum = ElodieReader(str(root)).read("ll/00001.fits")
    assert spectrum.has_ivar
    np.testing.assert_array_equal(np.flatnonzero(spectrum.ivar == 0), np.arange(600, 650))
    assert spectrum.ivar[0] == pytest.approx(0.02**-2)
    np.testing.assert_allclose(spectrum.wave, air_to_vacuum(files.wave()))


@pytest.mark.parametrize("fwhm", [0.55, 1.5, 3.0])
def test_lines_are_smoothed_to_the_resolution_wanted(root, fwhm):
    """A Gaussian line of 1.5 Angstrom, convolved, in width and in depth."""
    reader = ElodieReader(str(root), fwhm)
    spectrum = reader.read("ll/00001.fits")
    width = np.sqrt(1.5**2 + (fwhm**2 - 0.55**2) / 2.35482**2)
    expected = 1 - 0.6 * 1.5 / width * np.exp(-0.5 * ((spectrum.wave - 4862.691) / width) ** 2)
    near = np.abs(spectrum.wave - 4862.691) < 8
    np.testing.assert_allclose(spectrum.flux[near], expected[near], atol=2e-3)
    assert reader.lsf_fwhm == fwhm


def test_smoothing_leaves_bad_pixels_out():
    good = np.ones(50, dtype=bool)
    good[20:24] = False
    flux = np.where(good, 2.0, np.nan)
    np.testing.assert_allclose(smooth(flux, good, 2.0), 2.0)


@pytest.mark.parametrize(("extname", "has_ivar"), [("Noise map", True), ("", True)])
def test_the_noise_is_found_by_name_or_place(root, extname, has_ivar):
    files.write(root / "ll" / "00009.fits", files.flux_of(), np.full(files.N_PIX, 0.1), extname)
    assert ElodieReader(str(root)).read("ll/00009.fits").ivar[0] == pytest.approx(100)


def test_without_noise_ivar_is_a_mask(root):
    files.write(root / "ll" / "00009.fits", files.flux_of(), None)
    spectrum = ElodieReader(str(root)).read("ll/00009.fits")
    assert not spectrum.has_ivar
    assert set(spectrum.ivar) == {0.0, 1.0}


def test_noise_of_another_length(root):
    files.write(root / "ll" / "00009.fits", files.flux_of(), np.ones(10))
    with pytest.raises(SpectrumError, match=r"flux has shape \(1000,\), its noise \(10,\)"):
        ElodieReader(str(root)).read("ll/00009.fits")


def test_an_axis_in_another_unit(root):
    path = root / "ll" / "00001.fits"
    path.write_bytes(path.read_bytes().replace(b"4800.0", b" 480.0"))
    with pytest.raises(SpectrumError, match=r"CRVAL1=480, CDELT1=0\.2 is no axis in Angstrom"):
        ElodieReader(str(root)).read("ll/00001.fits")


def test_nothing_there(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHFIT_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=r"no spectrum of ELODIE in .*elodie/ll: put"):
        ElodieReader().sources()


@pytest.mark.parametrize("name", ["ReadMe", "table1.dat"])
def test_a_missing_table(root, name):
    (root / name).unlink()
    with pytest.raises(DataError, match=f"no such file: .*{name}$"):
        ElodieReader(str(root)).read("ll/00001.fits")


def test_a_table_that_is_not_as_described(root):
    (root / "table1.dat").write_text("    1 HD000245    warm  3.50 -0.78 G2V\n")
    with pytest.raises(DataError, match=r"table1\.dat is not as .*ReadMe describes it"):
        ElodieReader(str(root)).read("ll/00001.fits")


def test_a_missing_column_lists_those_found(root):
    readme = root / "ReadMe"
    readme.write_text(readme.read_text().replace("[Fe/H] ", "Metals "))
    with pytest.raises(DataError, match="no column for fe_h; it has Seq, Name, Teff, logg, Metals"):
        ElodieReader(str(root)).read("ll/00001.fits")


def test_no_column_names_the_files(root):
    for number in files.NUMBERS:
        (root / "ll" / f"{number:05d}.fits").rename(root / "ll" / f"x{number}.fits")
    with pytest.raises(DataError, match=r"no column names the files \(x1 and others\); it has Seq"):
        ElodieReader(str(root)).read("ll/x1.fits")


def test_a_resolution_that_the_spectra_do_not_have():
    with pytest.raises(ConfigError, match=r"fwhm=0\.1 is below that of ELODIE"):
        ElodieReader("x", 0.1)

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from specutils import Spectrum as Specutils
from tests.data.lamost.make import make

from torchfit.exceptions import SpectrumError
from torchfit.face.read import read_spectra
from torchfit.surveys.files import FilesReader
from torchfit.surveys.medium import vacuum_to_air


@pytest.fixture
def plain(tmp_path):
    """A spectrum as specutils writes it, which does not say its medium."""
    wave = np.linspace(4000.0, 5000.0, 100)
    path = tmp_path / "plain.fits"
    Specutils(spectral_axis=wave * u.AA, flux=np.ones(100) * u.Jy).write(
        path, format="tabular-fits"
    )
    return path


@pytest.fixture
def lamost(tmp_path):
    return make(tmp_path / "spec-1.fits.gz")


def test_lamost_files_are_in_vacuum_with_their_redshift(lamost):
    (found,) = read_spectra(lamost)
    assert found.name == lamost.name
    assert found.ivar is not None
    assert 3600 < found.wave[0] < 3800


def test_other_files_have_to_say_it(plain):
    with pytest.raises(SpectrumError, match="air or in vacuum"):
        read_spectra(plain)
    (in_air,), (in_vacuum,) = (read_spectra(plain, medium=m) for m in ("air", "vacuum"))
    assert in_air.wave[0] > in_vacuum.wave[0] == pytest.approx(4000.0)


def test_what_is_said_of_all_files_does_not_go_before_a_format(plain, lamost):
    """As of ``data=files``: of a list of files some may say it, and others not."""
    (alone,) = read_spectra(lamost)
    _, together = read_spectra([plain, lamost], medium="air")
    np.testing.assert_array_equal(together.wave, alone.wave)


@pytest.mark.parametrize("medium", [None, "air", "vacuum"])
def test_a_header_may_say_air(tmp_path, medium):
    cards = {"CTYPE1": "AWAV", "CUNIT1": "nm", "CRVAL1": 400.0, "CDELT1": 0.1, "CRPIX1": 1.0}
    fits.PrimaryHDU(np.ones(99), fits.Header(cards)).writeto(tmp_path / "x.fits")
    (found,) = read_spectra(tmp_path / "x.fits", medium=medium)
    survey = FilesReader(str(tmp_path), medium=medium).read("x.fits")
    np.testing.assert_allclose(vacuum_to_air(found.wave), 4000 + np.arange(99.0), rtol=1e-9)
    np.testing.assert_array_equal(survey.wave, found.wave)


def test_several_files_are_several_spectra(plain):
    found = read_spectra([plain, plain], medium="vacuum", z=0.001, lsf_fwhm=3.0)
    assert [each.z for each in found] == [0.001, 0.001]
    assert found[0].lsf_fwhm == 3.0


@pytest.mark.parametrize("content", [b"", b"no spectrum", None])
def test_what_cannot_be_read_is_one_line(tmp_path, content):
    path = tmp_path / "x.fits"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpectrumError) as error:
        read_spectra(path)
    assert "x.fits" in str(error.value) and "\n" not in str(error.value)


def test_an_empty_list_is_refused():
    with pytest.raises(SpectrumError, match="there is no file"):
        read_spectra([])

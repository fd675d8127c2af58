import numpy as np
import pytest
from astropy.io import fits

from torchfit.exceptions import SpectrumError
from torchfit.surveys.grid_files import n_spectra, read_grid_file

N_PIX = 50


def image(path, **cards):
    fits.PrimaryHDU(np.ones(N_PIX), fits.Header(cards)).writeto(path)
    return path


@pytest.mark.parametrize(
    ("first", "step"),
    [(4000.0, 1.0), (np.log10(4000.0), 1e-4), (np.log(4000.0), 1e-4)],
    ids=["linear", "log10", "ln"],
)
def test_an_axis_is_told_by_where_it_begins(tmp_path, first, step):
    found = read_grid_file(image(tmp_path / "a.fits", CRVAL1=first, CDELT1=step, CRPIX1=1.0))
    assert found.wave[0] == pytest.approx(4000) and len(found.wave) == N_PIX
    assert (np.diff(found.wave) > 0).all()


def test_an_axis_in_another_unit(tmp_path):
    path = image(tmp_path / "a.fits", CRVAL1=400.0, CDELT1=0.1, CUNIT1="nm")
    assert (found := read_grid_file(path)).wave[1] == pytest.approx(400.1)
    assert found.wave_unit == "nm"


def test_an_axis_of_something_else_is_refused_and_none_is_none(tmp_path):
    with pytest.raises(SpectrumError, match="none of wavelengths"):
        read_grid_file(image(tmp_path / "a.fits", CRVAL1=0.0, CDELT1=1.0))
    assert read_grid_file(image(tmp_path / "b.fits")).wave is None


def test_numbers_as_fortran_writes_them(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("# a remark\n 4000.0 1.5D-03\n 4001.0 2.5-110\n 4.002E+03 1.0E+00\n")
    found = read_grid_file(path)
    assert found.wave.tolist() == [4000.0, 4001.0, 4002.0]
    assert found.flux.tolist() == [[1.5e-3, 2.5e-110, 1.0]]


def test_columns_of_text_by_number_and_a_single_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("1 2 3\n4 5 6\n")
    found = read_grid_file(path, "2", "0")
    assert found.wave.tolist() == [3, 6] and found.flux.tolist() == [[1, 4]]
    path.write_text("1\n2\n")
    assert read_grid_file(path).wave is None


def test_spectra_of_a_file_are_counted_without_reading_them(tmp_path):
    np.savez(tmp_path / "many.npz", wave=np.ones(3), flux=np.ones((7, 3)))
    np.savez(tmp_path / "one.npz", wave=np.ones(3), flux=np.ones(3))
    (tmp_path / "bad.npz").write_bytes(b"PK")
    counts = [n_spectra(tmp_path / f"{name}.npz") for name in ("many", "one", "bad")]
    assert counts == [7, None, None]
    assert n_spectra(tmp_path / "a.fits") is None


def test_pickles_are_not_read(tmp_path):
    np.savez(tmp_path / "a.npz", wave=np.ones(3), flux=np.array([{}], dtype=object))
    with pytest.raises(SpectrumError, match="cannot be read as synthetic spectra"):
        read_grid_file(tmp_path / "a.npz")

import gzip
import io
import warnings

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_file import read_fits


def file_bytes() -> bytes:
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("Flux", "3E", array=[[1.0, 2.0, 3.0]]),
            fits.Column("count", "J", array=[7]),
            fits.Column("name", "4A", array=["star"]),
        ]
    )
    image = fits.PrimaryHDU(np.arange(6, dtype=">f4").reshape(2, 3))
    image.header["Z"] = 1e-4
    image.header["CLASS"] = (" STAR ", "class of object")
    buffer = io.BytesIO()
    fits.HDUList([image, table]).writeto(buffer)
    return buffer.getvalue()


RAW = file_bytes()


@pytest.mark.parametrize("raw", [RAW, gzip.compress(RAW)], ids=["plain", "gzip"])
def test_arrays_are_native_float64(raw):
    image, table = read_fits(raw, "made")
    np.testing.assert_array_equal(image.image, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(table.columns["FLUX"], [[1, 2, 3]])
    for array in (image.image, table.columns["FLUX"], table.columns["COUNT"]):
        assert array.dtype == np.float64
        assert array.dtype.isnative


def test_text_columns_are_left_out():
    _, table = read_fits(RAW, "made")
    assert table.columns.keys() == {"FLUX", "COUNT"}
    assert table.image is None


def test_a_path_reads_like_its_bytes(tmp_path):
    path = tmp_path / "a.fits.gz"
    path.write_bytes(gzip.compress(RAW))
    np.testing.assert_array_equal(read_fits(path, "a")[0].image, read_fits(RAW, "a")[0].image)


def test_arrays_do_not_depend_on_the_file(tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(RAW)
    unit = read_fits(path, "a")[0]
    path.write_bytes(b"")
    assert unit.image.sum() == 15
    unit.image[0, 0] = 1


def test_cards():
    unit = read_fits(RAW, "made")[0]
    assert unit.number("Z") == 1e-4
    assert unit.text("CLASS") == "STAR"
    assert np.isnan(unit.number("CLASS"))
    assert np.isnan(unit.number("ABSENT"))
    assert unit.text("ABSENT") == unit.text("Z") == ""
    assert unit.comment("CLASS") == "class of object"
    assert unit.comment("ABSENT") == ""


def test_a_card_that_is_not_fits_is_missing_and_silent():
    raw = RAW.replace(b"Z       =               0.0001", b"Z       =                  1 0")
    assert raw != RAW
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unit = read_fits(raw, "made")[0]
        assert np.isnan(unit.number("Z"))
        assert unit.text("Z") == ""


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b"<html>not found</html>" * 200, "FITS"),
        (RAW[:100], "FITS"),
        (RAW[:2890], "FITS"),
        (gzip.compress(RAW)[:-20], "gzip"),
        (gzip.compress(RAW)[:30], "gzip"),
        (b"\x1f\x8b" + b"0" * 100, "gzip"),
        (gzip.compress(b""), "FITS"),
    ],
    ids=["empty", "html", "cut header", "cut data", "cut gzip", "stub", "no gzip", "gzip of none"],
)
def test_a_damaged_file_is_one_clear_line(raw, why):
    with pytest.raises(SpectrumError, match=f"^night/star.fits: .*{why}") as caught:
        read_fits(raw, "night/star.fits")
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(SpectrumError, match="night/star: no such file"):
        read_fits(tmp_path / "star", "night/star")


def test_a_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(SpectrumError, match="star: cannot be read"):
        read_fits(tmp_path, "star")


def test_no_permission(tmp_path, monkeypatch):
    def refuse(self, *arguments):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "star").write_bytes(RAW)
    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(SpectrumError, match="star: cannot be read \\(Permission denied\\)"):
        read_fits(tmp_path / "star", "star")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(RAW)))
def test_a_file_cut_anywhere_is_refused_or_lacks_only_padding(length):
    try:
        units = read_fits(RAW[:length], "cut")
    except SpectrumError:
        return
    np.testing.assert_array_equal(units[0].image, [[0, 1, 2], [3, 4, 5]])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(RAW) - 1), st.integers(0, 255))
def test_a_changed_byte_never_raises_anything_else(position, value):
    raw = RAW[:position] + bytes([value]) + RAW[position + 1 :]
    try:
        for unit in read_fits(raw, "changed"):
            unit.number("Z")
            unit.text("CLASS")
    except SpectrumError:
        pass

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.files.file_name import ending, is_fits_name, printable, stem


@pytest.mark.parametrize(
    "name",
    ["a.fits", "a.fit", "a.fts", "a.FITS", "a.Fits.GZ", "a.fits.gz", "a.fits.fz", "a.b.FIT.gz"],
)
def test_names_of_fits_files(name):
    assert is_fits_name(name)
    assert stem(f"folder.fits/{name}") in ("a", "a.b")


@pytest.mark.parametrize("name", ["a.fits.txt", "a.gz", "afits", "a.fits.gz.part", "fits", "a.csv"])
def test_names_of_others(name):
    assert not is_fits_name(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", ".csv"),
        ("dr10_v2.0_LRS_stellar.csv", ".csv"),
        ("a.tar.gz", ".tar.gz"),
        ("a.FITS.BZ2", ".fits.bz2"),
        ("README", ""),
        (".hidden", ""),
    ],
)
def test_ending(name, expected):
    assert ending(name) == expected


def test_bytes_that_are_not_utf8_are_escaped():
    assert printable(os.fsdecode(b"caf\xe9.fits")) == "caf\\udce9.fits"
    assert printable("a\nb\x00") == "a\\nb\\x00"


def test_what_can_be_written_stays():
    assert printable("étoile ☉ 3.fits") == "étoile ☉ 3.fits"


@given(st.binary(max_size=30))
def test_any_name_can_be_written_and_known_again(raw):
    name = os.fsdecode(raw)
    shown = printable(name)
    assert shown.encode("utf-8").decode("utf-8") == shown
    if "\\" not in name and name.isascii():
        assert shown.encode("ascii").decode("unicode_escape") == name

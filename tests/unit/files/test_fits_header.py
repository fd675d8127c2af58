import math

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import DataError
from torchfit.files.fits_header import FitsHeader, filled


def header_of(*cards):
    text = "".join(card.ljust(80) for card in ("SIMPLE  =                    T", *cards, "END"))
    return FitsHeader.parse(text.ljust(filled(len(text))).encode("latin-1"))


@given(
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
)
def test_values_are_those_that_astropy_wrote(value):
    raw = fits.Header({"SIMPLE": True, "KEY": value}).tostring()
    header, found = fits.Header.fromstring(raw), FitsHeader.parse(raw.encode())
    if isinstance(value, str):
        assert found.text("KEY") == header["KEY"].strip()
    else:
        assert found.number("KEY") == header["KEY"]
        assert found.text("KEY") == ""
    if isinstance(value, int):
        assert found.whole("KEY") == value


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.5D3", 1500), ("-.5", -0.5), ("+154", 154), ("1.", 1), ("'7.25'", 7.25), ("5 / six", 5)],
)
def test_ways_to_write_a_number(text, number):
    assert header_of(f"KEY     = {text}").number("KEY") == number


@pytest.mark.parametrize("text", ["1 0", "T", "'-'", "nan", "1_0", "", "0x1", "'G5'"])
def test_what_is_no_number(text):
    assert math.isnan(header_of(f"KEY     = {text}").number("KEY"))


def test_a_quote_in_a_text_and_a_slash():
    header = header_of("KEY     = 'Barnard''s / star' / its name, 1/2 of it")
    assert header.text("KEY") == "Barnard's / star"
    assert header.comment("KEY") == "its name, 1/2 of it"


def test_of_a_doubled_card_the_first_counts():
    assert header_of("KEY     = 1", "KEY     = 2").number("KEY") == 1


def test_a_missing_card():
    header = header_of("COMMENT a word = here")
    assert math.isnan(header.number("KEY"))
    assert (header.text("KEY"), header.comment("KEY"), header.whole("KEY", 7)) == ("", "", 7)
    assert "KEY" not in header
    assert "SIMPLE" in header


def test_the_word_end_in_a_comment_is_not_the_end():
    header = header_of("COMMENT " + " " * 60 + "END", "KEY     = 1")
    assert header.number("KEY") == 1


@pytest.mark.parametrize("naxis", [0, 2])
def test_axes_that_are_left_over_do_not_count(naxis):
    """As in LAMOST's primary unit: NAXIS=0, and still NAXIS1 and NAXIS2."""
    cards = ("BITPIX  = -32", f"NAXIS   = {naxis}", "NAXIS1  = 7", "NAXIS2  = 5")
    header = header_of(*cards)
    assert header.shape == ((5, 7) if naxis else ())
    assert header.data_size == (140 if naxis else 0)


@pytest.mark.parametrize("cards", [("NAXIS   = 1",), ("NAXIS   = 1", "NAXIS1  = -5")])
def test_lengths_that_are_missing(cards):
    with pytest.raises(DataError, match="lengths of the axes"):
        header_of(*cards).shape  # noqa: B018


@pytest.mark.parametrize("raw", [b"", b"END" + b" " * 77, b"SIMPLE  = T".ljust(2880)])
def test_no_header(raw):
    with pytest.raises(DataError, match=r"no (whole )?FITS file"):
        FitsHeader.parse(raw)

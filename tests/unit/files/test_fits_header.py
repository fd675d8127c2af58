import io
import math
import warnings

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import DataError
from torchfit.files.fits_header import FitsHeader, end_card, filled


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


@pytest.mark.parametrize("filling", [b"\0" * 77, b" " * 20 + b"\0" * 57, b"\n" + b" " * 76])
def test_the_end_card_as_astropy_reads_it(filling):
    raw = fits.PrimaryHDU().header.tostring().encode()
    place = raw.index(b"END".ljust(80))
    spoilt = raw[: place + 3] + filling + raw[place + 80 :]
    assert end_card(spoilt) == place
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert fits.Header.fromfile(io.BytesIO(spoilt))["NAXIS"] == 0
    assert FitsHeader.parse(spoilt).size == 2880


@pytest.mark.parametrize("card", [b"ENDING  = 5", b"END_    = 5", b"END-    = 5", b"END1    = 5"])
def test_another_keyword_is_no_end(card):
    raw = b"SIMPLE  =                    T".ljust(80) + card.ljust(80) + b"END".ljust(80)
    assert end_card(raw) == 160


@pytest.mark.parametrize("value", ["1000", "99999999999", "-1"])
def test_no_more_axes_than_the_standard_has(value):
    header = FitsHeader({"NAXIS   ": f"= {value}"})
    with pytest.raises(DataError, match="NAXIS must lie within 0 and 999"):
        _ = header.shape


def test_a_negative_heap_is_refused():
    cards = {"NAXIS   ": "= 1", "NAXIS1  ": "= 10", "BITPIX  ": "= 8", "PCOUNT  ": "= -99999"}
    with pytest.raises(DataError, match="PCOUNT is negative"):
        _ = FitsHeader(cards).data_size


def test_logical_values():
    header = FitsHeader({"A       ": "= T / yes", "B       ": "=   F", "C       ": "= 1"})
    assert [header.logical(key) for key in "ABCD"] == [True, False, None, None]


def test_control_characters_become_blanks():
    header = FitsHeader({"A       ": "= 'G5\x00\x07V' / a\nb"})
    assert (header.text("A"), header.comment("A")) == ("G5  V", "a b")


@pytest.mark.parametrize("key", ["NAXIS1", "PCOUNT", "GCOUNT", "BITPIX"])
def test_more_bytes_than_a_place_can_be_told_of_are_no_size(key):
    sound = {"NAXIS": 1, "NAXIS1": 10, "BITPIX": 8, "PCOUNT": 0, "GCOUNT": 1}
    assert header_of(*(f"{name:8}= {value:>20}" for name, value in sound.items())).data_size == 10
    cards = (f"{name:8}= {value:>20}" for name, value in (sound | {key: 10**19}).items())
    with pytest.raises(DataError, match="holds more than it can"):
        _ = header_of(*cards).data_size

import io

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_file import read_fits


def table_bytes(letter="PE", rows=([1.0, 2.0, 3.0],), **cards):
    arrays = np.empty(len(rows), dtype=object)
    arrays[:] = [np.array(row) for row in rows]
    unit = fits.BinTableHDU.from_columns(
        [
            fits.Column("FLUX", f"{letter}()", array=arrays),
            fits.Column("N", "J", array=[7] * len(rows)),
        ]
    )
    buffer = io.BytesIO()
    unit.writeto(buffer)
    raw = buffer.getvalue()
    for key, value in cards.items():
        start = raw.index(key.ljust(8).encode() + b"=")
        raw = raw[: start + 10] + f"{value:>20}".encode() + raw[start + 30 :]
    return raw


@pytest.mark.parametrize("letter", ["PE", "PD", "QE", "QD", "PJ", "PI"])
def test_equally_long_arrays_are_a_column(letter):
    columns = read_fits(table_bytes(letter, ([1, 2, 3], [4, 5, 6])), "x")[1].columns
    np.testing.assert_array_equal(columns["FLUX"], [[1, 2, 3], [4, 5, 6]])
    assert columns["FLUX"].dtype == np.float64
    np.testing.assert_array_equal(columns["N"], [7, 7])


def test_arrays_of_unequal_length_are_left_out():
    columns = read_fits(table_bytes(rows=([1.0, 2.0], [3.0])), "x")[1].columns
    assert columns.keys() == {"N"}


@pytest.mark.parametrize("theap", [10**9, -5, 2**62])
def test_a_heap_outside_the_table(theap):
    raw = table_bytes()
    gcount = raw.index(b"GCOUNT  =")
    card = f"THEAP   = {theap:>20}".ljust(80).encode()
    raw = raw[:gcount] + card + raw[gcount + 80 :]
    with pytest.raises(SpectrumError, match="outside the table"):
        read_fits(raw, "x")


@settings(max_examples=100, deadline=None)
@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
def test_any_pointer_is_read_or_refused(length, offset):
    raw = table_bytes()
    start = len(raw) - 2880
    pointer = np.array([length, offset], ">i4").tobytes()
    try:
        columns = read_fits(raw[:start] + pointer + raw[start + 8 :], "x")[1].columns
    except SpectrumError:
        return
    assert columns["FLUX"].shape == (1, length)


def test_many_rows_may_not_point_to_one_large_array():
    """A table of 16 MiB of which every row points to all of its heap is refused, not read."""
    n_rows, n = 100_000, 100_000
    header = fits.BinTableHDU.from_columns([fits.Column("FLUX", "PE()", array=np.array([[1.0]]))])
    cards = header.header
    cards["NAXIS2"], cards["PCOUNT"] = n_rows, 4 * n
    rows = np.tile(np.array([n, 0], ">i4"), (n_rows, 1)).tobytes() + bytes(4 * n)
    raw = fits.PrimaryHDU().header.tostring().encode() + cards.tostring().encode()
    with pytest.raises(SpectrumError, match="more than 16 MiB"):
        read_fits(raw + rows + bytes(-len(rows) % 2880), "x")

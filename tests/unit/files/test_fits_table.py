from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from torchfit.exceptions import DataError
from torchfit.files.fits_header import FitsHeader
from torchfit.files.fits_table import TableLayout


def layout_of(*columns, **changes):
    header = fits.BinTableHDU.from_columns(list(columns), name="T").header
    header.update(changes)
    return TableLayout.of(FitsHeader.parse(header.tostring().encode()))


def test_a_row_is_laid_out_as_in_the_file():
    layout = layout_of(
        fits.Column("id", "K", array=np.arange(3)),
        fits.Column("Name", "5A", array=["a", "b", "c"]),
        fits.Column("flux", "4E", array=np.ones((3, 4))),
        fits.Column("bits", "11X", array=np.ones((3, 11), bool)),
        fits.Column("any", "PJ()", array=np.array([[1], [2, 3], []], dtype=object)),
    )
    assert layout.names == ("ID", "NAME", "FLUX", "BITS", "ANY")
    assert layout.dtype.itemsize == 8 + 5 + 16 + 2 + 8
    assert layout.dtype["FLUX"].shape == (4,)
    assert (layout.extname, layout.n_rows) == ("T", 3)


@pytest.mark.parametrize(
    ("column", "expected", "dtype"),
    [
        (fits.Column("x", "I", array=np.array([1, 40000]), bzero=32768), [1, 40000], np.int64),
        (fits.Column("x", "J", array=np.array([3, -4])), [3, -4], np.int32),
        (fits.Column("x", "3A", array=["a", "bcd"]), [b"a", b"bcd"], None),
    ],
)
def test_values(column, expected, dtype):
    hdu = fits.BinTableHDU.from_columns([column])
    layout = TableLayout.of(FitsHeader.parse(hdu.header.tostring().encode()))
    rows = np.array(expected).astype(layout.dtype["X"]) if dtype is None else None
    if rows is None:
        offset = layout.scales.get("X", (1, 0))[1]
        rows = (np.array(expected) - int(offset)).astype(layout.dtype["X"])
    table = np.zeros(2, layout.dtype)
    table["X"] = rows
    found = layout.values(table, "X")
    np.testing.assert_array_equal(found, expected)
    assert dtype is None or found.dtype == dtype


def test_a_missing_column():
    layout = layout_of(fits.Column("a", "J", array=[1]))
    layout.demand(["A"], Path("f"))
    with pytest.raises(DataError, match="f: no column B, C; the table has A"):
        layout.demand(["C", "A", "B"], Path("f"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"NAXIS1": 5}, "a row has 5 bytes, its columns 8"),
        ({"TFORM1": "9Z"}, "unknown column format '9Z'"),
        ({"TTYPE2": "a"}, "two columns have one name: a, a"),
        ({"XTENSION": "IMAGE"}, "no binary table"),
    ],
)
def test_a_header_that_contradicts_itself(changes, why):
    with pytest.raises(DataError, match=why):
        layout_of(fits.Column("a", "J", array=[1]), fits.Column("b", "J", array=[1]), **changes)

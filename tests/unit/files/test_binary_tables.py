import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from torchfit.exceptions import DataError
from torchfit.files.binary_tables import open_arrow, open_fits
from torchfit.files.table_file import read_columns


def write(path, *columns):
    fits.BinTableHDU.from_columns([fits.Column(**column) for column in columns]).writeto(path)


def test_an_integer_that_stands_for_nothing_is_missing(tmp_path):
    write(tmp_path / "x.fits", {"name": "a", "format": "K", "array": [1, 999999], "null": 999999})
    assert read_columns(tmp_path / "x.fits", {"a": ["a"]})["a"].to_pylist() == [1, None]


def test_unsigned_integers_of_64_bits(tmp_path):
    values = np.array([0, 3428806540132843521, 2**64 - 1], np.uint64)
    write(tmp_path / "x.fits", {"name": "a", "format": "K", "array": values, "bzero": 2**63})
    read = read_columns(tmp_path / "x.fits", {"a": ["a"]})["a"].to_pylist()
    assert read == values.tolist()


def test_names_that_differ_by_case_are_two_columns(tmp_path):
    path = tmp_path / "x.fits"
    hours = {"format": "D", "unit": "h"}
    write(path, {"name": "ra", "array": [0.0], **hours}, {"name": "RA", "array": [1.0], **hours})
    table = next(open_fits(path))
    assert (list(table.names), list(table.units)) == (["ra", "RA"], ["h", "h"])
    assert read_columns(path, {"x": ["RA"], "y": ["ra"]})["x"].to_pylist() == [1.0]


def test_an_array_in_every_row_is_refused_where_it_is_wanted(tmp_path):
    array = np.array([[1.0], [1.0, 2.0]], dtype=object)
    write(
        tmp_path / "x.fits",
        {"name": "a", "format": "PD()", "array": array},
        {"name": "b", "format": "J", "array": [1, 2]},
    )
    assert read_columns(tmp_path / "x.fits", {"b": ["b"]})["b"].to_pylist() == [1, 2]
    with pytest.raises(DataError, match="column a holds an array in every row"):
        read_columns(tmp_path / "x.fits", {"a": ["a"]})


def test_parquet_comes_in_pieces_with_units(tmp_path):
    schema = pa.schema([pa.field("ra", pa.float64(), metadata={"unit": "deg"})])
    pq.write_table(pa.table({"ra": np.arange(200_000.0)}, schema), tmp_path / "x.parquet")
    table = next(open_arrow(tmp_path / "x.parquet", "parquet"))
    pieces = [len(piece) for piece in table.pieces([0])]
    assert (list(table.units), sum(pieces)) == (["deg"], 200_000)
    assert max(pieces) < 100_000

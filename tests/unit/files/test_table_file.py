from pathlib import Path

import astropy.table as at
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import DataError
from torchfit.files.table_file import as_numbers, as_texts, find_columns, open_table, read_columns

IDS = [3428806540132843520, None, 12]
TEFF = [5000.5, np.nan, 6000.0]
NAMES = ["a", "", "c d"]
ENDINGS = ["parquet", "fits", "fits.gz", "csv", "csv.gz", "tsv", "txt", "dat", "vot", "ecsv"]
SEPARATORS = {"csv": ",", "csv.gz": ",", "tsv": "\t", "txt": "|", "dat": ";"}


def write(folder, ending):
    """One table in one format, with an identifier that no float holds, and a missing one."""
    path = folder / f"table.{ending}"
    frame = pd.DataFrame({"source_id": pd.array(IDS, "Int64"), "Teff": TEFF, "Name": NAMES})
    if ending == "parquet":
        frame.to_parquet(path)
    elif ending in SEPARATORS:
        frame.to_csv(path, sep=SEPARATORS[ending], index=False)
    else:
        ids = np.ma.array([value or 0 for value in IDS], mask=[value is None for value in IDS])
        table = at.Table({"source_id": ids, "Teff": TEFF, "Name": NAMES}, masked=True)
        kind = {"vot": "votable", "ecsv": "ascii.ecsv"}.get(ending, "fits")
        table.write(path, format=kind)
    return path


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_gives_the_same_columns(tmp_path, ending):
    path = write(tmp_path, ending)
    read = read_columns(path, {"id": ["source_id"], "teff": ["Teff"], "name": ["Name"]})
    assert as_texts(read["id"]).tolist() == ["3428806540132843520", "", "12"]
    np.testing.assert_array_equal(as_numbers(read["teff"]), TEFF)
    assert as_texts(read["name"]).tolist() == ["a", "", "c d"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_missing_column_is_named_with_those_that_are_there(tmp_path, ending):
    path = write(tmp_path, ending)
    with pytest.raises(DataError) as error:
        read_columns(path, {"logg": ["logg", "log_g"]})
    told = str(error.value)
    assert "has no column for logg (accepted: logg, log_g); it has: source_id, Teff, Name" in told


def test_a_folder_of_parquet_is_one_table(tmp_path):
    for part in (1, 2):
        (tmp_path / "data" / f"x={part}").mkdir(parents=True)
        pd.DataFrame({"a": [part]}).to_parquet(tmp_path / "data" / f"x={part}" / "p.parquet")
    read = read_columns(tmp_path / "data", {"a": ["a"], "x": ["x"]})
    assert sorted(as_numbers(read["a"])) == sorted(as_numbers(read["x"])) == [1.0, 2.0]


def test_a_folder_with_an_equals_sign_makes_no_column_of_a_file(tmp_path):
    (tmp_path / "match.t=50").mkdir()
    path = write(tmp_path / "match.t=50", "parquet")
    assert "match.t" not in open_table(path)[0]


def test_an_exact_name_goes_before_one_in_other_case():
    # b_ and B_ of VizieR's distances are the lower and the upper end.
    assert find_columns_of(["B_rgeo", "b_rgeo"], low=["b_rgeo"], high=["B_rgeo"]) == {
        "low": "b_rgeo",
        "high": "B_rgeo",
    }
    assert find_columns_of(["TEFF"], teff=["teff"]) == {"teff": "TEFF"}
    with pytest.raises(DataError, match="no column for x"):
        find_columns_of(["Teff", "tEFF"], x=["TEFF"])


def find_columns_of(names, **wanted):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torchfit.files.table_file.open_table", lambda path: (names, None))
        return find_columns(Path("x"), wanted)


def test_optional_columns_need_not_be_there(tmp_path):
    path = write(tmp_path, "csv")
    assert set(read_columns(path, {"teff": ["Teff"], "ra": ["ra"]}, optional=["ra"])) == {"teff"}


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("x.fits", b"no FITS", "cannot be read as a table"),
        ("x.parquet", b"PAR1", "cannot be read as a table"),
        ("x.vot", b"<html></html>", "cannot be read as a table"),
        ("x.csv.gz", b"no gzip", "cannot be read as a table"),
        ("x.csv", b"", "cannot be read as a table"),
        ("x.xlsx", b"", "unknown kind of table"),
        ("x", b"", "unknown kind of table"),
    ],
)
def test_what_is_no_table_is_one_clear_error(tmp_path, name, content, text):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=text):
        read_columns(tmp_path / name, {"a": ["a"]})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="no such table"):
        open_table(tmp_path / "nowhere.csv")


def test_fits_without_a_table(tmp_path):
    fits.PrimaryHDU(np.zeros(3)).writeto(tmp_path / "x.fits")
    with pytest.raises(DataError, match="holds no binary table"):
        open_table(tmp_path / "x.fits")


def test_a_matrix_is_no_column(tmp_path):
    column = fits.Column("PARAM", "2D", array=np.zeros((3, 2)))
    fits.BinTableHDU.from_columns([column]).writeto(tmp_path / "x.fits")
    with pytest.raises(DataError, match="values in every row"):
        read_columns(tmp_path / "x.fits", {"p": ["PARAM"]})


def test_numbers_are_in_the_byte_order_of_this_machine(tmp_path):
    read = read_columns(write(tmp_path, "fits"), {"t": ["Teff"]})
    assert as_numbers(read["t"]).dtype == np.dtype("float64").newbyteorder("=")


def test_stand_ins_become_nan_in_single_precision_too():
    values = pd.Series(np.array([-9999.99, -9999.0, 5.0], dtype=np.float32))
    np.testing.assert_array_equal(as_numbers(values, [-9999.99, -9999.0]), [np.nan, np.nan, 5.0])


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_whole_numbers_keep_every_digit(values):
    assert as_texts(pd.Series(values, dtype="Int64")).tolist() == [str(value) for value in values]


def test_floats_that_are_whole_become_plain_digits():
    assert as_texts(pd.Series([12.0, np.nan])).tolist() == ["12", ""]

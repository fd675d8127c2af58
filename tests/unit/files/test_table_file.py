import bz2
import gzip
import lzma
from pathlib import Path

import astropy.table as at
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from torchfit.exceptions import DataError
from torchfit.files.cells import as_numbers, as_texts
from torchfit.files.opened_table import OpenedTable
from torchfit.files.table_file import choose, find_columns, open_tables, read_columns

IDS = [3428806540132843520, None, 12]
TEFF = [5000.5, np.nan, 6000.0]
NAMES = ["a", "", "c d"]
SEPARATORS = {"csv": ",", "tsv": "\t", "txt": "|", "dat": ";"}
PACKING = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
ENDINGS = [
    "parquet", "feather", "fits", "fits.gz", "fit", "csv", "csv.gz", "csv.bz2", "csv.xz", "tsv",
    "txt", "dat", "vot", "votable", "xml", "vot.gz", "ecsv", "ecsv.gz",
]  # fmt: skip


def write(folder, ending):
    """One table in one format, with an identifier that no float holds, and a missing one."""
    path = folder / f"table.{ending}"
    kind, _, packing = ending.partition(".")
    plain = folder / f"table.{kind}"
    frame = pd.DataFrame({"source_id": pd.array(IDS, "Int64"), "Teff": TEFF, "Name": NAMES})
    if kind in ("parquet", "feather"):
        getattr(frame, f"to_{kind}")(plain)
    elif kind in SEPARATORS:
        frame.to_csv(plain, sep=SEPARATORS[kind], index=False)
    else:
        ids = np.ma.array([value or 0 for value in IDS], mask=[value is None for value in IDS])
        table = at.Table({"source_id": ids, "Teff": TEFF, "Name": NAMES}, masked=True)
        formats = {"vot": "votable", "votable": "votable", "xml": "votable", "ecsv": "ascii.ecsv"}
        table.write(plain, format=formats.get(kind, "fits"))
    if packing:
        path.write_bytes(PACKING[packing](plain.read_bytes()))
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
    assert "match.t" not in next(open_tables(path)).names


def columns(names, **wanted):
    table = OpenedTable(names, [""] * len(names), lambda places: iter(()))
    return {here: names[n] for here, n in choose(Path("x"), table, wanted).items()}


def test_an_exact_name_goes_before_one_in_other_case():
    # b_ and B_ of VizieR's distances are the lower and the upper end.
    ends = {"low": ["b_rgeo"], "high": ["B_rgeo"]}
    assert columns(["B_rgeo", "b_rgeo"], **ends) == {"low": "b_rgeo", "high": "B_rgeo"}
    assert columns(["TEFF"], teff=["teff"]) == {"teff": "TEFF"}
    assert columns(["RA", "ra"], ra=["ra", "RA"]) == {"ra": "ra"}


@pytest.mark.parametrize("names", [["Teff", "tEFF"], ["TEFF", "TEFF"]])
def test_two_columns_of_one_name_are_named(names):
    with pytest.raises(DataError, match=f"2 columns that may be TEFF: {names[0]}, {names[1]}"):
        columns(names, x=["TEFF"])


def test_optional_columns_need_not_be_there(tmp_path):
    path = write(tmp_path, "csv")
    assert set(read_columns(path, {"teff": ["Teff"], "ra": ["ra"]}, optional=["ra"])) == {"teff"}


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("x.fits", b"no FITS", "holds no fits"),
        ("x.parquet", b"PAR1", "cannot be read as a table"),
        ("x.vot", b"<html></html>", "web page or XML"),
        ("x.csv", b"<!DOCTYPE html><html></html>", "web page or XML"),
        ("x.csv.gz", b"\x1f\x8bno gzip", "cannot be read as a table"),
        ("x.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99)[:-20], "cannot be read as a table"),
        ("x.csv", b"", "the file is empty"),
        ("x.csv", b"# only this\n", "has no column for a"),
        ("x.xlsx", b"PK\x03\x04", "unknown kind of table: it is a zip archive or a spreadsheet"),
        ("x", bytes(range(32)), "unknown kind of table"),
        ("x.csv", b"a" * (2 << 20), "more than a million characters"),
    ],
)
def test_what_is_no_table_is_one_clear_error(tmp_path, name, content, text):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=text) as error:
        read_columns(tmp_path / name, {"a": ["a"]})
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="no such table"):
        list(open_tables(tmp_path / "nowhere.csv"))


def test_the_first_table_that_has_the_columns_is_read(tmp_path):
    first = fits.BinTableHDU(at.Table({"x": [1]}), name="NOTES")
    second = fits.BinTableHDU(at.Table({"a": [5, 6]}), name="STARS")
    fits.HDUList([fits.PrimaryHDU(), first, second]).writeto(tmp_path / "x.fits")
    found = find_columns(tmp_path / "x.fits", {"a": ["a"]})
    assert [piece["a"].to_pylist() for piece in found.pieces()] == [[5, 6]]
    assert found.notes == ["table 2 of the file is read"]


def test_a_table_without_rows(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n")
    assert len(read_columns(tmp_path / "x.csv", {"a": ["a"]})["a"]) == 0


def test_fits_without_a_table(tmp_path):
    fits.PrimaryHDU(np.zeros(3)).writeto(tmp_path / "x.fits")
    with pytest.raises(DataError, match="holds no table"):
        read_columns(tmp_path / "x.fits", {"a": ["a"]})


def test_a_matrix_is_no_column(tmp_path):
    column = fits.Column("PARAM", "2D", array=np.zeros((3, 2)))
    fits.BinTableHDU.from_columns([column]).writeto(tmp_path / "x.fits")
    with pytest.raises(DataError, match="values in every row"):
        read_columns(tmp_path / "x.fits", {"p": ["PARAM"]})


def test_numbers_are_in_the_byte_order_of_this_machine(tmp_path):
    read = read_columns(write(tmp_path, "fits"), {"t": ["Teff"]})
    assert as_numbers(read["t"]).dtype == np.dtype("float64").newbyteorder("=")

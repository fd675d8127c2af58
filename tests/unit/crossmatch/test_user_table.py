import numpy as np
import pandas as pd
import pytest

from torchfit.crossmatch.user_table import TableSchema
from torchfit.exceptions import ConfigError, DataError


@pytest.fixture
def path(tmp_path):
    frame = pd.DataFrame(
        {
            "ID": ["a", "b", "c", "d"],
            "TEFF": [5000.0, -9999.0, 7000.0, 8000.0],
            "FLAG": [0, 0, 16, 1],
        }
    )
    frame.to_csv(tmp_path / "x.csv", index=False)
    return tmp_path / "x.csv"


def schema(**settings):
    return TableSchema({"teff": ["TEFF"], "flag": ["FLAG"]}, {"id": ["ID"]}, **settings)


def test_columns_are_in_our_words_and_missing_values_nan(path):
    table = schema().read(path).table
    assert list(table) == ["teff", "flag", "id"]
    np.testing.assert_array_equal(table["teff"], [5000, np.nan, 7000, 8000])
    assert list(table["id"]) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("ends", "kept"),
    [
        ([5000.0, 7000.0], "ac"),
        ([None, 7000.0], "ac"),
        ([6000.0, None], "cd"),
        ([None, None], "acd"),
    ],
)
def test_a_cut_keeps_what_lies_within_and_drops_what_is_missing(path, ends, kept):
    assert list(schema(keep={"teff": ends}).read(path).table["id"]) == list(kept)


def test_rows_with_a_bit_are_dropped(path):
    assert list(schema(without_bits={"flag": 17}).read(path).table["id"]) == ["a", "b"]
    assert list(schema(without_bits={"flag": 1}).read(path).table["id"]) == ["a", "b", "c"]


def test_an_optional_column_that_is_not_there_is_missing(path):
    wanted = TableSchema({"teff": ["TEFF"], "ra": ["RA"]}, {"uid": ["UID"]}, ["ra", "uid"])
    table = wanted.read(path).table
    assert table["ra"].isna().all()
    assert list(table["uid"]) == [""] * 4


def test_checking_finds_a_missing_column_without_reading_rows(path, monkeypatch):
    monkeypatch.setattr("torchfit.files.table_file.TableFile.pieces", None)
    schema().check(path)
    with pytest.raises(DataError, match="no column for logg"):
        TableSchema({"logg": ["logg"]}).check(path)
    with pytest.raises(DataError, match="no such table"):
        schema().check(path.with_name("nowhere.csv"))


@pytest.mark.parametrize(
    "cut", [{"keep": {"logg": [0.0, 1.0]}}, {"without_bits": {"x": 1}}, {"keep": {"teff": [0.0]}}]
)
def test_a_cut_must_be_of_a_column_that_is_read_and_have_two_ends(cut):
    with pytest.raises(ConfigError, match="must name"):
        schema(**cut)


def test_what_was_read_is_told_in_one_line(path):
    rows = schema(keep={"teff": [6000.0, None]}).read(path)
    told = "text with commas, 4 rows, 2 within the cuts, columns teff = TEFF, flag = FLAG, id = ID"
    assert rows.summary() == told


def test_places_are_in_degrees_whatever_they_are_written_in(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("ra;dec;teff\n01:00:00;-00:30:00;5000,5\n02:00:00;10:00:00;6000,5\n")
    wanted = TableSchema(
        {"ra": ["ra"], "dec": ["dec"], "teff": ["teff"]}, keep={"teff": [5500.0, None]}
    )
    rows = wanted.read(path)
    assert rows.table.to_dict("list") == {"ra": [30.0], "dec": [10.0], "teff": [6000.5]}
    assert (
        "ra = ra (sexagesimal), dec = dec (sexagesimal), teff = teff (decimal commas)"
        in rows.summary()
    )


def test_an_encoding_must_be_known():
    with pytest.raises(ConfigError, match="encoding=utf-9: Python knows no such encoding"):
        schema(encoding="utf-9")

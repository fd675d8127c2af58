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
    table = schema().read(path)
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
    assert list(schema(keep={"teff": ends}).read(path)["id"]) == list(kept)


def test_rows_with_a_bit_are_dropped(path):
    assert list(schema(without_bits={"flag": 17}).read(path)["id"]) == ["a", "b"]
    assert list(schema(without_bits={"flag": 1}).read(path)["id"]) == ["a", "b", "c"]


def test_an_optional_column_that_is_not_there_is_missing(path):
    wanted = TableSchema({"teff": ["TEFF"], "ra": ["RA"]}, {"uid": ["UID"]}, ["ra", "uid"])
    table = wanted.read(path)
    assert table["ra"].isna().all()
    assert list(table["uid"]) == [""] * 4


def test_checking_finds_a_missing_column_without_reading_rows(path, monkeypatch):
    monkeypatch.setattr("torchfit.crossmatch.user_table.read_columns", None)
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

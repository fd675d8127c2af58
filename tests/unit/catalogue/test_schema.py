import astropy.units as u
import pandas as pd
import pytest

from torchfit.catalogue.schema import columns, conform, difference_unit
from torchfit.exceptions import CatalogueError
from torchfit.names import LABELS


def test_schema_follows_the_labels():
    three = [column.name for column in columns(LABELS[:3])]
    four = [column.name for column in columns(LABELS)]
    added = ["alpha_fe", "e_alpha_fe", "alpha_fe_start", "alpha_fe_lit"]
    assert [name for name in four if name not in three] == added
    assert three[:4] == ["star", "source", "obsid", "name"]
    assert four.index("teff") < four.index("e_teff") < four.index("teff_start")
    assert len(set(four)) == len(four)


def test_every_column_is_described_in_ascii_with_a_unit_that_parses():
    for column in columns(LABELS):
        assert column.text.isascii() and column.text
        u.Unit(column.unit)


def test_error_of_logg_is_a_plain_dex():
    by_name = {column.name: column for column in columns(LABELS)}
    assert by_name["logg"].unit == "dex(cm/s2)"
    assert by_name["e_logg"].unit == "dex"
    assert difference_unit("K") == "K"


def test_unknown_label_is_refused():
    with pytest.raises(CatalogueError, match="vsini"):
        columns(["teff", "vsini"])


def test_conform_orders_and_casts(table):
    shuffled = table[sorted(table.columns)].astype({"group": "float64", "obsid": object})
    shuffled.index = shuffled.index[::-1]
    conformed = conform(shuffled, LABELS)
    assert list(conformed.columns) == [column.name for column in columns(LABELS)]
    assert conformed["group"].dtype == "int64"
    assert conformed["obsid"].dtype == "Int64"
    pd.testing.assert_frame_equal(conformed, conform(table, LABELS))


def test_missing_string_becomes_empty(table):
    table["name"] = [None, float("nan"), *table["name"][2:]]
    assert list(conform(table, LABELS)["name"][:2]) == ["", ""]


@pytest.mark.parametrize("change", [{"columns": ["cfi"]}, {"columns": ["star"]}])
def test_missing_column_is_named(table, change):
    with pytest.raises(CatalogueError, match=change["columns"][0]):
        conform(table.drop(**change), LABELS)


def test_unknown_column_is_named(table):
    with pytest.raises(CatalogueError, match="vsini"):
        conform(table.assign(vsini=1.0), LABELS)


def test_value_of_the_wrong_type_names_the_column(table):
    with pytest.raises(CatalogueError, match="group"):
        conform(table.assign(group=[None] * len(table)), LABELS)

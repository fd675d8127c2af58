import pandas as pd
import pytest

from torchfit.catalogue.conform import conform, with_missing
from torchfit.catalogue.schema import catalogue_columns, columns
from torchfit.exceptions import CatalogueError
from torchfit.names import LABELS


def test_conform_orders_and_casts(table):
    shuffled = table[sorted(table.columns)].astype({"group": "float64", "obsid": object})
    shuffled.index = shuffled.index[::-1]
    conformed = conform(shuffled, columns(LABELS))
    assert list(conformed.columns) == [column.name for column in columns(LABELS)]
    assert conformed["group"].dtype == "int64"
    assert conformed["obsid"].dtype == "Int64"
    pd.testing.assert_frame_equal(conformed, conform(table, columns(LABELS)))


def test_missing_string_becomes_empty(table):
    table["name"] = [None, float("nan"), *table["name"][2:]]
    assert list(conform(table, columns(LABELS))["name"][:2]) == ["", ""]


@pytest.mark.parametrize("change", [{"columns": ["cfi"]}, {"columns": ["star"]}])
def test_missing_column_is_named(table, change):
    with pytest.raises(CatalogueError, match=change["columns"][0]):
        conform(table.drop(**change), columns(LABELS))


def test_unknown_column_is_named(table):
    with pytest.raises(CatalogueError, match="vsini"):
        conform(table.assign(vsini=1.0), columns(LABELS))


def test_value_of_the_wrong_type_names_the_column(table):
    with pytest.raises(CatalogueError, match="group"):
        conform(table.assign(group=[None] * len(table)), columns(LABELS))


def test_what_is_not_there_is_missing(table):
    schema = catalogue_columns(LABELS)
    whole = conform(with_missing(table, schema), schema)
    assert whole["flag_snr"].isna().all() and whole["flag_snr"].dtype == "Int64"
    assert whole["r_geo"].isna().all() and whole["r_geo"].dtype == "float32"
    pd.testing.assert_series_equal(whole["teff"], table["teff"])


def test_what_is_there_is_kept(table):
    pd.testing.assert_frame_equal(with_missing(table, columns(LABELS)), table)

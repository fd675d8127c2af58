import astropy.units as u
import numpy as np
import pandas as pd
import pytest

from torchfit.catalogue.schema import (
    catalogue_columns,
    columns,
    conform,
    difference_unit,
    has_intervals,
    labels_among,
    with_missing,
)
from torchfit.exceptions import CatalogueError
from torchfit.names import LABELS, Label


def test_schema_follows_the_labels():
    three = [column.name for column in columns(LABELS[:3])]
    four = [column.name for column in columns(LABELS)]
    added = [name for name in four if name not in three]
    assert added[:2] == ["alpha_fe", "e_alpha_fe"]
    assert added[-3:] == ["alpha_fe_start", "alpha_fe_group", "alpha_fe_lit"]
    assert all("alpha_fe" in name for name in added)
    assert three[:4] == ["star", "source", "obsid", "name"]
    assert four.index("teff") < four.index("e_teff") < four.index("teff_start")
    assert len(set(four)) == len(four)


def test_every_column_is_described_in_ascii_with_a_unit_that_parses():
    for column in catalogue_columns(LABELS, sampled=True, intervals=True):
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


def test_a_label_of_a_library_has_its_unit_and_its_meaning():
    labels = ("teff", Label("vsini", "km/s", "Rotation"))
    by_name = {column.name: column for column in catalogue_columns(labels, sampled=True)}
    assert (by_name["vsini"].unit, by_name["vsini"].text) == ("km/s", "Rotation")
    assert by_name["e_vsini"].unit == by_name["vsini_std"].unit == "km/s"
    assert by_name["vsini_std"].ucd == by_name["e_vsini"].ucd == ""
    assert labels_among(list(by_name)) == ["teff", "vsini"]


@pytest.mark.parametrize("name", ["snr_g", "chi2", "r_geo", "name"])
def test_a_label_with_the_name_of_a_column_is_refused(name):
    with pytest.raises(CatalogueError, match=f"called {name}: the catalogue has a column"):
        catalogue_columns(("teff", Label(name)))


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


def test_the_catalogue_has_more_columns_than_its_parts():
    parts, whole = columns(LABELS), catalogue_columns(LABELS)
    assert whole[: len(parts)] == parts
    added = [column.name for column in whole[len(parts) :]]
    assert {"flag_snr", "logg_imig", "r_geo", "gaia_g", "e_gaia_rp", "ebv_bayes19"} <= set(added)


def test_intervals_are_sixteen_bytes_a_label():
    without, whole = catalogue_columns(LABELS), catalogue_columns(LABELS, intervals=True)
    added = [column for column in whole if column not in without]
    assert len(added) == 4 * len(LABELS)
    assert sum(np.dtype(column.dtype).itemsize for column in added) == 16 * len(LABELS)
    assert {column.unit for column in added if column.name.startswith("logg")} == {"dex(cm/s2)"}
    assert [has_intervals([c.name for c in each]) for each in (without, whole)] == [False, True]


def test_what_is_not_there_is_missing(table):
    schema = catalogue_columns(LABELS)
    whole = conform(with_missing(table, schema), schema)
    assert whole["flag_snr"].isna().all() and whole["flag_snr"].dtype == "Int64"
    assert whole["r_geo"].isna().all() and whole["r_geo"].dtype == "float32"
    pd.testing.assert_series_equal(whole["teff"], table["teff"])


def test_what_is_there_is_kept(table):
    pd.testing.assert_frame_equal(with_missing(table, columns(LABELS)), table)

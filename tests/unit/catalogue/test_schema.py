import astropy.units as u
import numpy as np
import pytest

from torchfit.catalogue.schema import (
    catalogue_columns,
    columns,
    difference_unit,
    has_intervals,
    labels_among,
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

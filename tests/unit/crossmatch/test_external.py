import numpy as np
import pandas as pd
import pytest

from torchfit.crossmatch.external import NO_FILE, ExternalCatalogue
from torchfit.crossmatch.shared_key import SharedKey
from torchfit.crossmatch.sky import SkyMatch
from torchfit.crossmatch.user_table import TableSchema
from torchfit.exceptions import ConfigError, DataError

SCHEMA = TableSchema(
    {"ra": ["ra"], "dec": ["dec"], "r_geo": ["r"]}, {"gaia_source_id": ["id"]}, ["ra", "dec"]
)
KEY, SKY = SharedKey("gaia_source_id", "gaia_source_id"), SkyMatch(1.0)


@pytest.fixture
def stars():
    """A star with an identifier, one with a place, one with neither; any index."""
    return pd.DataFrame(
        {"gaia_source_id": ["1", "", ""], "ra": [0.0, 10.0, np.nan], "dec": [0.0, 20.0, np.nan]},
        index=[7, 8, 9],
    )


@pytest.fixture
def external(tmp_path):
    """``external(rows, **settings)``: a catalogue of these rows (id, ra, dec, r)."""

    def make(*rows, columns=("r_geo", "gaia_source_id"), key=KEY, sky=SKY, **settings):
        path = tmp_path / "x.csv"
        pd.DataFrame(list(rows), columns=["id", "ra", "dec", "r"]).to_csv(path, index=False)
        return ExternalCatalogue(str(path), SCHEMA, columns, key, sky, **settings)

    return make


ROWS = ("1", 50.0, 50.0, 100.0), ("2", 10.0, 20.0, 200.0), ("3", 0.0, 0.0, 300.0)


def test_identifier_first_and_then_place(external, stars):
    join = external(*ROWS).join(stars)
    np.testing.assert_array_equal(join.columns["r_geo"], [100.0, 200.0, np.nan])
    assert list(join.columns["gaia_source_id"]) == ["1", "2", ""]
    assert join.found.tolist() == [True, True, False]
    assert list(join.columns.index) == [7, 8, 9]
    assert {name: join.line[name] for name in ("rows", "found", "by identifier", "by place")} == {
        "rows": 3,
        "found": 2,
        "by identifier": 1,
        "by place": 1,
    }


def test_by_place_only_and_by_identifier_only(external, stars):
    assert external(*ROWS, key=None).join(stars).columns["r_geo"][7] == 300.0
    assert external(*ROWS, sky=None).join(stars).found.tolist() == [True, False, False]


def test_several_rows_of_one_star(external, stars):
    rows = ("1", 1.0, 1.0, 10.0), ("1", 1.0, 1.0, 30.0), ("1", 1.0, 1.0, 50.0)
    assert external(*rows).join(stars).columns["r_geo"][7] == 10.0
    assert external(*rows, median=True).join(stars).columns["r_geo"][7] == 30.0


def test_rows_without_identifier_are_one_star_by_their_place(external, stars):
    rows = ("", 10.0, 20.0, 10.0), ("", 10.00001, 20.0, 20.0), ("", 50.0, 20.0, 1000.0)
    join = external(*rows, median=True).join(stars)
    assert join.columns["r_geo"][8] == 15.0


def test_rows_with_neither_identifier_nor_place_stay_apart(external, stars):
    rows = ("", np.nan, np.nan, 10.0), ("", np.nan, np.nan, 20.0)
    assert not external(*rows, median=True).join(stars).found.any()


def test_no_row_at_all(external, stars):
    join = external().join(stars)
    assert join.columns["r_geo"].isna().all()
    assert list(join.columns["gaia_source_id"]) == [""] * 3


def test_no_file_leaves_the_columns_missing_and_says_so(stars):
    nothing = ExternalCatalogue(None, SCHEMA, ("r_geo", "gaia_source_id"), KEY)
    nothing.check()
    join = nothing.join(stars)
    assert join.columns["r_geo"].isna().all()
    assert list(join.columns["gaia_source_id"]) == [""] * 3
    assert join.line["file"] == NO_FILE


def test_a_missing_file_is_found_before_the_work(tmp_path):
    with pytest.raises(DataError, match="no such table"):
        ExternalCatalogue(str(tmp_path / "nowhere.csv"), SCHEMA, ("r_geo",), KEY).check()


def test_without_our_identifier_there_must_be_a_place(external, stars):
    with pytest.raises(DataError, match="no column gaia_source_id"):
        external(*ROWS, sky=None).join(stars.drop(columns="gaia_source_id"))


def test_there_must_be_a_way_to_find_a_star():
    with pytest.raises(ConfigError, match="give a key or a sky match"):
        ExternalCatalogue(None, SCHEMA, ("r_geo",))

import numpy as np
import pandas as pd
import pytest

from torchfit.survey.same_star import stars_of


def table(*rows):
    known = {"uid": "", "gaia_source_id": "", "name": "", "ra": np.nan, "dec": np.nan}
    return pd.DataFrame([known | row for row in rows]).__getitem__


@pytest.mark.parametrize("key", ["uid", "gaia_source_id", "name"])
def test_one_identifier_is_one_star(key):
    rows = [{key: "a"}, {key: "b"}, {}, {key: "a"}, {}, {key: "b"}]
    assert stars_of(table(*rows)).tolist() == [0, 1, 2, 0, 3, 1]


def test_identifiers_of_different_kinds_link_through_a_third():
    first, second = {"uid": "u", "gaia_source_id": "1"}, {"gaia_source_id": "1", "name": "n"}
    assert stars_of(table({"name": "n"}, first, {"uid": "v"}, second)).tolist() == [0, 0, 1, 0]


def test_an_identifier_is_not_a_name():
    assert stars_of(table({"uid": "7"}, {"name": "7"}, {"gaia_source_id": "7"})).tolist() == [
        0,
        1,
        2,
    ]


@pytest.mark.parametrize(
    ("ra", "dec", "same"),
    [
        (10.0, 80.0 + 2.9 / 3600, True),
        (10.0, 80.0 + 3.1 / 3600, False),
        (10.0 + 2.9 / 3600 / np.cos(np.radians(80)), 80.0, True),
        (10.0 + 3.1 / 3600 / np.cos(np.radians(80)), 80.0, False),
        (370.0, 80.0, True),
        (np.nan, np.nan, True),
    ],
)
def test_a_name_is_of_one_place(ra, dec, same):
    one, other = (
        {"name": "OBJECT", "ra": 10.0, "dec": 80.0},
        {"name": "OBJECT", "ra": ra, "dec": dec},
    )
    assert (stars_of(table(one, other))[1] == 0) == same


def test_an_identifier_is_of_one_star_wherever_it_is():
    moved = {"uid": "u", "ra": 11.0, "dec": 0.0}
    assert stars_of(table({"uid": "u", "ra": 10.0, "dec": 0.0}, moved)).tolist() == [0, 0]

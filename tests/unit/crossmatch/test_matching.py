import re

import numpy as np
import pandas as pd
import pytest

from torchfit.crossmatch.matching import match_stars, why_none
from torchfit.crossmatch.shared_key import SharedKey
from torchfit.crossmatch.sky import SkyMatch
from torchfit.exceptions import DataError

KEY, SKY = SharedKey("obsid", "obsid"), SkyMatch(3.0)
STARS = pd.DataFrame(
    {"obsid": ["1", "2", "3"], "ra": [15.0, 150.0, 330.0], "dec": [0.0, 10.0, -5.0]}
)


def test_stars_are_found_by_identifier_and_the_others_by_place():
    theirs = pd.DataFrame({"obsid": ["2", ""], "ra": [0.0, 330.0], "dec": [0.0, -5.0]})
    matching = match_stars(KEY, SKY, STARS, theirs)
    assert matching.row.tolist() == [-1, 0, 1]
    assert matching.summary() == "2 of 3 stars found, 1 by identifier, 1 by place"


def test_hours_are_told_by_the_stars_that_they_fit():
    theirs = STARS.assign(obsid="", ra=STARS["ra"] / 15.0)
    matching = match_stars(KEY, SKY, STARS, theirs)
    assert matching.found.all()
    assert "were taken for hours" in matching.notes[0]


def test_degrees_below_24_stay_degrees_where_they_fit():
    theirs = pd.DataFrame({"obsid": [""], "ra": [15.0], "dec": [0.0]})
    assert match_stars(KEY, SKY, STARS, theirs).row.tolist() == [0, -1, -1]
    assert match_stars(KEY, SKY, STARS, theirs).notes == []


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        ({"obsid": [], "ra": [], "dec": []}, "there is no row"),
        ({"obsid": ["9"], "ra": [np.nan], "dec": [1.0]}, r"no obsid of the table \(9, "),
        ({"obsid": [""], "ra": [np.nan], "dec": [1.0]}, "no usable obsid; the table has no places"),
        ({"obsid": [""], "ra": [100.0], "dec": [1.0]}, "nearest row is .* arcsec away"),
        ({"obsid": [""], "ra": [20.0], "dec": [1.0]}, "are its right ascensions hours"),
    ],
)  # fmt: skip
def test_why_nothing_is_found(theirs, why):
    assert re.search(why, why_none(KEY, SKY, STARS, pd.DataFrame(theirs)))


def test_why_nothing_is_found_where_we_have_nothing():
    ours = STARS.assign(obsid="", ra=np.nan)
    told = why_none(KEY, SKY, ours, STARS)
    assert told == "our stars have no obsid; our stars have no places"


def test_an_identifier_that_we_do_not_have_is_the_only_way():
    with pytest.raises(DataError, match="our catalogue has no column obsid"):
        match_stars(KEY, None, STARS.drop(columns="obsid"), STARS)

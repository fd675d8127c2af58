import numpy as np
import pandas as pd
import pytest

from torchfit.crossmatch.sky import SkyMatch, placed
from torchfit.exceptions import ConfigError

ARCSEC = 1 / 3600


def table(*places, **more):
    ra, dec = np.array(places, dtype=float).reshape(-1, 2).T
    return pd.DataFrame({"ra": ra, "dec": dec, **more})


def test_the_nearest_row_within_the_radius_matches():
    theirs = table((10, 20 + 2 * ARCSEC), (10, 20 + ARCSEC), (11, 20))
    assert SkyMatch(3.0).match(table((10, 20), (11, 21)), theirs).tolist() == [1, -1]


def test_the_radius_is_on_the_sky_and_across_the_meridian():
    theirs = table((0.0002, 60))
    assert SkyMatch(1.0).match(table((359.9998, 60)), theirs).tolist() == [0]
    assert SkyMatch(1.0).match(table((359.9998, 0)), table((0.0002, 0))).tolist() == [-1]


@pytest.mark.parametrize(("our_epoch", "found"), [(2016.0, 0), (2000.0, -1)])
def test_proper_motion_brings_a_star_to_its_place_at_an_epoch(our_epoch, found):
    """Barnard's star: 10.4 arcsec a year, where Gaia saw it in 2016."""
    theirs = table((269.4485, 4.7394), pmra=[-801.6], pmdec=[10362.4])
    match = SkyMatch(1.0, epoch=2016.0, our_epoch=our_epoch).match(
        table((269.4485, 4.7394)), theirs
    )
    assert match.tolist() == [found]


def test_the_place_sixteen_years_before():
    theirs = table((269.4485, 4.7394), pmra=[-801.6], pmdec=[10362.4])
    before = table(
        (269.4485 + 16 * 0.8016 * ARCSEC / np.cos(np.radians(4.7)), 4.7394 - 16 * 10.3624 * ARCSEC)
    )
    assert SkyMatch(0.5, 2016.0, 2000.0).match(before, theirs).tolist() == [0]


def test_a_row_without_a_motion_stays_where_it_is():
    theirs = table((10, 20), (30, 40), pmra=[np.nan, 1.0], pmdec=[np.nan, 1.0])
    assert SkyMatch(1.0, 2016.0, 2000.0).match(table((10, 20), (30, 40)), theirs).tolist() == [0, 1]


def test_rows_without_a_place_match_nothing():
    ours = table((np.nan, 20), (10, np.nan), (10, 91), (10, 20))
    theirs = table((np.nan, np.nan), (10, 20))
    assert SkyMatch(1.0).match(ours, theirs).tolist() == [-1, -1, -1, 1]


def test_tables_without_places_match_nothing():
    named = pd.DataFrame({"name": ["a"]})
    assert SkyMatch(1.0).match(named, table((1, 2))).tolist() == [-1]
    assert SkyMatch(1.0).match(table((1, 2)), named).tolist() == [-1]
    assert SkyMatch(1.0).match(table((1, 2)), table()).tolist() == [-1]
    assert SkyMatch(1.0).match(table(), table((1, 2))).tolist() == []
    assert placed(named).tolist() == [False]


def test_a_radius_must_be_positive():
    with pytest.raises(ConfigError, match="radius=0"):
        SkyMatch(0.0)

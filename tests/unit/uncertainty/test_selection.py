import numpy as np
import pandas as pd
import pytest

from torchfit.exceptions import ConfigError, DataError
from torchfit.uncertainty.selection import Selection

STARS = pd.DataFrame(
    {
        "star": np.arange(100, 110),
        "obsid": pd.array([*range(5000, 5009), None], dtype="Int64"),
        "name": [f"HD {number}" if number % 2 else "" for number in range(10)],
        "source": [f"folder/{number}.fits" for number in range(10)],
    }
)

PIECES = [STARS[:3], STARS[3:4], STARS[4:]]
"""As they come from shards."""


def test_all_stars_by_default():
    assert Selection().choose(PIECES, None).tolist() == list(range(100, 110))


def test_the_first():
    assert Selection(3, spread=False).choose(PIECES, None).tolist() == [100, 101, 102]


def test_spread_over_the_survey():
    assert Selection(4).choose(PIECES, None).tolist() == [100, 103, 106, 109]


@pytest.mark.parametrize("spread", [True, False])
def test_more_than_there_are(spread):
    assert len(Selection(1000, spread).choose(PIECES, None)) == 10


def test_listed_by_obsid_name_or_source():
    wanted = ["5002", "HD 7", "folder/9.fits", "nothing"]
    assert Selection(listed="list.txt").choose(PIECES, wanted).tolist() == [102, 107, 109]


def test_a_list_and_a_number():
    assert Selection(1, False, "list.txt").choose(PIECES, ["5008", "5002"]).tolist() == [102]


@pytest.mark.parametrize("wanted", [[], ["nothing", ""]])
def test_a_list_of_strangers_is_refused(wanted):
    with pytest.raises(DataError, match=r"list\.txt"):
        Selection(listed="list.txt").choose(PIECES, wanted)


def test_no_star_is_no_selection():
    with pytest.raises(ConfigError, match="n_stars"):
        Selection(0)

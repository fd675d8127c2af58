import numpy as np
import pandas as pd
import pytest

from torchfit.compare.repeats import find_repeats


def table(names, uids=None, **columns):
    n_stars = len(names)
    plain = {
        "name": names,
        "uid": uids or [""] * n_stars,
        "source": [f"{number}.fits" for number in range(n_stars)],
        "obsid": pd.array(range(n_stars), "Int64"),
        "mjd": pd.array(range(58000, 58000 + n_stars), "Int64"),
    }
    return pd.DataFrame(plain | columns)


def pairs(stars, snr):
    repeats = find_repeats(stars, np.array(snr, dtype=float))
    found = zip(repeats.first.tolist(), repeats.second.tolist(), strict=True)
    return sorted(tuple(sorted(pair)) for pair in found)


def test_visits_of_one_star_are_pairs():
    assert pairs(table(["a", "b", "a"]), [20, 20, 21]) == [(0, 2)]


def test_the_identifier_of_the_survey_goes_before_the_name():
    assert pairs(table(["a", "a", "b"], ["1", "2", "2"]), [20, 20, 20]) == [(1, 2)]


def test_ratios_may_differ_by_a_fifth():
    assert pairs(table(["a", "a"]), [20, 24]) == [(0, 1)]
    assert pairs(table(["a", "a"]), [20, 25]) == []


def test_two_rows_of_one_observation_or_night_are_no_repeat():
    assert pairs(table(["a", "a"], mjd=pd.array([58000, 58000], "Int64")), [20, 20]) == []
    nights = pd.array([None, None], "Int64")
    same = table(["a", "a"], mjd=nights, obsid=pd.array([7, 7], "Int64"))
    assert pairs(same, [20, 20]) == []
    assert pairs(table(["a", "a"], mjd=nights), [20, 20]) == [(0, 1)]


def test_nameless_stars_have_no_repeats():
    assert pairs(table(["", ""]), [20, 20]) == []


def test_without_any_ratio_visits_are_pairs_all_the_same():
    repeats = find_repeats(table(["a", "a"]), np.full(2, np.nan))
    assert len(repeats.first) == 1
    assert np.isnan(repeats.snr).all()


def test_the_scatter_is_that_of_one_visit():
    repeats = find_repeats(table(["a", "a"]), np.array([20.0, 22.0]))
    assert repeats.snr.tolist() == [21.0]
    scatter = repeats.scatter(np.array([5000.0, 5100.0]))
    assert abs(scatter[0]) == pytest.approx(100 / np.sqrt(2))


def test_no_star():
    assert pairs(table([]), []) == []

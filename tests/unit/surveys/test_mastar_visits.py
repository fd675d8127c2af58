import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.mastar import make as files

from torchfit.exceptions import DataError
from torchfit.surveys.mastar_files import find_files
from torchfit.surveys.mastar_labels import MastarLabels
from torchfit.surveys.mastar_visits import (
    MastarRecipe,
    MastarVisits,
    demand_unique,
    join_key,
    read_visits,
)


def visits_of(stars, s2n, n_valid):
    n = len(stars)
    labels = {
        name: np.where(np.array(n_valid) > place, 1.0, np.nan)
        for place, name in enumerate(("teff", "logg", "fe_h", "alpha_fe"))
    }
    star, zero = np.array([f"3-{s}" for s in stars]), np.zeros(n, dtype=int)
    key = np.char.add(np.char.add(star, ":1:2:"), np.arange(n)[::-1].astype(str))
    return MastarVisits(key, star, zero, zero, zero, zero, np.array(s2n, dtype=float), labels)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 50), st.integers(0, 4)), min_size=1, max_size=20
    )
)
def test_the_best_visit_of_each_star(rows):
    stars, s2n, n_valid = zip(*rows, strict=True)
    visits = visits_of(stars, s2n, n_valid)
    chosen = MastarRecipe("best", 5.0, ()).chosen(visits)
    assert list(visits.key[chosen]) == sorted(visits.key[chosen])
    bright = {star for star, ratio, _ in rows if ratio > 5}
    assert sorted(visits.mangaid[chosen]) == sorted(f"3-{star}" for star in bright)
    for row in chosen:
        others = [(valid, ratio) for star, ratio, valid in rows if star == stars[row] and ratio > 5]
        assert (n_valid[row], s2n[row]) == max(others)


@given(st.lists(st.tuples(st.text("012-", min_size=1, max_size=5), st.integers(0, 9))))
def test_keys_are_equal_for_equal_parts_only(rows):
    table = {
        "A": np.array([text.ljust(9) for text, _ in rows], dtype="S9"),
        "B": np.array([number for _, number in rows], dtype=">i4"),
    }
    keys = join_key(table, ("A", "B")).tolist()
    assert keys == [f"{text}:{number}" for text, number in rows]


def test_doubled_keys():
    demand_unique(np.array(["a", "b"]), files.Path("x"))
    with pytest.raises(DataError, match="x: 2 keys stand twice, a the first"):
        demand_unique(np.array(["b", "a", "c", "a", "b"]), files.Path("x"))


@pytest.mark.parametrize("parameters", ["goodvisits-v2", "goodstars-v2"])
def test_summary_and_parameters_meet_by_key(tmp_path, parameters):
    files.make(tmp_path)
    visits = read_visits(find_files(str(tmp_path), parameters, False), MastarLabels())
    night = visits.mjd - 57000
    of_star = night % 6 if parameters == "goodstars-v2" else night
    expected = files.visits().labels[of_star]
    np.testing.assert_allclose(visits.labels["teff"], expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(visits.s2n, 50.0 + np.where(night == 9, -30, night))
    assert len(visits) == 24
    assert set(visits.n_valid) <= {0, 3, 4}

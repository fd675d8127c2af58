from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import ConfigError
from torchfit.mock.visits import Visits


@given(st.floats(0, 0.6), st.integers(0, 10**7))
def test_a_repeat_goes_back_to_a_first_visit(repeats, observation):
    star, visit = Visits(repeats).star(observation)
    assert star <= observation
    assert (visit == 0) == (star == observation)
    assert Visits(repeats).star(star) == (star, 0)


@pytest.mark.parametrize("repeats", [0.0, 0.1, 0.35, 0.6])
def test_the_share_is_as_asked(repeats):
    visits = [Visits(repeats).star(observation) for observation in range(2000)]
    assert sum(visit > 0 for _, visit in visits) / 2000 == pytest.approx(repeats)


def test_visits_of_a_star_are_numbered():
    by_star: dict[int, list[int]] = {}
    for observation in range(400):
        star, visit = Visits(0.4).star(observation)
        by_star.setdefault(star, []).append(visit)
    assert all(visits == list(range(len(visits))) for visits in by_star.values())
    assert set(Counter(map(len, by_star.values()))) == {1, 2, 3}


@pytest.mark.parametrize("repeats", [-0.1, 0.7, float("nan")])
def test_impossible_shares(repeats):
    with pytest.raises(ConfigError, match="repeats"):
        Visits(repeats)

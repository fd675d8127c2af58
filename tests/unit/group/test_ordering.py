import numpy as np
import pytest

from torchfit.exceptions import ConfigError
from torchfit.group.ordering import order_into_groups


@pytest.fixture
def stars(rng):
    start = np.column_stack([rng.uniform(4000, 7000, 23), rng.uniform(1, 5, 23)])
    return rng.choice(["G", "K", "A"], 23), start


@pytest.mark.parametrize("n_group", [1, 4, 7, 100])
def test_groups_are_numbered_without_gaps_class_by_class(stars, n_group):
    classes, start = stars
    group = order_into_groups(classes.tolist(), start, n_group)
    assert sorted(set(group)) == list(range(group.max() + 1))
    first = [classes[group == number][0] for number in range(group.max() + 1)]
    assert first == sorted(first)


def test_within_a_class_temperatures_do_not_overlap(stars):
    classes, start = stars
    group = order_into_groups(classes.tolist(), start, 3)
    for number in range(group.max()):
        here, after = group == number, group == number + 1
        if classes[here][0] == classes[after][0]:
            assert start[here, 0].max() <= start[after, 0].min()


def test_sizes_of_a_class_differ_by_one_at_most(stars):
    classes, start = stars
    group = order_into_groups(classes.tolist(), start, 4)
    for name in "AGK":
        sizes = np.bincount(group[classes == name] - group[classes == name].min())
        assert sizes.max() - sizes.min() <= 1
        assert len(sizes) == -(-sizes.sum() // 4)


def test_equal_temperatures_are_sorted_by_gravity_then_by_place():
    start = np.array([[5000.0, 4.0], [5000.0, 2.0], [5000.0, 4.0], [4000.0, 5.0]])
    assert order_into_groups(["G"] * 4, start, 1).tolist() == [2, 1, 3, 0]


def test_no_star_makes_no_group():
    assert len(order_into_groups([], np.empty((0, 3)), 5)) == 0


def test_an_empty_group_size_is_refused():
    with pytest.raises(ConfigError, match="n_group=0"):
        order_into_groups(["G"], np.ones((1, 2)), 0)

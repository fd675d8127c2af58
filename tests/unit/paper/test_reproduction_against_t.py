import pytest

from torchfit.group.grouping import Grouping
from torchfit.paper.reproduction_against_t import median_errors


def test_nothing_is_missed_by_all_components(matched):
    errors = median_errors(matched, 10, Grouping(n_group=10, variance=1.0))
    assert set(errors) == set(matched.classes)
    assert max(errors.values()) < 1e-6


@pytest.mark.parametrize("t", [5, 30])
def test_fewer_components_miss_more(matched, t):
    few = median_errors(matched, t, Grouping(n_group=10, variance=0.5))
    many = median_errors(matched, t, Grouping(n_group=10, variance=0.99))
    assert all(few[name] > many[name] for name in many)

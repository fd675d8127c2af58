import pytest

from torchfit.group.grouping import Grouping
from torchfit.paper.label_pca_bounds import Bounds, bounds_rows, first_bounds, settled_at
from torchfit.paper.matched_library import CLASSES


def test_every_class_and_size_that_the_library_fills(matched):
    bounds = first_bounds(matched, (5, 20, 500), (1, 10, 1000), at_most=3)
    assert {each.name for each in bounds} <= set(CLASSES)
    assert {each.t for each in bounds} == {5, 20}
    assert {each.n_group for each in bounds} == {1, 10}
    assert all(each.lower < 0 < each.upper and 1 <= each.n_groups <= 3 for each in bounds)


def test_one_group_has_the_bounds_of_its_label_pca(matched):
    """Of a class that is one group, the median is the box itself."""
    for name in set(matched.classes):
        n_stars = int((matched.classes == name).sum())
        (found,) = [b for b in first_bounds(matched, (10,), (n_stars,), 9) if b.name == name]
        star = matched.start.new_tensor((matched.classes == name).nonzero()[0]).long()
        box = matched.label_pca(star, 10, Grouping(n_group=n_stars)).bounds
        assert found.lower == pytest.approx(float(box[0][0]), abs=1e-9)
        assert found.upper == pytest.approx(float(box[1][0]), abs=1e-9)


def bounds(*widths):
    return [Bounds("K", 5, t, 1, -w / 2, w / 2, 3.0) for t, w in zip((5, 10, 20, 50), widths)]  # noqa: B905


@pytest.mark.parametrize(
    ("widths", "t"),
    [((1.0, 1.0, 1.0, 1.0), 5), ((0.5, 0.95, 1.0, 1.0), 10), ((0.1, 1.0, 0.7, 1.0), None)],
)
def test_where_it_settles(widths, t):
    assert settled_at(bounds(*widths)) == t


def test_rows_say_where_it_does_not_settle():
    (row,) = bounds_rows(bounds(0.1, 0.2, 0.3, 1.0))
    assert row["settled from t"] == "no" and row["at t"] == 50 and row["upper"] == 0.5

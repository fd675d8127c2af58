import numpy as np
import pytest
from matplotlib.collections import PathCollection, QuadMesh

from torchfit.report.figures import panels
from torchfit.report.style import SQUARE, new_figure


@pytest.fixture
def axes():
    axes = new_figure(SQUARE).subplots()
    axes.set(xlim=(0.0, 10.0), ylim=(1.0, 100.0), yscale="log")
    return axes


def test_padding():
    assert panels.padded(0.0, 10.0) == (-0.5, 10.5)
    assert panels.padded(2.0, 2.0) == (1.9, 2.1)
    assert panels.padded(0.0, 0.0) == (-0.05, 0.05)


def test_padding_of_temperatures_is_positive_whatever_comes():
    low, high = panels.teff_padded(-9999.0, 5000.0)
    assert 0.0 < low < 1.0 and high > 5000.0


def test_residual_limit_holds_all_of_a_few_and_the_bulk_of_many():
    few = np.array([1.0, -10.0, np.nan])
    many = np.append(np.ones(1000), 1e6)
    assert panels.residual_limit(few) == pytest.approx(13.0)
    assert panels.residual_limit(many) == pytest.approx(1.3)
    assert panels.residual_limit(np.zeros(3)) == panels.residual_limit(np.empty(0)) == 1.0


@pytest.mark.parametrize(("n", "kind"), [(10, PathCollection), (6000, QuadMesh)])
def test_many_points_become_a_density(axes, n, kind):
    x = np.linspace(1.0, 9.0, n)
    panels.draw_points(axes, x, 10.0 * x, np.full(n, "#000000"))
    assert [type(each) for each in axes.collections] == [kind]


def test_density_counts_every_point_inside(axes):
    x = np.array([1.0, 1.0, 9.0, 11.0])
    cells = panels.draw_density(axes, x, np.array([2.0, 2.0, 50.0, 2.0]))
    counts = np.ma.asarray(cells.get_array()).compressed()
    assert sorted(counts[np.isfinite(counts)]) == [1.0, 2.0]
    assert axes.get_yscale() == "log" and axes.get_xlim() == (0.0, 10.0)


def test_density_of_values_is_their_mean(axes):
    cells = panels.draw_density(
        axes, np.array([1.0, 1.0]), np.array([2.0, 2.0]), np.array([3.0, 5.0])
    )
    shown = np.ma.asarray(cells.get_array()).compressed()
    assert shown[np.isfinite(shown)] == pytest.approx([4.0])

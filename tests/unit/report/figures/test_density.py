import numpy as np
import pytest

from torchfit.report.figures.density import Axis, density_figure


def axes_of(n_stars, **settings):
    rng = np.random.default_rng(0)
    teff = Axis("T", rng.uniform(4000, 7000, n_stars), is_teff=True, **settings)
    return density_figure(teff, Axis("g", rng.uniform(1, 5, n_stars), reversed=True)).axes[0]


def test_few_stars_are_points_and_many_a_density():
    assert len(axes_of(100).collections[0].get_offsets()) == 100
    assert axes_of(20_000).collections[0].get_array().ndim == 2


def test_an_axis_may_be_reversed():
    axes = axes_of(50, reversed=True)
    assert np.diff(axes.get_xlim()) < 0 and np.diff(axes.get_ylim()) < 0
    assert np.diff(axes_of(50).get_xlim()) > 0


def test_the_bulk_of_many_sets_the_limits():
    values = np.append(np.random.default_rng(0).uniform(0, 1, 10_000), 1e6)
    axes = density_figure(Axis("x", values), Axis("y", values)).axes[0]
    assert axes.get_xlim()[1] < 2


@pytest.mark.parametrize("values", [[], [np.nan], [1.0], [1.0, np.inf]])
def test_little_can_be_drawn(values):
    array = np.array(values, dtype=float)
    density_figure(Axis("x", array), Axis("y", array)).draw_without_rendering()

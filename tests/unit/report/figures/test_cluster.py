import numpy as np
import pytest

from torchfit.report.figures.cluster import cluster_figure

TEFF, LOGG = np.array([5000.0, 6000.0, np.nan]), np.array([4.5, 4.2, 4.0])


@pytest.mark.parametrize("isochrone", [None, np.array([[30000.0, 4.0], [4000.0, 5.0]])])
def test_an_isochrone_does_not_move_the_limits(isochrone):
    axes = cluster_figure("M_67 $x", TEFF, LOGG, isochrone).axes[0]
    assert axes.get_xlim()[0] < 7000
    assert len(axes.lines) == (isochrone is not None)
    axes.figure.draw_without_rendering()


def test_the_title_counts_the_stars():
    axes = cluster_figure("M_67 $x", TEFF, LOGG, None).axes[0]
    assert axes.get_title(loc="left") == "M_67 $x: 2 stars"

import numpy as np
import pytest

from torchfit.report.figures.comparison import label_comparison


def _words(axes):
    return [text.get_text() for text in axes.texts]


@pytest.fixture
def teff():
    return np.array([3500.0, 5000.0, 5500.0, 6000.0, 9000.0])


def test_offset_and_scatter_of_every_class_are_written_in(teff):
    predicted = teff + np.array([5.0, 10.0, 20.0, 60.0, -7.0])
    above, below = label_comparison("teff", predicted, teff, teff).axes
    assert _words(above) == ["M:  +5  (1)", "FGK:  +20 ± 15  (3)", "A:  -7  (1)"]
    assert above.get_ylabel() == r"$T_\mathrm{eff}$ torchfit (K)"
    assert below.get_xlabel() == r"$T_\mathrm{eff}$ published (K)"
    assert below.get_ylabel() == "difference (K)"


def test_library_stars_are_open_and_not_counted(teff):
    known = np.array([False, True, True, False, False])
    above = label_comparison("logg", teff / 1000, teff / 1000, teff, known).axes[0]
    assert _words(above) == ["M:  +0.000  (1)", "FGK:  +0.000  (1)", "A:  +0.000  (1)"]
    opened, counted = above.collections
    assert len(opened.get_offsets()) == 2 and opened.get_facecolor().size == 0
    assert len(counted.get_offsets()) == 3


def test_pairs_that_are_not_finite_are_left_out(teff):
    predicted = np.where(teff > 5200.0, np.nan, teff)
    above, _ = label_comparison("teff", predicted, teff, teff).axes
    assert [len(each.get_offsets()) for each in above.collections] == [0, 2]


def test_values_outside_a_panel_are_counted():
    rng = np.random.default_rng(0)
    fe_h = rng.uniform(-2.0, 0.5, 200)
    predicted = fe_h + 0.1 * rng.normal(size=200)
    predicted[0] += 50.0
    _, below = label_comparison("fe_h", predicted, fe_h, np.full(200, 5000.0)).axes
    assert int(below.get_title(loc="right").split()[0]) >= 1
    assert below.get_ylim()[1] < 1.0


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_to_compare_still_draws(n):
    nothing = np.full(n, np.nan)
    figure = label_comparison("teff", nothing, nothing, nothing)
    figure.draw_without_rendering()

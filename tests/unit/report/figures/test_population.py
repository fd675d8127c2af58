import numpy as np
import pandas as pd
import pytest

from torchfit.names import LABELS
from torchfit.report.figures.population import chi2_histogram, kiel_diagram


@pytest.mark.parametrize("n_stars", [1, 10, 6000])
def test_kiel_axes_are_reversed_with_units(make_table, n_stars):
    figure = kiel_diagram(make_table(n_stars), None, LABELS)
    axes, bar = figure.axes
    assert axes.get_xlim()[0] > axes.get_xlim()[1] and axes.get_ylim()[0] > axes.get_ylim()[1]
    assert axes.get_xlabel() == r"$T_\mathrm{eff}$ (K)"
    assert bar.get_ylabel() == "[Fe/H] (dex)"
    figure.draw_without_rendering()


def test_kiel_frame_holds_stars_and_library(make_table):
    library = np.array([[25000.0, 4.0, 0.0, 0.0], [3200.0, -0.5, 0.0, 0.0]])
    axes = kiel_diagram(make_table(10), library, LABELS).axes[0]
    left, right = axes.get_xlim()
    assert left > 25000.0 and right < 3200.0 and axes.get_ylim()[1] < -0.5
    assert axes.get_legend() is not None


def test_library_labels_are_found_by_name(make_table):
    library = np.array([[0.1, 4.4, 5700.0]])
    axes = kiel_diagram(make_table(3), library, ["fe_h", "logg", "teff"]).axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[5700.0, 4.4]]


def test_stars_without_labels_are_left_out():
    table = pd.DataFrame({"teff": [5000.0, np.nan], "logg": [4.0, 4.0], "fe_h": [0.0, 0.0]})
    axes = kiel_diagram(table, None, LABELS[:3]).axes[0]
    assert len(axes.collections[-1].get_offsets()) == 1


def test_histogram_counts_what_can_be_drawn():
    rchi2 = np.array([0.5, 1.0, 2.0, np.nan, np.inf, 0.0, -1.0])
    axes = chi2_histogram(rchi2).axes[0]
    assert sum(patch.get_height() for patch in axes.patches) == 3
    assert "median 1.00" in [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize("rchi2", [[], [1.0], [np.nan]])
def test_histogram_of_hardly_anything_still_draws(rchi2):
    chi2_histogram(np.array(rchi2, dtype=float)).draw_without_rendering()

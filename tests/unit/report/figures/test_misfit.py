import numpy as np
import pytest

from torchfit.report.figures.misfit import misfit_figure


@pytest.mark.parametrize("n_stars", [1, 12, 6000])
def test_every_class_has_a_panel_with_its_threshold(make_table, n_stars):
    table = make_table(n_stars)
    snr = table["snr_g"].to_numpy(dtype=float)
    figure = misfit_figure(table, snr, {"F": 8.0, "G": 9.0, "K": 10.0, "M": 11.0})
    figure.draw_without_rendering()
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left").split(":")[0] for axes in shown] == ["F", "G", "K", "M"]
    assert shown[0].lines[-1].get_xdata()[0] == 8.0


def test_stars_without_a_ratio_are_left_out(make_table):
    table = make_table(9)
    snr = np.where(np.arange(9) < 3, 20.0, np.nan)
    figure = misfit_figure(table, snr, {"F": 8.0})
    assert figure.axes[0].get_title(loc="left") == "F: 1 stars"

import numpy as np

from torchfit.report.figures.repeats import repeats_figure


def test_every_label_has_a_panel_with_scatter_and_claimed_error():
    rows = [
        {"label": label, "median S/N": snr, "scatter": 1.0, "median error": 0.5}
        for label in ("teff", "logg")
        for snr in (7.0, 30.0)
    ]
    figure = repeats_figure(rows, ("teff", "logg"))
    figure.draw_without_rendering()
    assert len(figure.axes) == 2
    scatter, claimed = figure.axes[0].lines
    np.testing.assert_array_equal(scatter.get_xydata(), [[7, 1], [30, 1]])
    np.testing.assert_array_equal(claimed.get_ydata(), [0.5, 0.5])

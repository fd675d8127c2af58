import numpy as np
import pytest

from torchfit.report.figures.spectrum import spectrum_figure

WAVE = np.arange(4000.0, 4010.0)


def test_bad_pixels_are_left_out_and_the_scatter_is_written():
    flux, model = np.ones(10), np.ones(10)
    flux[:5] += [0.01, 0.02, 0.03, 0.04, 9.0]
    good = np.arange(10) < 4
    above, below = spectrum_figure(WAVE, flux, model, good, "star").axes
    observed, drawn_model = (line.get_ydata() for line in above.lines)
    assert np.isnan(observed[4:]).all() and np.isfinite(drawn_model).all()
    # Residuals 0.01 ... 0.04: median absolute deviation 0.01.
    assert below.get_title(loc="right") == "robust scatter 0.0148"
    assert above.get_ylim()[1] < 2.0


def test_title_is_plain_text():
    figure = spectrum_figure(WAVE, np.ones(10), np.ones(10), np.ones(10, bool), "$\\bad {x_2}")
    figure.draw_without_rendering()
    assert figure.axes[0].get_title(loc="left") == "$\\bad {x_2}"


@pytest.mark.parametrize("model", [1.0, np.nan])
def test_no_good_pixel_still_draws(model):
    figure = spectrum_figure(WAVE, np.ones(10), np.full(10, model), np.zeros(10, bool), "star")
    figure.draw_without_rendering()

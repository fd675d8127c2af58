import numpy as np

from torchfit.report.figures import flux
from torchfit.report.figures.flux import flux_comparison


def test_mean_and_sigma_are_written_in():
    observed = np.array([0.5, 0.7, 0.9, 1.1], dtype=np.float32)
    emulated = observed - np.array([0.01, 0.03, 0.01, 0.03], dtype=np.float32)
    axes = flux_comparison(observed, emulated, "< 4000 K").axes[0]
    assert axes.texts[0].get_text() == "mean 0.0200\nσ 0.0100"
    assert axes.get_title(loc="left") == "< 4000 K"


def test_one_constant_pixel_still_draws():
    flux_comparison(np.ones(1), np.ones(1), "all").draw_without_rendering()


def test_a_sample_stands_for_too_many_pixels(monkeypatch):
    monkeypatch.setattr(flux, "_DRAWN", 100)
    values = np.random.default_rng(0).uniform(0.5, 1.0, 1000)
    cells = flux_comparison(values, values, "all").axes[0].collections[0].get_array()
    assert np.nansum(np.ma.filled(cells, np.nan)) == 100

import numpy as np
import pandas as pd
import pytest

from torchfit.files.model_spectra import ModelSpectra
from torchfit.paper.anomalous_spectra import KINDS, anomalous_stars, clipped_figure, clipping_row


@pytest.fixture
def table():
    n = 8
    return pd.DataFrame(
        {
            "obsid": pd.array([100 + i for i in range(n - 1)] + [None], dtype="Int64"),
            "n_clipped": [0, 9, 0, 0, 0, 0, 0, 0],
            "outlier_score": [1.0, 9.0, 8.0, np.nan, 1, 1, 1, 1],
            "cfi": [0.9, 0.9, 0.1, 0.2, 0.9, 0.9, 0.9, np.nan],
            "rchi2": [1.0, 1, 1, 1, 1, 7.0, 1, 1],
        }
    )


def test_the_papers_spectra_come_first(table):
    assert anomalous_stars(table, [105, 999]) == {"obsid 105": 5}


def test_else_each_kind_has_its_worst_star_and_none_stands_twice(table):
    chosen = anomalous_stars(table, [999])
    assert list(chosen) == list(KINDS)
    assert list(chosen.values()) == [1, 2, 3, 5]


def test_a_survey_without_a_star_has_none(table):
    assert anomalous_stars(table.iloc[:0], [1]) == {}


def spectrum():
    wave = np.linspace(4000.0, 5000.0, 100)
    flux, mask = np.ones((1, 100)), np.zeros((1, 100), dtype=np.uint8)
    flux[0, 10], mask[0, 10] = 5.0, 2
    flux[0, 20], mask[0, 20] = np.nan, 1
    return ModelSpectra(
        wave, np.ones(100), np.array([3]), ["a"], flux, np.ones((1, 100)), mask,
        np.full((1, 100), 0.9), np.ones((1, 100)),
    )  # fmt: skip


def test_clipping_is_told_by_the_scatter_without_it():
    star = {"source": "a", "subclass": "G2", "cfi": 0.5, "n_clipped": 3}
    row = clipping_row("odd", star, spectrum())
    assert (row["pixels"], row["clipped"]) == (99, 1)
    assert row["rms of the kept"] == pytest.approx(0.1)
    assert row["rms of all"] == pytest.approx(np.sqrt((98 * 0.1**2 + 4.1**2) / 99))


def test_clipped_pixels_are_marked():
    (axes,) = clipped_figure(spectrum(), "a $1").axes
    assert axes.collections[0].get_offsets().shape == (1, 2)

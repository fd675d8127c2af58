import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.report.metrics import SPECTRAL_CLASSES, TEFF_BINS, label_residuals, robust_sigma


def test_robust_sigma_by_hand():
    # Median 3, absolute deviations 2, 1, 0, 1, 97: their median is 1.
    assert robust_sigma(np.array([1.0, 2.0, 3.0, 4.0, 100.0])) == pytest.approx(1.4826)


def test_robust_sigma_ignores_what_is_not_finite():
    x = np.array([[1.0, np.nan, 3.0], [np.inf, 2.0, np.nan]])
    assert robust_sigma(x) == pytest.approx(1.4826)


@pytest.mark.parametrize("x", [[], [np.nan, np.nan]])
def test_robust_sigma_of_nothing_is_nan(x):
    assert np.isnan(robust_sigma(np.array(x)))


def test_robust_sigma_of_a_gaussian():
    x = np.random.default_rng(0).normal(5.0, 2.0, 200_000)
    assert robust_sigma(x) == pytest.approx(2.0, rel=0.01)


@given(st.floats(0.0, 1e6))
@pytest.mark.parametrize("ranges", [SPECTRAL_CLASSES, TEFF_BINS])
def test_ranges_hold_every_temperature_once(ranges, teff):
    assert sum(bool(each.contains(np.array([teff]))[0]) for each in ranges) == 1


def test_class_edges():
    teff = np.array([3999.9, 4000.0, 7500.0, 9999.9, 10000.0, np.nan])
    members = {each.name: list(each.contains(teff).nonzero()[0]) for each in SPECTRAL_CLASSES}
    assert members == {"M": [0], "FGK": [1], "A": [2, 3], "OB": [4]}


@pytest.fixture
def rows():
    teff = np.array([5000.0, 5500.0, 6000.0, 9000.0, np.nan])
    reference = np.column_stack([teff, [4.0, 4.0, np.nan, 4.0, 4.0]])
    predicted = reference + np.array([[10.0, 0.1], [20.0, 0.3], [60.0, 1.0], [7.0, -0.5], [1, 1]])
    return label_residuals(predicted, reference, ["teff", "logg"], teff)


def test_label_residuals_by_hand(rows):
    assert [(row["label"], row["class"], row["n"]) for row in rows] == [
        ("teff", "FGK", 3),
        ("teff", "A", 1),
        ("logg", "FGK", 2),
        ("logg", "A", 1),
    ]
    assert rows[0]["bias"] == pytest.approx(20.0)
    assert rows[0]["sigma_robust"] == pytest.approx(14.826)
    assert rows[0]["mean"] == pytest.approx(30.0)
    assert rows[0]["sigma_std"] == pytest.approx(np.sqrt(1400.0 / 3.0))
    assert rows[2]["bias"] == pytest.approx(0.2)
    assert (rows[0]["unit"], rows[2]["unit"]) == ("K", "dex")


def test_scatter_of_one_star_is_unknown(rows):
    assert rows[1]["bias"] == pytest.approx(7.0)
    assert np.isnan(rows[1]["sigma_robust"]) and np.isnan(rows[1]["sigma_std"])


def test_no_star_is_no_row():
    empty = np.empty((0, 2))
    assert label_residuals(empty, empty, ["teff", "logg"], np.empty(0)) == []

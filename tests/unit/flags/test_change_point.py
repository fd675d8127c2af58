import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.flags.change_point import binned_medians, fit_hinge

X = np.linspace(1, 40, 30)


@given(st.floats(4.0, 35.0), st.floats(-5.0, -0.01), st.floats(-10.0, 10.0))
def test_a_hinge_is_found_again(knee, slope, level):
    hinge = fit_hinge(X, level + slope * np.minimum(X - knee, 0))
    assert hinge.knee == pytest.approx(knee, abs=0.15)
    assert hinge.level == pytest.approx(level, abs=0.1 * abs(slope) + 1e-9)
    assert hinge.slope == pytest.approx(slope, rel=0.05)
    assert hinge.explained > 0.99


def test_misfit_of_noise_and_model_has_its_knee_where_the_eye_sees_it():
    """The paper reads 5 to 10 off such curves, whatever the model's own error."""
    snr = np.sort(np.random.default_rng(0).lognormal(np.log(30), 0.9, 5000).clip(1.5))
    for model in (0.01, 0.03, 0.1):
        hinge = fit_hinge(*binned_medians(snr, model**2 + snr**-2.0, 40))
        assert 5 < hinge.knee < 12


def test_a_constant_explains_nothing():
    assert fit_hinge(X, np.full_like(X, 3.0)).explained == 0.0


def test_equal_abscissae_explain_nothing():
    assert fit_hinge(np.full(6, 5.0), np.arange(6.0)).explained == 0.0


def test_a_rising_line_has_a_positive_slope():
    assert fit_hinge(X, X).slope > 0


def test_noise_is_explained_by_half_at_most():
    for seed in range(50):
        noise = np.random.default_rng(seed).normal(size=20)
        assert fit_hinge(np.arange(20.0), noise).explained < 0.6


def test_bins_hold_equally_many_stars():
    x = np.array([3.0, 1.0, 2.0, 10.0, 12.0, 11.0])
    centre, height = binned_medians(x, 10 * x, 2)
    assert centre.tolist() == [2.0, 11.0]
    assert height.tolist() == [20.0, 110.0]


def test_there_are_no_more_bins_than_stars():
    assert len(binned_medians(np.array([1.0, 2.0]), np.array([1.0, 2.0]), 20)[0]) == 2

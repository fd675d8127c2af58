import pytest
import torch

from torchfit.velocity.peak import find_peak

STEPS = torch.arange(-20, 21, dtype=torch.float64)


def gaussian(place, sigma=3.0, height=1.0):
    return height * torch.exp(-0.5 * ((STEPS - place) / sigma) ** 2)


@pytest.mark.parametrize("place", [-7.5, -0.49, 0.0, 0.26, 11.9])
def test_a_quartic_is_found_exactly(place):
    x = STEPS - place
    peak = find_peak((0.9 - 0.01 * x**2 + 1e-5 * x**3 - 1e-6 * x**4)[None])
    assert float(peak.place) == pytest.approx(place, abs=1e-9)
    assert float(peak.height) == pytest.approx(0.9, abs=1e-12)
    assert float(peak.curvature) == pytest.approx(-0.02, abs=1e-9)


@pytest.mark.parametrize("place", torch.linspace(-0.5, 0.5, 7).tolist())
def test_a_gaussian_is_found_to_a_thousandth_of_a_step(place):
    peak = find_peak(gaussian(place)[None])
    assert float(peak.place) == pytest.approx(place, abs=2e-3)
    assert float(peak.curvature) == pytest.approx(-1 / 9, rel=0.02)
    assert float(peak.second) == 0


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_a_second_peak_beyond_a_minimum_counts(share):
    curve = torch.maximum(gaussian(-6), gaussian(8, height=share))
    assert float(find_peak(curve[None]).second) == pytest.approx(share)
    assert not bool(find_peak(curve[None]).at_end)


def test_a_curve_that_rises_towards_an_end_has_no_peak_there():
    curves = torch.stack([STEPS / 20, -STEPS / 20, gaussian(0)])
    assert find_peak(curves).at_end.tolist() == [True, True, False]


def test_every_row_is_its_own():
    curves = torch.stack([gaussian(x) for x in (-5.3, 0.1, 9.7)])
    whole = find_peak(curves)
    for row in range(3):
        one = find_peak(curves[row][None])
        assert float(one.place) == float(whole.place[row])
        assert float(one.height) == float(whole.height[row])

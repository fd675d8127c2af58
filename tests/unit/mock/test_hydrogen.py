import pytest
import torch
from tests.unit.mock.conftest import grid

from torchfit.mock.atmosphere import Atmosphere
from torchfit.mock.hydrogen import (
    BALMER,
    PASCHEN,
    hydrogen_depth,
    level_survival,
    stark_profile,
    stark_width,
)


def star(*rows):
    return Atmosphere.of(torch.tensor([[*row, 0.0, 0.0] for row in rows], dtype=torch.float64))


@pytest.mark.parametrize(
    ("series", "upper", "vacuum"),
    [(BALMER, 3, 6564.6), (BALMER, 4, 4862.7), (BALMER, 8, 3890.2), (PASCHEN, 9, 9231.5)],
)
def test_wavelengths_are_vacuum(series, upper, vacuum):
    assert series.wave(upper) == pytest.approx(vacuum, abs=0.2)


def test_oscillator_strengths_are_near_the_exact_ones():
    assert BALMER.oscillator_strength(3) == pytest.approx(0.641, rel=0.35)
    assert BALMER.oscillator_strength(6) == pytest.approx(0.0221, rel=0.2)


def test_width_grows_with_gravity_and_peaks_in_a_stars():
    width = stark_width(star((9500, 2.0), (9500, 4.0), (5777, 4.0), (25000, 4.0)), BALMER)
    assert width[1] > 1.5 * width[0]
    assert width[1] > 3 * width[2]
    assert width[1] > 2 * width[3]


def test_high_levels_live_in_giants_only():
    giant, dwarf = level_survival(star((9500, 1.5), (9500, 4.2)), 16)
    assert giant > 0.9
    assert dwarf < 0.2


def test_profile_is_one_in_the_middle_and_falls_like_stark():
    profile = stark_profile(torch.tensor([0.0, 50.0, 100.0]), torch.tensor([5.0]))[0]
    assert profile[0] == pytest.approx(1.0, abs=2e-3)
    assert float(profile[1] / profile[2]) == pytest.approx(2**2.5, rel=0.01)


def test_the_deepest_pixels_are_the_lines():
    wave = grid(4200.0, 7000.0)
    depth = hydrogen_depth(star((9500, 4.0)), wave)[0]
    for upper in (3, 4, 5):
        near = (wave - BALMER.wave(upper)).abs() < 40
        assert float(wave[near][depth[near].argmax()]) == pytest.approx(BALMER.wave(upper), abs=0.3)


def test_no_lines_without_hydrogen_lines_in_reach():
    assert (hydrogen_depth(star((5000, 4.0)), grid(5400.0, 5500.0)) == 0).all()

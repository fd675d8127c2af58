import numpy as np
import pytest

from torchfit.mock.sky import LINES, sky_brightness, sky_profiles


def test_lines_are_ordered():
    assert (np.diff(LINES[:, 0]) > 0).all()


def test_profiles_have_the_resolution():
    wave = np.linspace(5560, 5600, 4001)
    profile = sky_profiles(wave, 1800.0)[0]
    inside = wave[profile > 0.5]
    assert inside[-1] - inside[0] == pytest.approx(5578.9 / 1800, abs=0.03)


@pytest.mark.parametrize("line", [5578.9, 6302.0, 6365.5])
def test_the_sky_shines_at_its_lines(line):
    wave = np.array([line, line + 15])
    brightness = sky_brightness(sky_profiles(wave, 1800.0))
    assert brightness[0] > 3
    assert brightness[1] == pytest.approx(1.0, abs=1e-3)

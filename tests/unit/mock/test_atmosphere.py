import math

import pytest
import torch

from torchfit.mock.atmosphere import Atmosphere, log_ionisation_ratio


def atmosphere(teff, logg=4.44, fe_h=0.0, alpha_fe=0.0):
    return Atmosphere.of(torch.tensor([[teff, logg, fe_h, alpha_fe]], dtype=torch.float64))


def test_saha_for_hydrogen_half_ionised():
    """At 10 000 K hydrogen is half ionised near an electron pressure of 500 dyn/cm2."""
    theta, pressure = torch.tensor(0.504), torch.tensor(500.0).log10()
    ratio = log_ionisation_ratio(theta, pressure, 13.598, 0.5)
    assert float(ratio) == pytest.approx(0.0, abs=0.15)


def test_saha_is_inverse_in_pressure():
    theta = torch.tensor(0.9)
    low, high = (log_ionisation_ratio(theta, torch.tensor(p), 7.9, 1.5) for p in (0.0, 1.0))
    assert float(low - high) == pytest.approx(1.0, abs=1e-6)


def test_the_sun():
    sun = atmosphere(5777.0)
    assert 1.0 < sun.log_electron_pressure < 1.8
    assert 4.9 < sun.log_gas_pressure < 5.3
    assert sun.log_neutral == pytest.approx(0.0, abs=1e-3)
    assert -24.6 < sun.log_opacity < -23.8


@pytest.mark.parametrize("teff", [3500.0, 6000.0, 12000.0, 30000.0])
def test_pressure_rises_with_gravity(teff):
    assert atmosphere(teff, 5.0).log_electron_pressure > atmosphere(teff, 1.0).log_electron_pressure
    assert atmosphere(teff, 5.0).log_gas_pressure > atmosphere(teff, 1.0).log_gas_pressure


def test_metals_give_the_electrons_of_cool_stars_only():
    def change(teff):
        poor, rich = (atmosphere(teff, fe_h=fe_h).log_electron_pressure for fe_h in (-1.0, 0.0))
        return float(rich - poor)

    assert change(4000.0) > 0.25
    assert change(15000.0) < 0.01


def test_hydrogen_ionises():
    assert 10 ** atmosphere(7000.0).log_neutral > 0.99
    assert 10 ** atmosphere(20000.0).log_neutral < 0.01


def test_levels_follow_boltzmann():
    star = atmosphere(9000.0)
    expected = math.log10(9 / 4) - float(star.theta) * 13.598 * (1 / 4 - 1 / 9)
    assert float(star.log_level(3) - star.log_level(2)) == pytest.approx(expected, abs=1e-9)


def test_second_level_over_opacity_peaks_in_a_stars():
    teff = [6000.0, 8000.0, 9500.0, 14000.0, 25000.0]
    ratio = [float(s.log_level(2) - s.log_opacity) for s in map(atmosphere, teff)]
    assert max(ratio) == ratio[2]

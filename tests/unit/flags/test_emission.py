import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.flags.emission import Emission

WAVE = torch.arange(6400.0, 6750.0, dtype=torch.float64)
LINE = 6564.61


def residual(height=0.0, noise=0.01, tilt=0.0, seed=0):
    """Flux minus model of one star: noise, a slope, and a line of 3 Angstrom sigma."""
    generator = torch.Generator().manual_seed(seed)
    flux = noise * torch.randn(len(WAVE), generator=generator, dtype=torch.float64)
    flux += tilt * (WAVE - WAVE.mean()) / len(WAVE)
    return (flux + height * torch.exp(-0.5 * ((WAVE - LINE) / 3) ** 2))[None]


def found(values, good=None, **settings):
    good = torch.ones_like(values, dtype=torch.bool) if good is None else good
    return Emission(lines=(LINE,), **settings).find(WAVE, values, good).tolist()


def test_a_strong_line_is_found_and_noise_is_not():
    assert found(residual(0.5)) == [True]
    assert not any(found(torch.cat([residual(seed=seed) for seed in range(200)])))


def test_a_line_in_absorption_is_no_emission():
    assert found(residual(-0.5)) == [False]


def test_a_bad_continuum_is_no_line():
    assert found(residual() + 0.3) == [False]
    assert found(residual(tilt=1.0)) == [False]


def test_a_narrow_or_weak_line_has_too_little_width():
    assert found(residual(0.05, noise=1e-4)) == [False]
    assert found(residual(0.05, noise=1e-4), min_width=0.2) == [True]


def test_a_line_must_stand_out_of_the_scatter():
    assert found(residual(0.3, noise=0.5)) == [False]


def test_bad_pixels_have_no_weight():
    values = residual(0.5)
    good = (WAVE - LINE).abs()[None] > 8
    assert found(values, good) == [False]
    spoiled = residual()
    some = torch.ones_like(spoiled, dtype=torch.bool)
    spoiled[0, 165:169], some[0, 165:169] = 100.0, False
    assert found(spoiled, some) == [False]


def test_a_line_outside_the_grid_says_nothing():
    assert Emission(lines=(9000.0,)).find(WAVE, residual(0.5), residual() < 9).tolist() == [False]


def test_stars_are_judged_one_by_one():
    assert found(torch.cat([residual(0.5), residual(), residual(0.5)])) == [True, False, True]


def test_a_width_must_be_positive():
    with pytest.raises(ConfigError, match="widths must be positive"):
        Emission(half_width=0.0)

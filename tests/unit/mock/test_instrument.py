import numpy as np
import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.mock.instrument import Instrument, lamost, mastar
from torchfit.mock.lines import INTRINSIC_SIGMA
from torchfit.names import SPEED_OF_LIGHT

SMALL = Instrument(3.72, 1e-4, 300, 1800.0)


def bump(instrument, centre, sigma):
    """A Gaussian absorption line on the model grid, sigma in km/s."""
    wave = instrument.model().wave.double()
    return (1 - 0.5 * torch.exp(-0.5 * ((wave / centre - 1) * SPEED_OF_LIGHT / sigma) ** 2))[None]


def moments(wave, flux):
    depth = 1 - flux
    mean = (wave * depth).sum() / depth.sum()
    return mean, ((wave - mean) ** 2 * depth).sum() / depth.sum()


@pytest.mark.parametrize("velocity", [-550.0, -33.0, 0.0, 12.3, 300.0, 700.0])
def test_a_velocity_shifts(velocity):
    z = velocity / SPEED_OF_LIGHT
    flux = SMALL.expose(bump(SMALL, 5400.0, 60.0), torch.tensor([z]))[0].numpy()
    mean, _ = moments(SMALL.wave, flux)
    assert (mean / 5400.0 - 1) * SPEED_OF_LIGHT == pytest.approx(velocity, abs=0.5)


@pytest.mark.parametrize("resolving_power", [900.0, 1800.0, 3000.0])
def test_a_line_has_the_resolution_of_the_instrument(resolving_power):
    instrument = Instrument(3.72, 1e-4, 300, resolving_power)
    line = bump(instrument, 5400.0, INTRINSIC_SIGMA)
    mean, variance = moments(instrument.wave, instrument.expose(line, torch.zeros(1))[0].numpy())
    assert mean / variance**0.5 / 2.3548 == pytest.approx(resolving_power, rel=0.03)


def test_flux_is_kept():
    flat = torch.ones(2, len(SMALL.model().wave))
    exposed = SMALL.expose(flat, torch.tensor([0.0, 1e-3]))
    torch.testing.assert_close(exposed, torch.ones(2, 300))


def test_every_star_has_its_own_velocity():
    line = bump(SMALL, 5400.0, 60.0)
    z = torch.tensor([1e-3, -2e-4])
    both = SMALL.expose(line.repeat(2, 1), z)
    for row in range(2):
        single = SMALL.expose(line, z[row : row + 1])[0]
        torch.testing.assert_close(both[row], single, rtol=1e-6, atol=1e-6)


def test_every_star_may_have_its_own_resolution():
    line = bump(SMALL, 5400.0, INTRINSIC_SIGMA).repeat(2, 1)
    exposed = SMALL.expose(line, torch.zeros(2), torch.tensor([1.0, 1.2]))
    (_, one), (_, other) = (moments(SMALL.wave, flux.numpy()) for flux in exposed)
    assert other / one == pytest.approx(1.44, rel=0.01)


def test_the_pixels_of_the_surveys():
    """FORMATS.md 1.3 and 2.4."""
    assert mastar(1800.0).wave[[0, -1]] == pytest.approx([3621.5960, 10353.8054], abs=1e-4)
    wave = lamost(1800.0).wave.astype(np.float32)
    assert wave[0] == np.float32(3699.9863)
    assert wave[-1] == np.float32(9099.135)


def test_resolution_in_angstrom():
    assert lamost(1800.0).lsf_fwhm == pytest.approx(3.056, abs=1e-3)


@pytest.mark.parametrize("resolving_power", [0.0, 100.0, 5000.0])
def test_an_impossible_resolution(resolving_power):
    with pytest.raises(ConfigError, match="resolving_power"):
        lamost(resolving_power)

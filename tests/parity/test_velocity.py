"""Velocities against chi-squared on a grid of velocities, in numpy."""

import numpy as np
import pytest
import torch

from torchfit.emulator.inducing_points import farthest_points
from torchfit.names import SPEED_OF_LIGHT
from torchfit.spectra import Spectrum, StarInfo
from torchfit.velocity.redshifts import VelocityMeasurement


@pytest.fixture(scope="module")
def labels(emulator):
    """Those of the only template."""
    unit = emulator.scaler.to_unit(emulator.library.labels)
    return emulator.library.labels[farthest_points(unit, 1)]


def spectrum(analytic_flux, labels, velocity, seed):
    rng = np.random.default_rng(seed)
    wave = np.arange(3970.0, 4430.0, 0.4)
    # The lines of the analytic spectra count from their first pixel.
    at_rest = torch.from_numpy(np.append(4000.0, wave / (1 + velocity / SPEED_OF_LIGHT)))
    flux = analytic_flux(labels, at_rest)[0, 1:].numpy()
    sigma = np.where(wave < 4150, 0.06, 0.03)
    ivar = sigma**-2.0
    ivar[(wave > 4200) & (wave < 4215)] = 0
    noisy = flux + sigma * rng.normal(size=flux.shape)
    return Spectrum(wave, np.where(ivar > 0, noisy, 1e3), ivar, StarInfo("x"))


def chi2_of(star, emulator, labels, velocity):
    """Chi-squared with the best amplitude and offset of the template."""
    wave, template = emulator.wave.numpy(), emulator.flux(labels)[0].numpy()
    at_rest = star.wave / (1 + velocity / SPEED_OF_LIGHT)
    # The same pixels at every velocity that is tried.
    inside = (star.wave > wave[0] + 5) & (star.wave < wave[-1] - 5) & (star.ivar > 0)
    model, root = np.interp(at_rest[inside], wave, template), np.sqrt(star.ivar[inside])
    design = np.stack([model, np.ones_like(model)], axis=1) * root[:, None]
    _, left, *_ = np.linalg.lstsq(design, star.flux[inside] * root)
    return left[0]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("velocity", [-130.0, 0.0, 77.0])
def test_the_velocity_of_least_chi_squared(emulator, labels, analytic_flux, velocity, seed):
    settings = VelocityMeasurement(when="always", n_templates=1, step=20.0, floor=0.0)
    star = spectrum(analytic_flux, labels, velocity, seed)
    found = settings.search(emulator)([star])
    offsets = np.arange(-40.0, 41.0, 4.0)
    chi2 = [chi2_of(star, emulator, labels, velocity + offset) for offset in offsets]
    roots = np.roots(np.polyder(np.polyfit(offsets, chi2, 4)))
    real = roots[np.abs(roots.imag) < 1e-9].real
    expected = velocity + real[np.abs(real).argmin()]
    assert float(found.v) == pytest.approx(expected, abs=0.6 * float(found.error))

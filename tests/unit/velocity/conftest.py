import numpy as np
import pytest
import torch

from torchfit.names import SPEED_OF_LIGHT
from torchfit.spectra import Spectrum, StarInfo
from torchfit.velocity.redshifts import VelocityMeasurement


@pytest.fixture(scope="session")
def measurement():
    return VelocityMeasurement(when="missing", max_velocity=900.0)


@pytest.fixture(scope="session")
def search(measurement, emulator):
    return measurement.search(emulator)


@pytest.fixture(scope="session")
def observed(analytic_flux):
    """``observed(labels, velocity, snr, ...)``: noisy spectra on pixels of their own."""

    def make(labels, velocity=0.0, snr=50.0, seed=0, z=np.nan, has_ivar=True):
        rng = np.random.default_rng(seed)
        wave = 3960 * np.exp(np.arange(0, 0.115, 1.9e-4))
        # The lines of the analytic spectra count from their first pixel.
        at_rest = torch.from_numpy(np.append(4000.0, wave / (1 + velocity / SPEED_OF_LIGHT)))
        labels = torch.as_tensor(labels, dtype=torch.float64)[None]
        flux = 30 * (1.5 - wave / 8000) * analytic_flux(labels, at_rest)[0, 1:].numpy()
        sigma = flux.mean() / snr
        noisy = flux + sigma * rng.normal(size=flux.shape)
        ivar = np.full_like(flux, sigma**-2 if has_ivar else 1.0)
        return Spectrum(wave, noisy, ivar, StarInfo(f"star-{seed}", z=z), has_ivar)

    return make

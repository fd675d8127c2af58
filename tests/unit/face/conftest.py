import numpy as np
import pytest

from torchfit.face.emulator import Emulator
from torchfit.face.spectrum import Spectrum

SIGMA = 0.01


@pytest.fixture(scope="module")
def face(masked_emulator):
    return Emulator(masked_emulator)


@pytest.fixture(scope="module")
def make_spectrum(preprocessor, analytic_flux):
    """``make_spectrum(labels, name=..., ...)``: a noisy spectrum of a known star."""

    def make(labels, seed=0, **settings):
        import torch

        rng = np.random.default_rng(seed)
        wave = preprocessor.wave
        flux = analytic_flux(torch.tensor([labels], dtype=torch.float64), wave)[0].numpy()
        noisy = flux + SIGMA * rng.normal(size=flux.shape)
        ivar = np.full(flux.shape, SIGMA**-2)
        return Spectrum(wave.numpy(), noisy, ivar, **({"medium": "vacuum", "z": 0.0} | settings))

    return make

"""What holds of every measured velocity: masks, shifts, scales and company."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from torchfit.names import SPEED_OF_LIGHT
from torchfit.spectra import Spectrum, StarInfo
from torchfit.velocity.redshifts import VelocityMeasurement

NONSENSE = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1e30, 1e30])


@pytest.fixture(scope="module")
def search(emulator):
    return VelocityMeasurement(when="always", n_templates=20, max_velocity=700.0).search(emulator)


@pytest.fixture(scope="module")
def make(analytic_flux, draw_labels):
    def spectrum(seed):
        rng = np.random.default_rng(seed)
        wave = 3960 * np.exp(np.arange(0, 0.115, 2e-4))
        labels = draw_labels(1, seed)
        # The lines of the analytic spectra count from their first pixel.
        flux = analytic_flux(labels, torch.from_numpy(np.append(4000.0, wave)))[0, 1:].numpy()
        noisy = flux + 0.02 * rng.normal(size=flux.shape)
        return Spectrum(wave, noisy, np.full_like(flux, 2500.0), StarInfo(f"{seed}"))

    return spectrum


def columns(velocities):
    return torch.stack(list(vars(velocities).values()), dim=1)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 0.5), nonsense=NONSENSE)
def test_what_stands_in_a_masked_pixel_changes_nothing(search, make, seed, share, nonsense):
    star = make(seed)
    bad = np.random.default_rng(seed).random(len(star.wave)) < share
    masked = replace(star, ivar=np.where(bad, 0.0, star.ivar))
    wild = replace(masked, flux=np.where(bad, nonsense, star.flux))
    torch.testing.assert_close(
        columns(search([wild])), columns(search([masked])), rtol=0, atol=0, equal_nan=True
    )


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), velocity=st.floats(-500, 500))
def test_a_shift_of_the_spectrum_is_a_shift_of_the_velocity(search, make, seed, velocity):
    star = make(seed)
    stretch = 1 + velocity / SPEED_OF_LIGHT
    moved = replace(star, wave=star.wave * stretch)
    before, after = search([star, moved]).z.tolist()
    assert (1 + after) / (1 + before) == pytest.approx(stretch, abs=6 / SPEED_OF_LIGHT)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-20, 1e20))
def test_the_unit_of_the_flux_does_not_matter(search, make, seed, scale):
    star = make(seed)
    other = replace(star, flux=star.flux * scale, ivar=star.ivar / scale**2)
    torch.testing.assert_close(columns(search([other])), columns(search([star])))


@settings(max_examples=10)
@given(seeds=st.lists(st.integers(0, 10**6), min_size=2, max_size=40))
def test_a_batch_is_its_stars(search, make, seeds):
    stars = [make(seed) for seed in seeds]
    alone = torch.cat([columns(search([star])) for star in stars])
    torch.testing.assert_close(columns(search(stars)), alone, rtol=1e-9, atol=1e-9)

from dataclasses import replace

import pytest
import torch

from torchfit.match.cfi import correlate
from torchfit.match.component_cfi import ComponentCFI


@pytest.fixture(scope="module")
def cfi(emulator):
    return matching(emulator)


def matching(emulator, scatter=None):
    pca = emulator.flux_pca
    return ComponentCFI(pca.mean, emulator.basis, pca.good, emulator.library.spectra, scatter)


@pytest.fixture(scope="module")
def spectra(observe, draw_labels):
    return observe(draw_labels(30, 20), 0.01, seed=20)


def test_correlation_is_that_of_the_pixels(cfi, emulator, spectra):
    """The components leave out the noise of the templates, and little else."""
    found, expected = cfi.correlate(spectra), correlate(spectra, emulator.library.spectra)
    assert (found - expected).abs().max() < 0.02
    assert (found.argmax(dim=1) == expected.argmax(dim=1)).double().mean() > 0.7


def test_numpy_says_the_same_of_what_the_components_hold(cfi, emulator, spectra):
    pca = emulator.flux_pca
    held = pca.reconstruct(pca.project(spectra))
    templates = pca.reconstruct(pca.project(emulator.library.spectra))
    expected = torch.corrcoef(torch.cat([held, templates]))[:30, 30:]
    share = cfi.hold(spectra).share.sqrt()
    found = cfi.correlate(spectra) / share[:, None]
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=0)
    assert ((share > 0.9) & (share <= 1)).all()


def test_a_bad_pixel_has_no_weight(cfi, spectra):
    ivar = spectra.ivar.clone()
    ivar[:, 100:110] = 0
    flux = spectra.flux.clone()
    flux[:, 100:110] = 1e3
    one = cfi.correlate(replace(spectra, ivar=ivar))
    other = cfi.correlate(replace(spectra, ivar=ivar, flux=flux))
    assert torch.equal(one, other)
    assert (one - cfi.correlate(spectra)).abs().max() < 0.02


def test_noise_lowers_the_correlation_with_all_templates(cfi, observe, draw_labels):
    labels = draw_labels(5, 20)
    quiet, loud = (cfi.correlate(observe(labels, sigma)).amax(dim=1) for sigma in (0.001, 0.1))
    assert (loud < 0.95 * quiet).all()


def test_a_star_without_a_good_pixel_correlates_with_nothing(cfi, spectra):
    blank = replace(spectra, ivar=torch.zeros_like(spectra.ivar))
    assert (cfi.correlate(blank) == -1).all()


def tilted(spectra, slope):
    """Spectra with noise that grows to the blue, by exp(slope) from end to end."""
    x = torch.linspace(1, 0, len(spectra.wave), dtype=torch.float64)
    sigma = 0.2 * torch.exp(slope * (x - 1))
    noise = torch.randn(spectra.flux.shape, generator=torch.Generator().manual_seed(3))
    ivar = (sigma**-2).expand_as(spectra.flux).clone()
    return replace(spectra, flux=spectra.flux + sigma * noise, ivar=ivar)


@pytest.mark.parametrize("slope", [-4.0, 0.0, 3.0])
def test_weighted_it_is_that_of_the_weighted_pixels(emulator, spectra, slope):
    """The shape of the weights is the nearest of a few, and noise is in what is not held too."""
    stars = tilted(spectra, slope)
    found = matching(emulator, 0.03).correlate(stars)
    expected = correlate(stars, emulator.library.spectra, 0.03)
    plain = correlate(stars, emulator.library.spectra)
    error = (found - expected).abs().mean()
    assert error < 0.03
    assert slope == 0 or error < 0.3 * (found - plain).abs().mean()


def test_a_star_has_the_correlation_that_it_has_alone(emulator, spectra):
    """Whatever the shapes of its batch are."""
    cfi = matching(emulator, 0.03)
    parts = [tilted(spectra[10 * i : 10 * i + 10], slope) for i, slope in enumerate((-4, 0, 3))]
    flux, ivar = (torch.cat([getattr(part, name) for part in parts]) for name in ("flux", "ivar"))
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    mixed = replace(spectra, flux=flux[order], ivar=ivar[order])
    alone = torch.cat([cfi.correlate(part) for part in parts])
    torch.testing.assert_close(cfi.correlate(mixed), alone[order], atol=1e-5, rtol=0)


def test_spectra_without_errors_weigh_all_pixels_alike(emulator, cfi, observe, draw_labels):
    stars = observe(draw_labels(5, 20), 0.05, has_ivar=False)
    assert torch.equal(matching(emulator, 0.03).correlate(stars), cfi.correlate(stars))

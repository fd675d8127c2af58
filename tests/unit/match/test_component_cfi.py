from dataclasses import replace

import pytest
import torch

from torchfit.match.cfi import correlate
from torchfit.match.component_cfi import ComponentCFI


@pytest.fixture(scope="module")
def cfi(emulator):
    pca = emulator.flux_pca
    return ComponentCFI.of(pca.mean, emulator.basis, pca.good, emulator.library.spectra)


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
    rows, share = cfi.rows(spectra)
    torch.testing.assert_close((rows @ cfi.template.mT).double(), expected, atol=1e-4, rtol=0)
    assert ((share > 0.9) & (share <= 1)).all()


def test_a_bad_pixel_has_no_say(cfi, spectra):
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

from dataclasses import replace

import pytest
import torch

from torchfit.emulator.flux_pca import FluxPCA, fit_flux_pca
from torchfit.exceptions import DataError


def test_components_are_orthonormal_with_a_positive_largest_element(masked_library, assert_close):
    pca = fit_flux_pca(masked_library.spectra, 0.99)
    assert_close(pca.basis.mT @ pca.basis, torch.eye(pca.basis.shape[1]))
    largest = pca.basis.gather(0, pca.basis.abs().argmax(dim=0, keepdim=True))
    assert (largest > 0).all()


def test_pixels_no_template_has_are_unknown_and_zero(masked_library):
    pca = fit_flux_pca(masked_library.spectra, 0.99)
    assert (~pca.good).nonzero()[:, 0].tolist() == list(range(180, 210))
    assert (pca.mean[~pca.good] == 0).all()
    assert (pca.basis[~pca.good] == 0).all()
    assert (pca.mean[pca.good] > 0).all()


def test_more_variance_needs_more_components(library):
    counts = [fit_flux_pca(library.spectra, v).basis.shape[1] for v in (0.5, 0.9, 0.99, 1.0)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_max_comp_limits_the_components(library):
    assert fit_flux_pca(library.spectra, 1.0, max_comp=3).basis.shape[1] == 3


def overlap(basis, other):
    """Product of the cosines between two spaces; 1 when they are the same."""
    return torch.linalg.svdvals(torch.linalg.qr(basis).Q.mT @ torch.linalg.qr(other).Q).prod()


def test_masked_pixels_are_filled_by_the_model(library, masked_library):
    """With 5 % of the pixels bad the components are nearly those of the whole spectra."""
    whole = fit_flux_pca(library.spectra, 1.0, max_comp=3)
    masked = fit_flux_pca(masked_library.spectra, 1.0, max_comp=3)
    naive = fit_flux_pca(masked_library.spectra, 1.0, max_comp=3, n_iterations=1)
    truth = whole.basis[masked.good]
    assert overlap(truth, masked.basis[masked.good]) > 0.99
    assert overlap(truth, masked.basis[masked.good]) > overlap(truth, naive.basis[masked.good])


def test_reconstruction_and_projection_are_inverse(emulator, generator, assert_close, observe):
    coefficients = torch.randn(4, 8, generator=generator).double()
    pca = emulator.flux_pca
    flux = pca.reconstruct(coefficients)
    spectra = replace(observe(torch.full((4, 3), 5000.0).double(), 0.1, masked=0.5), flux=flux)
    assert_close(pca.project(spectra), coefficients)


def test_a_spectrum_without_a_good_pixel_projects_to_zero(emulator, library):
    blank = replace(library.spectra[:2], ivar=torch.zeros_like(library.spectra.ivar[:2]))
    assert (emulator.flux_pca.project(blank) == 0).all()
    assert (emulator.flux_pca.residual(blank) == 0).all()


def test_a_direction_without_good_pixels_stays_near_zero(library):
    """One good pixel cannot tell eight coefficients."""
    pca = fit_flux_pca(library.spectra, 1.0, max_comp=8)
    ivar = torch.zeros_like(library.spectra.ivar[:3])
    ivar[:, 100] = 1
    coefficients = pca.project(replace(library.spectra[:3], ivar=ivar))
    known = pca.basis[100] / pca.basis[100].norm()
    across = coefficients - (coefficients @ known)[:, None] * known
    assert across.abs().max() < 1e-6
    assert (pca.reconstruct(coefficients) - library.spectra.flux[:3])[:, 100].abs().max() < 1e-3


def test_residuals_are_zero_in_bad_pixels(masked_library):
    pca = fit_flux_pca(masked_library.spectra, 0.99)
    residual = pca.residual(masked_library.spectra)
    good = masked_library.spectra.good & pca.good
    assert (residual[~good] == 0).all()
    assert residual[good].std() < 0.01


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.1])
@pytest.mark.parametrize("masked", [0.0, 0.5])
def test_excess_noise_is_the_noise_that_was_put_in(emulator, observe, draw_labels, sigma, masked):
    """Beyond the truncation, which holds the noise of the library itself."""
    labels = draw_labels(40, 11)
    spectra = observe(labels, sigma, masked=masked, has_ivar=False)
    truncation = emulator.truncation.at(labels[:, 0])
    total = emulator.flux_pca.excess_noise(spectra, truncation) + truncation.mean(dim=1)
    assert total.sqrt().median().item() == pytest.approx(sigma, rel=0.05)


def test_excess_noise_has_a_least_value(emulator, observe, draw_labels):
    labels = draw_labels(4, 11)
    spectra = observe(labels, 0.0, has_ivar=False)
    found = emulator.flux_pca.excess_noise(spectra, torch.ones_like(spectra.flux))
    torch.testing.assert_close(found, torch.full((4,), 1e-6, dtype=torch.float64))


def test_a_library_without_a_good_pixel_is_refused(library):
    blank = replace(library.spectra, ivar=torch.zeros_like(library.spectra.ivar))
    with pytest.raises(DataError, match="no pixel"):
        fit_flux_pca(blank, 0.9)


def test_any_number_of_leading_axes(emulator):
    pca: FluxPCA = emulator.flux_pca
    assert pca.reconstruct(torch.zeros(2, 5, 8).double()).shape == (2, 5, 400)
    assert torch.equal(pca.reconstruct(torch.zeros(8).double()), pca.mean)

"""Flux PCA against scikit-learn, and its projection against numpy's least squares."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from torchfit.emulator.flux_pca import BAND, MOST_PAIRED, fit_flux_pca, gram


@pytest.mark.parametrize("variance", [0.5, 0.9, 0.99, 1.0])
def test_components_are_scikit_learns(library, assert_close, variance):
    flux = library.spectra.flux.numpy()
    found = fit_flux_pca(library.spectra, variance)
    full = PCA(svd_solver="full").fit(flux)
    n_comp = int(np.searchsorted(np.cumsum(full.explained_variance_ratio_), variance * 0.999999))
    assert found.basis.shape[1] == min(n_comp + 1, len(flux))
    components = full.components_[: found.basis.shape[1]].T
    stable = slice(0, 40)
    sign = np.sign((components * found.basis.numpy()).sum(axis=0))
    assert_close(found.mean, full.mean_)
    assert_close(found.basis[:, stable], (components * sign)[:, stable])


def test_coefficients_and_reconstruction_are_scikit_learns(library, assert_close):
    flux = library.spectra.flux.numpy()
    found = fit_flux_pca(library.spectra, 1.0, max_comp=8)
    other = PCA(n_components=8, svd_solver="full").fit(flux)
    coefficients = found.project(library.spectra)
    rebuilt = other.inverse_transform(other.transform(flux))
    assert_close(coefficients.abs(), np.abs(other.transform(flux)))
    assert_close(found.reconstruct(coefficients), rebuilt)
    assert_close(found.residual(library.spectra), flux - rebuilt)


def test_components_of_masked_spectra_are_a_loops(observe, library, assert_close):
    """Bad pixels take the model's own value, round after round; a third of them is bad."""
    spectra = observe(library.labels, 0.005, masked=0.35)
    good, flux = spectra.good.numpy(), spectra.flux.numpy()
    filled = np.where(good, flux, (flux * good).sum(axis=0) / good.sum(axis=0))
    for _ in range(10):
        mean = filled.mean(axis=0)
        components = np.linalg.svd(filled - mean, full_matrices=False)[2][:3]
        model = mean + (filled - mean) @ components.T @ components
        filled = np.where(good, flux, model)
    found = fit_flux_pca(spectra, 1.0, max_comp=3)
    sign = np.sign((components.T * found.basis.numpy()).sum(axis=0))
    assert_close(found.mean, mean)
    assert_close(found.basis, components.T * sign)


def test_masked_projection_is_numpys_least_squares(emulator, observe, draw_labels, assert_close):
    spectra = observe(draw_labels(6, 3), 0.01, masked=0.4)
    found = emulator.flux_pca.project(spectra)
    basis, mean = emulator.flux_pca.basis.numpy(), emulator.flux_pca.mean.numpy()
    for star in range(6):
        good = spectra.good[star].numpy()
        target = (spectra.flux[star].numpy() - mean)[good]
        assert_close(found[star], np.linalg.lstsq(basis[good], target, rcond=None)[0])


@pytest.mark.parametrize("n_comp", [1, 9, MOST_PAIRED, MOST_PAIRED + 1, 2 * BAND + 5])
def test_gram_matrices_are_einsums(generator, assert_close, n_comp):
    weight = torch.rand(5, 70, generator=generator, dtype=torch.float64)
    basis = torch.randn(70, n_comp, generator=generator, dtype=torch.float64)
    assert_close(gram(weight, basis), np.einsum("sp,pi,pj->sij", weight, basis, basis))

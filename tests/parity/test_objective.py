"""The objective against the dense covariance of the pixels, and its derivatives."""

import numpy as np
import pytest
import torch
from tests.metrics import loss_of, plain_metric, plain_nuisance

from torchfit.likelihood.legendre import legendre
from torchfit.likelihood.pixel_sums import FormAtZero, PixelSums, marginalise_emulator

N_STARS = 3


@pytest.fixture(scope="module")
def start(draw_labels):
    return draw_labels(N_STARS, 6)


def dense_chi2(emulator, spectra, start, labels, metric, star):
    """y^T (N + T Lambda T^T + B Sigma B^T)^-1 y over the good pixels of one star."""
    good = (spectra.good[star] & emulator.flux_pca.good).numpy()
    basis = emulator.basis.numpy()[good]
    model = emulator.flux(labels[star : star + 1])[0].numpy()
    y = (spectra.flux[star].numpy() - model)[good]
    if not metric.weighted:
        return y @ y
    truncation = emulator.truncation.at(start[:, 0])
    noise = 1 / spectra.ivar[star].numpy()[good]
    if not spectra.has_ivar[star]:
        noise = np.full(len(y), emulator.flux_pca.excess_noise(spectra, truncation)[star].item())
    noise = noise + truncation[star].numpy()[good] + metric.noise_floor**2
    sigma = emulator.residuals.at(start[star : star + 1, 0])[0].numpy()
    known, wave = emulator.flux_pca.good.numpy(), emulator.wave.numpy()
    shape = emulator.flux(start[star : star + 1])[0].numpy()
    shape = torch.from_numpy(np.interp(wave, wave[known], shape[known]))
    columns = metric.nuisance.columns(emulator.wave, shape[None])[0].numpy()[good]
    prior = np.diag(np.square(metric.nuisance.sigma)).reshape(columns.shape[1], columns.shape[1])
    covariance = np.diag(noise) + basis @ sigma @ basis.T + columns @ prior @ columns.T
    return y @ np.linalg.solve(covariance, y)


@pytest.mark.parametrize("has_ivar", [True, False])
@pytest.mark.parametrize("masked", [0.0, 0.3, 0.99])
@pytest.mark.parametrize(
    "metric",
    [
        plain_metric(weighted=False),
        plain_metric(),
        plain_metric(noise_floor=0.02),
        plain_metric(nuisance=plain_nuisance(continuum_degree=3)),
        plain_metric(nuisance=plain_nuisance(velocity_sigma=20.0)),
        plain_metric(
            nuisance=plain_nuisance(continuum_degree=0, velocity_sigma=5.0), noise_floor=0.01
        ),
    ],
)
def test_chi_squared_is_the_dense_one(
    masked_emulator, observe, draw_labels, start, assert_close, metric, masked, has_ivar
):
    spectra = observe(draw_labels(N_STARS, 7), 0.01, masked=masked, has_ivar=has_ivar)
    objective = loss_of(metric, masked_emulator, spectra, start)
    for labels in (start, draw_labels(N_STARS, 8)):
        found = objective.chi_squared(masked_emulator.scaler.to_unit(labels))
        expected = [
            dense_chi2(masked_emulator, spectra, start, labels, metric, star)
            for star in range(N_STARS)
        ]
        assert_close(found, expected)


def dense_start_noise(emulator, spectra, start, scatter):
    """How noise moves labels of least weighted squares, by solving for them pixel by pixel."""
    unit, step = emulator.scaler.to_unit(start), 1e-4
    found = []
    for star in range(len(start)):
        flux = []
        for offset in step * torch.eye(unit.shape[1], dtype=unit.dtype):
            up, down = (emulator.gp.mean(unit[star : star + 1] + s * offset) for s in (1, -1))
            flux.append((emulator.flux_of(up) - emulator.flux_of(down))[0] / (2 * step))
        good = spectra.good[star].numpy()
        slope = torch.stack(flux, dim=1).numpy()[good]
        sigma = spectra.ivar[star].numpy()[good] ** -0.5
        root = (sigma**2 + scatter**2) ** -0.5
        eye = np.eye(slope.shape[1])
        # The prior is one more measurement of each label, 0 with an error of 1.
        gain = np.linalg.pinv(np.vstack([slope * root[:, None], eye]))
        error = np.concatenate([root * sigma, np.ones(len(eye))])
        found.append((gain * error**2) @ gain.T)
    return np.stack(found)


@pytest.mark.parametrize("scatter", [None, 0.03])
@pytest.mark.parametrize("strength", [0.0, 1.0, 2.5])
def test_loss_adds_the_quadratic_form_of_the_prior(
    emulator, observe, draw_labels, start, assert_close, strength, scatter
):
    spectra = observe(draw_labels(N_STARS, 7), 0.01)
    metric = plain_metric(prior_strength=strength, start_scatter=scatter)
    objective = loss_of(metric, emulator, spectra, start)
    unit = emulator.scaler.to_unit(draw_labels(N_STARS, 8))
    covariance = emulator.start_error.at(start[:, 0]).numpy()
    if scatter is not None:
        covariance = covariance + dense_start_noise(emulator, spectra, start, scatter)
    offset = (unit - emulator.scaler.to_unit(start)).numpy()
    penalty = [
        strength * o @ np.linalg.solve(c, o) for o, c in zip(offset, covariance, strict=True)
    ]
    assert_close(objective.loss(unit) - objective.chi_squared(unit), penalty)


def test_several_candidates_are_the_same_one_by_one(
    emulator, observe, draw_labels, start, assert_close
):
    objective = loss_of(plain_metric(), emulator, observe(draw_labels(N_STARS, 7), 0.01), start)
    unit = emulator.scaler.to_unit(draw_labels(N_STARS * 5, 9)).reshape(N_STARS, 5, -1)
    found = objective.loss(unit)
    for candidate in range(5):
        assert_close(found[:, candidate], objective.loss(unit[:, candidate]))


@pytest.mark.parametrize("weighted", [True, False])
def test_derivatives_are_those_of_finite_differences(
    emulator, observe, draw_labels, start, assert_close, weighted
):
    spectra = observe(draw_labels(N_STARS, 7), 0.01, masked=0.1)
    objective = loss_of(plain_metric(weighted=weighted), emulator, spectra, start)
    unit = emulator.scaler.to_unit(draw_labels(N_STARS, 8))
    loss, gradient, hessian = objective.derivatives(unit)
    assert_close(loss, objective.loss(unit))
    step, slopes, jacobian = 1e-4, [], []
    for label in range(unit.shape[1]):
        offset = step * torch.eye(unit.shape[1], dtype=unit.dtype)[label]
        up, down = unit + offset, unit - offset
        slopes.append((objective.loss(up) - objective.loss(down)) / (2 * step) / 2)
        jacobian.append((emulator.gp.mean(up) - emulator.gp.mean(down)) / (2 * step))
    np.testing.assert_allclose(gradient, torch.stack(slopes, dim=1), rtol=1e-5, atol=1e-5)
    j = torch.stack(jacobian, dim=2).numpy()
    expected = np.einsum("sil,sij,sjm->slm", j, objective.form.precision, j) + np.asarray(
        objective.prior.precision
    )
    np.testing.assert_allclose(hessian, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_marginalising_columns_is_adding_them_to_the_noise(generator, assert_close):
    basis, y = (torch.randn(*s, generator=generator).double() for s in ((30, 4), (2, 30)))
    columns = torch.randn(2, 30, 3, generator=generator).double()
    weight = torch.rand(2, 30, generator=generator).double() + 0.1
    sigma = [0.5, 1.0, 2.0]
    information, pull, constant = PixelSums(basis, weight, y, columns, sigma).form()
    for star in range(2):
        t = columns[star].numpy() * sigma
        inverse = np.linalg.inv(np.diag(1 / weight[star].numpy()) + t @ t.T)
        assert_close(information[star], basis.numpy().T @ inverse @ basis.numpy())
        assert_close(pull[star], basis.numpy().T @ inverse @ y[star].numpy())
        assert_close(constant[star], y[star].numpy() @ inverse @ y[star].numpy())


def test_marginalising_the_emulator_is_adding_its_covariance(generator, assert_close):
    """With A invertible: chi2(f) = (g - f)^T (A^-1 + Sigma)^-1 (g - f) + c - b^T A^-1 b."""
    root = torch.randn(5, 5, generator=generator).double()
    information = (root @ root.mT + torch.eye(5))[None]
    factor = torch.linalg.cholesky(torch.eye(5).double() + 0.3 * root.mT @ root)[None]
    pull = torch.randn(1, 5, generator=generator).double()
    form = FormAtZero(information, pull, torch.tensor([3.0]).double())
    precision, linear, constant = marginalise_emulator(form, factor)
    a, low, b = information[0].numpy(), factor[0].numpy(), pull[0].numpy()
    expected = np.linalg.inv(np.linalg.inv(a) + low @ low.T)
    best = np.linalg.solve(a, b)
    assert_close(precision[0], expected)
    assert_close(linear[0], expected @ best)
    assert_close(constant[0], best @ expected @ best + 3.0 - b @ best)


@pytest.mark.parametrize("degree", [0, 1, 2, 7, 12])
def test_legendre_polynomials_are_numpys(assert_close, degree):
    wave = np.sort(np.random.default_rng(1).uniform(4000, 5000, 60))
    x = 2 * (wave - wave[0]) / (wave[-1] - wave[0]) - 1
    found = legendre(torch.from_numpy(wave), degree)
    assert_close(found, np.polynomial.legendre.legvander(x, degree))

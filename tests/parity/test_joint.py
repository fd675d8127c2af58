"""Exposures fitted together against the dense covariance of all their pixels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.metrics import fit_by, loss_of, plain_metric, plain_nuisance

from torchfit.likelihood.joint import JointLikelihood
from torchfit.likelihood.joint_spectra import JointSpectra
from torchfit.spectra import Spectra

COUNTS = (3, 2, 5, 2)
STAR = torch.tensor([star for star, n in enumerate(COUNTS) for _ in range(n)])
RICH = plain_nuisance(continuum_degree=2, velocity_sigma=20.0)


@pytest.fixture(scope="module")
def start(draw_labels):
    return draw_labels(len(COUNTS), 6)


@pytest.fixture(scope="module")
def exposures(observe, draw_labels):
    """Of each star exposures of different noise, masks and errors; some without errors."""

    def make(masked=0.3, has_ivar=True):
        labels = draw_labels(len(COUNTS), 7)[STAR]
        noise = 0.005 + 0.02 * torch.arange(len(STAR), dtype=torch.float64)[:, None] / len(STAR)
        flat = observe(labels, 0.0, masked=masked, seed=8)
        draws = torch.randn(flat.flux.shape, generator=torch.Generator().manual_seed(9))
        ivar = torch.where(flat.good, noise.pow(-2), 0.0)
        known = torch.full_like(flat.has_ivar, has_ivar)
        if not has_ivar:
            known[:4], ivar[4:] = True, (ivar[4:] > 0).double()
        flux = torch.where(flat.good, flat.flux + noise * draws, torch.nan)
        return replace(flat, flux=flux.nan_to_num(9.0), ivar=ivar, has_ivar=known)

    return make


def dense_chi2(emulator, exposures, start, labels, metric, star):
    """y^T C^-1 y of all good pixels of all exposures of a star, C with everything they share."""
    rows = (star == STAR).nonzero()[:, 0]
    near = start[star : star + 1]
    truncation = emulator.truncation.at(near[:, 0])
    model = emulator.flux(labels[star : star + 1])[0]
    known, wave = emulator.flux_pca.good.numpy(), emulator.wave.numpy()
    shape = emulator.flux(near)[0].numpy()
    shape = torch.from_numpy(np.interp(wave, wave[known], shape[known]))
    columns = metric.nuisance.columns(emulator.wave, shape[None])[0].numpy()
    prior = np.diag(np.square(metric.nuisance.sigma)).reshape(2 * (columns.shape[1],))
    of_star = (
        np.diag(truncation[0].numpy())
        + (emulator.basis @ emulator.residuals.at(near[:, 0])[0] @ emulator.basis.mT).numpy()
    )
    of_exposure = columns @ prior @ columns.T
    ys, goods, noises = [], [], []
    for row in rows:
        spectrum = exposures[row[None]]
        good = (spectrum.good[0] & emulator.flux_pca.good).numpy()
        noise = np.where(good, 1 / np.where(good, spectrum.ivar[0].numpy(), 1.0), 0.0)
        if not spectrum.has_ivar[0]:
            noise = np.full(len(wave), emulator.flux_pca.excess_noise(spectrum, truncation).item())
        ys.append((spectrum.flux[0] - model).numpy())
        goods.append(good)
        noises.append(np.diag(noise + metric.noise_floor**2) + of_exposure)
    good = np.concatenate(goods)
    covariance = np.kron(np.ones((len(rows), len(rows))), of_star)
    for place, noise in enumerate(noises):
        here = slice(place * len(wave), (place + 1) * len(wave))
        covariance[here, here] += noise
    y = np.concatenate(ys)[good]
    if not metric.weighted:
        return y @ y
    return y @ np.linalg.solve(covariance[np.ix_(good, good)], y)


@pytest.mark.parametrize("has_ivar", [True, False])
@pytest.mark.parametrize("masked", [0.0, 0.3, 0.95])
@pytest.mark.parametrize(
    "metric",
    [
        plain_metric(weighted=False),
        plain_metric(),
        plain_metric(nuisance=RICH),
        plain_metric(nuisance=RICH, noise_floor=0.02),
    ],
)
def test_chi_squared_is_that_of_the_whole_covariance(
    masked_emulator, exposures, draw_labels, start, assert_close, metric, masked, has_ivar
):
    given = exposures(masked, has_ivar)
    joint = JointSpectra.of(given, STAR)
    objective = JointLikelihood(metric, masked_emulator).condense(joint, start).objective
    for labels in (start, draw_labels(len(COUNTS), 8)):
        found = objective.chi_squared(masked_emulator.scaler.to_unit(labels))
        expected = [
            dense_chi2(masked_emulator, given, start, labels, metric, star)
            for star in range(len(COUNTS))
        ]
        assert_close(found, expected)


def test_exposures_of_nothing_but_masked_pixels_change_nothing(
    masked_emulator, exposures, start, assert_close
):
    given, metric = exposures(), plain_metric(nuisance=RICH)
    blank = replace(given, ivar=torch.zeros_like(given.ivar), flux=given.flux * torch.nan)
    order = torch.cat([STAR, STAR]).argsort(stable=True)
    padded = Spectra.joined([given, blank])[order]
    unit = masked_emulator.scaler.to_unit(start) + 0.2
    likelihood = JointLikelihood(metric, masked_emulator)
    losses = [
        likelihood.condense(JointSpectra.of(*pair), start).objective.loss(unit)
        for pair in ((given, STAR), (padded, STAR.repeat_interleave(2)))
    ]
    assert_close(*losses)


def test_one_exposure_and_none_is_the_exact_likelihood(
    masked_emulator, exposures, start, assert_close
):
    """The same numbers from either set of sums, where one exposure says everything."""
    given, metric = exposures(), plain_metric(nuisance=RICH, noise_floor=0.01)
    first = torch.tensor([0, 3, 5, 10])
    blank = replace(given, ivar=torch.zeros_like(given.ivar))[first]
    star = torch.arange(4).repeat_interleave(2)
    order = torch.stack([torch.arange(4), torch.arange(4, 8)], dim=1).flatten()
    pairs = Spectra.joined([given[first], blank])[order]
    joint = JointLikelihood(metric, masked_emulator).condense(JointSpectra.of(pairs, star), start)
    unit = masked_emulator.scaler.to_unit(start) - 0.1
    exact = loss_of(metric, masked_emulator, given[first], start)
    assert_close(joint.objective.loss(unit), exact.loss(unit))


def test_exposures_without_noise_are_no_better_than_one(emulator, observe, start):
    """What the emulator does not know of a star is not averaged away."""
    truth = start[:1]
    spectra = replace(observe(truth, 0.0), ivar=torch.full((1, 400), 1e8).double())
    metric = plain_metric(prior_strength=0.0)
    many = Spectra.joined([spectra] * 20)
    joint = JointSpectra.of(many, torch.zeros(20, dtype=torch.long))
    together = JointLikelihood(metric, emulator).condense(joint, truth).objective
    alone = loss_of(metric, emulator, spectra, truth)
    unit = emulator.scaler.to_unit(truth) + 0.1
    ratio = together.derivatives(unit)[2] / alone.derivatives(unit)[2]
    assert ((ratio - 1).abs() < 1e-2).all()


def test_labels_are_those_of_a_search_over_the_dense_form(emulator, exposures, start, assert_close):
    """The lowest place of the joint loss is where the dense chi-squared has no slope."""
    given = exposures(masked=0.0)
    metric = plain_metric(nuisance=RICH, prior_strength=0.0)
    likelihood = JointLikelihood(metric, emulator)
    joint = JointSpectra.of(given, STAR)
    _, fit = fit_by(likelihood, emulator, joint, start)
    star, step = 1, 2e-3
    lowest = dense_at(emulator, given, start, fit.unit, metric, star)
    for label in range(fit.unit.shape[1]):
        for sign in (-step, step):
            moved = fit.unit.clone()
            moved[star, label] += sign
            assert dense_at(emulator, given, start, moved, metric, star) > lowest - 1e-6


def dense_at(emulator, exposures, start, unit, metric, star):
    return dense_chi2(emulator, exposures, start, emulator.scaler.from_unit(unit), metric, star)

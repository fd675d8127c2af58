from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.optimiser_contract import chosen, make_problem, not_above
from tests.metrics import loss_of, plain_metric, plain_nuisance
from tests.property.strategies import finite_junk, seeds, with_junk

from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.problem import Fit

METRICS = [
    plain_metric(weighted=False),
    plain_metric(),
    plain_metric(nuisance=plain_nuisance(continuum_degree=2, velocity_sigma=20.0)),
]


@settings(max_examples=20)
@given(finite_junk, st.sampled_from(METRICS), st.booleans(), st.sampled_from([0.1, 0.9]))
def test_a_bad_pixel_has_no_say_in_the_objective(
    masked_emulator, observe, draw_labels, value, metric, has_ivar, share
):
    labels = draw_labels(3, 5)
    spectra = observe(labels, 0.01, masked=share, has_ivar=has_ivar)
    changed = with_junk(spectra, value)
    one, other = (loss_of(metric, masked_emulator, s, labels) for s in (spectra, changed))
    assert torch.equal(one.centre, other.centre)
    for name in ("precision", "pull", "constant"):
        assert torch.equal(getattr(one.form, name), getattr(other.form, name))
    model = masked_emulator.flux(labels)
    velocities = [metric.velocity(masked_emulator, s, labels, model) for s in (spectra, changed)]
    torch.testing.assert_close(*velocities, rtol=0, atol=0, equal_nan=True)


@settings(max_examples=15)
@given(st.permutations(range(6)), st.sampled_from(METRICS), seeds)
def test_the_order_of_stars_does_not_matter(
    masked_emulator, observe, draw_labels, order, metric, seed
):
    spectra = observe(draw_labels(6, seed % 1000), 0.01, seed=seed, masked=0.1)
    fit = LevenbergMarquardt().minimise(*make_problem(masked_emulator, spectra, (0,) * 6, metric))
    turned = LevenbergMarquardt().minimise(
        *make_problem(masked_emulator, chosen(spectra, order), (0,) * 6, metric)
    )
    torch.testing.assert_close(turned.loss, fit.loss[list(order)])
    torch.testing.assert_close(turned.unit, fit.unit[list(order)], rtol=1e-6, atol=1e-6)


@settings(max_examples=15)
@given(seeds, st.sampled_from(METRICS), st.integers(0, 30))
def test_levenberg_marquardt_from_anywhere_never_goes_up_nor_out(
    emulator, observe, draw_labels, seed, metric, max_iterations
):
    generator = torch.Generator().manual_seed(seed)
    problem, _ = make_problem(emulator, observe(draw_labels(6, 5), 0.01), (0,) * 6, metric)
    start = Fit.at_start(problem, 3 * torch.randn(6, 3, generator=generator).double())
    fit = LevenbergMarquardt(max_iterations=max_iterations).minimise(problem, start)
    assert not_above(fit.loss, start.loss)
    assert ((fit.unit >= problem.lower) & (fit.unit <= problem.upper)).all()
    assert (fit.iterations <= max_iterations).all()


@settings(max_examples=15)
@given(st.floats(0.1, 10.0), seeds)
def test_the_size_of_the_errors_does_not_matter_without_weights(
    emulator, observe, draw_labels, factor, seed
):
    labels = draw_labels(2, seed % 1000)
    spectra = observe(labels, 0.01, seed=seed, masked=0.1)
    scaled = replace(spectra, ivar=factor * spectra.ivar)
    metric, unit = plain_metric(weighted=False), emulator.scaler.to_unit(labels)
    one, other = (loss_of(metric, emulator, s, labels).loss(unit) for s in (spectra, scaled))
    assert torch.equal(one, other)


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=10)
@given(seeds)
def test_the_objective_bounds_itself_from_below(emulator, observe, draw_labels, metric, seed):
    """c - g^T P^-1 g, its least value over all coefficients, is not negative."""
    labels = draw_labels(3, seed % 1000)
    objective = loss_of(metric, emulator, observe(labels, 0.01, seed=seed, masked=0.1), labels)
    best = torch.linalg.solve(objective.form.precision, objective.form.pull[:, :, None])[:, :, 0]
    least = objective.constant - (objective.form.pull * best).sum(dim=1)
    assert (least > -1e-6).all()

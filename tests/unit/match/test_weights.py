from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.match.cfi import correlate
from torchfit.match.weights import (
    REACH,
    WeightShapes,
    correlation_allowed_by_noise,
    pixel_weights,
)


@pytest.fixture
def shapes(library):
    return WeightShapes.on(library.spectra.wave)


def test_weights_are_those_of_noise_and_scatter(observe, draw_labels):
    spectra = observe(draw_labels(3, 2), 0.02, masked=0.2)
    weight = pixel_weights(spectra, 0.03)
    expected = 0.03**2 / (1 / spectra.ivar[spectra.good] + 0.03**2)
    torch.testing.assert_close(weight[spectra.good], expected)
    assert (weight[~spectra.good] == 0).all()


def test_without_scatter_all_good_pixels_weigh_the_same(observe, draw_labels):
    spectra = observe(draw_labels(3, 2), 0.02, masked=0.2)
    assert torch.equal(pixel_weights(spectra, None), spectra.good.to(spectra.flux))


def test_what_stands_in_a_bad_pixel_has_no_weight(observe, draw_labels):
    spectra = observe(draw_labels(2, 2), 0.02)
    ivar = spectra.ivar.clone()
    ivar[:, 3] = 0.0
    ivar[:, 4] = 1e-38
    ivar[:, 5] = 1e300
    weight = pixel_weights(replace(spectra, ivar=ivar), 0.03)
    assert weight.isfinite().all()
    assert (weight[:, 3] == 0).all()
    assert (weight[:, 5] == 1).all()


@given(
    tilt=st.integers(-REACH[0], REACH[0]),
    bend=st.integers(-REACH[1], REACH[1]),
    level=st.floats(-3, 3),
    masked=st.floats(0, 0.9),
)
def test_a_shape_is_nearest_to_itself(shapes_of_grid, tilt, bend, level, masked):
    """Whatever its level is, and whichever pixels are bad."""
    number = (tilt + REACH[0]) * (2 * REACH[1] + 1) + bend + REACH[1]
    good = torch.rand(800, generator=torch.Generator().manual_seed(5)) >= masked
    weight = 10**level * shapes_of_grid.weight(number)[None] * good
    assert shapes_of_grid.nearest(weight).tolist() == [number]


@pytest.fixture(scope="module")
def shapes_of_grid():
    return WeightShapes.on(torch.linspace(3800.0, 4599.0, 800, dtype=torch.float64))


def test_equal_weights_have_the_flat_shape(shapes):
    weight = torch.full((2, len(shapes.polynomials)), 0.3)
    assert shapes.nearest(weight).tolist() == [shapes.flat] * 2
    assert (shapes.weight(shapes.flat) == 1).all()


@pytest.mark.parametrize("n_good", [0, 1, 5])
def test_of_hardly_any_pixel_the_shape_is_flat(shapes, n_good):
    weight = torch.zeros(1, len(shapes.polynomials))
    weight[:, 40 : 40 + n_good] = 0.2
    assert shapes.nearest(weight).tolist() == [shapes.flat]


def test_every_shape_has_weights_of_its_own(shapes):
    weights = torch.stack([shapes.weight(number) for number in range(shapes.n_shapes)])
    assert (weights.amax(dim=1) == 1).all()
    assert len(weights.unique(dim=0)) == shapes.n_shapes


@pytest.mark.parametrize("sigma", [0.003, 0.03, 0.1])
def test_noise_allows_the_correlation_with_the_spectrum_itself(
    observe, draw_labels, analytic_flux, sigma
):
    labels = draw_labels(40, 2)
    noisy = observe(labels, sigma, masked=0.1)
    quiet = replace(noisy, flux=analytic_flux(labels, noisy.wave), ivar=torch.ones_like(noisy.flux))
    expected = correlate(noisy, quiet, 0.03).diagonal()
    known = torch.ones(len(noisy.wave), dtype=torch.bool)
    found = correlation_allowed_by_noise(noisy, known, 0.03)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found - expected).mean().abs() < 0.03


def test_without_errors_or_weights_noise_takes_nothing(observe, draw_labels):
    known = torch.ones(400, dtype=torch.bool)
    noisy, unknown = (observe(draw_labels(3, 2), 0.1, has_ivar=errors) for errors in (True, False))
    assert (correlation_allowed_by_noise(noisy, known, None) == 1).all()
    assert (correlation_allowed_by_noise(unknown, known, 0.03) == 1).all()
    assert (correlation_allowed_by_noise(noisy, known, 0.03) < 0.95).all()
    blank = replace(noisy, ivar=torch.zeros_like(noisy.ivar))
    assert correlation_allowed_by_noise(blank, known, 0.03).isfinite().all()

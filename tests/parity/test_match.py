"""Matching against loops over stars and templates."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from torchfit.match.cfi import correlate
from torchfit.match.matched_sets import matched_sets
from torchfit.match.start import exclude_same_star, start_errors, start_labels


@pytest.mark.parametrize("masked", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("scatter", [None, 0.03])
def test_correlation_is_numpys_over_common_pixels(
    masked_library, observe, draw_labels, assert_close, masked, scatter
):
    stars = observe(draw_labels(5, 4), 0.01, masked=masked)
    uneven = torch.linspace(0.01, 1, len(stars.wave), dtype=torch.float64)
    stars = replace(stars, ivar=stars.ivar * uneven)
    found = correlate(stars, masked_library.spectra, scatter)
    for star in range(5):
        for template in range(0, len(masked_library), 9):
            both = (stars.good[star] & masked_library.spectra.good[template]).numpy()
            a = stars.flux[star].numpy()[both]
            b = masked_library.spectra.flux[template].numpy()[both]
            noise = 1 / stars.ivar[star].numpy()[both]
            weight = np.ones_like(a) if scatter is None else 1 / (noise + scatter**2)
            expected = np.cov(a, b, aweights=weight)
            expected = expected[0, 1] / np.sqrt(expected[0, 0] * expected[1, 1])
            assert_close(found[star, template], expected)


def test_start_labels_are_a_loops(generator, draw_labels, assert_close):
    labels = draw_labels(30, 0)
    cfi = torch.rand(6, 30, generator=generator, dtype=torch.float64) * 2 - 1
    cfi[0, 4] = 1.0
    for n_best in (1, 5, 30, 99):
        found = start_labels(cfi, labels, n_best)
        for star in range(6):
            best = np.argsort(-cfi[star].numpy())[:n_best]
            weight = 1 / np.maximum(1 - cfi[star].numpy()[best], 1e-4)
            assert_close(found[star], np.average(labels.numpy()[best], axis=0, weights=weight))


def loop_matched_set(cfi, labels, start, widths, t):
    """Inside the intervals by correlation, then outside by temperature from the first."""
    inside = [i for i in range(len(cfi)) if np.all(np.abs(labels[i] - start) <= widths)]
    chosen = sorted(inside, key=lambda i: -cfi[i])
    if not chosen:
        chosen = [int(np.argmax(cfi))]
    rest = [i for i in range(len(cfi)) if i not in chosen]
    rest.sort(key=lambda i: abs(labels[i, 0] - labels[chosen[0], 0]))
    return (chosen + rest)[:t]


@pytest.mark.parametrize("t", [1, 5, 20, 90, 500])
@pytest.mark.parametrize("width", [0.02, 0.5, 1.0, 100.0])
def test_matched_sets_are_a_loops(generator, library, draw_labels, t, width):
    start = draw_labels(8, 5)
    cfi = torch.rand(8, len(library), generator=generator, dtype=torch.float64) * 2 - 1
    widths = width * torch.tensor([1000.0, 1.0, 0.5], dtype=torch.float64).expand(8, 3)
    found = matched_sets(cfi, library.labels, start, widths, t)
    for star in range(8):
        expected = loop_matched_set(
            cfi[star].numpy(), library.labels.numpy(), start[star].numpy(), widths[star].numpy(), t
        )
        assert found[star].tolist() == expected


def test_start_errors_are_those_of_matching_each_star_to_the_others(library, emulator):
    teff, error = start_errors(library, emulator.scaler, n_best=3)
    for star in range(0, len(library), 11):
        name = library.star_names[star]
        others = library.select([i for i, n in enumerate(library.star_names) if n != name])
        cfi = correlate(library.spectra[star : star + 1], others.spectra)
        start = start_labels(cfi, others.labels, 3)
        # The correlations are of single precision: 1e-4 of an error is nothing.
        assert teff[star] == pytest.approx(start[0, 0].item(), rel=1e-6)
        unit = emulator.scaler.to_unit(torch.stack([start[0], library.labels[star]]))
        torch.testing.assert_close(error[star], unit[0] - unit[1], atol=1e-4, rtol=0)


def test_pairs_of_one_star_are_forbidden_and_no_others(library):
    cfi = torch.zeros(len(library), len(library), dtype=torch.float64)
    found = exclude_same_star(cfi, library.star_names)
    names = np.array(library.star_names)
    np.testing.assert_array_equal(found.isinf().numpy(), names[:, None] == names)

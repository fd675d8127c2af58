import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.library.audit import Evidence
from torchfit.library.refined import refine_labels

N_STARS = 4000
ERROR = torch.tensor([100.0, 0.2, 0.1], dtype=torch.float64)


def evidence_of(measured, error):
    """Evidence of which only labels and errors matter."""
    rows = torch.full_like(measured, torch.nan)
    return Evidence(measured, error, rows, rows[:, 0])


@pytest.fixture
def true(draw_labels):
    return draw_labels(N_STARS, seed=4)


@pytest.fixture
def drawn(true, generator):
    """Published and measured labels about the truth, for a share of the published variance."""
    noise = [torch.randn(true.shape, generator=generator, dtype=torch.float64) for _ in range(2)]

    def draw(share):
        published = true + ERROR * math.sqrt(share) * noise[0]
        measured = true + ERROR * math.sqrt(1 - share) * noise[1]
        return published, evidence_of(measured, ERROR.expand_as(true).clone())

    return draw


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_half_the_error_of_the_difference_is_that_of_the_mean(true, drawn, share):
    """However the variance is shared between both."""
    labels, error = refine_labels(*drawn(share))
    scatter = (labels - true).square().mean(dim=0).sqrt()
    # The scatter of n numbers is known to 1 / sqrt(2 n).
    torch.testing.assert_close(scatter, ERROR / 2, rtol=4 / math.sqrt(2 * N_STARS), atol=0)
    inside = ((labels - true).abs() < error).double().mean(dim=0)
    assert bool((inside > 0.68).all())


def test_refined_labels_do_not_narrow_the_range(true, drawn):
    labels, _ = refine_labels(*drawn(0.5))
    centred = true - true.mean(dim=0)
    slope = (centred * labels).sum(dim=0) / centred.square().sum(dim=0)
    torch.testing.assert_close(slope, torch.ones_like(slope), rtol=0, atol=0.02)


@given(moved=st.floats(-1e4, 1e4), error=st.floats(0.01, 1000))
def test_the_interval_reaches_to_both_labels_where_they_disagree(moved, error):
    published = torch.tensor([[5000.0], [6000.0]], dtype=torch.float64)
    evidence = evidence_of(published + moved, torch.full_like(published, error))
    labels, sigma = (float(each[0]) for each in refine_labels(published, evidence))
    assert labels == pytest.approx(5000 + moved / 2)
    assert sigma == pytest.approx(max(error, abs(moved)) / 2)
    ends = sorted([5000.0, 5000.0 + moved])
    if abs(moved) > error:
        assert (labels - sigma, labels + sigma) == pytest.approx(ends)


def test_what_was_not_measured_has_no_refined_label(drawn):
    published, evidence = drawn(0.5)
    measured = evidence.measured.clone()
    measured[7] = torch.nan
    refined = refine_labels(published, replace(evidence, measured=measured))
    for each in refined:
        assert each[7].isnan().all()
        assert int(each.isnan().sum()) == 3


def test_a_label_that_does_not_vary_has_no_error(drawn):
    """What is learned of errors is a ratio to the measured scatter, of which there is none."""
    published, evidence = drawn(0.5)
    published[:, 2] = evidence.measured[:, 2] = 0.1
    evidence.error[:, 2] = 1e13
    labels, error = refine_labels(published, evidence)
    assert (labels[:, 2] == 0.1).all() and (error[:, 2] == 0).all()
    assert (error[:, :2] > 0).all()

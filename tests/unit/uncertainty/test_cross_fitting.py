import pytest
import torch

from torchfit.uncertainty.cross_fitting import cross_fitted_errors
from torchfit.uncertainty.error_learning import ErrorLearning, folds_of
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels

N_STARS = 300
NAMES = [f"star {number // 2}" for number in range(N_STARS)]
LABELS = ("teff", "logg", "fe_h")
EXPECTED = torch.tensor([50.0, 0.1, 0.05], dtype=torch.float64)
FACTOR = torch.tensor([1.0, 3.0, 2.0], dtype=torch.float64)


@pytest.fixture
def published(draw_labels):
    return draw_labels(N_STARS, seed=8)


@pytest.fixture
def measured(published, generator):
    noise = torch.randn(published.shape, generator=generator, dtype=torch.float64)
    errors = EXPECTED.expand_as(published).clone()
    return MeasuredLabels(
        published + FACTOR * EXPECTED * noise, LabelErrors(errors, torch.zeros_like(errors))
    )


def test_errors_are_those_of_measured_minus_published(published, measured):
    errors = cross_fitted_errors(ErrorLearning(), measured, published, NAMES, LABELS)
    ratio = (errors / (FACTOR * EXPECTED)).log()
    assert float(ratio.abs().median()) < 0.15
    pull = (measured.labels - published) / errors
    assert ((pull.abs() < 1).double().mean(dim=0) - 0.683).abs().max() < 0.1


def test_a_star_teaches_nothing_about_itself(published, measured):
    before = cross_fitted_errors(ErrorLearning(), measured, published, NAMES, LABELS)
    changed = published.clone()
    changed[:2] += 1e4
    after = cross_fitted_errors(ErrorLearning(), measured, changed, NAMES, LABELS)
    fold = folds_of(NAMES)
    torch.testing.assert_close(after[fold == fold[0]], before[fold == fold[0]])
    assert not torch.equal(after[fold != fold[0]], before[fold != fold[0]])


def test_unmeasured_stars_have_no_error_and_count_for_nothing(published, measured):
    labels = measured.labels.clone()
    labels[4] = torch.nan
    some = MeasuredLabels(labels, measured.errors)
    errors = cross_fitted_errors(ErrorLearning(), some, published, NAMES, LABELS)
    assert errors[4].isnan().all()
    assert errors[torch.arange(N_STARS) != 4].isfinite().all()


def test_a_fit_that_expects_nothing_gets_absolute_errors(published, measured):
    unknown = torch.full_like(published, torch.nan)
    plain = MeasuredLabels(measured.labels, LabelErrors(unknown, unknown))
    errors = cross_fitted_errors(ErrorLearning(), plain, published, NAMES, LABELS)
    assert float((errors / (FACTOR * EXPECTED)).log().abs().median()) < 0.2


def test_few_stars_are_not_warned_of(published, measured, caplog):
    few = measured[torch.arange(20)]
    cross_fitted_errors(ErrorLearning(), few, published[:20], NAMES[:20], LABELS)
    assert not caplog.records

from dataclasses import replace

import torch

from torchfit.uncertainty.calibration import calibrate
from torchfit.uncertainty.error_model import GAUSSIAN_TAIL, ErrorModel
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels

LABELS = torch.tensor([[5600.0, 3.0, -0.4], [4500.0, 1.0, -1.0]], dtype=torch.float64)
SNR = torch.tensor([30.0, torch.nan], dtype=torch.float64)
ERRORS = LabelErrors(torch.full((2, 3), 4.0).double(), torch.full((2, 3), 3.0).double())
MEASURED = MeasuredLabels(LABELS, ERRORS)


def constant(unit, n_inputs, relative=True):
    """A model that has learned nothing but units."""
    zeros = torch.zeros(n_inputs, dtype=torch.float64)
    unit = torch.tensor(unit, dtype=torch.float64)
    return ErrorModel(zeros, zeros + 1, (None,) * 3, unit, False, relative)


def test_without_models_the_expected_errors_stay():
    found = calibrate(MEASURED, SNR, None, ())
    assert torch.equal(found.total, ERRORS.total)
    assert torch.equal(found.systematic, torch.full((2, 3), 4.0).double())
    assert torch.equal(found.random, ERRORS.noise)


def test_each_model_multiplies_its_part():
    of_library, of_survey = constant([3.0, 1.0, 1.0], 3), constant([1.0, 4.0, 1.0], 4)
    found = calibrate(MEASURED, SNR, of_library, (of_survey,))
    assert torch.equal(found.systematic, torch.tensor([12.0, 4, 4]).double().expand(2, 3))
    assert torch.equal(found.random, torch.tensor([3.0, 12, 3]).double().expand(2, 3))
    assert torch.equal(found.total, torch.hypot(found.systematic, found.random))


def test_absolute_errors_without_a_known_part_stay_unknown():
    nothing = torch.full((2, 3), torch.nan).double()
    blind = MeasuredLabels(LABELS, LabelErrors(nothing, nothing))
    found = calibrate(blind, SNR, constant([1.0] * 3, 3, relative=False), ())
    assert found.total.isnan().all()


def test_models_of_random_errors_follow_each_other():
    twice, thrice = constant([2.0] * 3, 4), constant([3.0] * 3, 4)
    found = calibrate(MEASURED, SNR, None, (twice, thrice))
    assert torch.equal(found.random, 6 * ERRORS.noise)
    assert torch.equal(found.systematic, ERRORS.model)


def test_wide_intervals_are_gaussian_unless_a_tail_was_learned():
    found = calibrate(MEASURED, SNR, None, ())
    assert torch.allclose(found.wide, GAUSSIAN_TAIL * ERRORS.total)
    tail = torch.tensor([2.0, 3.0, GAUSSIAN_TAIL], dtype=torch.float64)
    of_library = replace(constant([1.0] * 3, 3), tail=tail)
    of_survey = replace(constant([1.0] * 3, 4), tail=2 * tail)
    found = calibrate(MEASURED, SNR, of_library, (constant([1.0] * 3, 4), of_survey))
    assert torch.allclose(found.wide, torch.hypot(tail * ERRORS.model, 2 * tail * ERRORS.noise))
    assert torch.equal(found.total, ERRORS.total)


def test_percentiles_stand_in_their_order_about_the_label():
    found = calibrate(MEASURED, SNR, None, ())
    ends = found.percentiles(LABELS)
    assert list(ends) == sorted(ends) == [2.5, 16.0, 84.0, 97.5]
    ordered = torch.stack([*list(ends.values())[:2], LABELS, *list(ends.values())[2:]])
    assert (ordered.diff(dim=0) > 0).all()
    assert torch.allclose(ends[84.0] - LABELS, found.total)
    assert torch.allclose(LABELS - ends[2.5], found.wide)

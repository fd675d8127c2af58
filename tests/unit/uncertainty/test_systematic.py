import pytest
import torch

from torchfit.uncertainty.calibration import calibrate
from torchfit.uncertainty.error_learning import ErrorLearning
from torchfit.uncertainty.error_model import inputs_of
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels
from torchfit.uncertainty.systematic import learn_systematic

NAMES = ("teff", "logg", "fe_h")
SCALE = torch.tensor([60.0, 0.1, 0.08], dtype=torch.float64)
FACTOR = 2.0


def make(draw_labels, n_stars, seed, noise):
    """Stars whose model errors are twice the expected, with spectra of some noise."""
    generator = torch.Generator().manual_seed(seed)
    published = draw_labels(n_stars, seed)
    model = SCALE * (1 + torch.rand(n_stars, 3, generator=generator).double())
    of_noise = noise * SCALE.expand(n_stars, 3)
    draw = torch.randn(2, n_stars, 3, generator=generator).double()
    measured = published + FACTOR * model * draw[0] + of_noise * draw[1]
    errors = LabelErrors(model, of_noise)
    return MeasuredLabels(measured, errors), published, torch.arange(n_stars) % 5


@pytest.mark.parametrize("noise", [0.1, 2.0])
def test_the_factor_of_the_models_part_does_not_hold_the_noise(draw_labels, noise):
    held_out = make(draw_labels, 1200, 3, noise)
    model = learn_systematic(ErrorLearning(n_learn=200), *held_out, NAMES)
    factor = model.factor(inputs_of(held_out[0].labels)).median(dim=0).values
    assert factor == pytest.approx(torch.full((3,), FACTOR).double(), rel=0.2)


@pytest.mark.parametrize("survey_noise", [0.1, 2.0, 6.0])
def test_a_survey_of_another_noise_is_covered(draw_labels, survey_noise):
    model = learn_systematic(ErrorLearning(n_learn=200), *make(draw_labels, 1200, 3, 1.0), NAMES)
    measured, true, _ = make(draw_labels, 2000, 4, survey_noise)
    snr = torch.full((2000,), torch.nan).double()
    total = calibrate(measured, snr, model, ()).total
    covered = ((measured.labels - true).abs() < total).double().mean(dim=0)
    assert covered == pytest.approx(torch.full((3,), 0.683).double(), abs=0.05)


def test_without_expected_errors_the_models_errors_are_absolute(draw_labels):
    measured, published, fold = make(draw_labels, 300, 3, 0.1)
    nothing = torch.full_like(published, torch.nan)
    blind = MeasuredLabels(measured.labels, LabelErrors(nothing, nothing))
    model = learn_systematic(ErrorLearning(n_learn=200), blind, published, fold, NAMES)
    assert not model.relative
    size = model.factor(inputs_of(measured.labels)).median(dim=0).values
    assert size == pytest.approx(1.5 * FACTOR * SCALE, rel=0.3)

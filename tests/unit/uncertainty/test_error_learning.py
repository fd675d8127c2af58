import logging
import math
from dataclasses import replace

import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.uncertainty.error_learning import ErrorLearning, KnownErrors
from torchfit.uncertainty.error_model import GAUSSIAN_TAIL

LABELS = ("teff", "logg")


def true_factor(x):
    """Errors are 0.8 to 4 times what was expected, by the first input."""
    return torch.stack([1.8 * torch.exp(0.7 * x[:, 0].sin()), torch.ones_like(x[:, 0])], dim=1)


def simulate(n_stars, seed=0, dof=None, relative=True):
    """Errors of known spread, Gaussian or with heavier tails."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n_stars, 3, generator=generator).double()
    error = torch.randn(n_stars, 2, generator=generator).double()
    if dof is not None:
        chi2 = torch.randn(n_stars, 2, dof, generator=generator).double().square().sum(dim=2)
        error = error / (chi2 / dof).sqrt()
    expected = torch.tensor([100.0, 0.1]) * (1 + torch.rand(n_stars, 2, generator=generator))
    error = (error * true_factor(x) * expected).abs()
    if not relative:
        expected = torch.full_like(expected, torch.nan)
    return KnownErrors(x, error, expected.double(), torch.arange(n_stars) % 5)


def coverage(model, n_sigma=1.0, dof=None, n_stars=4000):
    new = simulate(n_stars, seed=1, dof=dof)
    size = model.factor(new.inputs) * (new.expected if model.relative else 1.0)
    return (new.error < n_sigma * size).double().mean(dim=0)


@pytest.fixture(scope="module")
def model():
    return ErrorLearning(n_learn=200).learn(simulate(1000), LABELS, "test")


def test_the_local_factor_is_found(model):
    new = simulate(500, seed=2)
    inside = (new.inputs[:, 0].abs() < 1.5) & (new.inputs[:, 1:].abs() < 1.5).all(dim=1)
    ratio = (model.factor(new.inputs) / true_factor(new.inputs))[inside]
    assert ratio.mean(dim=0) == pytest.approx(torch.ones(2).double(), abs=0.1)
    assert ratio.std(dim=0).max() < 0.2


@pytest.mark.parametrize(("n_sigma", "share"), [(1.0, 0.683), (1.96, 0.95)])
def test_intervals_of_new_stars_cover_what_they_say(model, n_sigma, share):
    assert coverage(model, n_sigma) == pytest.approx(torch.full((2,), share).double(), abs=0.03)


def test_one_sigma_covers_68_percent_under_heavy_tails_too():
    model = ErrorLearning(n_learn=200).learn(simulate(1000, dof=3), LABELS, "test")
    assert coverage(model, dof=3) == pytest.approx(torch.full((2,), 0.683).double(), abs=0.04)


def test_without_expected_errors_the_errors_themselves_are_learned():
    model = ErrorLearning(n_learn=200).learn(simulate(1000, relative=False), LABELS, "test")
    assert not model.relative
    assert coverage(model)[1] == pytest.approx(0.683, abs=0.04)


def test_the_plain_reading_is_a_regression_on_absolute_errors():
    known = simulate(800)
    model = ErrorLearning(plain=True, n_learn=200).learn(known, LABELS, "test")
    assert model.plain
    assert not model.relative
    size = model.factor(known.inputs)
    assert size.mean(dim=0) == pytest.approx(known.error.mean(dim=0), rel=0.1)
    steep = known.inputs[:, 0] > 1
    assert size[steep, 0].mean() == pytest.approx(float(known.error[steep, 0].mean()), rel=0.15)


def test_ten_stars_give_a_rough_level_and_a_word(caplog):
    caplog.set_level(logging.WARNING)
    known = simulate(10)
    model = ErrorLearning(n_learn=200).learn(known, LABELS, "systematic")
    assert "logg: systematic errors are known of 10 stars only" in caplog.text
    factor = model.factor(known.inputs)
    assert factor.isfinite().all()
    assert ((factor > 0.5) & (factor < 6)).all()


def test_too_few_stars_teach_nothing_and_say_so(caplog):
    caplog.set_level(logging.WARNING)
    model = ErrorLearning(n_learn=200).learn(simulate(4), LABELS, "systematic")
    assert "teff: systematic errors are known of 4 stars, too few" in caplog.text
    assert (model.factor(torch.zeros(3, 3).double()) == 1).all()


def test_no_star_at_all():
    known = simulate(4)
    none = KnownErrors(known.inputs[:0], known.error[:0], known.expected[:0], known.fold[:0])
    assert ErrorLearning(n_learn=200).learn(none, LABELS, "test").factor(known.inputs).isnan().all()


def test_a_label_that_nobody_published_leaves_the_other_alone():
    known = simulate(300)
    holes = known.error.clone()
    holes[:, 1] = torch.nan
    holes[:5, 0] = torch.nan
    one = ErrorLearning(n_learn=200).learn(
        KnownErrors(known.inputs, holes, known.expected, known.fold), LABELS, "test"
    )
    factor = one.factor(known.inputs)
    assert (factor[:, 1] == 1).all()
    assert ((factor[:, 0] / true_factor(known.inputs)[:, 0]).log().abs() < math.log(3)).all()


def test_errors_of_exactly_zero_do_not_run_away():
    known = simulate(300)
    error = known.error.clone()
    error[:20] = 0
    zeros = KnownErrors(known.inputs, error, known.expected, known.fold)
    model = ErrorLearning(n_learn=200).learn(zeros, LABELS, "test")
    assert coverage(model)[1] == pytest.approx(0.683, abs=0.08)


def test_stars_of_one_fold_are_calibrated_without_a_quantile():
    known = simulate(200)
    same = KnownErrors(known.inputs, known.error, known.expected, torch.zeros_like(known.fold))
    assert ErrorLearning(n_learn=200).learn(same, LABELS, "test").unit.tolist() == [1.0, 1.0]


def test_the_same_errors_give_the_same_model(model):
    again = ErrorLearning(n_learn=200).learn(simulate(1000), LABELS, "test")
    x = simulate(50, seed=4).inputs
    assert torch.equal(again.factor(x), model.factor(x))


@pytest.mark.parametrize(
    "setting",
    [{"min_stars": 1}, {"n_points": 1}, {"level_sigma": 0.0}, {"snr_tolerance": -1.0}],
)
def test_settings_without_sense_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        ErrorLearning(**setting)


@pytest.mark.parametrize("dof", [None, 3])
def test_the_wide_interval_covers_95_percent_whatever_the_tails(dof):
    model = ErrorLearning(n_learn=200).learn(simulate(1000, dof=dof), LABELS, "test")
    new = simulate(4000, seed=1, dof=dof)
    wide = model.tail * model.factor(new.inputs) * new.expected
    share = (new.error < wide).double().mean(dim=0)
    assert share == pytest.approx(torch.full((2,), 0.95).double(), abs=0.02)
    # Of Student's t with 3 degrees of freedom the quantiles stand as 3.18 to 1.20.
    assert model.tail == pytest.approx(torch.full((2,), 2.66 if dof else 1.96).double(), rel=0.15)


def test_few_stars_have_the_tail_of_a_gaussian():
    model = ErrorLearning().learn(simulate(30, dof=2), LABELS, "test")
    assert model.tail.tolist() == [GAUSSIAN_TAIL] * 2


def test_errors_of_nothing_have_the_tail_of_a_gaussian():
    known = simulate(200)
    exact = replace(known, error=torch.zeros_like(known.error))
    model = ErrorLearning().learn(exact, LABELS, "test")
    assert model.tail.tolist() == [GAUSSIAN_TAIL] * 2
    assert not model.factor(known.inputs).any()

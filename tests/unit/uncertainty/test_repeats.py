import logging

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.uncertainty.calibration import calibrate
from torchfit.uncertainty.error_learning import ErrorLearning
from torchfit.uncertainty.error_model import inputs_of
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels
from torchfit.uncertainty.repeats import Visits, learn_random, pair_repeats

NAMES = ("teff", "logg", "fe_h")
SCALE = torch.tensor([300.0, 0.5, 0.4], dtype=torch.float64)


def visits(star, exposure, snr):
    names, ratios = np.array(star, dtype=object), np.array(snr, dtype=float)
    return Visits(names, np.array(exposure), ratios, np.arange(len(names)))


def pairs(*arguments, tolerance=0.2):
    return {tuple(sorted(pair)) for pair in pair_repeats(visits(*arguments), tolerance).tolist()}


def test_visits_of_one_star_on_different_nights_are_pairs():
    assert pairs(["a", "b", "a", "c"], [1, 1, 2, 2], [20, 20, 22, 20]) == {(0, 2)}


def test_two_rows_of_one_exposure_are_no_repeat():
    assert pairs(["a", "a", "a"], [1, 1, 2], [20, 20.1, 20.2]) == {(1, 2)}


def test_a_pair_has_like_ratios():
    assert pairs(["a", "a"], [1, 2], [20, 24]) == {(0, 1)}
    assert pairs(["a", "a"], [1, 2], [20, 25]) == set()


def test_every_visit_is_in_one_pair_at_most():
    assert len(pairs(["a"] * 5, range(5), [20, 21, 22, 23, 24])) == 2


def test_visits_of_no_star_are_no_pair():
    assert pairs(["", ""], [1, 2], [20, 20]) == set()


def test_without_any_ratio_all_repeats_count_with_some_only_those_known():
    unknown = float("nan")
    assert pairs(["a", "a"], [1, 2], [unknown, unknown]) == {(0, 1)}
    assert pairs(["a", "a", "b", "b"], [1, 2, 1, 2], [unknown, 20, 20, 20]) == {(2, 3)}


def test_no_visit_and_one_visit():
    assert pairs([], [], []) == pairs(["a"], [1], [20]) == set()


rows = st.tuples(st.sampled_from(["", "a", "b", "c"]), st.integers(0, 4), st.floats(1, 100))


@given(st.lists(rows, max_size=30), st.floats(0.01, 1))
def test_pairs_keep_the_rules(table, tolerance):
    made = visits(*zip(*table, strict=True)) if table else visits([], [], [])
    found = pair_repeats(made, tolerance)
    assert len(np.unique(found)) == found.size
    for first, second in found:
        assert made.star[first] == made.star[second] != ""
        assert made.exposure[first] != made.exposure[second]
        mean = (made.snr[first] + made.snr[second]) / 2
        assert abs(made.snr[first] - made.snr[second]) <= tolerance * mean * (1 + 1e-12)


def survey(draw_labels, n_stars, seed=0, has_snr=True):
    """Stars seen twice; the noise is expected right where it is low, and half too small else."""
    generator = torch.Generator().manual_seed(seed)
    truth = draw_labels(n_stars, seed).repeat(2, 1)
    snr = 10 ** (0.7 + 1.3 * torch.rand(n_stars, generator=generator).double()).repeat(2)
    noise = SCALE * 10 / snr[:, None]
    true = noise * (1 + 10 / snr[:, None])
    labels = truth + true * torch.randn(truth.shape, generator=generator).double()
    star = [f"star {number}" for number in range(n_stars)] * 2
    night = np.repeat([1, 2], n_stars)
    ratios = snr.numpy() if has_snr else np.full(2 * n_stars, np.nan)
    measured = MeasuredLabels(labels, LabelErrors(SCALE.expand(2 * n_stars, 3), noise))
    return visits(star, night, ratios), measured


def test_the_factor_follows_the_level_of_the_noise(draw_labels):
    model = learn_random(ErrorLearning(n_learn=200), *survey(draw_labels, 1500), NAMES)
    middle = torch.tensor([[5600.0, 3.0, -0.5]], dtype=torch.float64).expand(3, 3)
    snr = torch.tensor([7.0, 20.0, 80.0], dtype=torch.float64)
    expected = (1 + 10 / snr)[:, None].expand(3, 3)
    assert ((model.factor(inputs_of(middle, 10 / snr)) / expected - 1).abs() < 0.25).all()


def test_the_papers_reading_follows_the_ratio(draw_labels):
    model = learn_random(ErrorLearning(plain=True, n_learn=150), *survey(draw_labels, 1500), NAMES)
    middle = torch.tensor([[5600.0, 3.0, -0.5]], dtype=torch.float64).expand(2, 3)
    snr = torch.tensor([7.0, 60.0], dtype=torch.float64)
    size = model.factor(inputs_of(middle, snr))
    assert (size[0] > 3 * size[1]).all()


def test_repeats_are_covered(draw_labels):
    model = learn_random(ErrorLearning(n_learn=200), *survey(draw_labels, 1500), NAMES)
    visits, new = survey(draw_labels, 1500, seed=1)
    size = calibrate(new, torch.from_numpy(visits.snr), None, (model,)).random
    difference = (new.labels[:1500] - new.labels[1500:]).abs()
    covered = (difference < torch.hypot(size[:1500], size[1500:])).double().mean(dim=0)
    assert covered == pytest.approx(torch.full((3,), 0.683).double(), abs=0.05)


@pytest.mark.parametrize("plain", [True, False])
def test_a_survey_without_ratios_is_learned_from(draw_labels, plain):
    visits, measured = survey(draw_labels, 400, has_snr=False)
    model = learn_random(ErrorLearning(plain=plain, n_learn=100), visits, measured, NAMES)
    found = calibrate(measured, torch.from_numpy(visits.snr), None, (model,))
    assert found.random.isfinite().all()


@pytest.mark.parametrize("n_stars", [0, 1, 4])
def test_few_repeats_teach_nothing_and_say_so(draw_labels, caplog, n_stars):
    caplog.set_level(logging.WARNING)
    made, measured = survey(draw_labels, max(n_stars, 1))
    if not n_stars:
        made = visits(["a", "b"], made.exposure, made.snr)
    assert learn_random(ErrorLearning(n_learn=200), made, measured, NAMES) is None
    assert f"there are {n_stars} pairs of repeat observations" in caplog.text


def test_many_visits_of_one_star_are_learned_from(draw_labels):
    made, measured = survey(draw_labels, 100)
    one = visits(["a"] * 200, np.arange(200), made.snr)
    model = learn_random(ErrorLearning(n_learn=200), one, measured, NAMES)
    assert model.unit.tolist() == [1.0, 1.0, 1.0]

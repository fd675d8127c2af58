from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.metrics import plain_metric

from torchfit.emulator.gp import SharedKernelGP
from torchfit.group.grouping import Grouping
from torchfit.library.folds import folds_by_star
from torchfit.library.sample import SampleSizes
from torchfit.match.matching import Matching
from torchfit.measure.settings import FitSettings
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.run.held_out import held_out_stars, hold_out, measure_library


@pytest.fixture(scope="module")
def settings():
    optimisers = {"lm": LevenbergMarquardt(max_iterations=5)}
    grouping = Grouping(n_group=20, max_comp=2)
    return FitSettings(Matching(t=10), grouping, plain_metric(), optimisers)


@pytest.fixture(scope="module")
def folded(training):
    return replace(training, n_folds=3, seed=4)


@pytest.fixture(scope="module")
def held_out(masked_emulator, folded, settings):
    return hold_out(masked_emulator, folded, settings)[0]


def build(training, library, preprocessor):
    gp = SharedKernelGP(training.kernel(len(library.label_names)), training.noise)
    return training.build(library, preprocessor, gp, lambda gp, table: None)


def test_every_star_is_predicted(held_out, masked_library):
    assert held_out.predicted.shape == held_out.labels.shape == (len(masked_library), 3)
    assert np.isfinite(held_out.predicted).all()
    np.testing.assert_array_equal(held_out.labels, masked_library.labels)
    np.testing.assert_array_equal(held_out.wave, masked_library.spectra.wave)


def test_the_model_is_finite_where_the_emulator_knows_the_pixel(held_out, masked_emulator):
    known = masked_emulator.flux_pca.good.numpy()
    assert known.any()
    assert not known.all()
    assert np.isfinite(held_out.model[:, known]).all()
    assert np.isnan(held_out.model[:, ~known]).all()
    assert not held_out.good[:, ~known].any()


def test_predictions_are_close_to_the_truth(held_out):
    residual = (held_out.flux - held_out.model)[held_out.good]
    contrast = (held_out.flux - held_out.model.mean(axis=0))[held_out.good]
    assert np.mean(residual**2) < 0.2 * np.mean(contrast**2)
    error = held_out.predicted - held_out.labels
    assert (error.std(axis=0) < 0.6 * held_out.labels.std(axis=0)).all()


def test_a_star_has_no_weight_in_its_own_prediction(
    library, folded, preprocessor, settings, emulator, held_out
):
    """Repeats share their fold: with the labels of both changed, neither prediction moves."""
    before, _ = hold_out(emulator, folded, settings)
    labels = library.labels.clone()
    star = [number for number, name in enumerate(library.star_names) if name == "repeat 0"]
    assert len(star) == 2
    labels[star] = library.labels[50]
    changed = replace(library, labels=labels)
    after, _ = hold_out(build(folded, changed, preprocessor), folded, settings)
    np.testing.assert_array_equal(after.predicted[star], before.predicted[star])
    others = np.delete(np.arange(len(library)), star)
    assert not np.array_equal(after.predicted[others], before.predicted[others])


def test_a_fold_is_measured_by_the_emulator_of_the_others(
    emulator, library, folded, settings, assert_close
):
    found, _ = hold_out(emulator, folded, settings)
    fold = folds_by_star(library.star_names, 3, 4)
    other = folded.with_hyperparameters(emulator, library.select(fold != 1))
    test = (fold == 1).nonzero()[:, 0]
    measured = measure_library(other, library, test, settings)
    assert_close(found.predicted[test], measured.labels)
    assert_close(found.model[test], other.flux(library.labels[test]), torch.float32)


def test_stars_are_measured_in_the_order_asked_for(emulator, library, settings, assert_close):
    test = torch.tensor([7, 3, 40, 12])
    measured = measure_library(emulator, library, test, settings)
    assert measured.star.tolist() == test.tolist()
    flipped = measure_library(emulator, library, test.flip(0), settings)
    assert_close(measured.labels, flipped.labels.flip(0))


def test_labels_come_with_the_errors_of_their_fits(emulator, library, folded, settings):
    held_out, labels = hold_out(emulator, folded, settings)
    np.testing.assert_array_equal(labels.quiet.labels, held_out.predicted)
    assert (labels.quiet.errors.total > 0).all()
    assert labels.noisy.labels.isnan().all()


def test_some_stars_are_measured_once_more_with_noise(emulator, library, folded, settings):
    _, labels = hold_out(emulator, folded, settings, n_noisy=30)
    again = labels.noisy.labels.isfinite().all(dim=1)
    assert again.sum() == 30
    quiet, noisy = labels.quiet.errors.noise[again], labels.noisy.errors.noise[again]
    assert (noisy > quiet).double().mean() > 0.9
    moved = (labels.noisy.labels - labels.quiet.labels)[again].abs() / noisy
    assert ((moved.median(dim=0).values > 0.2) & (moved.median(dim=0).values < 1.5)).all()


def test_a_sample_of_some_folds_is_held_out(emulator, library, folded, settings):
    few = replace(folded, samples=SampleSizes(held_out=12, folds=2))
    star = held_out_stars(library, few)
    fold = folds_by_star(library.star_names, 3, 4)[star]
    assert fold.bincount().tolist() == [12, 12]
    found, labels = hold_out(emulator, few, settings, n_noisy=7)
    whole, _ = hold_out(emulator, folded, settings)
    np.testing.assert_array_equal(found.labels, library.labels[star])
    np.testing.assert_array_equal(found.model, whole.model[star])
    np.testing.assert_array_equal(labels.quiet.labels[star], found.predicted)
    others = torch.ones(len(library), dtype=torch.bool)
    others[star] = False
    assert labels.quiet.labels[others].isnan().all()
    assert labels.noisy.labels.isfinite().all(dim=1).sum() == 7

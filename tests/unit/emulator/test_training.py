from dataclasses import replace
from functools import partial

import pytest
import torch

from torchfit.emulator.cross_validation import HyperparameterGrid
from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel, hyperparameters
from torchfit.emulator.learner import CrossValidation, MarginalLikelihood
from torchfit.emulator.training import EmulatorTraining
from torchfit.exceptions import ConfigError
from torchfit.library.sample import SampleSizes
from torchfit.match.start import start_errors
from torchfit.run.trainer import build_trainer
from torchfit.spectra import Spectra


@pytest.fixture(scope="module")
def learning():
    """Hyperparameters learned from a coarse start."""
    kernel = partial(build_kernel, shape="matern52", linear=True)
    learner = MarginalLikelihood(max_epochs=8)
    return EmulatorTraining(kernel, learner, variance=0.99, max_comp=4)


@pytest.fixture(scope="module")
def trained(learning, library, preprocessor, tmp_path_factory):
    checkpoint = tmp_path_factory.mktemp("training") / "h.ckpt"
    return learning.train(library, preprocessor, build_trainer, checkpoint)


def values(emulator):
    return hyperparameters(emulator.gp.kernel, emulator.gp.likelihood)


def test_training_learns_free_hyperparameters(learning, trained):
    start = SharedKernelGP(learning.kernel(3))
    before = hyperparameters(start.kernel, start.likelihood)
    found = values(trained)
    assert all(found[name] != before[name] for name in found)
    assert not trained.gp.training


def test_held_out_stars_are_predicted(trained, draw_labels, analytic_flux):
    labels = draw_labels(50, 50)
    error = trained.flux(labels) - analytic_flux(labels, trained.wave)
    assert error.std() < 0.25 * trained.library.spectra.flux.std(dim=0).mean()


def test_the_grid_of_cross_validation_sets_the_hyperparameters(library, preprocessor, tmp_path):
    grid = HyperparameterGrid([0.8, 2.0], [1.7], [0.03])
    kernel = partial(build_kernel, linear=False)
    training = EmulatorTraining(kernel, CrossValidation(grid), max_comp=3, variance=0.99)
    emulator = training.train(library, preprocessor, build_trainer, tmp_path / "h.ckpt")
    found = values(emulator)
    assert found["lengthscale"][0] in (pytest.approx(0.8), pytest.approx(2.0))
    assert found["outputscale"] == pytest.approx([1.7])
    assert found["noise"] == pytest.approx([0.03])


def test_hyperparameters_are_kept_for_another_library(learning, trained, library):
    fold = library.select(range(0, 90, 2))
    other = learning.with_hyperparameters(trained, fold)
    assert values(other) == values(trained)
    assert other.library is fold
    assert other.preprocessor is trained.preprocessor
    assert len(other.gp.x_train) == 45
    assert not torch.equal(other.scaler.mean, trained.scaler.mean)
    assert len(trained.gp.x_train) == 90


def test_noises_of_their_own_are_found_again_for_another_library(learning, trained, library):
    each = replace(learning, noise="each")
    gp = each.process(3)
    gp.kernel.load_state_dict(trained.gp.kernel.state_dict())
    whole = each.build(library, trained.preprocessor, gp, lambda gp, table: None)
    other = learning.with_hyperparameters(whole, library.select(range(0, 90, 2)))
    assert other.gp.has_own_noise
    assert values(other)["lengthscale"] == values(whole)["lengthscale"]
    assert len(values(other)["noise"]) == other.basis.shape[1]
    assert values(other)["noise"] != values(whole)["noise"]


def test_hyperparameters_on_the_same_library_give_the_same_emulator(
    learning, trained, library, draw_labels, assert_close
):
    again = learning.with_hyperparameters(trained, library)
    labels = draw_labels(5, 51)
    assert_close(again.flux(labels), trained.flux(labels))
    assert_close(again.residuals.matrices, trained.residuals.matrices)


def test_the_table_has_unit_labels_standard_coefficients_and_folds(training, library, preprocessor):
    tables = []
    gp = SharedKernelGP(training.kernel(3), training.noise)
    training.build(library, preprocessor, gp, lambda gp, table: tables.append(table))
    (table,) = tables
    torch.testing.assert_close(table.x.std(dim=0), torch.ones(3).double())
    torch.testing.assert_close(table.y.std(dim=0), torch.ones(8).double())
    assert set(table.fold.tolist()) == set(range(training.n_folds))
    assert table.fold[0] == table.fold[1]


def test_settings_of_the_components_arrive(training, library, preprocessor):
    def build(**changed):
        gp = SharedKernelGP(training.kernel(3), training.noise)
        changed = replace(training, **changed)
        return changed.build(library, preprocessor, gp, lambda gp, table: None)

    assert build(max_comp=2).basis.shape[1] == 2
    assert build(variance=0.5).basis.shape[1] < build(variance=0.99).basis.shape[1]
    emulator = build(n_nodes=4)
    assert len(emulator.residuals.nodes) == len(emulator.start_error.nodes) == 4
    assert len(emulator.truncation.nodes) == 4


def test_residuals_are_those_of_left_out_stars(emulator):
    """Their covariance is larger than the error on stars the process was conditioned on."""
    seen = emulator.flux_pca.project(
        emulator.library.spectra
    ) / emulator.comp_scale - emulator.gp.mean(emulator.scaler.to_unit(emulator.library.labels))
    left_out = emulator.residuals.at(emulator.library.labels[:, 0]).diagonal(dim1=1, dim2=2)
    assert (left_out.mean(dim=0) > seen.square().mean(dim=0)).all()


def test_start_errors_are_those_of_the_matching(emulator, training):
    _, error = start_errors(emulator.library, emulator.scaler, training.n_best)
    typical = emulator.start_error.at(emulator.library.labels[:, 0]).diagonal(dim1=1, dim2=2)
    ratio = typical.mean(dim=0) / error.square().mean(dim=0)
    assert ((ratio > 0.4) & (ratio < 1.6)).all()


def test_samples_and_points_stand_for_the_library(
    training, library, preprocessor, emulator, draw_labels, analytic_flux
):
    tables, samples = [], SampleSizes(learn=30, residuals=60, start=50)
    few = replace(training, n_inducing=70, samples=samples)
    learn = lambda gp, table: tables.append(table)  # noqa: E731
    found = few.build(library, preprocessor, few.process(3), learn)
    assert len(tables[0].x) == len(tables[0].y) == len(tables[0].fold) == 30
    assert found.gp.alpha.shape == (70, 8)
    labels = draw_labels(40, 53)
    truth = analytic_flux(labels, emulator.wave)
    error, exact = ((e.flux(labels) - truth).square().mean() for e in (found, emulator))
    assert error < 1.3 * exact
    for name in ("residuals", "start_error", "truncation"):
        one, other = (getattr(e, name).at(labels[:, 0]) for e in (found, emulator))
        assert 0.4 < one.mean() / other.mean() < 2.5 or name == "start_error"


def test_start_errors_of_some_are_those_of_all(emulator, training):
    rows = torch.tensor([4, 80, 33])
    library, scaler = emulator.library, emulator.scaler
    teff, error = start_errors(library, scaler, training.n_best)
    some_teff, some = start_errors(library, scaler, training.n_best, rows)
    torch.testing.assert_close(some_teff, teff[rows], rtol=1e-5, atol=0)
    torch.testing.assert_close(some, error[rows], rtol=0, atol=1e-4)


def test_pixels_that_no_star_has_are_left_out(masked_emulator):
    assert (masked_emulator.truncation.values[:, 180:210] == 0).all()
    assert (masked_emulator.basis[180:210] == 0).all()


def test_a_bad_pixel_has_no_weight_in_the_emulator(
    training, masked_library, masked_emulator, preprocessor, draw_labels
):
    spectra = masked_library.spectra
    dirty = replace(spectra, flux=torch.where(spectra.good, spectra.flux, -1e6))
    gp = SharedKernelGP(training.kernel(3), training.noise)
    emulator = training.build(
        replace(masked_library, spectra=dirty), preprocessor, gp, lambda gp, table: None
    )
    labels = draw_labels(4, 52)
    assert torch.equal(emulator.flux(labels), masked_emulator.flux(labels))
    for name in ("residuals", "start_error", "truncation"):
        one, other = (getattr(e, name).at(labels[:, 0]) for e in (emulator, masked_emulator))
        assert torch.equal(one, other)


def test_noise_of_the_library_is_in_the_truncation(training, observe, library, preprocessor):
    """Twice the noise in the spectra is four times the variance that is left out."""
    labels, left_out = library.labels, []
    for sigma in (0.01, 0.02):
        noisy: Spectra = observe(labels, sigma, seed=3)
        gp = SharedKernelGP(training.kernel(3), training.noise)
        emulator = training.build(
            replace(library, spectra=noisy), preprocessor, gp, lambda gp, table: None
        )
        left_out.append(emulator.truncation.values.mean().item())
    assert left_out[1] / left_out[0] == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_best": 0},
        {"n_nodes": 1},
        {"n_folds": 1},
        {"max_comp": 0},
        {"variance": 0.0},
        {"variance": 1.5},
        {"bandwidth": 0.0},
        {"noise": -0.1},
        {"n_inducing": 3},
    ],
)
def test_a_number_that_makes_no_sense_is_refused(training, wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        replace(training, **wrong)


@pytest.mark.parametrize("noise", [0.0, -1.0, "all"])
def test_a_noise_that_is_none_is_refused(training, noise):
    with pytest.raises(ConfigError, match=r"emulator\.noise"):
        replace(training, noise=noise)


def test_a_grid_that_sets_one_noise_refuses_noises_of_their_own():
    learner = CrossValidation(HyperparameterGrid([0.8], [1.7], [0.03]))
    with pytest.raises(ConfigError, match="set it to null"):
        EmulatorTraining(partial(build_kernel, linear=False), learner, noise="each")

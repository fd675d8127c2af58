import lightning
import pytest
import torch

from torchfit.emulator.cross_validation import HyperparameterGrid, cross_validate
from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel, hyperparameters
from torchfit.emulator.learner import CrossValidation, Learner, MarginalLikelihood, TrainingTable
from torchfit.exceptions import ConfigError
from torchfit.run.trainer import build_trainer


@pytest.fixture
def table(generator):
    x = torch.randn(40, 2, generator=generator).double()
    y = torch.stack([(2 * x[:, 0]).sin(), x[:, 0] * x[:, 1]], dim=1)
    y = y + 0.1 * torch.randn(40, 2, generator=generator).double()
    return TrainingTable(x, y / y.std(dim=0), torch.arange(40) % 4)


@pytest.fixture
def checkpoint(tmp_path):
    return tmp_path / "hyperparameters.ckpt"


def make_gp(noise=None, linear=False, **kernel):
    return SharedKernelGP(build_kernel(2, linear=linear, **kernel), noise)


def nll(gp, table):
    return -gp.log_marginal_likelihood(table.x, table.y).item() / table.y.numel()


def values(gp):
    return hyperparameters(gp.kernel, gp.likelihood)


class Interrupt(lightning.Callback):
    """Breaks a training off at the start of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch == self.epoch:
            raise RuntimeError("power cut")


class CountSteps(lightning.Callback):
    def __init__(self):
        self.epochs = []

    def on_train_epoch_start(self, trainer, pl_module):
        self.epochs.append(trainer.current_epoch)


def trainer_with(*extra):
    return lambda max_epochs, callbacks: build_trainer(
        max_epochs=max_epochs, callbacks=[*callbacks, *extra]
    )


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("shape", ["rbf", "matern52"])
def test_marginal_likelihood_rises(table, checkpoint, shape, linear):
    gp = make_gp(shape=shape, linear=linear)
    before = nll(gp, table)
    MarginalLikelihood(max_epochs=25).learn(gp, table, build_trainer, checkpoint)
    assert nll(gp, table) < before - 0.05


def test_it_comes_near_a_minimum(table, checkpoint):
    gp = make_gp()
    MarginalLikelihood(max_epochs=150, min_delta=1e-6).learn(gp, table, build_trainer, checkpoint)
    loss = -gp.log_marginal_likelihood(table.x, table.y) / table.y.numel()
    loss.backward()
    assert max(parameter.grad.abs().max() for parameter in gp.parameters()) < 0.02


def test_fixed_values_survive_and_free_ones_move(table, checkpoint):
    gp = make_gp(0.2, lengthscale=0.7)
    MarginalLikelihood(max_epochs=5).learn(gp, table, build_trainer, checkpoint)
    found = values(gp)
    assert found["lengthscale"] == pytest.approx([0.7, 0.7], rel=1e-12)
    assert found["noise"] == pytest.approx([0.2], rel=1e-12)
    assert abs(found["outputscale"][0] - 1.0) > 0.1


def test_nothing_free_means_nothing_to_do(table, checkpoint):
    def no_trainer(**_):
        raise AssertionError("a trainer was built")

    gp = make_gp(0.2, lengthscale=0.7, outputscale=1.0)
    MarginalLikelihood().learn(gp, table, no_trainer, checkpoint)
    assert not checkpoint.exists()


@pytest.mark.parametrize("patience", [1, 4])
def test_stops_early_after_patience_epochs(table, checkpoint, patience):
    """With a required gain that no epoch reaches, only the first epoch counts as better."""
    count = CountSteps()
    learner = MarginalLikelihood(max_epochs=50, patience=patience, min_delta=1e6)
    learner.learn(make_gp(), table, trainer_with(count), checkpoint)
    assert len(count.epochs) == patience + 1


def test_makes_at_most_max_epochs(table, checkpoint):
    count = CountSteps()
    learner = MarginalLikelihood(max_epochs=3, min_delta=0.0)
    learner.learn(make_gp(), table, trainer_with(count), checkpoint)
    assert count.epochs == [0, 1, 2]


@pytest.mark.parametrize("epoch", [1, 4, 11])
def test_an_interrupted_training_goes_on_to_the_same_values(table, checkpoint, tmp_path, epoch):
    learner = MarginalLikelihood(max_epochs=12)
    whole, broken, resumed = make_gp(), make_gp(), make_gp()
    learner.learn(whole, table, build_trainer, tmp_path / "whole" / "h.ckpt")
    with pytest.raises(RuntimeError, match="power cut"):
        learner.learn(broken, table, trainer_with(Interrupt(epoch)), checkpoint)
    assert checkpoint.exists()
    count = CountSteps()
    learner.learn(resumed, table, trainer_with(count), checkpoint)
    assert count.epochs == list(range(epoch, 12))
    assert values(resumed) == values(whole)


def test_patience_is_remembered_over_an_interruption(table, checkpoint):
    learner = MarginalLikelihood(max_epochs=50, patience=6, min_delta=1e6)
    with pytest.raises(RuntimeError, match="power cut"):
        learner.learn(make_gp(), table, trainer_with(Interrupt(4)), checkpoint)
    count = CountSteps()
    learner.learn(make_gp(), table, trainer_with(count), checkpoint)
    assert count.epochs == [4, 5, 6]


def test_a_finished_training_is_taken_up_without_another_step(table, checkpoint):
    learner = MarginalLikelihood(max_epochs=6)
    first, second = make_gp(), make_gp()
    learner.learn(first, table, build_trainer, checkpoint)
    count = CountSteps()
    learner.learn(second, table, trainer_with(count), checkpoint)
    assert count.epochs == []
    assert values(second) == values(first)


def test_a_training_at_rest_is_taken_up_without_another_step(table, checkpoint):
    """Early stopping is final, although epochs are left."""
    learner = MarginalLikelihood(max_epochs=50, patience=2, min_delta=1e6)
    first, second, count = make_gp(), make_gp(), CountSteps()
    learner.learn(first, table, build_trainer, checkpoint)
    learner.learn(second, table, trainer_with(count), checkpoint)
    assert count.epochs == []
    assert values(second) == values(first)


@pytest.mark.parametrize("wrong", [{"lr": 0.0}, {"max_epochs": 0}, {"patience": 0}])
def test_a_number_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        MarginalLikelihood(**wrong)


def test_the_same_training_has_the_same_values(table, tmp_path):
    gps = make_gp(), make_gp()
    for number, gp in enumerate(gps):
        checkpoint = tmp_path / str(number) / "h.ckpt"
        MarginalLikelihood(max_epochs=5).learn(gp, table, build_trainer, checkpoint)
    assert values(gps[0]) == values(gps[1])


def test_cross_validation_takes_the_best_of_its_grid(table, checkpoint):
    grid = HyperparameterGrid([0.3, 1.0], [1.0, 3.0], [0.05])
    gp, other = make_gp(), make_gp()
    CrossValidation(grid).learn(gp, table, build_trainer, checkpoint)
    cross_validate(other, table.x, table.y, table.fold, grid)
    assert values(gp) == values(other)
    assert not checkpoint.exists()


def test_both_are_learners():
    grid = HyperparameterGrid([1.0], [1.0], [0.1])
    assert isinstance(MarginalLikelihood(), Learner)
    assert isinstance(CrossValidation(grid), Learner)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no checkpoint at all"])
def test_a_checkpoint_that_cannot_be_read_is_left_aside(table, checkpoint, content, caplog):
    checkpoint.write_bytes(content)
    MarginalLikelihood(max_epochs=2).learn(make_gp(), table, build_trainer, checkpoint)
    assert "training starts again" in caplog.text

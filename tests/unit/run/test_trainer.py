import logging

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.strategies.launchers import _MultiProcessingLauncher

from torchfit.exceptions import ConfigError
from torchfit.run.trainer import build_trainer


def test_one_device_is_this_process():
    trainer = build_trainer()
    assert trainer.num_devices == 1
    assert trainer.strategy.launcher is None


@pytest.mark.parametrize("devices", [2, "3"])
def test_several_devices_are_processes_that_this_one_starts(devices):
    trainer = build_trainer(devices=devices)
    assert trainer.num_devices == int(devices)
    assert isinstance(trainer.strategy.launcher, _MultiProcessingLauncher)
    assert trainer.strategy.launcher._start_method != "fork", "shares locks and threads"


@pytest.mark.parametrize("devices", [1, 2])
def test_a_program_started_once_per_device_is_refused(devices):
    with pytest.raises(ConfigError, match=r"trainer\.strategy=ddp_spawn"):
        build_trainer(strategy="ddp", devices=devices)


@pytest.mark.parametrize(
    "settings",
    [{"accelerator": "abacus"}, {"accelerator": "tpu"}, {"strategy": "plan"}, {"devices": 0}]
    + [{"devices": wrong} for wrong in ("two", -2)],
)
def test_hardware_and_strategies_that_there_are_not(settings):
    with pytest.raises(ConfigError, match="trainer: "):
        build_trainer(**settings)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("devices", [1, 2])
def test_a_gpu_where_there_is_none(devices):
    with pytest.raises(ConfigError, match=r"trainer: .*gpu.*trainer\.accelerator=gpu"):
        build_trainer(accelerator="gpu", devices=devices)


@pytest.mark.parametrize("precision", ["16-mixed", "bf16-true", 32, "64-true"])
def test_a_precision_is_refused_with_the_reason(precision):
    with pytest.raises(ConfigError, match=rf"trainer\.precision={precision} cannot be honoured"):
        build_trainer(precision=precision)


def test_callbacks_and_epochs_arrive():
    callback = lightning.Callback()
    trainer = build_trainer(max_epochs=7, callbacks=[callback])
    assert trainer.max_epochs == 7
    assert callback in trainer.callbacks


def test_checkpoints_are_kept_only_by_a_callback(tmp_path):
    assert not build_trainer().checkpoint_callbacks
    kept = ModelCheckpoint(tmp_path)
    assert build_trainer(callbacks=[kept]).checkpoint_callbacks == [kept]


def test_it_writes_no_logs_and_gives_no_advice():
    trainer = build_trainer()
    assert trainer.loggers == []
    assert logging.getLogger("lightning.pytorch").level == logging.ERROR

"""A trainer that kills its own process with SIGKILL at a chosen moment of the run."""

import os
import signal

import lightning
from lightning.pytorch.callbacks import Callback

from torchfit import trainer

MOMENT = "TORCHFIT_TEST_KILL"
"""Environment variable: ``epoch:N``, ``fitted:0`` or ``batch:N``; without it nothing is killed."""


class Kill(Callback):
    """Kills the process before epoch N, after the training, or before batch N of the survey."""

    def __init__(self, moment: str) -> None:
        self.what, _, number = moment.partition(":")
        self.number = int(number)

    def _at(self, what: str, number: int) -> None:
        if (what, number) == (self.what, self.number):
            os.kill(os.getpid(), signal.SIGKILL)

    def on_train_epoch_start(self, trainer, pl_module):
        self._at("epoch", trainer.current_epoch)

    def teardown(self, trainer, pl_module, stage):
        self._at("fitted", 0)

    def on_predict_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        self._at("batch", batch_idx)


def build_trainer(callbacks=(), **settings) -> lightning.Trainer:
    """The trainer of torchfit, with the killer if one is asked for."""
    if moment := os.environ.get(MOMENT):
        callbacks = [*callbacks, Kill(moment)]
    return trainer.build_trainer(callbacks=callbacks, **settings)

"""A trainer that ends its own process at a chosen moment, or says which processes took part."""

import os
import signal
import time
from pathlib import Path

import lightning
from lightning.pytorch.callbacks import Callback

from torchfit.measure.module import FitModule, MatchModule, NoiseModule
from torchfit.run import trainer

MOMENT = "TORCHFIT_TEST_KILL"
"""Environment variable: ``epoch:N``, ``fitted:0``, or ``match:N``, ``noise:N``, ``batch:N`` (of the
fit), for SIGKILL before that epoch, after the training, before that batch of the stage; with
``:interrupt`` behind it, for what Ctrl-C does."""
STAGES = {MatchModule: "match", NoiseModule: "noise", FitModule: "batch"}


WITNESS = "TORCHFIT_TEST_WITNESS"
"""Environment variable: folder in which every process leaves a file named by stage and process."""


PAUSE = "TORCHFIT_TEST_PAUSE"
"""Environment variable: seconds to wait before every batch, for what must happen in the middle."""


class Pause(Callback):
    """Waits before every batch."""

    def __init__(self, seconds: str) -> None:
        self.seconds = float(seconds)

    def on_predict_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        time.sleep(self.seconds)


class Witness(Callback):
    """Leaves a file in a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def on_predict_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        (self.folder / f"{STAGES[type(pl_module)]}-{os.getpid()}").touch()


class Kill(Callback):
    """Ends the process at a moment; see :data:`MOMENT`."""

    def __init__(self, moment: str) -> None:
        self.what, number, *how = moment.split(":")
        self.number, self.interrupts = int(number), how == ["interrupt"]

    def _at(self, what: str, number: int) -> None:
        if (what, number) != (self.what, self.number):
            return
        if self.interrupts:
            raise KeyboardInterrupt
        os.kill(os.getpid(), signal.SIGKILL)

    def on_train_epoch_start(self, trainer, pl_module):
        self._at("epoch", trainer.current_epoch)

    def teardown(self, trainer, pl_module, stage):
        self._at("fitted", 0)

    def on_predict_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        self._at(STAGES[type(pl_module)], batch_idx)


def build_trainer(callbacks=(), **settings) -> lightning.Trainer:
    """The trainer of torchfit, with the killer, the witness and the pause that are asked for."""
    if moment := os.environ.get(MOMENT):
        callbacks = [*callbacks, Kill(moment)]
    if folder := os.environ.get(WITNESS):
        callbacks = [*callbacks, Witness(folder)]
    if seconds := os.environ.get(PAUSE):
        callbacks = [*callbacks, Pause(seconds)]
    return trainer.build_trainer(callbacks=callbacks, **settings)

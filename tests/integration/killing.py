"""A trainer that ends its own process at a chosen moment, or says which processes took part."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import lightning
from lightning.pytorch.callbacks import Callback

from torchfit.run import trainer
from torchfit.survey.stage_writer import StageWriter

MOMENT = "TORCHFIT_TEST_KILL"
"""Environment variable: ``epoch:N``, ``fitted:0``, or ``match:N``, ``noise:N``, ``batch:N`` (of the
fit), for SIGKILL before that epoch, after the training, before what the process has computed of
that batch of the stage is written; with ``:interrupt`` behind it, for what Ctrl-C does."""
STAGES = {"matching": "match", "noise": "noise", "fitting": "batch"}


WITNESS = "TORCHFIT_TEST_WITNESS"
"""Environment variable: folder in which every process leaves a file named by stage and process."""


PAUSE = "TORCHFIT_TEST_PAUSE"
"""Environment variable: seconds to wait before every batch is written, for what must happen in the
middle."""


class Watched:
    """The writing of a stage, with something done before every file."""

    def __init__(self, writer: StageWriter, before: list[Callable[[str, int], None]]) -> None:
        self.writer, self.before, self.n_written = writer, before, 0

    def __call__(self, number, result):
        for each in self.before:
            each(STAGES[self.writer.doing], self.n_written)
        self.n_written += 1
        type(self.writer).write(self.writer, number, result)


class Pause:
    """Waits."""

    def __init__(self, seconds: str) -> None:
        self.seconds = float(seconds)

    def __call__(self, stage: str, number: int) -> None:
        time.sleep(self.seconds)


class Witness:
    """Leaves a file in a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def __call__(self, stage: str, number: int) -> None:
        (self.folder / f"{stage}-{os.getpid()}").touch()


class Kill(Callback):
    """Ends the process at a moment; see :data:`MOMENT`."""

    def __init__(self, moment: str) -> None:
        self.what, number, *how = moment.split(":")
        self.number, self.interrupts = int(number), how == ["interrupt"]

    def __call__(self, what: str, number: int) -> None:
        if (what, number) != (self.what, self.number):
            return
        if self.interrupts:
            raise KeyboardInterrupt
        os.kill(os.getpid(), signal.SIGKILL)

    def on_train_epoch_start(self, trainer, pl_module):
        self("epoch", trainer.current_epoch)

    def teardown(self, trainer, pl_module, stage):
        self("fitted", 0)


def build_trainer(callbacks=(), **settings) -> lightning.Trainer:
    """The trainer of torchfit, with the killer, the witness and the pause that are asked for."""
    kinds = {MOMENT: Kill, WITNESS: Witness, PAUSE: Pause}
    asked = [kind(os.environ[name]) for name, kind in kinds.items() if os.environ.get(name)]
    for writer in callbacks:
        if isinstance(writer, StageWriter):
            writer.write = Watched(writer, asked)
    killers = [each for each in asked if isinstance(each, Kill)]
    return trainer.build_trainer(callbacks=[*callbacks, *killers], **settings)

"""Lightning callbacks that write each batch of a stage as soon as it is computed."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import lightning
import numpy as np
from lightning.pytorch.callbacks import BasePredictionWriter
from tqdm import tqdm

from torchfit.emulator.progress import Bar
from torchfit.files.atomic import atomic
from torchfit.measure.batch import Unread
from torchfit.survey.children import heed_signals


class StageWriter(Bar, BasePredictionWriter):
    """Write one file per batch, atomically, and show how many stars are done.

    Args:
        doing: What the stage does, for the progress bar.
        n_stars: Stars of the stage.
        n_done: Stars that an earlier, interrupted run has done.
    """

    def __init__(self, doing: str, n_stars: int, n_done: int = 0) -> None:
        super().__init__(write_interval="batch")
        self.doing, self.n_stars, self.n_done = doing, n_stars, n_done

    def on_predict_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Open the progress bar of the first process; let a child heed signals again."""
        heed_signals()
        self.bar = tqdm(
            total=self.n_stars,
            initial=self.n_done,
            desc=self.doing,
            unit="star",
            disable=not trainer.is_global_zero,
        )

    def write_on_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        prediction: Iterable[Any],
        batch_indices: Sequence[int] | None,
        batch: Sequence[Unread[Any]],
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Write the files of some batches, each as soon as it is computed."""
        for each, result in zip(batch, prediction, strict=True):
            self.write(each.number, result)
            done = len(each) * trainer.world_size
            self.bar.update(min(done, self.n_stars - self.bar.n))

    def write(self, number: int, result: Any) -> None:
        """Write the file of one batch."""
        raise NotImplementedError


class ArrayWriter(StageWriter):
    """Write arrays.

    Args:
        doing: What the stage does.
        paths: Where the array of each batch goes, by its number.
        n_stars: Stars of the stage.
        n_done: Stars that are done.
    """

    def __init__(self, doing: str, paths: Sequence[Path], n_stars: int, n_done: int = 0) -> None:
        super().__init__(doing, n_stars, n_done)
        self.paths = paths

    def write(self, number: int, result: Any) -> None:
        """Write the array of one batch."""
        with atomic(self.paths[number]) as temp, temp.open("wb") as file:
            np.save(file, result.numpy(force=True))

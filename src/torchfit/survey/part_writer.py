"""Lightning callback that writes each batch's rows as soon as they are measured."""

from collections.abc import Sequence
from pathlib import Path

import lightning
import pandas as pd
from lightning.pytorch.callbacks import BasePredictionWriter
from tqdm import tqdm

from torchfit.catalogue.parts import write_part
from torchfit.catalogue.result import result_table
from torchfit.emulator.progress import Bar
from torchfit.measure.batch import GroupBatch
from torchfit.measure.measurement import Measurement
from torchfit.survey.children import heed_signals


class PartWriter(Bar, BasePredictionWriter):
    """Write one part per batch, atomically, and show how many stars are done.

    Args:
        folder: Where parts go.
        stars: The survey's table; see :func:`torchfit.catalogue.result.result_table`.
        label_names: Labels of the emulator.
        n_done: Stars that an earlier, interrupted run has measured.
    """

    def __init__(
        self, folder: Path, stars: pd.DataFrame, label_names: Sequence[str], n_done: int = 0
    ) -> None:
        super().__init__(write_interval="batch")
        self.folder, self.stars, self.label_names = folder, stars, label_names
        self.n_done = n_done

    def on_predict_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Open the progress bar of the first process; let a child heed signals again."""
        heed_signals()
        self.bar = tqdm(
            total=len(self.stars),
            initial=self.n_done,
            desc="fitting",
            unit="star",
            disable=not trainer.is_global_zero,
        )

    def write_on_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        prediction: Measurement,
        batch_indices: Sequence[int] | None,
        batch: GroupBatch,
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Write the part of one batch."""
        table = result_table(prediction, self.stars, self.label_names)
        write_part(part_path(self.folder, batch.number), table)
        self.bar.update(len(table) * trainer.world_size)


def part_path(folder: Path, number: int) -> Path:
    """Path of the part of a batch."""
    return folder / f"part-{number:06d}.parquet"

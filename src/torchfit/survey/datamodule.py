"""The survey as Lightning wants it: the batches of a stage, read from shards when needed."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from torchfit.measure.batch import GroupBatch, StarBatch, Unread
from torchfit.measure.module import StageModule
from torchfit.survey.packed_survey import PackedSurvey
from torchfit.survey.shards import Shard


class StageDataset(Dataset):
    """The batches of a stage that are to be done.

    Args:
        numbers: Their numbers among all batches of the stage.
        sizes: Stars of each batch of the stage.
    """

    advice = ""
    """What makes more batches, where a user may want them."""

    def __init__(self, numbers: Sequence[int], sizes: Sequence[int]) -> None:
        self.numbers, self.sizes = numbers, sizes

    @property
    def most(self) -> int:
        """Stars of the largest batch that is to be done."""
        return max((self.sizes[number] for number in self.numbers), default=0)

    def __len__(self) -> int:
        """Number of batches to do."""
        return len(self.numbers)

    def __getitem__(self, index: int) -> Unread[Any]:
        """A batch to do, not yet read."""
        number = self.numbers[index]
        return Unread(number, self.sizes[number], partial(self.read, number))

    def read(self, number: int) -> Any:
        """Read a batch by its number in the stage."""
        raise NotImplementedError


class ShardDataset(StageDataset):
    """Whole shards, to be matched.

    Args:
        paths: All shards.
        wave: Their grid, vacuum Angstrom.
        numbers: Which of them.
        sizes: Stars of each.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        wave: Float[Tensor, " pix"],
        numbers: Sequence[int],
        sizes: Sequence[int],
    ) -> None:
        super().__init__(numbers, sizes)
        self.paths, self.wave = paths, wave

    def read(self, number: int) -> StarBatch:
        """Read one shard."""
        shard = Shard(self.paths[number])
        return StarBatch(number, shard.spectra(self.wave, np.arange(len(shard))))


class SampleDataset(StageDataset):
    """Some stars of a matched survey.

    Args:
        survey: The packed survey.
        pieces: Places of the stars of all batches.
        numbers: Which of the batches.
    """

    def __init__(
        self,
        survey: PackedSurvey,
        pieces: Sequence[np.ndarray],
        numbers: Sequence[int],
    ) -> None:
        super().__init__(numbers, [len(piece) for piece in pieces])
        self.survey, self.pieces = survey, pieces

    def read(self, number: int) -> StarBatch:
        """Read one batch."""
        return StarBatch(number, self.survey.spectra(self.pieces[number]))


class GroupDataset(StageDataset):
    """Batches of whole groups; a batch is made of the same groups however often a run restarts.

    Args:
        survey: The packed survey.
        group: Group of each star, 0 ... n_groups - 1.
        batch_groups: Groups per batch.
        done: Numbers of the batches that need not be done again.
        matches: Start labels and best correlation of each star, side by side; ``None`` where the
            matching is to be done with the fit.
    """

    advice = "batch_groups=1 makes more batches"

    def __init__(
        self,
        survey: PackedSurvey,
        group: Int[np.ndarray, " star"],
        batch_groups: int,
        done: Sequence[int] = (),
        matches: Float[np.ndarray, "star column"] | None = None,
    ) -> None:
        self.survey, self.group, self.matches = survey, group, matches
        self.order = np.argsort(group, kind="stable")
        self.first = np.searchsorted(
            group[self.order] // batch_groups, np.arange(int(group.max()) // batch_groups + 2)
        )
        self.batch_groups = batch_groups
        n_batches, finished = -(-(int(group.max()) + 1) // batch_groups), set(done)
        numbers = [number for number in range(n_batches) if number not in finished]
        super().__init__(numbers, np.diff(self.first).tolist())

    def read(self, number: int) -> GroupBatch:
        """Read one batch."""
        star = self.order[self.first[number] : self.first[number + 1]]
        spectra = self.survey.with_exposures(star)
        start = cfi = None
        if self.matches is not None:
            found = torch.from_numpy(self.matches[star])
            start, cfi = found[:, :-1], found[:, -1]
        return GroupBatch(
            torch.from_numpy(star), torch.from_numpy(self.group[star]), spectra, number, start, cfi
        )


class SurveyDataModule(lightning.LightningDataModule):
    """Hands the batches of a stage to Lightning, as lists of those that are computed together.

    Args:
        dataset: The batches.
    """

    def __init__(self, dataset: StageDataset) -> None:
        super().__init__()
        self.dataset = dataset
        # What is left of an interrupted run may be fewer batches than there are processes.
        self.allow_zero_length_dataloader_with_multiple_devices = True

    def predict_dataloader(self) -> DataLoader:
        """The batches that are this process's, in order; Lightning's sampler demands one each."""
        rank, size = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        mine = Subset(self.dataset, range(rank, len(self.dataset), size))
        together = self._together() or max(len(mine), 1)
        return DataLoader(mine, batch_size=together, collate_fn=list)

    def _together(self) -> int | None:
        """How many batches are handed over at once; ``None`` for all."""
        module = self.trainer.lightning_module if self.trainer else None
        if not isinstance(module, StageModule) or self.trainer is None:
            return 1
        return module.together(self.trainer.strategy.root_device, self.dataset.most)

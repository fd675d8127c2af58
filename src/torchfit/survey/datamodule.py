"""The survey as Lightning wants it: the batches of a stage, read from shards when needed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import lightning
import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from torchfit.measure.batch import GroupBatch, StarBatch
from torchfit.measure.module import FitModule
from torchfit.spectra import Spectra
from torchfit.survey.coding import Coded
from torchfit.survey.shards import Shard


@dataclass(frozen=True)
class PackedSurvey:
    """Shards of a survey, and where each star of its table lies in them.

    Args:
        paths: Shards.
        wave: Their grid, vacuum Angstrom.
        shard: Shard of each star.
        row: Row of each star in its shard.
    """

    paths: Sequence[Path]
    wave: Float[Tensor, " pix"]
    shard: Int[np.ndarray, " star"]
    row: Int[np.ndarray, " star"]

    @classmethod
    def of(cls, paths: Sequence[Path], wave: Float[Tensor, " pix"]) -> "PackedSurvey":
        """Stars in the order of the shards.

        Args:
            paths: Shards.
            wave: Their grid.

        Returns:
            The survey.
        """
        sizes = [len(Shard(path)) for path in paths]
        shard = np.repeat(np.arange(len(paths)), sizes)
        return cls(paths, wave, shard, np.concatenate([np.arange(size) for size in sizes]))

    def part(self, star: Int[np.ndarray, " chosen"]) -> "PackedSurvey":
        """Some stars of the survey.

        Args:
            star: Their places in the survey's table.
        """
        return replace(self, shard=self.shard[star], row=self.row[star])

    def spectra(self, star: Int[np.ndarray, " chosen"]) -> Spectra:
        """Spectra of some stars.

        Args:
            star: Places in the survey's table, in any order.

        Returns:
            Normalised spectra in that order, in single precision.
        """
        shards = np.unique(self.shard[star])
        here = [np.flatnonzero(self.shard[star] == shard) for shard in shards]
        pieces = [
            _opened(self.paths[shard]).coded(self.row[star[places]])
            for shard, places in zip(shards, here, strict=True)
        ]
        back = np.argsort(np.concatenate(here), kind="stable")
        return Coded.join(pieces, back).spectra(self.wave)


def _opened(path: Path) -> Shard:
    """A shard that stays mapped, until another takes its place: a batch has stars of many."""
    return _open(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4096)
def _open(path: Path, written: int) -> Shard:
    return Shard(path)


class StageDataset(Dataset):
    """The batches of a stage that are to be done.

    Args:
        numbers: Their numbers among all batches of the stage.
        most: Stars of the largest.
    """

    advice = ""
    """What makes more batches, where a user may want them."""

    def __init__(self, numbers: Sequence[int], most: int) -> None:
        self.numbers, self.most = numbers, most

    def __len__(self) -> int:
        """Number of batches to do."""
        return len(self.numbers)


class ShardDataset(StageDataset):
    """Whole shards, to be matched.

    Args:
        paths: All shards.
        wave: Their grid, vacuum Angstrom.
        numbers: Which of them.
    """

    def __init__(
        self, paths: Sequence[Path], wave: Float[Tensor, " pix"], numbers: Sequence[int]
    ) -> None:
        super().__init__(numbers, max((len(Shard(paths[number])) for number in numbers), default=0))
        self.paths, self.wave = paths, wave

    def __getitem__(self, index: int) -> StarBatch:
        """Read one shard."""
        number = self.numbers[index]
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
        super().__init__(numbers, max(map(len, pieces), default=0))
        self.survey, self.pieces = survey, pieces

    def __getitem__(self, index: int) -> StarBatch:
        """Read one batch."""
        number = self.numbers[index]
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
        super().__init__(numbers, int(np.diff(self.first).max()))

    def __getitem__(self, index: int) -> GroupBatch:
        """Read one batch."""
        number = self.numbers[index]
        star = self.order[self.first[number] : self.first[number + 1]]
        spectra = self.survey.spectra(star)
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
        return DataLoader(mine, batch_size=self._together(), collate_fn=list)

    def _together(self) -> int:
        """How many batches the memory of the device has room for."""
        module = self.trainer.lightning_module if self.trainer else None
        if not isinstance(module, FitModule) or self.trainer is None:
            return 1
        most = module.most(self.trainer.strategy.root_device) or 0
        return max(most // max(self.dataset.most, 1), 1)

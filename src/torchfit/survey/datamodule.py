"""The survey as Lightning wants it: batches of whole groups, read from shards when needed."""

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

from torchfit.measure.batch import GroupBatch
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


class GroupDataset(Dataset):
    """Batches of whole groups; a batch is made of the same groups however often a run restarts.

    Args:
        survey: The packed survey.
        group: Group of each star, 0 ... n_groups - 1.
        batch_groups: Groups per batch.
        done: Numbers of the batches that need not be done again.
        matches: Start labels and best correlation of each star, side by side; ``None`` where the
            matching is to be done with the fit.
    """

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
        n_batches = -(-(int(group.max()) + 1) // batch_groups)
        self.numbers = [number for number in range(n_batches) if number not in set(done)]

    def __len__(self) -> int:
        """Number of batches to do."""
        return len(self.numbers)

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
    """Hands the batches of a survey to Lightning.

    Args:
        dataset: Batches of groups.
    """

    def __init__(self, dataset: GroupDataset) -> None:
        super().__init__()
        self.dataset = dataset
        # What is left of an interrupted run may be fewer batches than there are processes.
        self.allow_zero_length_dataloader_with_multiple_devices = True

    def predict_dataloader(self) -> DataLoader:
        """The batches that are this process's, in order; Lightning's sampler demands one each."""
        rank, size = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        mine = Subset(self.dataset, range(rank, len(self.dataset), size))
        return DataLoader(mine, batch_size=1, shuffle=False, collate_fn=_single)


def _single(batches: Sequence[GroupBatch]) -> GroupBatch:
    """The only batch of a list: the dataset has made it already."""
    return batches[0]

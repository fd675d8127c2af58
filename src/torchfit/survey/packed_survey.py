"""Where the stars of a survey lie in its shards, and their exposures where these are several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.likelihood.joint_spectra import JointSpectra
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
        exposures: Exposures of the stars that are coadds; ``None`` where every star has one.
    """

    paths: Sequence[Path]
    wave: Float[Tensor, " pix"]
    shard: Int[np.ndarray, " star"]
    row: Int[np.ndarray, " star"]
    exposures: "Exposures | None" = None

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
        row = np.concatenate([np.empty(0, np.int64), *(np.arange(size) for size in sizes)])
        return cls(paths, wave, shard, row)

    def part(self, star: Int[np.ndarray, " chosen"]) -> "PackedSurvey":
        """Some stars of a survey that knows of no exposures.

        Args:
            star: Their places in the survey's table.
        """
        return replace(self, shard=self.shard[star], row=self.row[star])

    def spectra(self, star: Int[np.ndarray, " chosen"]) -> Spectra:
        """Spectra of some stars.

        Args:
            star: Places in the survey's table, in any order.

        Returns:
            Normalised spectra in that order, in single precision; coadds of several exposures.
        """
        order, shards = self._by_shard(star)
        return Coded.join([shard.coded(rows) for shard, rows in shards], order).spectra(self.wave)

    def known(self, star: Int[np.ndarray, " chosen"]) -> pa.Table:
        """What is known of some stars; see :meth:`torchfit.survey.shards.Shard.known`.

        Args:
            star: Places in the survey's table, in any order.
        """
        order, shards = self._by_shard(star)
        tables = [shard.known(rows) for shard, rows in shards]
        return pa.concat_tables(tables, promote_options="permissive").take(pa.array(order))

    def with_exposures(self, star: Int[np.ndarray, " chosen"]) -> Spectra:
        """Spectra of some stars, with the exposures of those that have several.

        Args:
            star: Places in the survey's table, in any order.
        """
        spectra = self.spectra(star)
        return spectra if self.exposures is None else self.exposures.beside(spectra, star)

    def _by_shard(
        self, star: Int[np.ndarray, " chosen"]
    ) -> tuple[Int[np.ndarray, " chosen"], list[tuple[Shard, Int[np.ndarray, " row"]]]]:
        """Shards of some stars with the rows in each, and the order that brings these back."""
        numbers = np.unique(self.shard[star])
        here = [np.flatnonzero(self.shard[star] == number) for number in numbers]
        rows = [self.row[star[places]] for places in here]
        shards = [_opened(self.paths[number]) for number in numbers]
        back = np.argsort(np.concatenate(here), kind="stable")
        return back, list(zip(shards, rows, strict=True))


@dataclass(frozen=True)
class Exposures:
    """The exposures of the stars of a survey that have several.

    Args:
        packed: The exposures, those of a star side by side.
        first: Place of the first exposure of each star, and at last their number; a star of one
            exposure has none here.
    """

    packed: PackedSurvey
    first: Int[np.ndarray, " star_and_one"]

    def places(
        self, star: Int[np.ndarray, " chosen"]
    ) -> tuple[Int[np.ndarray, " exposure"], Int[np.ndarray, " exposure"]]:
        """Exposures of some stars, and the place of the star of each among these."""
        count = np.diff(self.first)[star]
        owner = np.repeat(np.arange(len(star)), count)
        place = np.arange(len(owner)) + (self.first[star] - count.cumsum() + count)[owner]
        return place, owner

    def beside(self, spectra: Spectra, star: Int[np.ndarray, " chosen"]) -> JointSpectra:
        """Spectra of some stars with their exposures.

        Args:
            spectra: Their spectra.
            star: Their places in the survey's table.
        """
        place, owner = self.places(star)
        rest = self.packed.spectra(place) if len(place) else spectra[:0]
        columns = (spectra.wave, spectra.flux, spectra.ivar, spectra.has_ivar)
        return JointSpectra(*columns, rest, torch.from_numpy(owner))


def _opened(path: Path) -> Shard:
    """A shard that stays mapped, until another takes its place: a batch has stars of many."""
    return _open(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4096)
def _open(path: Path, written: int) -> Shard:
    return Shard(path)

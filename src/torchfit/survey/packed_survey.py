"""Where the stars of a survey lie in its shards, and their exposures where these are several."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.likelihood.joint_spectra import JointSpectra
from torchfit.spectra import Spectra
from torchfit.survey.coding import Coded
from torchfit.survey.opened import opened
from torchfit.survey.shards import Shard

_ROWS = 128
"""Stars whose shards are open at the same time, at most."""


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
        shard = np.repeat(np.arange(len(paths), dtype=np.int32), sizes)
        rows = (np.arange(size, dtype=np.int32) for size in sizes)
        return cls(paths, wave, shard, np.concatenate([np.empty(0, np.int32), *rows]))

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
        coded = [opened(path).coded(rows) for path, rows in shards]
        return Coded.join(coded, order).spectra(self.wave)

    def known(self, star: Int[np.ndarray, " chosen"]) -> pa.Table:
        """What is known of some stars; see :meth:`torchfit.survey.shards.Shard.known`.

        Args:
            star: Places in the survey's table, in any order.
        """
        tables = [self._known(some) for some in np.split(star, range(_ROWS, len(star), _ROWS))]
        return pa.concat_tables(tables, promote_options="permissive")

    def pieces(self, names: Sequence[str]) -> Iterator[pd.DataFrame]:
        """What is known of all stars in their order, those of a shard at a time.

        Args:
            names: Columns of :meth:`torchfit.survey.shards.Shard.known` that are wanted.

        Yields:
            Some rows.
        """
        for rows in np.split(np.arange(len(self.shard)), np.flatnonzero(np.diff(self.shard)) + 1):
            if len(rows):
                shard = Shard(self.paths[self.shard[rows[0]]])
                yield shard.known(self.row[rows], names).to_pandas()

    def with_exposures(self, star: Int[np.ndarray, " chosen"]) -> Spectra:
        """Spectra of some stars, with the exposures of those that have several.

        Args:
            star: Places in the survey's table, in any order.
        """
        spectra = self.spectra(star)
        return spectra if self.exposures is None else self.exposures.beside(spectra, star)

    def column(self, name: str) -> pd.Series:
        """A column of :meth:`pieces` in memory."""
        return pd.concat((piece[name] for piece in self.pieces([name])), ignore_index=True)

    def _known(self, star: Int[np.ndarray, " chosen"]) -> pa.Table:
        """See :meth:`known`; of so few that their shards can all be open."""
        numbers = self.shard[star].tolist()
        shards = {number: opened(self.paths[number]) for number in numbers}
        places = zip(numbers, self.row[star].tolist(), strict=True)
        rows = [shards[number].known_of(row) for number, row in places]
        # One star at a time from where it lies is quicker than to take those of every shard.
        known = pa.concat_tables(rows, promote_options="permissive").take(np.arange(len(star)))
        for shard in shards.values():
            shard.forget_pages()
        return known

    def _by_shard(
        self, star: Int[np.ndarray, " chosen"]
    ) -> tuple[Int[np.ndarray, " chosen"], list[tuple[Path, Int[np.ndarray, " row"]]]]:
        """Shards of some stars with the rows in each, and the order that brings these back."""
        numbers = np.unique(self.shard[star])
        here = [np.flatnonzero(self.shard[star] == number) for number in numbers]
        rows = [self.row[star[places]] for places in here]
        back = np.argsort(np.concatenate(here), kind="stable")
        return back, list(zip((self.paths[number] for number in numbers), rows, strict=True))


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

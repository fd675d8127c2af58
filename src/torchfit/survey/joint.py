"""Exposures of one star become one star: coadds to match, and the exposures to fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.likelihood.joint_spectra import coadd
from torchfit.spectra import slices
from torchfit.survey.crew import ALONE, Crew
from torchfit.survey.packed_survey import Exposures, PackedSurvey
from torchfit.survey.same_star import stars_of
from torchfit.survey.shards import BANDS, Shard, with_spectra, write_shard

AT_ONCE = 256
"""Stars of a shard of coadds."""


@dataclass(frozen=True)
class JointStars:
    """The stars of a survey that have several exposures.

    Args:
        paths: Shards of their coadds.
        exposures: Their exposures, those of a star side by side.
        count: Number of exposures of each star.
        members: Running numbers of the exposures, which are no stars of their own any more.
    """

    paths: Sequence[Path]
    exposures: PackedSurvey
    count: Int[np.ndarray, " star"]
    members: Int[np.ndarray, " exposure"]

    def beside(self, packed: PackedSurvey) -> Exposures:
        """The exposures of a survey whose last stars are these.

        Args:
            packed: The survey.
        """
        before = np.zeros(len(packed.shard) - len(self.count), dtype=np.int64)
        return Exposures(self.exposures, np.cumsum([0, *before, *self.count]))


def join_exposures(
    paths: Sequence[Path],
    wave: Float[Tensor, " pix"],
    left_out: Sequence[int],
    folder: Path,
    crew: Crew = ALONE,
) -> JointStars:
    """Find the stars of several exposures, and coadd these.

    The running numbers of coadds follow that of the last spectrum of the survey.

    Args:
        paths: Shards of the survey.
        wave: Their grid, vacuum Angstrom.
        left_out: Running numbers of rejects: copies among them are no exposures.
        folder: Where shards of coadds go; those that are there are kept.
        crew: Who coadds which stars.

    Returns:
        The stars, in the order of their first exposures.
    """
    number = np.concatenate([np.array(Shard(path).whole("star", -1)) for path in paths])
    kept = np.flatnonzero(~np.isin(number, left_out))
    packed = PackedSurvey.of(paths, wave).part(kept)
    star = stars_of(packed.column)
    several = np.flatnonzero(np.bincount(star)[star] > 1)
    several = several[np.argsort(star[several], kind="stable")]
    count = np.unique(star[several], return_counts=True)[1]
    exposures = packed.part(several)
    members = number[kept[several]]
    first = 1 + max([int(number.max()), *left_out])
    written = _write_coadds(exposures, count, first, folder, crew)
    return JointStars(written, exposures, count, members)


def _write_coadds(
    exposures: PackedSurvey, count: Int[np.ndarray, " star"], number: int, folder: Path, crew: Crew
) -> list[Path]:
    """Write shards of coadds, the first of this running number; each process its share."""
    first = np.cumsum([0, *count])
    pieces = slices(len(count), AT_ONCE)
    paths = [folder / f"joint-{place:05d}.arrow" for place in range(len(pieces))]
    for place, (piece, path) in enumerate(zip(pieces, paths, strict=True)):
        if crew.takes(place) and not path.exists():
            here = np.arange(first[piece.start], first[piece.start + len(count[piece])])
            owner = np.repeat(np.arange(len(count[piece])), count[piece])
            write_shard(path, coadds(exposures, here, owner, number + piece.start))
    crew.meet()
    return paths


def coadds(
    exposures: PackedSurvey,
    place: Int[np.ndarray, " exposure"],
    owner: Int[np.ndarray, " exposure"],
    number: int,
) -> pa.Table:
    """The shard of the coadds of some stars.

    What is known of a star is what is known of its exposure of most information; its
    signal-to-noise ratios are those of all exposures.

    Args:
        exposures: Exposures of stars.
        place: Places of those to coadd, those of a star side by side.
        owner: Number of the star of each, from 0.
        number: Running number of the first star.
    """
    spectra, known = exposures.spectra(place), exposures.known(place)
    weight = spectra.ivar.sum(dim=1, dtype=torch.float64).numpy()
    best = pd.Series(weight).groupby(owner).idxmax().to_numpy()
    star = pa.array(np.arange(number, number + len(best)))
    columns = {"star": star, "checksum": pa.nulls(len(best), pa.int64())}
    for name in (f"snr_{band}" for band in BANDS):
        square = pd.Series(known[name].to_numpy()).pow(2).groupby(owner)
        columns[name] = pa.array(np.sqrt(square.sum(min_count=1).to_numpy()))
    table = known.take(pa.array(best))
    for name, values in columns.items():
        table = table.drop_columns(name) if name in table.column_names else table
        table = table.append_column(name, values)
    return with_spectra(table, coadd(spectra, torch.from_numpy(owner)))

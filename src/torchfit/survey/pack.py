"""Packing: survey files through preprocessing into shards, with a reason for every reject."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pandas as pd
from jaxtyping import Bool, Float
from torch import Tensor
from tqdm import tqdm

from torchfit.exceptions import ConfigError, DataError
from torchfit.preprocess.compose import Preprocessor
from torchfit.survey.copies import copies
from torchfit.survey.crew import ALONE, Crew
from torchfit.survey.piece import (
    NO_VELOCITIES,
    REJECT_COLUMNS,
    Piece,
    PieceWriter,
    pack_piece,
    rejects_path,
    shard_path,
)
from torchfit.survey.workers import available_cores, run_jobs
from torchfit.surveys.reader import SurveyReader
from torchfit.velocity.redshifts import Redshifts

logger = logging.getLogger(__name__)

WORTH_A_WORKER = 2048
"""Stars that take a worker about as long as its start."""


@dataclass(frozen=True)
class Packing:
    """Settings of the packing.

    Args:
        windows: Masked windows (low, high) of this survey in Angstrom of the observed frame,
            beside those of the emulator's preprocessing.
        min_good: Least share of the emulator's pixels that a spectrum must have.
        shard_size: Number of files a shard is made of.
        workers: Number of processes; 0 packs in this one, ``None`` takes every core of a large
            survey. Whatever it is, the shards are the same bytes.

    Raises:
        ConfigError: If a number makes no sense.
    """

    windows: Sequence[Sequence[float]] = ()
    min_good: float = 0.3
    shard_size: int = 1024
    workers: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.min_good <= 1 or self.shard_size < 1 or (self.workers or 0) < 0:
            raise ConfigError(
                f"pack: min_good={self.min_good} must lie in [0, 1], "
                f"shard_size={self.shard_size} be at least 1, workers={self.workers} at least 0"
            )

    def pack(
        self,
        reader: SurveyReader,
        preprocessor: Preprocessor,
        known: Bool[Tensor, " pix"],
        folder: Path,
        crew: Crew = ALONE,
        lsf_fwhm: Float[Tensor, " pix"] | None = None,
        redshifts: Redshifts = NO_VELOCITIES,
    ) -> tuple[list[Path], pd.DataFrame]:
        """Read, preprocess and write every spectrum of a survey; a finished shard is kept.

        Args:
            reader: The survey.
            preprocessor: The emulator's preprocessing.
            known: Pixels that the emulator knows.
            folder: Where shards go.
            crew: Who packs which shards; an archive, read in one pass, is packed by its leader.
            lsf_fwhm: Resolution of the emulator, full width at half maximum in Angstrom, that
                sharper spectra are brought to; ``None`` leaves all as they are.
            redshifts: Gives the spectra their redshifts.

        Returns:
            Paths of the shards that hold stars, and the rejects (``star source reason
            unexpected``). A star of a shard that stands among the rejects is a copy of another.

        Raises:
            DataError: If no spectrum at all can be used, or a worker is killed.
        """
        writer = PieceWriter(
            folder, preprocessor, known, self.windows, self.min_good, lsf_fwhm, redshifts
        )
        sources = reader.sources()
        n_pieces = -(-len(sources) // self.shard_size)
        if reader.sequential:
            done = _stream(reader, sources, self.shard_size, writer) if crew.leads else iter(())
            total = len(sources)
        else:
            pieces = self._pieces(sources, crew)
            done = self._pack_pieces(reader, pieces, writer)
            total = sum(len(piece.sources) for piece in pieces)
        desc = f"packing {reader.name}"
        with tqdm(total=total, desc=desc, unit="star", disable=not crew.leads) as bar:
            for n_stars in done:
                bar.update(n_stars)
        crew.meet()
        paths, rejects, n_copies = _collect(folder, n_pieces)
        if not paths:
            raise _nothing(rejects, reader.name, folder, n_pieces, crew)
        if n_copies and crew.leads:
            logger.warning("%d spectra are copies of others, which rejects.csv names", n_copies)
        return paths, rejects

    def _pieces(self, sources: Sequence[str], crew: Crew) -> list[Piece]:
        """The pieces that are this process's to pack."""
        return [
            Piece(number, start, sources[start : start + self.shard_size])
            for number, start in enumerate(range(0, len(sources), self.shard_size))
            if crew.takes(number)
        ]

    def _pack_pieces(
        self, reader: SurveyReader, pieces: Sequence[Piece], writer: PieceWriter
    ) -> Iterator[int]:
        """Pack piece by piece, by workers when they are worth their start; yields sizes."""
        waiting = [piece for piece in pieces if not writer.has(piece.number)]
        n_waiting = sum(len(piece.sources) for piece in waiting)
        yield sum(len(piece.sources) for piece in pieces) - n_waiting
        n_workers = self.workers
        if n_workers is None:
            n_workers = min(n_waiting // WORTH_A_WORKER, available_cores())
        jobs = ((writer, reader.part(piece.sources), piece) for piece in waiting)
        yield from run_jobs(pack_piece, jobs, min(n_workers, len(waiting)))


def _stream(
    reader: SurveyReader, sources: Sequence[str], size: int, writer: PieceWriter
) -> Iterator[int]:
    """Pack an archive in one pass, its spectra as they come; yields sizes."""
    n_pieces = -(-len(sources) // size)
    if all(writer.has(number) for number in range(n_pieces)):
        return
    star = {source: number for number, source in enumerate(sources)}
    outcomes = reader.spectra(sources)
    for number in range(n_pieces):
        piece = [(star[source], source, outcome) for source, outcome in islice(outcomes, size)]
        if not writer.has(number):
            writer.write(number, piece)
        yield len(piece)


def _collect(folder: Path, n_shards: int) -> tuple[list[Path], pd.DataFrame, int]:
    """The shards that hold stars, all rejects, and how many of these are copies."""
    paths = [shard_path(folder, number) for number in range(n_shards)]
    paths = [path for path in paths if path.exists()]
    rejects = [_read_rejects(rejects_path(folder, number)) for number in range(n_shards)]
    copied = pd.DataFrame(copies(paths), columns=REJECT_COLUMNS)
    table = pd.concat([*rejects, copied], ignore_index=True)
    table = table.sort_values("star", ignore_index=True)
    return paths, table, len(copied)


def _nothing(
    rejects: pd.DataFrame, name: str, folder: Path, n_pieces: int, crew: Crew
) -> DataError:
    """What to raise where no spectrum can be used; the same command then reads them again."""
    crew.meet()  # All have read the rejects.
    if crew.leads:
        for number in range(n_pieces):
            rejects_path(folder, number).unlink()
    first = rejects.iloc[0]
    return DataError(
        f"no spectrum of {name} can be used, all {len(rejects)} are rejected; the first: "
        f"{first['source']}: {first['reason']}"
    )


def _read_rejects(path: Path) -> pd.DataFrame:
    lines = path.read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines], columns=REJECT_COLUMNS)

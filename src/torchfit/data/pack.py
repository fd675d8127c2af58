"""Packing: survey files through preprocessing into shards, with a reason for every reject."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from jaxtyping import Bool
from torch import Tensor
from tqdm import tqdm

from torchfit.data.shards import star_row, write_shard
from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.io.atomic import atomic
from torchfit.io.reader import SurveyReader
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectrum

REJECT_COLUMNS = ["star", "source", "reason"]


@dataclass(frozen=True)
class Packing:
    """Settings of the packing.

    Args:
        windows: Masked windows (low, high) of this survey in Angstrom of the observed frame,
            beside those of the emulator's preprocessing.
        min_good: Least share of the emulator's pixels that a spectrum must have.
        shard_size: Number of files a shard is made of.

    Raises:
        ConfigError: If a number makes no sense.
    """

    windows: Sequence[Sequence[float]] = ()
    min_good: float = 0.3
    shard_size: int = 1024

    def __post_init__(self) -> None:
        if not 0 <= self.min_good <= 1 or self.shard_size < 1:
            raise ConfigError(
                f"pack: min_good={self.min_good} must lie in [0, 1], "
                f"shard_size={self.shard_size} be at least 1"
            )

    def pack(
        self,
        reader: SurveyReader,
        preprocessor: Preprocessor,
        known: Bool[Tensor, " pix"],
        folder: Path,
    ) -> tuple[list[Path], pd.DataFrame]:
        """Read, preprocess and write every spectrum of a survey; a finished shard is kept.

        Args:
            reader: The survey.
            preprocessor: The emulator's preprocessing.
            known: Pixels that the emulator knows.
            folder: Where shards go.

        Returns:
            Paths of the shards that hold stars, and the rejects (``star source reason``).

        Raises:
            DataError: If no spectrum at all can be used.
        """
        sources = reader.sources()
        starts = range(0, len(sources), self.shard_size)
        with tqdm(total=len(sources), desc=f"packing {reader.name}", unit="star") as bar:
            for number, start in enumerate(starts):
                numbers = range(start, min(start + self.shard_size, len(sources)))
                if not _rejects_path(folder, number).exists():
                    read = _Piece(folder, number, reader, [(n, sources[n]) for n in numbers])
                    read.write(preprocessor, known, self)
                bar.update(len(numbers))
        return _collect(folder, len(starts), reader.name)


class _Piece:
    """The stars of one shard on their way from files to disk."""

    def __init__(
        self, folder: Path, number: int, reader: SurveyReader, sources: list[tuple[int, str]]
    ) -> None:
        self.folder, self.number = folder, number
        self.stars: list[int] = []
        self.spectra: list[Spectrum] = []
        self.rejects: list[dict[str, object]] = []
        for star, source in sources:
            try:
                self.spectra.append(reader.read(source))
                self.stars.append(star)
            except SpectrumError as error:
                self._reject(star, source, str(error))

    def _reject(self, star: int, source: str, reason: str) -> None:
        self.rejects.append({"star": star, "source": source, "reason": reason})

    def write(
        self, preprocessor: Preprocessor, known: Bool[Tensor, " pix"], settings: Packing
    ) -> None:
        """Write the shard, and then its rejects, whose presence says that the piece is done."""
        if self.spectra:
            batch = preprocessor(self.spectra, settings.windows)
            share = (batch.good & known).sum(dim=1) / known.sum()
            kept = (share >= settings.min_good).nonzero()[:, 0].tolist()
            self._reject_uncovered(share.tolist(), settings.min_good)
            rows = [star_row(self.stars[row], self.spectra[row].info) for row in kept]
            if rows:
                write_shard(_shard_path(self.folder, self.number), rows, batch[torch.tensor(kept)])
        lines = "".join(json.dumps(reject) + "\n" for reject in self.rejects)
        with atomic(_rejects_path(self.folder, self.number)) as temp:
            temp.write_text(lines, encoding="utf-8")

    def _reject_uncovered(self, share: list[float], min_good: float) -> None:
        for star, spectrum, good in zip(self.stars, self.spectra, share, strict=True):
            if good < min_good:
                self._reject(
                    star,
                    spectrum.info.source,
                    f"{spectrum.info.source}: too few of the emulator's pixels are good "
                    f"(below pack.min_good={min_good:g})",
                )


def _shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05d}.arrow"


def _rejects_path(folder: Path, number: int) -> Path:
    return folder / f"rejects-{number:05d}.jsonl"


def _collect(folder: Path, n_shards: int, name: str) -> tuple[list[Path], pd.DataFrame]:
    """The shards that hold stars, and all rejects."""
    paths = [_shard_path(folder, number) for number in range(n_shards)]
    paths = [path for path in paths if path.exists()]
    rejects = [_read_rejects(_rejects_path(folder, number)) for number in range(n_shards)]
    table = pd.concat(rejects, ignore_index=True).sort_values("star", ignore_index=True)
    if not paths:
        raise DataError(
            f"no spectrum of {name} can be used, all {len(table)} are rejected; the first: "
            f"{table['reason'].iloc[0]}"
        )
    return paths, table


def _read_rejects(path: Path) -> pd.DataFrame:
    lines = path.read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines], columns=REJECT_COLUMNS)

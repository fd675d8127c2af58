"""One piece of a survey: some files, and the shard and the rejects that become of them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool
from torch import Tensor

from torchfit.exceptions import SpectrumError
from torchfit.files.atomic import atomic
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectrum
from torchfit.survey.shards import star_row, write_shard
from torchfit.surveys.reader import Outcome, SurveyReader

Read = tuple[int, str, Outcome]
"""Running number in the survey, source, and what reading it came to."""


def shard_path(folder: Path, number: int) -> Path:
    """Where the stars of a piece go."""
    return folder / f"shard-{number:05d}.arrow"


def rejects_path(folder: Path, number: int) -> Path:
    """Where the rejects of a piece go; that the file is there says that the piece is done."""
    return folder / f"rejects-{number:05d}.jsonl"


@dataclass(frozen=True)
class Piece:
    """Some spectra of a survey.

    Args:
        number: Number of the piece.
        first: Running number of its first star.
        sources: Sources, in the survey's order.
    """

    number: int
    first: int
    sources: Sequence[str]


@dataclass(frozen=True)
class PieceWriter:
    """Preprocesses and writes pieces.

    Args:
        folder: Where to.
        preprocessor: The emulator's preprocessing.
        known: Pixels that the emulator knows.
        windows: Masked windows of the survey.
        min_good: Least share of the known pixels that a spectrum must have.
    """

    folder: Path
    preprocessor: Preprocessor
    known: Bool[Tensor, " pix"]
    windows: Sequence[Sequence[float]]
    min_good: float

    def has(self, number: int) -> bool:
        """Whether a piece is done."""
        return rejects_path(self.folder, number).exists()

    def write(self, number: int, read: Iterable[Read]) -> None:
        """Write the shard of a piece, and then its rejects, which say that it is done.

        Args:
            number: Number of the piece.
            read: Its spectra; a shard keeps their order.
        """
        stars: list[int] = []
        spectra: list[Spectrum] = []
        rejects: list[dict[str, object]] = []
        for star, source, outcome in read:
            if isinstance(outcome, SpectrumError):
                reason = str(outcome).removeprefix(f"{source}: ")
                rejects.append({"star": star, "source": source, "reason": reason})
            else:
                stars.append(star)
                spectra.append(outcome)
        if spectra:
            rejects += self._write_shard(number, stars, spectra)
        lines = "".join(json.dumps(reject) + "\n" for reject in rejects)
        with atomic(rejects_path(self.folder, number)) as temp:
            temp.write_text(lines, encoding="utf-8")

    def _write_shard(
        self, number: int, stars: list[int], spectra: list[Spectrum]
    ) -> list[dict[str, object]]:
        """Write the stars with enough good pixels; return the others as rejects."""
        batch = self.preprocessor(spectra, self.windows)
        share = batch.coverage(self.known)
        enough = (share >= self.min_good).tolist()
        kept = [row for row, keep in enumerate(enough) if keep]
        if kept:
            rows = [star_row(stars[row], spectra[row].info) for row in kept]
            write_shard(shard_path(self.folder, number), rows, batch[torch.tensor(kept)])
        return [
            self._uncovered(star, spectrum.info.source)
            for star, spectrum, keep in zip(stars, spectra, enough, strict=True)
            if not keep
        ]

    def _uncovered(self, star: int, source: str) -> dict[str, object]:
        reason = (
            f"too few of the emulator's pixels are good (below pack.min_good={self.min_good:g})"
        )
        return {"star": star, "source": source, "reason": reason}


def pack_piece(writer: PieceWriter, reader: SurveyReader, piece: Piece) -> int:
    """Read and write one piece; a job of a worker.

    Args:
        writer: Knows how and where to.
        reader: Reads the sources of the piece.
        piece: The piece.

    Returns:
        Number of its sources.
    """
    star = {source: piece.first + place for place, source in enumerate(piece.sources)}
    outcomes = reader.spectra(piece.sources)
    writer.write(piece.number, ((star[source], source, outcome) for source, outcome in outcomes))
    return len(piece.sources)

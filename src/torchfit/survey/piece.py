"""One piece of a survey: some files, and the shard and the rejects that become of them."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.exceptions import SpectrumError, UnexpectedError
from torchfit.files.atomic import atomic
from torchfit.files.file_name import printable
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectrum
from torchfit.survey.shards import shard_table, star_row, write_shard
from torchfit.surveys.reader import Outcome, SurveyReader
from torchfit.velocity.redshifts import Redshifts

Read = tuple[int, str, Outcome]
"""Running number in the survey, source, and what reading it came to."""
Given = tuple[int, Spectrum]
"""Running number in the survey, and a spectrum."""
AtRest = tuple[int, Spectrum, Mapping[str, float]]
"""The same with its velocity, where it was measured."""
Reject = dict[str, object]
NO_VELOCITIES = Redshifts()
LEAST_PIXELS = 17
"""Fewer good pixels than a fit has unknowns, by default four labels, eleven terms of the continuum
and a velocity, cannot tell the labels, whatever ``min_good`` allows: errors would be infinite."""
REJECT_COLUMNS = ["star", "source", "reason", "unexpected"]


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
        min_good: Least share of the known pixels that a spectrum must have, and at least
            :data:`LEAST_PIXELS` of them.
        lsf_fwhm: Resolution that sharper spectra are brought to, full width at half maximum in
            Angstrom; ``None`` leaves all as they are.
        redshifts: Gives the spectra their redshifts.
    """

    folder: Path
    preprocessor: Preprocessor
    known: Bool[Tensor, " pix"]
    windows: Sequence[Sequence[float]]
    min_good: float
    lsf_fwhm: Float[Tensor, " pix"] | None = None
    redshifts: Redshifts = NO_VELOCITIES

    def has(self, number: int) -> bool:
        """Whether a piece is done."""
        return rejects_path(self.folder, number).exists()

    def write(self, number: int, read: Iterable[Read]) -> None:
        """Write the shard of a piece, and then its rejects, which say that it is done.

        Args:
            number: Number of the piece.
            read: Its spectra; a shard keeps their order.
        """
        given: list[Given] = []
        rejects: list[Reject] = []
        for star, source, outcome in read:
            if isinstance(outcome, SpectrumError):
                rejects.append(reject(star, source, outcome))
            else:
                given.append((star, outcome))
        table, unusable = self._table(given)
        if table is not None:
            write_shard(shard_path(self.folder, number), table)
        lines = "".join(json.dumps(row) + "\n" for row in rejects + unusable)
        with atomic(rejects_path(self.folder, number)) as temp:
            temp.write_text(lines, encoding="utf-8")

    def _table(self, given: Sequence[Given]) -> tuple[pa.Table | None, list[Reject]]:
        """The stars that can be used, and the others; one that fails does not take others along."""
        try:
            return self._table_of(given) if given else (None, [])
        except Exception as error:
            if len(given) == 1:
                star, spectrum = given[0]
                source = spectrum.info.source
                known = (
                    error if isinstance(error, SpectrumError) else UnexpectedError(source, error)
                )
                return None, [reject(star, source, known)]
        single = [self._table([one]) for one in given]
        tables = [table for table, _ in single if table is not None]
        rejects = [row for _, rows in single for row in rows]
        return pa.concat_tables(tables) if tables else None, rejects

    def _table_of(self, given: Sequence[Given]) -> tuple[pa.Table | None, list[Reject]]:
        """Preprocess stars at rest; those with enough good pixels, and the others as rejects."""
        windows = self.preprocessor.windows_with(self.windows)
        spectra, velocities = self.redshifts.settle([spectrum for _, spectrum in given], windows)
        at_rest = [row for row, each in enumerate(spectra) if math.isfinite(each.info.z)]
        lost = [
            reject(star, spectrum.info.source, self._no_redshift(spectrum))
            for (star, _), spectrum in zip(given, spectra, strict=True)
            if not math.isfinite(spectrum.info.z)
        ]
        if not at_rest:
            return None, lost
        moved = [(given[row][0], spectra[row], velocities.row(row)) for row in at_rest]
        table, rejects = self._packed(moved)
        return table, lost + rejects

    def _no_redshift(self, spectrum: Spectrum) -> str:
        """Why a spectrum has none: wavelengths of another unit are the usual reason."""
        if self.redshifts.search is None:
            return "no redshift (velocity=missing measures those that the survey has not)"
        low, high = self.preprocessor.wave[[0, -1]].tolist()
        first, last = (good := spectrum.wave[spectrum.good])[[0, -1]].tolist()
        if not ((good > low) & (good < high)).any():
            return (
                f"no good pixel within {low:.0f}-{high:.0f} Angstrom, the range of the emulator: "
                f"they lie within {first:.5g}-{last:.5g}"
            )
        return "no redshift, and no template correlates with the spectrum"

    def _packed(self, given: Sequence[AtRest]) -> tuple[pa.Table | None, list[Reject]]:
        """Preprocess stars with a redshift."""
        batch = self.preprocessor(
            [spectrum for _, spectrum, _ in given], self.windows, self.lsf_fwhm
        )
        too_few = (batch.good & self.known).sum(dim=1) < LEAST_PIXELS
        enough = (batch.coverage(self.known) >= self.min_good) & ~too_few
        reasons = {
            f"too few of the emulator's pixels are good (below pack.min_good={self.min_good:g})": (
                ~enough & ~too_few
            ),
            f"too few of the emulator's pixels are good (less than {LEAST_PIXELS})": too_few,
            "the normalised flux is not finite": enough & ~batch.is_finite,
        }
        rejects = [
            reject(given[row][0], given[row][1].info.source, reason)
            for reason, bad in reasons.items()
            for row in bad.nonzero()[:, 0].tolist()
        ]
        kept = (enough & batch.is_finite).nonzero()[:, 0]
        if not len(kept):
            return None, rejects
        rows = [
            star_row(star, spectrum.info, velocity)
            for star, spectrum, velocity in (given[row] for row in kept.tolist())
        ]
        return shard_table(rows, batch[kept]), rejects


def reject(star: int, source: str, why: str | SpectrumError) -> Reject:
    """A row of the rejects.

    Args:
        star: Running number in the survey.
        source: The spectrum.
        why: Why it cannot be used.

    Returns:
        Number, source, reason, and the class of an unexpected error, else empty text.
    """
    reason = printable(str(why).removeprefix(f"{source}: "))
    unexpected = why.kind if isinstance(why, UnexpectedError) else ""
    return {
        "star": star, "source": printable(source), "reason": reason, "unexpected": unexpected
    }  # fmt: skip


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

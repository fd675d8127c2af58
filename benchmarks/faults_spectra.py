"""Damaged files of spectra in every layout, packed as a survey packs them."""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import torch

from damage import KILOBYTES, OUTCOMES, SECONDS, Case, count_cases, peak
from torchfit.mock.faults import SoundFiles
from torchfit.preprocess.compose import Preprocessor
from torchfit.report.rows import Row
from torchfit.spectra import Spectrum
from torchfit.survey.piece import Piece, PieceWriter, pack_piece, rejects_path, shard_path
from torchfit.survey.shards import Shard
from torchfit.surveys.lamost import LamostReader


class TimedReader(LamostReader):
    """Notes which files took too long, or too much memory."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.notes: dict[str, list[str]] = defaultdict(list)

    def read(self, source: str) -> Spectrum:
        """Read one file with a watch in the hand."""
        start, before = time.perf_counter(), peak()
        try:
            return super().read(source)
        finally:
            if time.perf_counter() - start > SECONDS and self._is_slow_again(source):
                self.notes[source].append("slower than 5 s")
            if peak() > max(before, KILOBYTES):
                self.notes[source].append("over 1 GB")

    def _is_slow_again(self, source: str) -> bool:
        """Whether it was the file, and not the machine that others use too."""
        start = time.perf_counter()
        with suppress(Exception):
            super().read(source)
        return time.perf_counter() - start > SECONDS


def campaign(arguments: argparse.Namespace) -> list[Row]:
    """Pack damaged files and count what becomes of them, by layout and by kind of damage."""
    return count_cases(packed_cases, arguments, "spectra", "layout")


def packed_cases(first: int, count: int, seed: int, keep: str | None) -> list[Case]:
    """Make some damaged files, pack them as one piece, and say what became of each."""
    files = {str(number): sound().damaged(number, seed) for number in range(first, first + count)}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for number, (raw, _, _) in files.items():
            (root / f"{number}.fits").write_bytes(raw)
        happened = packed(root, first, [f"{number}.fits" for number in files])
    for number, (raw, _, _) in files.items():
        if keep and "other" in happened[f"{number}.fits"]:
            Path(keep).mkdir(parents=True, exist_ok=True)
            (Path(keep) / f"{number}.fits").write_bytes(raw)
    return [
        (layout, kind, happened[f"{number}.fits"]) for number, (_, layout, kind) in files.items()
    ]


def packed(root: Path, first: int, sources: list[str]) -> dict[str, list[str]]:
    """What became of every file of a folder; if a piece fails, its files are packed one by one."""
    reader, start = TimedReader(str(root)), time.perf_counter()
    writer = PieceWriter(root / "shards", preprocessor(), known(), (), 0.3)
    try:
        pack_piece(writer, reader, Piece(first, first, sources))
    except Exception as error:
        if len(sources) > 1:
            alone = [packed(root, first + at, [source]) for at, source in enumerate(sources)]
            return {source: what for one in alone for source, what in one.items()}
        print(f"{sources[0]}: {type(error).__name__}: {error}", file=sys.stderr)
        return {sources[0]: ["other"]}
    found = Counter(outcomes(writer.folder, first))
    slow = time.perf_counter() - start > SECONDS * len(sources)
    return {
        source: [
            *([what for what in ("read", "rejected", "other") if found[source, what]]),
            *(["other"] if sum(found[source, what] for what in OUTCOMES) != 1 else []),
            *reader.notes[source],
            *(["slower than 5 s"] if slow else []),
        ]
        for source in sources
    }


def outcomes(folder: Path, number: int) -> Iterator[tuple[str, str]]:
    """Source and outcome of every row of a piece."""
    for line in rejects_path(folder, number).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["unexpected"]:
            print(f"{row['source']}: {row['reason']}", file=sys.stderr)
        yield row["source"], "other" if row["unexpected"] else "rejected"
    if shard_path(folder, number).exists():
        shard = Shard(shard_path(folder, number))
        usable = shard.spectra(preprocessor().wave, range(len(shard))).is_usable.tolist()
        for source, good in zip(shard.info()["source"], usable, strict=True):
            yield source, "read" if good else "other"


@lru_cache
def sound() -> SoundFiles:
    """The files before they are damaged."""
    return SoundFiles()


@lru_cache
def preprocessor() -> Preprocessor:
    """Preprocessing on the grid of a MaStar emulator."""
    return Preprocessor()


def known() -> torch.Tensor:
    """Every pixel of the grid."""
    return torch.ones(len(preprocessor().wave), dtype=torch.bool)

"""Damaged files of libraries and of other surveys, through their readers and what follows them."""

import argparse
import contextlib
import gzip
import io
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from damage import KILOBYTES, SECONDS, Case, count_cases, peak
from fault_layouts import LAYOUTS, Files, Layout, sound
from torchfit.exceptions import SpectrumError, TorchfitError, UnexpectedError
from torchfit.library.build import build_library
from torchfit.library.cuts import LabelBox
from torchfit.mock.damage import BYTE_DAMAGE, FITS_DAMAGE, Damage, damage
from torchfit.mock.table_faults import TEXT_DAMAGE
from torchfit.preprocess.compose import Preprocessor
from torchfit.report.rows import Row
from torchfit.survey.piece import Piece, PieceWriter, pack_piece, rejects_path, shard_path
from torchfit.survey.shards import Shard
from torchfit.surveys.reader import SurveyReader

LEAST = 0.02
"""Share of the pixels that a spectrum must have: the made ones are short."""
CUTS = LabelBox(
    ("teff", "logg", "fe_h"), {"teff": (2500.0, 5e4), "logg": (-1.0, 7.0), "fe_h": (-5.0, 2.0)}
)
PACKED = 0.2
"""Share of gzipped files whose stream is damaged, and not what is packed in it."""


def campaign(arguments: argparse.Namespace) -> list[Row]:
    """Read damaged files and count what becomes of them, by layout and by kind of damage."""
    return count_cases(read_cases, arguments, "files of other readers", "layout")


def read_cases(first: int, count: int, seed: int, keep: str | None) -> list[Case]:
    """Damage some files, give each to its reader, and say what became of it."""
    logging.disable(logging.WARNING)
    return [read_case(number, seed, keep) for number in range(first, first + count)]


def read_case(number: int, seed: int, keep: str | None) -> Case:
    """Damage one file among the sound ones of its layout."""
    name = list(LAYOUTS)[number % len(LAYOUTS)]
    layout, rng = LAYOUTS[name], np.random.default_rng((seed, number))
    whole = sound(name)
    struck = [path for path in whole if path.endswith(layout.struck)]
    path = struck[int(rng.integers(len(struck)))]
    spoilt, kind = spoil(whole[path], rng)
    happened = outcome(layout, whole | {path: spoilt}, path)
    if keep and "other" in happened:
        place = Path(keep) / f"{name.replace(' ', '_')}-{number}"
        place.mkdir(parents=True, exist_ok=True)
        layout.write(place, whole | {path: spoilt})
    return name, kind, happened


def spoil(raw: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """Damage a file in a way that fits what it is."""
    if raw.startswith(b"\x1f\x8b") and rng.random() > PACKED:
        spoilt, kind = spoil(gzip.decompress(raw), rng)
        return gzip.compress(spoilt, 1, mtime=0), kind
    return damage(raw, damage_to(raw), rng)


def damage_to(raw: bytes) -> dict[str, Damage]:
    """The ways to damage a file."""
    if raw.startswith(b"SIMPLE"):
        return FITS_DAMAGE
    return BYTE_DAMAGE if raw[:4] in (b"PAR1", b"PK\x03\x04") or raw[:1] == b"\x1f" else TEXT_DAMAGE


def outcome(layout: Layout, content: Files, struck: str) -> list[str]:
    """What became of files of which one was struck, the time that took and the memory."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        layout.write(root, content)
        start, before = time.perf_counter(), peak()
        happened, slow = judged(layout, root, struck), []
        if time.perf_counter() - start > SECONDS:
            # It may have been the machine that others use too: the processor's time decides.
            begin = time.process_time()
            judged(layout, root, struck)
            slow = ["slower than 5 s"] if time.process_time() - begin > SECONDS else []
        return [happened, *slow, *(["over 1 GB"] if peak() > max(before, KILOBYTES) else [])]


def judged(layout: Layout, root: Path, struck: str) -> str:
    """Read, or rejected in one line that names file, folder or library, or anything else."""
    names = (Path(struck).name, str(root), layout.reader(root).name)
    use = read_library if layout.is_library else read_survey
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            return use(layout.reader(root), root)
    except TorchfitError as error:
        line = str(error)
        if "\n" not in line and any(name in line for name in names):
            return "rejected"
        print(f"{struck}: {type(error).__name__} names nothing: {error}", file=sys.stderr)
    except Exception as error:
        print(f"{struck}: {type(error).__name__}: {error}", file=sys.stderr)
    return "other"


def read_library(reader: SurveyReader, root: Path) -> str:
    """Build a library; a template that no training survives is an error."""
    unread = [
        each for _, each in reader.spectra(reader.sources()) if isinstance(each, SpectrumError)
    ]
    for error in unread:
        if isinstance(error, UnexpectedError) or "\n" in str(error):
            raise AssertionError(str(error))
    library = build_library(reader, preprocessor(), CUTS, LEAST)
    sane = library.spectra.is_finite.all() and library.labels.isfinite().all()
    if not (sane and library.lsf_fwhm.isfinite().all() and (library.lsf_fwhm > 0).all()):
        raise AssertionError("the library holds what is no number")
    return "rejected" if unread else "read"


def read_survey(reader: SurveyReader, root: Path) -> str:
    """Pack a survey; every spectrum is a star or a reject."""
    sources = reader.sources()
    writer = PieceWriter(
        root / "shards",
        preprocessor(),
        known(),
        (),
        LEAST,
        torch.full((len(known()),), 2.5).double(),
    )
    pack_piece(writer, reader, Piece(0, 0, sources))
    lines = rejects_path(writer.folder, 0).read_text(encoding="utf-8").splitlines()
    rejects = [json.loads(line) for line in lines]
    found = Counter(row["source"] for row in rejects)
    if unexpected := [row["reason"] for row in rejects if row["unexpected"]]:
        raise AssertionError("; ".join(unexpected))
    path = shard_path(writer.folder, 0)
    if path.exists():
        shard = Shard(path)
        found.update(shard.info()["source"])
        if not shard.spectra(preprocessor().wave, range(len(shard))).is_usable.all():
            raise AssertionError("a star in the shard cannot be measured")
    if found != Counter(sources):
        raise AssertionError(f"of {len(sources)} spectra {found.total()} are accounted for")
    return "rejected" if rejects else "read"


@lru_cache
def preprocessor() -> Preprocessor:
    """The default preprocessing."""
    return Preprocessor()


@lru_cache
def known() -> torch.Tensor:
    """Every pixel of the grid."""
    return torch.ones(len(preprocessor().wave), dtype=torch.bool)

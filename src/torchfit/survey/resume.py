"""What an interrupted run has left: what cannot be used, or is of other files, is made again."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from torchfit.files.atomic import atomic, remove, remove_remnants
from torchfit.survey.match import start_path
from torchfit.survey.piece import rejects_path, shard_path
from torchfit.survey.shards import Shard
from torchfit.surveys.reader import SurveyReader

T = TypeVar("T")
logger = logging.getLogger(__name__)

_DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, pa.ArrowException)
"""What reading a damaged file of the work raises."""


def prepare_work(work: Path, reader: SurveyReader, shard_size: int) -> None:
    """Remove work that is damaged, or that was made from files which have changed since.

    Nothing depends on a file that is removed later than it: an interruption here is harmless.

    Args:
        work: Folder of the work, with ``shards``, ``joint``, ``start``, ``noise`` and ``parts``;
            may be missing.
        reader: The survey.
        shard_size: Number of sources that a shard is made of.

    Raises:
        OutputError: If the folder cannot be written.
    """
    sources = reader.sources()
    pieces = [sources[first : first + shard_size] for first in range(0, len(sources), shard_size)]
    _drop_outdated(work, [_stamp(reader, piece) for piece in pieces])
    for number, piece in enumerate(pieces):
        _drop_damaged_piece(work, number, len(piece))
    for stage in ("shards", "joint", "start", "noise", "parts"):
        remove_remnants(work / stage)
    for path in sorted((work / "joint").glob("joint-*")):
        n_stars, start = _check(path, _n_stars, path), start_path(work / "start", path)
        if n_stars is not None and start.exists():
            _check(start, _demand_rows, start, n_stars)
    for path in sorted((work / "noise").glob("noise-*")):
        _check(path, np.load, path)
    for path in sorted((work / "parts").glob("part-*")):
        _check(path, pq.read_metadata, path)


def _stamp(reader: SurveyReader, sources: Sequence[str]) -> str:
    """Hash of the sizes and times of the files of some sources."""
    digest = hashlib.sha256()
    for source in sources:
        path = reader.file_of(source)
        digest.update(f"{'' if path is None else file_stamp(path)}\n".encode())
    return digest.hexdigest()


def file_stamp(path: Path) -> str:
    """Size and time of the last change of a file, which another content has not.

    Args:
        path: The file.

    Returns:
        A text; the same for every file that is not there.
    """
    with suppress(OSError):
        found = path.stat()
        return f"{found.st_size} {found.st_mtime_ns}"
    return "missing"


def _drop_outdated(work: Path, stamps: list[str]) -> None:
    """Remove what was made from files that were others then."""
    path = work / "stamps.json"
    known = _read_stamps(path, len(stamps))
    changed = [n for n, pair in enumerate(zip(known, stamps, strict=True)) if pair[0] != pair[1]]
    packed = [n for n in changed if rejects_path(work / "shards", n).exists()]
    if packed:
        logger.warning(
            "files of %d of %d shards have changed since the run was interrupted: these are read "
            "again, and the fits start again", len(packed), len(stamps),
        )  # fmt: skip
        for stage in ("products", "parts", "noise", "joint"):
            remove(work / stage)
        for start in (work / "start").glob("joint-*"):
            remove(start)
    for number in packed:
        for made in _made_of_piece(work, number):
            remove(made)
    if changed:
        with atomic(path) as temp:
            temp.write_text(json.dumps(stamps), encoding="utf-8")


def _read_stamps(path: Path, n_pieces: int) -> list[str]:
    with suppress(OSError, ValueError):
        stamps = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(stamps, list) and len(stamps) == n_pieces:
            return stamps
    return [""] * n_pieces


def _made_of_piece(work: Path, number: int) -> Iterator[Path]:
    """Files made of a piece, what depends on others first; the rejects say that it is packed."""
    shards = work / "shards"
    yield start_path(work / "start", shard_path(shards, number))
    yield rejects_path(shards, number)
    yield shard_path(shards, number)


def _drop_damaged_piece(work: Path, number: int, n_sources: int) -> None:
    """Remove shard and rejects if they are not those of all sources, and start labels if damaged.

    Start labels stay when a shard is made again: it becomes what it was.
    """
    start, rejects, shard = _made_of_piece(work, number)
    if not rejects.exists():
        return
    n_rejects = _check(rejects, _n_rejects, rejects)
    n_stars = _check(shard, _n_stars, shard) if shard.exists() else 0
    if None not in (n_rejects, n_stars):
        _check(rejects, _demand_all, n_rejects, n_stars, n_sources)
    if not rejects.exists() or n_stars is None:
        remove(rejects)
        remove(shard)
    elif start.exists():
        _check(start, _demand_rows, start, n_stars)


def _n_rejects(path: Path) -> int:
    return len([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])


def _n_stars(path: Path) -> int:
    return len(Shard(path))


def _demand_all(n_rejects: int, n_stars: int, n_sources: int) -> None:
    if n_rejects + n_stars != n_sources:
        raise ValueError(f"{n_stars} stars and {n_rejects} rejects of {n_sources} sources")


def _demand_rows(path: Path, n_stars: int) -> None:
    shape = np.load(path, mmap_mode="r").shape
    if len(shape) != 2 or shape[0] != n_stars:
        raise ValueError(f"shape {shape} for {n_stars} stars")


def _check(path: Path, read: Callable[..., T], *arguments: object) -> T | None:
    """Read a file of the work; remove it, and report, if that fails."""
    try:
        return read(*arguments)
    except _DAMAGED as error:
        logger.warning("%s is damaged (%s): it is made again", path, " ".join(str(error).split()))
        remove(path)
        return None

"""One folder, one run at a time, and nothing in it is lost that torchfit has not written."""

import json
import logging
import os
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from torchfit.exceptions import OutputError
from torchfit.files.atomic import atomic, free_name

logger = logging.getLogger(__name__)

LOCK, WRITTEN = ".torchfit.lock", ".torchfit.json"
"""Files of a results folder: who works there, and the names of what torchfit has written."""


@contextmanager
def sole_run(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; the lock ends with this process, however that ends.

    Args:
        folder: Folder of the results, made when missing.

    Yields:
        Nothing.

    Raises:
        OutputError: If another run works there, or the folder cannot be written.
    """
    path = folder / LOCK
    lock = FileLock(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise OutputError(
            f"another run works in {folder} ({_text(path)}); wait until it has ended, or choose "
            "another folder with hydra.run.dir=FOLDER"
        ) from error
    except OSError as error:
        raise OutputError(
            f"cannot write into {folder} ({error.strerror or error}); choose another folder with "
            "hydra.run.dir=FOLDER"
        ) from error
    try:
        with suppress(OSError):
            path.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        lock.release()


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Wait until no other process fetches a file; the lock ends with its owner.

    Args:
        path: The file; the lock lies beside it.

    Yields:
        Nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"torchfit: another process fetches {path.name}: waiting", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        with suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8") or "just started"
    return "of another user"


def written_by_torchfit(folder: Path) -> set[str]:
    """Names of the files and folders of a results folder that torchfit has written.

    Args:
        folder: Folder of the results.

    Returns:
        The names; none where the list is missing or damaged.
    """
    with suppress(OSError, ValueError, TypeError):
        return set(map(str, json.loads((folder / WRITTEN).read_text(encoding="utf-8"))))
    return set()


def make_way(folder: Path, names: Iterable[str]) -> None:
    """Move aside what stands where results will be and is not torchfit's, and note the names.

    Args:
        folder: Folder of the results.
        names: Names of the files and folders that will be written into it.

    Raises:
        OutputError: If the folder cannot be written.
    """
    ours, names = written_by_torchfit(folder), sorted(names)
    try:
        for path in (folder / name for name in names):
            if path.name not in ours and (path.exists() or path.is_symlink()):
                kept = free_name(path)
                path.rename(kept)
                logger.warning("%s is not of torchfit: it is kept as %s", path, kept)
    except OSError as error:
        raise OutputError(f"cannot move {path} aside ({error.strerror or error})") from error
    if not ours >= set(names):
        with atomic(folder / WRITTEN) as temp:
            temp.write_text(json.dumps(sorted(ours | set(names))) + "\n", encoding="utf-8")

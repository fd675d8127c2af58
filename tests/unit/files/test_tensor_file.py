import pytest
import torch

from torchfit.exceptions import ConfigError, DataError
from torchfit.files.tensor_file import read_tensors, write_tensors

TENSORS = {"a.b": torch.arange(6).reshape(2, 3).T, "flag": torch.tensor(True)}


def test_tensors_come_back(tmp_path):
    write_tensors(tmp_path / "x.safetensors", TENSORS)
    found = read_tensors(tmp_path / "x.safetensors")
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())


def test_tensors_lie_as_those_that_torch_allocates(tmp_path):
    """Matrix products of the same numbers differ in their last bits where they lie elsewhere."""
    many = {f"{n}": torch.arange(n) for n in range(1, 20)}
    write_tensors(tmp_path / "x.safetensors", many)
    assert all(t.data_ptr() % 64 == 0 for t in read_tensors(tmp_path / "x.safetensors").values())


def test_the_same_tensors_are_the_same_bytes(tmp_path):
    for name in "xy":
        write_tensors(tmp_path / name, TENSORS)
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        read_tensors(tmp_path / "nowhere")


def test_a_damaged_file(tmp_path):
    (tmp_path / "x").write_bytes(b"no tensors")
    with pytest.raises(DataError, match="cannot be read"):
        read_tensors(tmp_path / "x")

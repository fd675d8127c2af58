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

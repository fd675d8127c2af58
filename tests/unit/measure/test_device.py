from dataclasses import dataclass, field, replace

import pytest
import torch

from torchfit.measure.device import to_device

META, CPU = torch.device("meta"), torch.device("cpu")


@dataclass(frozen=True)
class Inner:
    values: torch.Tensor
    name: str = "inner"


@dataclass(frozen=True)
class Outer:
    inner: Inner
    mask: torch.Tensor
    module: torch.nn.Module
    number: float = 3.0
    table: dict = field(default_factory=dict)


@pytest.fixture
def outer():
    return Outer(Inner(torch.arange(3.0)), torch.tensor([True]), torch.nn.Linear(2, 2))


def test_every_tensor_is_moved_however_deep(outer):
    moved = to_device(outer, META)
    assert moved.inner.values.device == moved.mask.device == META
    assert moved.module.weight.device == META
    assert (moved.number, moved.inner.name, moved.table) == (3.0, "inner", {})


def test_the_original_stays_whole(outer):
    to_device(outer, META)
    assert outer.inner.values.device == CPU
    assert outer.module.weight.device == CPU


def test_what_is_there_already_is_shared(outer):
    assert to_device(outer, CPU).module is outer.module
    assert to_device(outer, CPU).inner.values is outer.inner.values


@pytest.mark.parametrize("value", [3, "text", None, [1, 2], Inner])
def test_anything_else_is_returned_as_it_is(value):
    assert to_device(value, META) is value


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_an_emulator_gives_the_same_flux_on_the_gpu(emulator, draw_labels):
    labels, cuda = draw_labels(5, 3), torch.device("cuda")
    expected = emulator.flux(labels)
    moved = to_device(replace(emulator), cuda)
    try:
        flux = moved.flux(labels.to(cuda))
        assert flux.device.type == "cuda"
        torch.testing.assert_close(flux.cpu(), expected)
    finally:
        to_device(moved, CPU)

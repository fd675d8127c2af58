import pickle
from multiprocessing.reduction import ForkingPickler

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import Parameter

import torchfit.survey.processes  # noqa: F401 how tensors go to processes

TENSORS = [
    torch.arange(6.0).reshape(2, 3).mT,
    torch.tensor(3.5, dtype=torch.float64),
    torch.zeros(0, 4),
    torch.tensor([True, False]),
    torch.arange(10)[::3],
    torch.ones(2, requires_grad=True),
    Parameter(torch.ones(2)),
    Parameter(torch.ones(2), requires_grad=False),
]


@pytest.mark.parametrize("tensor", TENSORS)
def test_a_tensor_goes_to_another_process_as_bytes(tensor, monkeypatch):
    def shared(*arguments):
        raise AssertionError("takes shared memory")

    monkeypatch.setattr(torch.UntypedStorage, "_share_fd_cpu_", shared)
    monkeypatch.setattr(torch.UntypedStorage, "_share_filename_cpu_", shared)
    sent = pickle.loads(ForkingPickler.dumps(tensor))
    assert type(sent) is type(tensor)
    assert torch.equal(sent, tensor)
    assert (sent.dtype, sent.requires_grad) == (tensor.dtype, tensor.requires_grad)
    assert sent.data_ptr() % 64 == 0
    if tensor.dim() == 2 and len(tensor):
        assert sent.stride() == tensor.stride()
    with torch.no_grad():
        sent.fill_(0)


@given(st.lists(st.integers(0, 3), max_size=4), st.sampled_from([torch.float32, torch.int16]))
def test_a_tensor_of_any_shape_does(shape, dtype):
    tensor = torch.arange(torch.Size(shape).numel()).reshape(shape).to(dtype)
    sent = pickle.loads(ForkingPickler.dumps(tensor))
    assert sent.dtype == dtype
    assert torch.equal(sent, tensor)

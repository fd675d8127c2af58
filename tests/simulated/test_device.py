"""The simulated device raises where an accelerator would, and nowhere else."""

import copy

import pytest
import torch
from tests.simulated.device import SimTensor
from tests.simulated.traffic import counted

MADE = {
    "zeros": lambda device: torch.zeros(3, device=device),
    "tensor": lambda device: torch.tensor([1.0, 2.0], device=device),
    "moved": lambda device: torch.ones(3).to(device),
    "arange": lambda device: torch.arange(1, 5, device=device),
    "eye": lambda device: torch.eye(3, 4, device=device),
    "like": lambda device: torch.zeros_like(torch.ones(2, device=device)),
    "new": lambda device: torch.ones(3, device=device).new_full((2, 2), 7.0),
    "view": lambda device: torch.ones(1, 3, device=device).squeeze_().unsqueeze_(1),
    "cholesky": lambda device: torch.linalg.cholesky(2 * torch.eye(3, device=device)),
    "chosen": lambda device: torch.arange(4, device=device)[torch.tensor([2, 0])],
    "scaled": lambda device: torch.ones(3, device=device) * torch.tensor(2.0),
}
MIXED = {
    "sum": lambda sim: sim + torch.ones(3),
    "number of the device": lambda sim: torch.ones(3) + sim.sum(),
    "other device": lambda sim: sim + torch.ones(3, device="sim:1"),
    "stack": lambda sim: torch.stack([sim.sum(), torch.tensor(1.0)]),
    "index": lambda sim: torch.ones(3)[sim.long()],
    "value": lambda sim: sim.index_copy_(0, torch.tensor([0]), sim[:1]),
    "product": lambda sim: torch.ones(3, 3) @ sim,
    "random": lambda sim: torch.rand(3, generator=torch.Generator(), device=sim.device),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
@pytest.mark.parametrize("device", ["sim:0", "sim:1"])
def test_a_tensor_is_the_cpus_on_its_device(make, device):
    found, expected = make(device), make("cpu")
    assert isinstance(found, SimTensor)
    assert found.device == torch.device(device)
    assert found.shape == expected.shape
    assert torch.equal(found.cpu(), expected)


@pytest.mark.parametrize("mix", MIXED.values(), ids=MIXED)
def test_devices_do_not_mix(mix):
    with pytest.raises(RuntimeError, match=r"expected|should be"):
        mix(torch.ones(3, device="sim"))


def test_numpy_asks_for_a_copy_on_the_cpu():
    with pytest.raises(TypeError, match="cpu"):
        torch.ones(3, device="sim").numpy()
    assert torch.ones(3, device="sim").tolist() == [1.0, 1.0, 1.0]


def test_what_is_changed_in_place_is_changed_in_its_views():
    whole = torch.zeros(2, 3, device="sim")
    part = whole[:, 1:]
    part.add_(1)[:, 0] = 5
    assert whole.tolist() == [[0, 5, 1], [0, 5, 1]]


def test_derivatives():
    x = torch.arange(3.0, device="sim:1").requires_grad_()
    x.square().sum().backward()
    assert x.grad.tolist() == [0, 2, 4]
    assert x.grad.device == x.device


def test_modules_move_and_are_copied():
    module = torch.nn.Linear(2, 2).to("sim")
    assert module.weight.device.type == copy.deepcopy(module).weight.device.type == "sim"
    assert module.cpu().weight.device.type == "cpu"


@pytest.mark.parametrize(
    ("compute", "waits"),
    [
        (lambda sim: sim + 1, 0),
        (lambda sim: torch.where(sim > 0, sim, 0.0).sum(dim=0), 0),
        (lambda sim: sim.masked_fill(sim > 0, 2.0), 0),
        (lambda sim: sim.sum().item(), 1),
        (lambda sim: sim.tolist(), 1),
        (lambda sim: sim.cpu(), 1),
        (lambda sim: sim[sim > 0], 1),
        (lambda sim: (sim > 0).nonzero(), 1),
        (lambda sim: sim.unique(), 1),
        (lambda sim: bool((sim > 0).any()), 1),
    ],
)
def test_what_the_processor_waits_for_is_counted(compute, waits):
    sim = torch.ones(3, device="sim")
    with counted() as traffic:
        compute(sim)
    assert traffic.waits == waits
    assert traffic["to device"] == 0

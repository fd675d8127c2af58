import pytest
import torch

from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel
from torchfit.emulator.module import EmulatorModule


@pytest.fixture
def data(generator):
    x = torch.randn(20, 2, generator=generator).double()
    return [x, torch.stack([x[:, 0].sin(), x[:, 1].cos(), x[:, 0]], dim=1)]


def test_the_loss_is_nats_per_number(data, assert_close, monkeypatch):
    gp = SharedKernelGP(build_kernel(2, linear=False))
    module = EmulatorModule(gp, lr=0.1)
    logged = {}
    monkeypatch.setattr(module, "log", lambda name, value: logged.update({name: value}))
    loss = module.training_step(data, 0)
    expected = -gp.log_marginal_likelihood(*data) / 60
    assert_close(loss.detach(), expected.detach())
    assert logged["nll"] is loss


def test_only_free_hyperparameters_are_optimised():
    gp = SharedKernelGP(build_kernel(2, linear=False, lengthscale=1.0), 0.1)
    module = EmulatorModule(gp, lr=0.3)
    optimiser = module.configure_optimizers()
    (group,) = optimiser.param_groups
    assert group["params"] == [module.gp.kernel.raw_outputscale]
    assert group["lr"] == 0.3


def test_the_gradient_is_that_of_finite_differences(data):
    gp = SharedKernelGP(build_kernel(2, linear=True))
    module = EmulatorModule(gp, lr=0.1)
    module.log = lambda *_: None
    module.training_step(data, 0).backward()
    for parameter in gp.parameters():
        flat, slope, step = parameter.data.view(-1), parameter.grad.view(-1), 1e-6
        for place in range(len(flat)):
            values = []
            for sign in (1, -1):
                flat[place] += sign * step
                values.append(module.training_step(data, 0).item())
                flat[place] -= sign * step
            torch.testing.assert_close(
                slope[place].item(), (values[0] - values[1]) / (2 * step), rtol=1e-5, atol=1e-7
            )

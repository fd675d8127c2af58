import pytest
import torch

from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel

shapes = pytest.mark.parametrize("shape", ["rbf", "matern52"])


@pytest.fixture
def gp(shape, generator):
    gp = SharedKernelGP(build_kernel(3, shape, True, True, 0.8, 1.7), 0.1)
    gp.condition(*(torch.randn(12, n, generator=generator).double() for n in (3, 4)))
    return gp


@shapes
def test_mean_is_the_kernel_times_the_weights(gp, generator, assert_close):
    x = torch.randn(5, 3, generator=generator).double()
    expected = sum(kernel(x, gp.x_train).to_dense() for kernel in gp.kernel.kernels) @ gp.alpha
    assert_close(gp.predictor.mean(x), expected.detach())


@shapes
def test_mean_comes_with_its_derivative(gp, generator, assert_close):
    x = torch.randn(5, 3, generator=generator).double()
    mean, jacobian, _, _ = gp.predictor.derivatives(x)
    assert_close(mean, gp.predictor.mean(x))
    assert jacobian.shape == (5, 3, 4)


@shapes
def test_it_is_made_once_and_anew_after_conditioning(gp, generator):
    first = gp.predictor
    assert gp.predictor is first
    gp.condition(gp.x_train, torch.randn(12, 4, generator=generator).double())
    assert gp.predictor is not first


@shapes
def test_single_precision_is_near(gp, generator):
    x = torch.randn(50, 3, generator=generator).double()
    single = gp.predictor.to(torch.float32)
    assert single.dtype == torch.float32
    exact, rough = gp.predictor.derivatives(x), single.derivatives(x.float())
    for one, other in zip(exact, rough, strict=True):
        assert (one - other).abs().max() < 1e-5 * one.abs().max()

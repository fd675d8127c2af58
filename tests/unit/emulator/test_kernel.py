import inspect

import pytest
import torch
from gpytorch.kernels import AdditiveKernel, MaternKernel, RBFKernel

from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import (
    build_kernel,
    hyperparameters,
    linear_part,
    radial_part,
)
from torchfit.exceptions import ConfigError

shapes = pytest.mark.parametrize("shape", ["rbf", "matern52"])
both = pytest.mark.parametrize("linear", [False, True])


@shapes
@both
@pytest.mark.parametrize(("lengthscale", "outputscale"), [(0.5, 3.0), (1.5, 2.1), (40.0, 0.01)])
def test_values_arrive_exactly(shape, linear, lengthscale, outputscale):
    """GPyTorch swallows a hyperparameter given to a constructor."""
    kernel = build_kernel(3, shape, True, linear, lengthscale, outputscale)
    radial = radial_part(kernel)
    torch.testing.assert_close(
        radial.base_kernel.lengthscale, torch.full((1, 3), lengthscale, dtype=torch.float64)
    )
    assert radial.outputscale.item() == pytest.approx(outputscale, rel=1e-12)


@shapes
def test_the_swept_length_scale_changes_the_covariance(shape):
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    near, far = (build_kernel(2, shape, lengthscale=s)(x).to_dense()[0, 1] for s in (0.5, 2.0))
    assert near < 0.5 < far


@shapes
@both
def test_given_values_are_frozen_and_others_free(shape, linear):
    kernel = build_kernel(3, shape, True, linear, lengthscale=0.7)
    radial = radial_part(kernel)
    assert not radial.base_kernel.raw_lengthscale.requires_grad
    assert radial.raw_outputscale.requires_grad
    kernel = build_kernel(3, shape, True, linear, outputscale=0.7)
    radial = radial_part(kernel)
    assert radial.base_kernel.raw_lengthscale.requires_grad
    assert not radial.raw_outputscale.requires_grad
    if linear:
        assert linear_part(kernel).raw_variance.requires_grad


@both
@pytest.mark.parametrize("ard", [False, True])
def test_one_length_scale_for_all_or_one_for_each(ard, linear):
    kernel = build_kernel(4, "rbf", ard, linear)
    assert radial_part(kernel).base_kernel.lengthscale.shape == (1, 4 if ard else 1)


def test_the_shape_is_the_one_asked_for():
    assert isinstance(build_kernel(3, "rbf", linear=False).base_kernel, RBFKernel)
    matern = build_kernel(3, "matern52", linear=False).base_kernel
    assert isinstance(matern, MaternKernel)
    assert matern.nu == 2.5
    assert isinstance(build_kernel(3, linear=True), AdditiveKernel)
    assert linear_part(build_kernel(3, linear=False)) is None


@shapes
@both
def test_everything_is_float64(shape, linear):
    kernel = build_kernel(3, shape, True, linear, lengthscale=0.3)
    assert {parameter.dtype for parameter in kernel.parameters()} == {torch.float64}


@pytest.mark.parametrize("name", ["lengthscale", "outputscale"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_value_that_is_not_positive_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"kernel.{name}={value}"):
        build_kernel(3, **{name: value})


def test_an_unknown_shape_is_refused():
    """By its own words in production, where nothing checks the annotation."""
    with pytest.raises(ConfigError, match=r"kernel.shape=periodic"):
        inspect.unwrap(build_kernel)(3, "periodic")


@both
def test_hyperparameters_are_listed_by_name(linear):
    kernel = build_kernel(3, "rbf", True, linear, 0.5, 2.0)
    gp = SharedKernelGP(kernel, 0.1)
    found = hyperparameters(kernel, gp.likelihood)
    assert found["lengthscale"] == pytest.approx([0.5] * 3)
    assert found["outputscale"] == pytest.approx([2.0])
    assert found["noise"] == pytest.approx([0.1])
    assert ("slope" in found) == linear

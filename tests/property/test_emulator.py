import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies import finite_junk, seeds, with_junk

from torchfit.emulator.flux_pca import fit_flux_pca
from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel
from torchfit.emulator.local_covariance import fit_local_covariance, robust_covariance


@settings(max_examples=10)
@given(finite_junk)
def test_a_bad_pixel_has_no_say_in_the_components(masked_library, value):
    first = fit_flux_pca(masked_library.spectra, 0.99, n_iterations=2)
    second = fit_flux_pca(with_junk(masked_library.spectra, value), 0.99, n_iterations=2)
    for name in ("mean", "basis", "good"):
        assert torch.equal(getattr(first, name), getattr(second, name))


@settings(max_examples=25)
@given(finite_junk, st.sampled_from([0.1, 0.7, 1.0]), seeds)
def test_a_bad_pixel_has_no_say_in_the_projection(
    masked_emulator, observe, draw_labels, value, share, seed
):
    spectra = observe(draw_labels(3, 1), 0.01, seed=seed, masked=share)
    changed, pca = with_junk(spectra, value), masked_emulator.flux_pca
    assert torch.equal(pca.project(changed), pca.project(spectra))
    assert torch.equal(pca.residual(changed), pca.residual(spectra))
    truncation = masked_emulator.truncation.at(draw_labels(3, 1)[:, 0])
    noise = pca.excess_noise(spectra, truncation)
    assert torch.equal(pca.excess_noise(changed, truncation), noise)


@settings(max_examples=25)
@given(finite_junk)
def test_a_bad_pixel_has_no_say_at_lower_resolution(masked_emulator, value):
    """Nor in the templates, which are convolved over good pixels only."""
    from dataclasses import replace

    library = masked_emulator.library
    dirty = replace(
        masked_emulator, library=replace(library, spectra=with_junk(library.spectra, value))
    )
    one, other = (
        e.at_resolution(torch.full_like(e.wave, 5.0)).library.spectra
        for e in (masked_emulator, dirty)
    )
    assert torch.equal(one.flux, other.flux)


@settings(max_examples=40)
@given(seeds, st.sampled_from(["rbf", "matern52"]), st.booleans(), st.booleans())
def test_the_order_of_templates_does_not_matter(seed, shape, ard, linear):
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(15, 2, generator=generator).double(), torch.randn(15, 3).double()
    x_new, order = torch.randn(4, 2).double(), torch.randperm(15, generator=generator)
    one, other = (
        SharedKernelGP(build_kernel(2, shape, ard, linear, 1.1, 1.3), 0.1) for _ in range(2)
    )
    residual = one.condition(x, y)
    torch.testing.assert_close(other.condition(x[order], y[order]), residual[order])
    torch.testing.assert_close(other.mean(x_new), one.mean(x_new))
    torch.testing.assert_close(other.variance(x_new), one.variance(x_new))


@settings(max_examples=40)
@given(seeds, st.sampled_from(["rbf", "matern52"]), st.booleans())
def test_a_star_alone_is_as_in_a_batch(seed, shape, linear):
    generator = torch.Generator().manual_seed(seed)
    gp = SharedKernelGP(build_kernel(2, shape, True, linear, 1.1, 1.3), 0.1)
    gp.condition(*(torch.randn(15, n, generator=generator).double() for n in (2, 3)))
    x = torch.randn(5, 2, generator=generator).double()
    mean, jacobian, _, _ = gp.predictor.derivatives(x)
    for star in range(5):
        alone = gp.predictor.derivatives(x[star : star + 1])
        torch.testing.assert_close(alone[0][0], mean[star])
        torch.testing.assert_close(alone[1][0], jacobian[star])


@settings(max_examples=40)
@given(seeds, st.integers(1, 5), st.floats(0.01, 100.0))
def test_a_covariance_scales_with_its_residuals(seed, dim, scale):
    generator = torch.Generator().manual_seed(seed)
    residual = torch.randn(30, dim, generator=generator).double()
    weight = torch.rand(30, generator=generator).double()
    one = robust_covariance(residual, weight)
    assert (torch.linalg.eigvalsh(one) > 0).all()
    torch.testing.assert_close(one, one.mT)
    other = robust_covariance(scale * residual, weight)
    torch.testing.assert_close(other, scale**2 * one, rtol=1e-6, atol=1e-8)


@settings(max_examples=20)
@given(seeds, st.floats(1000.0, 60000.0))
def test_a_local_covariance_is_positive_at_any_temperature(seed, teff):
    generator = torch.Generator().manual_seed(seed)
    temperatures = 3500 + 4000 * torch.rand(20, generator=generator).double()
    residual = torch.randn(20, 3, generator=generator).double()
    local = fit_local_covariance(temperatures, residual, n_nodes=5)
    found = local.at(torch.tensor([teff]).double())
    assert (torch.linalg.eigvalsh(found) > 0).all()

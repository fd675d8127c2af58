from dataclasses import replace

import pytest
import torch

from torchfit.likelihood.noise import NodeNoise, NoiseShape, nearest_node

N_PIX = 400
TRUE = torch.linspace(-1, 1, N_PIX).double()


@pytest.fixture
def nodes():
    return torch.tensor([4000.0, 5000.0, 6250.0]).double().log10()


@pytest.fixture
def survey(observe, draw_labels):
    """``survey(n, levels)``: stars of the noise of ``TRUE`` at levels of ln variance."""

    def make(n, level, shape=TRUE):
        spectra = observe(draw_labels(n, 1), 0.01, masked=0.05, seed=n)
        level = torch.as_tensor(level).double().expand(n)
        ivar = torch.where(spectra.good, (-shape - level[:, None]).exp(), 0.0)
        return replace(spectra, ivar=ivar)

    return make


def joined(one, other):
    columns = [torch.cat([getattr(each, n) for each in (one, other)]) for n in ("flux", "ivar")]
    return replace(
        one, flux=columns[0], ivar=columns[1], has_ivar=torch.ones(len(columns[0])).bool()
    )


def slope(log_variance):
    """Of a shape along the pixels, that of ``TRUE`` being 1."""
    return (log_variance @ (TRUE - TRUE.mean())) / (TRUE - TRUE.mean()).square().sum()


def test_flat_without_a_star(nodes):
    shape = NoiseShape.of(nodes, 7, {})
    assert (shape.log_variance == 0).all()
    assert (shape.n_stars == 0).all()


def test_the_shape_is_found_whatever_the_level(survey):
    noise = NodeNoise.of(survey(12, torch.linspace(-9, -3, 12)))
    assert noise.n_stars[0] == 0  # S/N of 500: three steps from the least noisy
    assert (noise.n_stars >= 1).sum() >= 6
    # The mean over 380 of 400 pixels moves by less than a tenth.
    torch.testing.assert_close(
        noise.log_variance, TRUE.expand_as(noise.log_variance), rtol=0, atol=0.1
    )


def test_a_few_odd_stars_do_not_move_it(survey):
    alone = NodeNoise.of(survey(30, -7.0))
    among = NodeNoise.of(joined(survey(30, -7.0), survey(10, -7.0, -3 * TRUE)))
    assert (among.log_variance - alone.log_variance).abs().max() < 0.1


def test_the_order_of_the_stars_does_not_matter(survey):
    spectra = survey(30, torch.linspace(-9, -3, 30))
    mixed = spectra[torch.randperm(30, generator=torch.Generator().manual_seed(1))]
    assert torch.equal(NodeNoise.of(spectra).log_variance, NodeNoise.of(mixed).log_variance)


def test_faint_stars_have_a_shape_of_their_own(survey, nodes):
    noise = NodeNoise.of(joined(survey(200, -9.0), survey(200, -3.0, -TRUE)))
    shape = NoiseShape.of(nodes, N_PIX, {1: noise})
    bright, faint = shape.at(torch.tensor([1, 1]), torch.tensor([-9.0, -3.0]).double())
    assert slope(bright) == pytest.approx(1.0, abs=0.1)
    assert slope(faint) == pytest.approx(-1.0, abs=0.1)


def test_between_two_levels_it_is_linear(nodes):
    log_variance = torch.randn(3, 13, 5, generator=torch.Generator().manual_seed(2)).double()
    shape = NoiseShape(nodes, log_variance, torch.arange(39).reshape(3, 13))
    step = torch.log(torch.tensor(10.0).double()) * 5.4 / 12
    node, lowest = torch.tensor([2, 2, 2]), -12 * step
    found = shape.at(node, torch.stack([lowest + 3 * step, lowest + 3.5 * step, lowest - 1]))
    torch.testing.assert_close(found[0], log_variance[2, 3])
    torch.testing.assert_close(found[1], log_variance[2, 3:5].mean(dim=0))
    torch.testing.assert_close(found[2], log_variance[2, 0])
    levels = torch.stack([lowest + 3.4 * step, lowest - 1, -lowest])
    assert shape.n_like(node, levels).tolist() == [29, 26, 38]


@pytest.mark.parametrize("missing", ["errors", "pixels", "stars"])
def test_a_star_without_errors_or_pixels_does_not_count(survey, missing):
    spectra = survey(3, -7.0)
    none = {
        "errors": replace(spectra, has_ivar=torch.zeros(3).bool()),
        "pixels": replace(spectra, ivar=torch.zeros_like(spectra.ivar)),
        "stars": spectra[:0],
    }[missing]
    noise = NodeNoise.of(none)
    assert (noise.n_stars == 0).all()
    assert (noise.log_variance == 0).all()


def test_masked_pixels_have_no_weight(survey):
    spectra = survey(9, -7.0)
    junk = replace(spectra, flux=torch.where(spectra.good, spectra.flux, torch.nan))
    assert torch.equal(NodeNoise.of(spectra).log_variance, NodeNoise.of(junk).log_variance)


def test_nearest_node(nodes):
    teff = torch.tensor([100.0, 4100.0, 5100.0, 50000.0]).double()
    assert nearest_node(nodes, teff).tolist() == [0, 0, 1, 2]


def test_the_mean_is_that_over_the_counted_pixels(survey, nodes, assert_close):
    noise = NoiseShape.of(nodes, N_PIX, {0: NodeNoise.of(survey(30, -9.0))})
    node, level = torch.tensor([0, 1, 0]), torch.tensor([-9.0, -8.0, -7.0])
    counted = torch.arange(N_PIX) % torch.tensor([[1], [2], [400]]) == 0
    counted[2] = False
    found, shape = noise.mean(node, level, counted), noise.at(node, level)
    expected = [float(row[own].mean()) for row, own in zip(shape[:2], counted, strict=False)]
    assert_close(found, [*expected, 0.0], dtype=torch.float32)

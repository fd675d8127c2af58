import pytest
import torch

from torchfit.velocity.correlation import Correlator

N_PIX = 700
SHIFT = 9


@pytest.fixture(scope="module")
def templates():
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn(4, N_PIX + 8, generator=generator, dtype=torch.float64)
    return noise.unfold(1, 9, 1).mean(dim=2)


@pytest.fixture(scope="module")
def good():
    pixel = torch.arange(N_PIX)
    return ~((pixel > 300) & (pixel < 340))


@pytest.fixture(scope="module")
def correlator(templates, good):
    return Correlator(templates, good, SHIFT)


def moved(template, shift):
    """A spectrum whose pixel p is the template's pixel p - shift."""
    return torch.roll(template, shift, dims=-1)


@pytest.mark.parametrize("shift", [-9, -4, 0, 1, 9])
@pytest.mark.parametrize("number", [0, 3])
def test_the_best_shift_and_template_are_found(correlator, templates, shift, number):
    depth = moved(templates[number], shift)[None] * 0.3
    found = correlator.correlate(depth, torch.ones_like(depth))
    best = int(found.coefficient[0].argmax())
    assert divmod(best, 2 * SHIFT + 1) == (number, shift + SHIFT)
    assert found.coefficient[0].max() == pytest.approx(1, abs=1e-6 if shift == 0 else 0.05)


def test_it_is_pearsons_correlation_of_every_shift(correlator, templates, good):
    generator = torch.Generator().manual_seed(5)
    depth = torch.randn(3, N_PIX, generator=generator, dtype=torch.float64) + 0.4
    weight = torch.rand(3, N_PIX, generator=generator, dtype=torch.float64)
    weight[weight < 0.3] = 0
    found = correlator.correlate(depth, weight)
    for shift in (-SHIFT, -2, 0, 5, SHIFT):
        pixel = torch.arange(N_PIX)
        source = pixel - shift
        inside = (source >= 0) & (source < N_PIX)
        inside = inside & good[source.clamp(0, N_PIX - 1)]
        for star in range(3):
            w = weight[star] * inside
            f = depth[star] - (w * depth[star]).sum() / w.sum()
            for number in range(4):
                t = templates[number, source.clamp(0, N_PIX - 1)]
                t = t - (w * t).sum() / w.sum()
                expected = (w * f * t).sum() / ((w * f * f).sum() * (w * t * t).sum()).sqrt()
                at = shift + SHIFT
                torch.testing.assert_close(found.coefficient[star, number, at], expected)
                torch.testing.assert_close(found.scatter[star, at], (w * f * f).sum())
            assert found.n_good[star, at] == pytest.approx(float((w > 0).sum()))


def test_what_stands_in_a_pixel_without_weight_changes_nothing(correlator, templates):
    depth, weight = templates[:2].clone(), torch.ones(2, N_PIX, dtype=torch.float64)
    weight[:, 50:90] = 0
    first = correlator.correlate(depth, weight).coefficient
    depth[:, 50:90] = 1e3
    torch.testing.assert_close(correlator.correlate(depth, weight).coefficient, first)


def test_a_batch_is_its_stars(correlator, templates):
    weight = torch.rand(4, N_PIX, generator=torch.Generator().manual_seed(1)).double()
    whole = correlator.correlate(templates, weight)
    for star in range(4):
        one = correlator.correlate(templates[star][None], weight[star][None])
        torch.testing.assert_close(one.coefficient[0], whole.coefficient[star])


def test_spectra_that_say_nothing_correlate_with_nothing(correlator):
    flat = torch.zeros(2, N_PIX, dtype=torch.float64)
    weight = torch.ones_like(flat)
    weight[1] = 0
    assert (correlator.correlate(flat, weight).coefficient == -1).all()


def test_a_shift_that_takes_most_pixels_out_of_sight_is_no_candidate(templates, good):
    """Three pixels always correlate with something."""
    correlator = Correlator(templates, good, 40)
    weight = torch.zeros(1, N_PIX, dtype=torch.float64)
    weight[0, 270:300] = 1
    found = correlator.correlate(torch.randn(1, N_PIX, dtype=torch.float64), weight)
    seen = found.n_good[0] >= 15.5
    assert (found.coefficient[0][:, ~seen] == -1).all()
    assert (found.coefficient[0][:, seen] > -1).all()


@pytest.mark.parametrize("max_shift", [1, 7, 33, 64, 65])
def test_blocks_of_any_length_give_the_same(templates, good, max_shift):
    depth = moved(templates, 1)
    weight = torch.ones_like(depth)
    found = Correlator(templates, good, max_shift).correlate(depth, weight).coefficient
    expected = Correlator(templates, good, 1).correlate(depth, weight).coefficient
    torch.testing.assert_close(found[..., max_shift - 1 : max_shift + 2], expected)

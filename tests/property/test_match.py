from dataclasses import replace

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies import finite_junk, mask, seeds, with_junk

from torchfit.match.cfi import correlate
from torchfit.match.matched_sets import PriorIntervals, matched_sets
from torchfit.match.start import start_labels
from torchfit.spectra import Spectra


def draw(seed, n_stars, share):
    """Random spectra with bad pixels."""
    generator = torch.Generator().manual_seed(seed)
    flux = 1 + 0.1 * torch.randn(n_stars, 40, generator=generator).double()
    ivar = torch.from_numpy(1.0 - mask(seed, (n_stars, 40), share))
    return Spectra(torch.arange(40.0).double(), flux, ivar, torch.ones(n_stars) > 0)


@given(seeds, st.sampled_from([0.1, 0.5, 1.0]), finite_junk, finite_junk)
def test_a_bad_pixel_has_no_weight_in_the_correlation(seed, share, one, other):
    stars, templates = draw(seed, 3, share), draw(seed + 1, 5, share)
    found = correlate(with_junk(stars, one), with_junk(templates, other))
    assert torch.equal(found, correlate(stars, templates))
    assert (found.abs() <= 1).all()


@given(seeds, st.permutations(range(4)), st.permutations(range(6)))
def test_the_order_of_stars_and_templates_does_not_matter(seed, order, order_t):
    stars, templates = draw(seed, 4, 0.3), draw(seed + 1, 6, 0.3)
    whole = correlate(stars, templates)
    turned = correlate(stars[torch.tensor(order)], templates[torch.tensor(order_t)])
    torch.testing.assert_close(turned, whole[list(order)][:, list(order_t)])


@given(seeds, st.floats(0.2, 5.0), st.floats(-2.0, 2.0))
def test_level_and_scale_of_a_star_do_not_matter(seed, scale, offset):
    stars, templates = draw(seed, 2, 0.2), draw(seed + 1, 5, 0.2)
    changed = replace(stars, flux=scale * stars.flux + offset)
    torch.testing.assert_close(correlate(changed, templates), correlate(stars, templates))


@settings(max_examples=200)
@given(seeds, st.integers(1, 40), st.integers(1, 30), st.sampled_from([0.05, 0.5, 2.0]))
def test_matched_sets_are_distinct_and_start_with_the_inside(seed, t, n_templates, width):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.rand(n_templates, 3, generator=generator).double().round(decimals=1)
    start = torch.rand(4, 3, generator=generator).double()
    cfi = (2 * torch.rand(4, n_templates, generator=generator).double() - 1).round(decimals=1)
    widths = torch.full((4, 3), width).double()
    found = matched_sets(cfi, labels, start, widths, t)
    assert found.shape == (4, min(t, n_templates))
    inside = ((labels - start[:, None]).abs() <= widths[:, None]).all(dim=2)
    for star, chosen in enumerate(found.tolist()):
        assert len(set(chosen)) == len(chosen)
        flags = [bool(inside[star, template]) for template in chosen]
        if inside[star].any():
            assert sum(flags) == min(len(chosen), int(inside[star].sum()))
            assert flags == sorted(flags, reverse=True)
        within = [cfi[star, i].item() for i, flag in zip(chosen, flags, strict=True) if flag]
        assert within == sorted(within, reverse=True)


@given(seeds, st.integers(1, 12))
def test_start_labels_do_not_depend_on_the_order_of_templates(seed, n_best):
    generator = torch.Generator().manual_seed(seed)
    cfi = 2 * torch.rand(3, 10, generator=generator).double() - 1
    labels = torch.randn(10, 3, generator=generator).double()
    order = torch.randperm(10, generator=generator)
    torch.testing.assert_close(
        start_labels(cfi[:, order], labels[order], n_best), start_labels(cfi, labels, n_best)
    )


@given(st.lists(st.floats(2500, 50000), min_size=1, max_size=9))
def test_half_widths_are_positive_and_wider_when_hot(teff):
    names = ("teff", "logg", "fe_h")
    found = PriorIntervals().half_widths(torch.tensor(teff).double(), names, torch.zeros(2, 3))
    assert (found > 0).all()
    assert [width == 5000 for width in found[:, 0].tolist()] == [t >= 10000 for t in teff]

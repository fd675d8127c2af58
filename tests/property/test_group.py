import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.property.strategies import seeds

from torchfit.group.label_pca import fit_label_pca
from torchfit.group.ordering import order_into_groups
from torchfit.group.spectral_class import CLASS_LIMITS, spectral_class

CLASSES = [name for name, _ in CLASS_LIMITS]


@given(seeds, st.lists(st.sampled_from("MKGFA"), min_size=1, max_size=60), st.integers(1, 20))
def test_groups_are_a_partition_within_classes(seed, classes, n_group):
    start = np.random.default_rng(seed).normal(5000, 500, (len(classes), 3))
    group = order_into_groups(classes, start, n_group)
    assert group.shape == (len(classes),)
    for number in range(group.max() + 1):
        members = np.flatnonzero(group == number)
        assert 1 <= len(members) <= n_group
        assert len({classes[star] for star in members}) == 1


@given(seeds, st.integers(1, 40), st.integers(1, 9))
def test_groups_do_not_depend_on_the_order_of_the_survey(seed, n_stars, n_group):
    rng = np.random.default_rng(seed)
    classes = rng.choice(list("MKG"), n_stars)
    start = rng.normal(5000, 500, (n_stars, 3))
    order = rng.permutation(n_stars)
    group = order_into_groups(classes.tolist(), start, n_group)
    turned = order_into_groups(classes[order].tolist(), start[order], n_group)
    np.testing.assert_array_equal(turned, group[order])


@given(st.text(max_size=8), st.floats(min_value=0, max_value=1e5))
def test_every_star_has_a_class(subclass, teff):
    assert spectral_class(subclass, teff) in CLASSES


@given(st.floats(min_value=1000, max_value=1e5), st.floats(min_value=1000, max_value=1e5))
def test_a_hotter_star_has_no_cooler_class(one, other):
    cool, hot = sorted([one, other])
    places = [CLASSES.index(spectral_class("", teff)) for teff in (cool, hot)]
    assert places[0] <= places[1]


@given(seeds, st.integers(1, 5), st.integers(1, 12), st.sampled_from([0.5, 0.9, 0.98, 1.0]))
def test_label_pca_keeps_at_least_its_share_of_the_variance(seed, n_stars, t, variance):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randn(20, 3, generator=generator).double()
    sets = torch.stack([torch.randperm(20, generator=generator)[:t] for _ in range(n_stars)])
    scale = 0.1 + torch.rand(n_stars, 3, generator=generator).double()
    pca = fit_label_pca(labels, sets, scale, variance)
    chosen = labels[sets] / scale[:, None]
    total = (chosen - chosen.mean(dim=1, keepdim=True)).square().sum()
    left = ((pca.labels(pca.scores) - labels[sets]) / scale[:, None]).square().sum()
    assert left <= (1 - variance) * total + 1e-9
    lower, upper = pca.bounds
    assert (lower <= 1e-9).all()
    assert (upper >= -1e-9).all()


@given(seeds, st.permutations(range(4)))
def test_the_order_of_stars_in_a_group_does_not_matter(seed, order):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randn(30, 3, generator=generator).double()
    sets = torch.stack([torch.randperm(30, generator=generator)[:8] for _ in range(4)])
    scale = torch.ones(4, 3).double()
    pca = fit_label_pca(labels, sets, scale, 1.0)
    turned = fit_label_pca(labels, sets[list(order)], scale, 1.0)
    torch.testing.assert_close(turned.labels(turned.scores), pca.labels(pca.scores)[list(order)])
    width, width_turned = (b[1] - b[0] for b in (pca.bounds, turned.bounds))
    torch.testing.assert_close(width_turned[:3], width[:3])

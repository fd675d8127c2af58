import pytest
import torch

from torchfit.group.grouping import Grouping
from torchfit.match.matching import Matching
from torchfit.paper.matched_library import match_library


@pytest.mark.parametrize("t", [3, 7, 1000])
def test_a_star_is_never_among_its_own_sets(library, t):
    names = tuple(f"star {place // 2}" for place in range(len(library)))
    visits = type(library)(
        library.spectra, library.labels, library.label_names, names, library.lsf_fwhm
    )
    matched = match_library(visits, Matching(t=t))
    own = torch.arange(len(library)) // 2
    assert not (matched.sets // 2 == own[:, None]).any()
    assert matched.sets.shape[1] == min(t, len(library) - 2)
    assert all(len(set(row)) == len(row) for row in matched.sets.tolist())


def test_the_sets_of_a_lonely_star_are_those_of_the_matching(library):
    """Where a star has one visit only, the order of the others is that of ``matched_sets``."""
    matching = Matching(t=5)
    matched = match_library(library, matching)
    rest = library.select([place for place in range(len(library)) if place != 2])
    from torchfit.match.cfi import correlate

    cfi = correlate(library.spectra[torch.tensor([2])], rest.spectra, matching.scatter)
    start = matching.start(cfi, rest)
    sets, _ = matching.sets(cfi, rest, start)
    kept = torch.tensor([place for place in range(len(library)) if place != 2])
    torch.testing.assert_close(matched.start[2:3], start)
    assert kept[sets[0]].tolist() == matched.sets[2].tolist()


@pytest.mark.parametrize("order", ["prior", "random"])
def test_groups_are_of_the_same_sizes_however_they_are_made(matched, order):
    group = matched.groups(Grouping(n_group=7), order)
    prior = matched.groups(Grouping(n_group=7), "prior")
    assert sorted(group.bincount().tolist()) == sorted(prior.bincount().tolist())
    assert group.equal(prior) == (order == "prior")


def test_all_components_reproduce_the_sets(matched):
    grouping = Grouping(n_group=10, variance=1.0)
    group = matched.groups(grouping, "prior")
    stars = []
    for star, pca, off in matched.reproduced(group, 20, grouping):
        stars += star.tolist()
        assert off.shape == (len(star), 20, 3) and pca.scores.shape[0] == 20
        assert off[..., 0].abs().max() < 1e-6 and off.abs().max() < 1e-6
    assert sorted(stars) == list(range(60))

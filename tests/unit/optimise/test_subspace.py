import pytest
import torch

from torchfit.group.label_pca import fit_label_pca
from torchfit.optimise.subspace import join_label_pcas

MEMBERS = [torch.tensor([4, 0]), torch.tensor([2, 1, 3])]
GROUP = [0, 1, 1, 1, 0]


@pytest.fixture
def pcas(library, generator):
    scale = torch.tensor([[1000.0, 1.0, 0.5]], dtype=torch.float64)
    sets = [torch.stack([torch.randperm(90, generator=generator)[:9] for _ in m]) for m in MEMBERS]
    return [
        fit_label_pca(library.labels, s, scale.expand(len(s), 3), 1.0, limit)
        for s, limit in zip(sets, (2, 5), strict=True)
    ]


@pytest.fixture
def space(pcas, emulator):
    return join_label_pcas(pcas, MEMBERS, emulator.scaler)


def test_stars_come_in_the_order_of_the_batch(space, pcas):
    assert space.group.tolist() == GROUP
    assert space.n_groups == 2
    for pca, members in zip(pcas, MEMBERS, strict=True):
        assert torch.equal(space.mean[members], pca.mean)
        assert torch.equal(space.scale[members], pca.scale)


def test_missing_dimensions_move_nothing(space, generator):
    assert space.loadings.shape == (5, 5, 3)
    cube = torch.rand(2, 4, 5, generator=generator).double()
    changed = cube.clone()
    changed[0, :, 2:] = 0.9
    assert torch.equal(space.unit_labels(cube)[[0, 4]], space.unit_labels(changed)[[0, 4]])
    changed[1, :, 2:] = 0.9
    assert not torch.equal(space.unit_labels(cube)[[1]], space.unit_labels(changed)[[1]])


def test_labels_are_those_of_each_groups_label_pca(space, pcas, emulator, generator, assert_close):
    cube = torch.rand(2, 6, 5, generator=generator).double()
    found = emulator.scaler.from_unit(space.unit_labels(cube))
    for number, (pca, members) in enumerate(zip(pcas, MEMBERS, strict=True)):
        m = pca.scores.shape[1]
        lower, upper = pca.bounds
        d = lower + cube[number, :, :m] * (upper - lower)
        assert_close(found[members], pca.labels(d))


def test_the_best_match_is_the_first_matched_set(space, pcas, emulator, assert_close):
    cube = space.best_match_cube()
    assert ((cube >= 0) & (cube <= 1)).all()
    found = emulator.scaler.from_unit(space.unit_labels(cube[:, None]))[:, 0]
    for pca, members in zip(pcas, MEMBERS, strict=True):
        assert_close(found[members], pca.labels(pca.scores[:1])[:, 0])


def test_a_box_without_width_is_in_its_middle(space):
    assert (space.best_match_cube()[0, 2:] == 0.5).all()


def test_a_temperature_that_is_impossible_is_lifted(space, emulator):
    """A corner of a box may ask for less than 0 K, which has no logarithm."""
    cube = torch.full((2, 2, 5), 0.5, dtype=torch.float64)
    wide = type(space)(
        space.group, space.mean, space.scale * 1000, space.loadings,
        space.lower, space.upper, space.best_match, space.scaler,
    )  # fmt: skip
    cube[:, 0, 0], cube[:, 1, 0] = 0.0, 1.0
    unit = wide.unit_labels(cube)
    assert unit.isfinite().all()
    labels = emulator.scaler.from_unit(unit)
    assert labels[..., 0].min().item() == pytest.approx(100.0)


def test_group_means_are_those_of_a_loop(space, generator, assert_close):
    for shape in ((5,), (5, 4)):
        values = torch.randn(shape, generator=generator).double()
        expected = torch.stack([values[[0, 4]].mean(dim=0), values[[1, 2, 3]].mean(dim=0)])
        assert_close(space.group_mean(values), expected)


def test_a_selection_is_renumbered_and_knows_its_stars(space, generator, assert_close):
    cube = torch.rand(2, 3, 5, generator=generator).double()
    smaller, stars = space.select(torch.tensor([1]))
    assert stars.tolist() == [1, 2, 3]
    assert smaller.group.tolist() == [0, 0, 0]
    assert_close(smaller.unit_labels(cube[1:]), space.unit_labels(cube)[stars])
    turned, stars = space.select(torch.tensor([1, 0]))
    assert turned.group.tolist() == [1 - GROUP[star] for star in stars.tolist()]

import pytest
import torch

from torchfit.group.label_pca import fit_label_pca

SCALE = torch.tensor([[1000.0, 1.0, 0.5], [5000.0, 1.0, 0.5]], dtype=torch.float64)


@pytest.fixture
def sets(generator, library):
    return torch.stack([torch.randperm(len(library), generator=generator)[:12] for _ in range(2)])


def test_the_box_is_that_of_the_scores(library, sets):
    pca = fit_label_pca(library.labels, sets, SCALE, 0.98)
    lower, upper = pca.bounds
    assert torch.equal(lower, pca.scores.min(dim=0).values)
    assert torch.equal(upper, pca.scores.max(dim=0).values)


def test_scores_fall_in_variance_and_are_centred(library, sets, assert_close):
    pca = fit_label_pca(library.labels, sets, SCALE, 1.0)
    spread = pca.scores.square().sum(dim=0)
    assert (spread.diff() <= 1e-9).all()
    assert_close(pca.scores.mean(dim=0) + 1, torch.ones(len(spread)))


def test_loadings_are_orthonormal_over_the_group(library, sets, assert_close):
    pca = fit_label_pca(library.labels, sets, SCALE, 0.98)
    q = pca.loadings.transpose(0, 1).flatten(1)
    assert_close(q @ q.mT, torch.eye(len(q)))


def test_the_largest_loading_is_positive(library, sets):
    pca = fit_label_pca(library.labels, sets, SCALE, 0.98)
    q = pca.loadings.transpose(0, 1).flatten(1)
    assert (q.gather(1, q.abs().argmax(dim=1, keepdim=True)) > 0).all()


def test_more_variance_needs_more_components(library, sets):
    counts = [
        fit_label_pca(library.labels, sets, SCALE, v).scores.shape[1] for v in (0.5, 0.9, 1.0)
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_max_comp_limits_the_components(library, sets):
    assert fit_label_pca(library.labels, sets, SCALE, 1.0, max_comp=2).scores.shape == (12, 2)


def test_one_template_per_star_gives_one_component_that_moves_nothing(library):
    sets = torch.tensor([[3], [7]])
    pca = fit_label_pca(library.labels, sets, SCALE, 0.98)
    assert pca.scores.tolist() == [[0.0]]
    torch.testing.assert_close(pca.labels(pca.scores)[:, 0], library.labels[[3, 7]])


def test_sets_that_do_not_vary_give_scores_of_zero(library):
    sets = torch.tensor([[3, 3, 3], [7, 7, 7]])
    pca = fit_label_pca(library.labels, sets, SCALE, 0.98)
    assert pca.scores.shape == (3, 1)
    assert pca.scores.abs().max() < 1e-6
    assert pca.loadings.isfinite().all()

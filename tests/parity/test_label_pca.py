"""Label PCA against the paper's matrix, built and decomposed by numpy in loops."""

import numpy as np
import pytest
import torch

from torchfit.group.label_pca import fit_label_pca

N_STARS, T = 4, 15


@pytest.fixture
def sets(generator, library):
    draws = [torch.randperm(len(library), generator=generator)[:T] for _ in range(N_STARS)]
    return torch.stack(draws)


@pytest.fixture
def scale():
    return torch.tensor([1000.0, 1.0, 0.5], dtype=torch.float64).expand(N_STARS, 3).clone()


def loop_theta(labels, sets, scale):
    """The matrix Theta (t x label.N), centred and scaled, and the means."""
    rows = []
    for rank in range(T):
        rows.append(np.concatenate([labels[sets[s, rank]] / scale[s] for s in range(N_STARS)]))
    theta = np.array(rows)
    return theta - theta.mean(axis=0), theta.mean(axis=0).reshape(N_STARS, -1) * scale


@pytest.mark.parametrize("variance", [0.5, 0.9, 0.98, 1.0])
def test_scores_and_loadings_are_numpys(library, sets, scale, assert_close, variance):
    theta, mean = loop_theta(library.labels.numpy(), sets.numpy(), scale.numpy())
    left, singular, right = np.linalg.svd(theta, full_matrices=False)
    share = np.cumsum(singular**2) / np.sum(singular**2)
    m = min(int(np.sum(share < variance * (1 - 1e-12))) + 1, len(singular))
    pca = fit_label_pca(library.labels, sets, scale, variance)
    assert pca.scores.shape == (T, m)
    assert_close(pca.mean, mean)
    loadings = pca.loadings.transpose(0, 1).flatten(1).numpy()
    assert_close(np.abs(pca.scores), np.abs(left[:, :m] * singular[:m]))
    assert_close(np.abs(loadings), np.abs(right[:m]))
    assert_close(pca.scores.numpy() @ loadings, (left[:, :m] * singular[:m]) @ right[:m])


def test_all_of_the_variance_gives_the_matched_labels_back(library, sets, scale, assert_close):
    pca = fit_label_pca(library.labels, sets, scale, 1.0)
    assert_close(pca.labels(pca.scores), library.labels[sets])


def test_labels_are_mean_plus_scaled_sum_over_components(
    generator, library, sets, scale, assert_close
):
    pca = fit_label_pca(library.labels, sets, scale, 0.9)
    d = torch.randn(3, pca.scores.shape[1], generator=generator, dtype=torch.float64)
    found = pca.labels(d).numpy()
    for star in range(N_STARS):
        for candidate in range(3):
            shift = d[candidate].numpy() @ pca.loadings[star].numpy()
            expected = pca.mean[star].numpy() + pca.scale[star].numpy() * shift
            assert_close(found[star, candidate], expected)

import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.property.strategies import seeds

from torchfit.library.folds import folds_by_star
from torchfit.library.scaling import LabelScaler

names = st.lists(st.sampled_from([f"star {n}" for n in range(12)]), min_size=2, max_size=60).filter(
    lambda stars: len(set(stars)) > 1
)


@given(names, st.data(), seeds)
def test_visits_of_a_star_are_never_split(stars, data, seed):
    n_folds = data.draw(st.integers(2, len(set(stars))))
    fold = folds_by_star(stars, n_folds, seed)
    assert set(fold.tolist()) == set(range(n_folds))
    for name in set(stars):
        assert len({int(f) for f, star in zip(fold, stars, strict=True) if star == name}) == 1


@given(seeds, st.integers(2, 30), st.integers(0, 3))
def test_labels_to_unit_and_back(seed, n_stars, n_others):
    generator = torch.Generator().manual_seed(seed)
    teff = 10 ** (3.4 + 1.2 * torch.rand(n_stars, 1, generator=generator).double())
    others = 3 * torch.randn(n_stars, n_others, generator=generator).double()
    labels = torch.cat([teff, others], dim=1)
    scaler = LabelScaler.fit(labels)
    torch.testing.assert_close(scaler.from_unit(scaler.to_unit(labels)), labels)
    unit = torch.randn(5, 1 + n_others, generator=generator).double()
    torch.testing.assert_close(scaler.to_unit(scaler.from_unit(unit)), unit)
    assert (scaler.scale(unit) > 0).all()

import pytest
import torch

from torchfit.emulator import components
from torchfit.emulator.components import find_components, follow_components


@pytest.fixture
def table(generator):
    """200 rows of 60 numbers with variances that fall by a fifth from one direction to the next."""
    scale = 0.8 ** torch.arange(60, dtype=torch.float64)
    table = torch.randn(200, 60, generator=generator).double() * scale
    return table @ torch.linalg.qr(torch.randn(60, 60, generator=generator).double()).Q


def test_a_tall_table_has_the_components_of_its_decomposition(table, assert_close):
    found = find_components(table, 0.9, None)
    _, singular, right = torch.linalg.svd(table, full_matrices=False)
    share = singular.square().cumsum(dim=0) / singular.square().sum()
    assert found.n_comp == int((share < 0.9).sum()) + 1
    expected = right[: found.n_comp].mT
    assert_close(found.basis.abs(), expected.abs())


def test_following_ends_at_the_components_of_the_changed_table(
    table, generator, assert_close, monkeypatch
):
    monkeypatch.setattr(components, "SMALL", 0)
    known = find_components(table, 0.9, None)
    changed = table + 0.01 * torch.randn(200, 60, generator=generator).double()
    for _ in range(30):
        known = follow_components(changed, known, 0.9, None)
    expected = find_components(changed, 0.9, None)
    assert known.n_comp == expected.n_comp
    assert_close(known.basis, expected.basis)


def test_a_small_table_is_decomposed_anew(table):
    known = find_components(table, 0.9, 3)
    found = follow_components(2 * table.flip(1), known, 0.9, 3)
    assert torch.equal(found.basis, find_components(2 * table.flip(1), 0.9, 3).basis)

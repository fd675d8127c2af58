import pytest
import torch

from torchfit.emulator import projection
from torchfit.emulator.projection import RIDGE, MaskedProjection

SHARES = torch.tensor([0.0, 0.0, 0.02, 0.05, 0.1, 0.3, 0.6, 1.0])


@pytest.fixture
def world(generator):
    """Eight stars on 70 pixels, from none bad to all bad, and a basis that is not orthonormal."""
    basis = torch.randn(70, 9, generator=generator).double()
    bad = torch.rand(8, 70, generator=generator) < SHARES[:, None]
    residual = torch.randn(8, 70, generator=generator).double().masked_fill(bad, 0)
    return basis, residual, bad


def expected(basis, residual, bad):
    """Normal equations, star by star."""
    found = []
    for star, without in zip(residual, bad, strict=True):
        rows = basis[~without]
        normal = rows.mT @ rows + RIDGE * torch.eye(9)
        found.append(torch.linalg.solve(normal, rows.mT @ star[~without]))
    return torch.stack(found)


def test_it_is_the_normal_equations(world, assert_close):
    basis, residual, bad = world
    solver = MaskedProjection(basis)
    found = torch.zeros(8, 9).double()
    for piece in solver.pieces(bad.sum(dim=1)):
        found[piece] = solver.solve(residual[piece], bad[piece])
    assert_close(found, expected(basis, residual, bad))


@pytest.mark.parametrize("numbers", [1, 100, 1 << 23])
def test_pieces_are_every_star_once(world, monkeypatch, numbers):
    monkeypatch.setattr(projection, "NUMBERS_AT_ONCE", numbers)
    n_bad = world[2].sum(dim=1)
    pieces = list(MaskedProjection(world[0]).pieces(n_bad))
    assert torch.equal(torch.cat(pieces), n_bad.argsort(stable=True))
    for piece in pieces:
        few = n_bad[piece] <= 9
        assert few.all() or not few.any()


def test_no_star_means_no_piece(world):
    assert list(MaskedProjection(world[0]).pieces(torch.zeros(0, dtype=torch.long))) == []

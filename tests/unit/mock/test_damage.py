import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.mock.damage import BYTE_DAMAGE, FITS_DAMAGE, damage

SOUND = np.random.default_rng(0).bytes(9 * 2880)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("kind", FITS_DAMAGE)
@given(seed=SEEDS, size=st.integers(1, len(SOUND)))
def test_the_same_seed_does_the_same_damage_to_any_file(kind, seed, size):
    one, other = (
        damage(SOUND[:size], {kind: FITS_DAMAGE[kind]}, np.random.default_rng(seed))
        for _ in range(2)
    )
    assert one == other
    assert one[1] == kind
    assert isinstance(one[0], bytes)


@pytest.mark.parametrize("kind", BYTE_DAMAGE)
def test_damage_is_done(kind):
    rng = np.random.default_rng(1)
    spoilt = [damage(SOUND, {kind: BYTE_DAMAGE[kind]}, rng)[0] for _ in range(20)]
    assert sum(raw != SOUND for raw in spoilt) > 10


def test_every_kind_is_chosen():
    rng = np.random.default_rng(1)
    assert {damage(SOUND, FITS_DAMAGE, rng)[1] for _ in range(200)} == set(FITS_DAMAGE)


def test_nothing_can_be_damaged_in_nothing():
    assert damage(b"", FITS_DAMAGE, np.random.default_rng(0))[0] == b""

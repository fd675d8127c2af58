"""Mock stars: what holds for any labels, any seed, any order of asking."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies import seeds

from torchfit.mock.atmosphere import Atmosphere
from torchfit.mock.continuum import continuum
from torchfit.mock.instrument import Instrument
from torchfit.mock.lamost import MockLamostReader
from torchfit.mock.star import StarModel

WAVE = 10 ** (3.70 + 5e-5 * torch.arange(1200, dtype=torch.float64))
MODEL = StarModel(WAVE)
"""Around Mg b, H beta and the band of MgH."""
SMALL = Instrument(3.72, 1e-4, 120, 1800.0)

labels = st.tuples(
    st.floats(3000, 32000), st.floats(0, 5), st.floats(-2.5, 0.5), st.floats(-0.4, 0.4)
)


@given(labels)
def test_light_is_absorbed_and_never_negative(row):
    made = MODEL(torch.tensor([row], dtype=torch.float64))
    unabsorbed = continuum(Atmosphere.of(torch.tensor([row], dtype=torch.float64)), WAVE)
    assert (made > 0).all()
    assert (made <= unabsorbed * (1 + 1e-12)).all()


@given(st.floats(3000, 6500), st.floats(0, 5), st.floats(-2.5, 0), st.floats(0.05, 0.5))
def test_more_metals_absorb_more_in_cool_stars(teff, logg, fe_h, step):
    rows = [[teff, logg, metals, 0.1] for metals in (fe_h, fe_h + step)]
    batch, no_hydrogen = torch.tensor(rows, dtype=torch.float64), WAVE > 5100
    poor, rich = (MODEL(batch) / continuum(Atmosphere.of(batch), WAVE))[:, no_hydrogen]
    assert rich.mean() < poor.mean()


@given(st.lists(labels, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_a_batch_does_not_matter(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    batch = torch.tensor(rows, dtype=torch.float64)
    torch.testing.assert_close(MODEL(batch[order]), MODEL(batch)[order])


@given(seeds, st.floats(-600, 600))
def test_exposing_is_linear_and_keeps_flux(seed, velocity):
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.rand(2, 1, len(SMALL.model().wave), generator=generator).double()
    z = torch.tensor([velocity / 299792.458])
    both = SMALL.expose(first + 2 * second, z)
    torch.testing.assert_close(both, SMALL.expose(first, z) + 2 * SMALL.expose(second, z))
    assert SMALL.expose(torch.full_like(first, 3.0), z).mean() == pytest.approx(3.0)


@settings(max_examples=8)
@given(seeds, st.lists(st.integers(0, 99), min_size=2, max_size=4))
def test_a_spectrum_does_not_depend_on_what_was_read_before(seed, numbers):
    reader = MockLamostReader(100, seed)
    names = reader.sources()
    direct = reader.read(names[numbers[-1]])
    for number in numbers:
        again = MockLamostReader(1000, seed).read(names[number])
    np.testing.assert_array_equal(again.flux, direct.flux)
    assert again.info == direct.info

import math

import pytest
import torch

from torchfit.uncertainty.streams import Streams

SPLITMIX64 = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]
"""The first numbers of the published generator after the seed 1234567."""


def test_the_numbers_are_those_of_splitmix64():
    found = Streams(torch.tensor([1234567])).integers(0, 5)[0]
    assert [value % 2**64 for value in found.tolist()] == SPLITMIX64


def test_a_star_has_the_same_numbers_in_every_batch():
    whole = Streams.of(3, torch.arange(50)).uniform(10, 7)
    some = Streams.of(3, torch.tensor([31, 4])).uniform(10, 7)
    assert torch.equal(some, whole[[31, 4]])


def test_reading_in_pieces_is_reading_at_once():
    streams = Streams.of(0, torch.arange(3))
    pieces = torch.cat([streams.uniform(0, 4), streams.uniform(4, 6)], dim=1)
    assert torch.equal(pieces, streams.uniform(0, 10))


def test_numbers_lie_inside_the_unit_interval():
    extreme = Streams(torch.arange(20000)).uniform(0, 50)
    assert extreme.min() > 0
    assert extreme.max() < 1


@pytest.mark.parametrize(("seed", "star"), [(1, 5), (0, 6)])
def test_seeds_and_stars_differ(seed, star):
    first = Streams.of(0, torch.tensor([5])).uniform(0, 100)
    assert not torch.isin(first, Streams.of(seed, torch.tensor([star])).uniform(0, 100)).any()


def test_numbers_are_uniform_and_uncorrelated_between_places_and_stars():
    n_stars, n_numbers = 400, 500
    uniform = Streams.of(0, torch.arange(n_stars)).uniform(0, n_numbers) - 0.5
    n_all = n_stars * n_numbers
    assert abs(uniform.mean()) < 5 * math.sqrt(1 / 12 / n_all)
    assert abs(uniform.square().mean() - 1 / 12) < 5 * math.sqrt(1 / 180 / n_all)
    for other in (uniform.roll(1, dims=0), uniform.roll(1, dims=1)):
        assert abs((uniform * other).mean()) < 5 / 12 / math.sqrt(n_all)
    counts = torch.histc(uniform, 64, -0.5, 0.5)
    chi_squared = (counts - n_all / 64).square().sum() / (n_all / 64)
    assert abs(chi_squared - 63) < 5 * math.sqrt(2 * 63)

"""Random numbers that belong to a star, whatever else is in its batch and on any device."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

GOLDEN = -7046029254386353131
"""0x9E3779B97F4A7C15, the odd number nearest 2^64 / golden ratio, as a signed integer."""
FIRST, SECOND = -4658895280553007687, -7723592293110705685
"""0xBF58476D1CE4E5B9 and 0x94D049BB133111EB, the multipliers of the mixing."""


def mix(state: Int[Tensor, "*any"]) -> Int[Tensor, "*any"]:
    """Turn counters into numbers without a pattern: the output function of SplitMix64.

    Args:
        state: 64-bit integers.

    Returns:
        64-bit integers, one to one.

    References:
        Steele, Lea & Flood 2014, OOPSLA, "Fast splittable pseudorandom number generators".
    """
    state = (state ^ _shift_right(state, 30)) * FIRST
    state = (state ^ _shift_right(state, 27)) * SECOND
    return state ^ _shift_right(state, 31)


def _shift_right(value: Int[Tensor, "*any"], bits: int) -> Int[Tensor, "*any"]:
    """Shift without carrying the sign along."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)


@dataclass(frozen=True)
class Streams:
    r"""One SplitMix64 stream per star, read at any place without reading what comes before.

    Number i of a star is :math:`mix(s + (i + 1)\,\gamma)` with s from seed and star number. A
    generator of PyTorch would give a star other numbers in another batch, or would have to be made
    again for every star.

    Args:
        base: Where the stream of each star begins.
    """

    base: Int[Tensor, " star"]

    @classmethod
    def of(cls, seed: int, star: Int[Tensor, " star"]) -> "Streams":
        """The streams of some stars.

        Args:
            seed: Seed of the run.
            star: Number of each star.

        Returns:
            Streams that differ from star to star and from seed to seed.
        """
        star = star.long()
        return cls(mix(mix(star + 1) + mix(torch.full_like(star, seed) + GOLDEN)))

    def integers(self, first: int, count: int) -> Int[Tensor, "star count"]:
        """Numbers ``first`` ... ``first + count - 1`` of every stream, 64 random bits each."""
        place = torch.arange(first + 1, first + 1 + count, device=self.base.device)
        return mix(self.base[:, None] + place * GOLDEN)

    def uniform(self, first: int, count: int) -> Float[Tensor, "star count"]:
        """The same numbers as float64, evenly spread over (0, 1), never 0 or 1."""
        bits = _shift_right(self.integers(first, count), 12)
        return (bits.double() + 0.5) * 2.0**-52

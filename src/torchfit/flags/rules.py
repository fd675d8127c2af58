"""The rule behind each bit; pure functions of what the fit found."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.flags.bits import ResultFlag


@dataclass(frozen=True)
class Flagging:
    """Limits of the rules.

    Args:
        min_cfi: Best correlation below which a match is poor.
        min_good: Share of the emulator's pixels below which a star has few.
        edge: Distance to the edge of the box, as a share of its width, that counts as on it.
    """

    min_cfi: float = 0.5
    min_good: float = 0.5
    edge: float = 1e-6

    def on_edge(
        self,
        unit: Float[Tensor, "star label"],
        lower: Float[Tensor, " label"],
        upper: Float[Tensor, " label"],
    ) -> Bool[Tensor, " star"]:
        """Stars with a label on the edge of the box.

        Args:
            unit: Unit labels.
            lower: Lower corner of the box.
            upper: Upper corner.

        Returns:
            True on the edge.
        """
        near = self.edge * (upper - lower)
        return ((unit <= lower + near) | (unit >= upper - near)).any(dim=1)


def combine(rules: dict[ResultFlag, Bool[Tensor, " star"]]) -> Int[Tensor, " star"]:
    """Put the outcome of the rules into one integer per star.

    Args:
        rules: For each bit the stars it is set for.

    Returns:
        Sum of the bits.
    """
    bits = [outcome.long() * int(flag) for flag, outcome in rules.items()]
    return torch.stack(bits).sum(dim=0)

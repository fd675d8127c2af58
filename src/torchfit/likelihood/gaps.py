"""Models over pixels that the emulator does not know."""

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator


def without_gaps(emulator: Emulator, model: Float[Tensor, "star pix"]) -> Float[Tensor, "star pix"]:
    """The model with a straight line over pixels the emulator does not know.

    It is 0 there; the jump to 0 would look like the steepest line of the spectrum to a velocity.
    """
    known, wave = emulator.flux_pca.good, emulator.wave
    if bool(known.all()):
        return model
    inside, gap = known.nonzero()[:, 0], (~known).nonzero()[:, 0]
    right = torch.searchsorted(inside, gap)
    left, right = inside[(right - 1).clamp_min(0)], inside[right.clamp_max(len(inside) - 1)]
    share = ((wave[gap] - wave[left]) / (wave[right] - wave[left])).nan_to_num(0.0, 0.0, 0.0)
    one, other = (model.index_select(1, side) for side in (left, right))
    return model.index_copy(1, gap, torch.lerp(one, other, share.to(model)))

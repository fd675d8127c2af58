"""How large errors are, as a function of the labels."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.uncertainty.fisher import LabelErrors
from torchfit.uncertainty.scale_gp import ScaleGP

ROWS_AT_ONCE = 65536
GAUSSIAN_TAIL = 1.959963984540054
"""Half-width of the interval that holds 95 % of a Gaussian, in standard deviations."""


@dataclass(frozen=True)
class ErrorModel:
    r"""Factors by which expected errors of the labels have to be multiplied.

    One Gaussian process per label over its inputs, with mean f and variance v. ``plain`` is the
    paper's reading (Eq. 6): the process is the absolute error less its mean, and the result
    :math:`u\sqrt{(1 + f)^2 + v}`. Otherwise it is the logarithm of a local factor c, and the result
    is :math:`u\,E[c^2]^{1/2} = u\,e^{f + v}`. Both grow where nothing like the star was known.

    Args:
        centre: Mean of each input over the training stars.
        width: Standard deviation of each input.
        gps: One Gaussian process per label; ``None`` where there was nothing to learn from.
        unit: u of each label.
        plain: Whether it is the paper's reading.
        relative: Whether the result multiplies expected errors; else it is an error in the unit of
            the label.
        tail: Half-width of the interval that holds 95 % over that of the one that holds 68 %, of
            each label; ``None`` for that of a Gaussian.
    """

    centre: Float[Tensor, " input"]
    width: Float[Tensor, " input"]
    gps: tuple[ScaleGP | None, ...]
    unit: Float[Tensor, " label"]
    plain: bool
    relative: bool
    tail: Float[Tensor, " label"] | None = None

    def factor(self, inputs: Float[Tensor, "star input"]) -> Float[Tensor, "star label"]:
        """What errors are multiplied by.

        Args:
            inputs: Inputs of each star, see :func:`inputs_of`. Where one is NaN, the factor is that
                of a star of which nothing is known.

        Returns:
            Factors; of a label of which nothing was learned 1 for relative errors, else NaN.
        """
        scaled = (inputs - self.centre) / self.width
        pieces = [
            torch.stack([self._size(gp, piece) for gp in self.gps], dim=1)
            for piece in scaled.split(ROWS_AT_ONCE)
        ]
        return torch.cat(pieces) * self.unit

    def _size(self, gp: ScaleGP | None, scaled: Float[Tensor, "star input"]) -> Tensor:
        if gp is None:
            return torch.full_like(scaled[:, 0], 1.0 if self.relative else torch.nan)
        mean, variance = gp.predict(scaled)
        if self.plain:
            return ((1 + mean).square() + variance).sqrt()
        return (mean + variance).exp()

    def state(self) -> dict[str, Tensor]:
        """All of it as tensors by name, for a file."""
        tensors = {
            "centre": self.centre,
            "width": self.width,
            "unit": self.unit,
            "plain": torch.tensor(self.plain),
            "relative": torch.tensor(self.relative),
        }
        if self.tail is not None:
            tensors["tail"] = self.tail
        for label, gp in enumerate(self.gps):
            if gp is not None:
                tensors |= {f"gp.{label}.{name}": value for name, value in gp.state().items()}
        return tensors

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> "ErrorModel":
        """The model whose :meth:`state` it is.

        Args:
            state: Tensors by name.

        Returns:
            The model.

        Raises:
            KeyError: If a tensor is missing.
        """
        gps = tuple(_gp(state, f"gp.{label}.") for label in range(len(state["unit"])))
        plain, relative = bool(state["plain"]), bool(state["relative"])
        inputs = state["centre"], state["width"]
        return cls(*inputs, gps, state["unit"], plain, relative, state.get("tail"))


def _gp(state: Mapping[str, Tensor], head: str) -> ScaleGP | None:
    own = {name.removeprefix(head): value for name, value in state.items() if name.startswith(head)}
    return ScaleGP.of_state(own) if own else None


def inputs_of(
    labels: Float[Tensor, "star label"], level: Float[Tensor, " star"] | None = None
) -> Float[Tensor, "star input"]:
    """What errors depend on: log10 of the temperature, the other labels, log10 of a level.

    Args:
        labels: Labels (K, dex, dex, ...).
        level: Level of the noise, see :func:`level_of`; ``None`` where errors do not depend on it.

    Returns:
        One column per input; NaN where the level is not known or not positive.
    """
    columns = [labels[:, :1].log10(), labels[:, 1:]]
    if level is not None:
        columns.append(torch.where(level > 0, level, torch.nan)[:, None].log10())
    return torch.cat(columns, dim=1)


def level_of(
    plain: bool, errors: LabelErrors, snr: Float[Tensor, " star"]
) -> Float[Tensor, " star"]:
    """What random errors depend on beside the labels.

    Args:
        plain: Whether it is the paper's reading.
        errors: Errors that the fit expects.
        snr: Signal-to-noise ratio.

    Returns:
        The signal-to-noise ratio for the paper, 1 for all stars when none is known; else
        :attr:`torchfit.uncertainty.fisher.LabelErrors.noise_level`.
    """
    if not plain:
        return errors.noise_level
    return snr if bool(snr.isfinite().any()) else torch.ones_like(snr)

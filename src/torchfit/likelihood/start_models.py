"""Where the fit of a star begins: its start labels and the emulator there."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator


@dataclass(frozen=True)
class StartModels:
    """What the emulator says at the start labels of stars.

    Args:
        labels: The start labels.
        centre: Coefficients there.
        jacobian: Their derivatives by the unit labels.
    """

    labels: Float[Tensor, "star label"]
    centre: Float[Tensor, "star comp"]
    jacobian: Float[Tensor, "star label comp"]

    @classmethod
    def of(cls, emulator: Emulator, start: Float[Tensor, "star label"]) -> "StartModels":
        """Evaluate an emulator at start labels."""
        centre, jacobian, _, _ = emulator.gp.predictor.derivatives(emulator.scaler.to_unit(start))
        return cls(start, centre, jacobian)

    def __getitem__(self, star: Tensor | slice) -> "StartModels":
        """Those of the chosen stars."""
        return StartModels(self.labels[star], self.centre[star], self.jacobian[star])

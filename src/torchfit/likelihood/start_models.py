"""Where the fit of a star begins: its start labels and the emulator there."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.likelihood.objective import Origin


@dataclass(frozen=True)
class StartModels:
    """What the emulator says at the start labels of stars.

    Args:
        labels: The start labels.
        origin: Coefficients there, and their derivatives by the unit labels.
    """

    labels: Float[Tensor, "star label"]
    origin: Origin

    @classmethod
    def of(cls, emulator: Emulator, start: Float[Tensor, "star label"]) -> "StartModels":
        """Evaluate an emulator at start labels."""
        return cls(start, Origin.of(emulator.gp.predictor, emulator.scaler.to_unit(start)))

    @property
    def centre(self) -> Float[Tensor, "star comp"]:
        """The coefficients."""
        return self.origin.prediction.mean

    @property
    def jacobian(self) -> Float[Tensor, "star label comp"]:
        """Their derivatives."""
        return self.origin.prediction.jacobian

    def __getitem__(self, star: Tensor | slice) -> "StartModels":
        """Those of the chosen stars."""
        return StartModels(self.labels[star], self.origin[star])

"""What the library teaches of the errors of measured labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.artefact import load_beside
from torchfit.exceptions import ArtefactError
from torchfit.uncertainty.calibration import Calibrated, calibrate, with_noise
from torchfit.uncertainty.error_model import ErrorModel
from torchfit.uncertainty.fisher import MeasuredLabels

KINDS = ("systematic", "noise")


FILE = "errors.safetensors"
"""File of the artefact in which they lie."""


@dataclass(frozen=True)
class LibraryErrors:
    """Error models that belong to an emulator; they lie beside it in its artefact.

    Args:
        systematic: Errors that the emulator makes, from held-out stars; ``None`` if not learned.
        noise: Errors that noise makes, from held-out stars with noise added; ``None`` if not
            learned.
    """

    systematic: ErrorModel | None = None
    noise: ErrorModel | None = None

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> "LibraryErrors":
        """The models whose :meth:`state` it is; none of an empty one.

        Args:
            state: Tensors by kind and name.
        """
        return cls(*(_model(state, kind) for kind in KINDS))

    @classmethod
    def load(cls, folder: Path) -> "LibraryErrors":
        """Read the models of an artefact.

        Args:
            folder: The artefact folder.

        Returns:
            The models; none where none were learned.

        Raises:
            ArtefactError: If they are damaged.
        """
        try:
            return cls.of_state(load_beside(folder, FILE))
        except KeyError as error:
            raise ArtefactError(f"{folder}: {FILE} has no {error}; train it again") from error

    def state(self) -> dict[str, Tensor]:
        """All of it as tensors by kind and name, for a file."""
        models = {"systematic": self.systematic, "noise": self.noise}
        return {
            f"{kind}.{name}": tensor
            for kind, model in models.items()
            if model is not None
            for name, tensor in model.state().items()
        }

    def with_noise(self, measured: MeasuredLabels, snr: Float[Tensor, " star"]) -> MeasuredLabels:
        """Labels whose errors by noise are those that noise on library stars makes.

        Args:
            measured: Labels and expected errors.
            snr: Signal-to-noise ratio; NaN where not known.
        """
        return measured if self.noise is None else with_noise(self.noise, measured, snr)

    def calibrate(
        self,
        measured: MeasuredLabels,
        snr: Float[Tensor, " star"],
        repeats: Sequence[ErrorModel] = (),
    ) -> Calibrated:
        """Final errors; see :func:`torchfit.uncertainty.calibration.calibrate`.

        Args:
            measured: Labels and expected errors.
            snr: Signal-to-noise ratio; NaN where not known.
            repeats: Models from repeat observations, applied after that of the library.
        """
        own = () if self.noise is None else (self.noise,)
        return calibrate(measured, snr, self.systematic, [*own, *repeats])


def _model(state: Mapping[str, Tensor], kind: str) -> ErrorModel | None:
    head = f"{kind}."
    own = {name.removeprefix(head): value for name, value in state.items() if name.startswith(head)}
    return ErrorModel.of_state(own) if own else None

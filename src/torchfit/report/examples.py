"""A few fitted spectra, kept so that the page can show them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from torchfit.exceptions import DataError
from torchfit.files.atomic import atomic

_ARRAYS = ("wave", "flux", "model", "ivar", "star")


@dataclass(frozen=True)
class Examples:
    """Fitted spectra with their models.

    Args:
        wave: Vacuum rest wavelength in Angstrom.
        flux: Observed normalised flux.
        model: Model flux.
        ivar: Inverse variance of ``flux``; 0 marks a bad pixel.
        star: Running number of the star in the survey.
        title: What stands above each spectrum.

    Raises:
        DataError: If the arrays do not fit together.
    """

    wave: Float[np.ndarray, " pix"]
    flux: Float[np.ndarray, "example pix"]
    model: Float[np.ndarray, "example pix"]
    ivar: Float[np.ndarray, "example pix"]
    star: Int[np.ndarray, " example"]
    title: tuple[str, ...]

    def __post_init__(self) -> None:
        shape = (len(self.title), *self.wave.shape)
        shapes = [array.shape for array in (self.flux, self.model, self.ivar)]
        if shapes != [shape] * 3 or self.star.shape != shape[:1]:
            raise DataError(
                f"examples have flux, model, ivar of shapes {shapes} and {self.star.size} stars; "
                f"{len(self.title)} titles and {self.wave.size} pixels ask for {shape}"
            )

    def save(self, path: Path) -> None:
        """Write the examples as safetensors, atomically; the same examples, the same bytes.

        Args:
            path: File to write.

        Raises:
            OutputError: If the file cannot be written.
        """
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in _ARRAYS}
        with atomic(path) as temp:
            temp.write_bytes(save(arrays, metadata={"title": json.dumps(self.title)}))

    @classmethod
    def load(cls, path: Path) -> "Examples":
        """Read examples written by :meth:`save`.

        Args:
            path: A safetensors file.

        Returns:
            The examples.

        Raises:
            DataError: If the file is missing or damaged.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                arrays = {name: file.get_tensor(name) for name in _ARRAYS}
                return cls(**arrays, title=tuple(json.loads(file.metadata()["title"])))
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise DataError(f"{path} holds no examples ({error}); run the fit again") from error

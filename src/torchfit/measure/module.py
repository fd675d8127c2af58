"""Lightning carries the fitter to the devices: a module for each stage of a survey."""

from collections.abc import Sequence
from typing import Any

import lightning
import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import DeviceMemoryError
from torchfit.likelihood.noise import NoiseShape
from torchfit.measure.allocator import keep_freed_memory
from torchfit.measure.batch import GroupBatch, StarBatch
from torchfit.measure.device import to_device
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.measurement import Measurement
from torchfit.measure.memory import bytes_per_star, stars_that_fit
from torchfit.measure.portions import Portions

MATCH_AT_ONCE = 256
"""Stars that are matched at once where no setting and no free memory says how many."""


class StageModule(lightning.LightningModule):
    """A thin shell around a fitter, for ``Trainer.predict``: one stage of a survey.

    It is given a list of batches, and returns a list of results: an accelerator may take several
    of the survey's batches at once, each of which becomes a file of its own.

    Args:
        fitter: On the CPU; it stays there, its copy goes to the device.
        at_once: Most stars that are computed at once; ``None`` for as many as the free memory of
            an accelerator allows.
    """

    def __init__(self, fitter: BatchFitter, at_once: int | None = None) -> None:
        super().__init__()
        self.fitter, self.at_once = fitter, at_once
        self._on_device = fitter
        self.portions = Portions()

    def most(self, device: torch.device) -> int | None:
        """Most stars that a device computes at once; ``None`` for one batch of the survey."""
        if self.at_once is not None:
            return self.at_once
        return stars_that_fit(device, bytes_per_star(self.fitter))

    def transfer_batch_to_device(
        self, batch: Sequence[Any], device: torch.device, dataloader_idx: int
    ) -> list[Any]:
        """Lightning moves no frozen dataclass by itself."""
        return [to_device(each, device) for each in batch]

    def on_predict_start(self) -> None:
        """Copy the fitter to the device of the spectra.

        Raises:
            DeviceMemoryError: If the device has too little memory for it.
        """
        keep_freed_memory()
        if self.device != self.fitter.emulator.wave.device:
            try:
                self._on_device = self.fitter.to(self.device)
            except torch.OutOfMemoryError as error:
                raise DeviceMemoryError(
                    f"the emulator does not fit into the free memory of {self.device}: use "
                    "trainer.accelerator=cpu, or a device that nobody else uses"
                ) from error
        self.portions = Portions(self.most(self.device))

    def on_predict_end(self) -> None:
        """Forget the copy."""
        self._on_device = self.fitter

    def predict_step(self, batch: Sequence[Any], batch_idx: int) -> list[Any]:
        """Compute the result of each batch of a list."""
        return [self.result(each) for each in batch]

    def result(self, batch: Any) -> Any:
        """Compute the result of one batch."""
        raise NotImplementedError


class MatchModule(StageModule):
    """Matches stars to the library."""

    def most(self, device: torch.device) -> int:
        """See :class:`StageModule`."""
        return super().most(device) or MATCH_AT_ONCE

    def result(self, batch: StarBatch) -> Float[Tensor, "star column"]:
        """Start labels and best correlation of each star, side by side."""
        return torch.cat(self.portions.compute(self._match, batch, range(len(batch) + 1)))

    def _match(self, batch: StarBatch) -> Float[Tensor, "star column"]:
        found = self._on_device.match(batch.spectra)
        return torch.cat([found.start, found.best_cfi[:, None]], dim=1)


class NoiseModule(StageModule):
    """Adds up how the noise of stars runs with wavelength."""

    def result(self, batch: StarBatch) -> Float[Tensor, "sum node pix"]:
        """Total and weight of the :class:`NoiseShape` of a batch."""
        shapes = self.portions.compute(self._shape, batch, range(len(batch) + 1))
        joined = NoiseShape.joined(shapes)
        return torch.stack([joined.total, joined.weight])

    def _shape(self, batch: StarBatch) -> NoiseShape:
        emulator = self._on_device.emulator
        shape = NoiseShape.flat(emulator.residuals.nodes, len(emulator.wave))
        assert batch.teff is not None
        shape.add(batch.spectra, batch.teff)
        return shape


class FitModule(StageModule):
    """Measures stars; every group is measured as if it were alone."""

    def predict_step(self, batch: Sequence[GroupBatch], batch_idx: int) -> list[Measurement]:
        """Measure the stars of all batches together."""
        whole = GroupBatch.joined(batch)
        measured = self.result(whole)
        if len(batch) == 1:
            return [measured]
        numbers = torch.arange(len(whole), device=whole.star.device)
        return [measured[rows] for rows in numbers.split([len(each) for each in batch])]

    def result(self, batch: GroupBatch) -> Measurement:
        """Measure the stars of one batch."""
        groups = self.fitter.settings.moves_groups
        places = batch.ends_of_groups() if groups else range(len(batch) + 1)
        return Measurement.joined(self.portions.compute(self._on_device.measure, batch, places))

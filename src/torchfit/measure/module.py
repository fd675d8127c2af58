"""Lightning carries the fitter to the devices: a module for each stage of a survey."""

import gc
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import lightning
import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import DeviceMemoryError
from torchfit.likelihood.noise import NodeNoise
from torchfit.measure.allocator import keep_freed_memory
from torchfit.measure.batch import GroupBatch, StarBatch, Unread
from torchfit.measure.device import to_device
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.measurement import Measurement
from torchfit.measure.memory import bytes_per_star, stars_that_fit
from torchfit.measure.portions import Portions
from torchfit.measure.side_by_side import side_by_side

CPU = torch.device("cpu")
MATCH_AT_ONCE = 256
"""Stars that are matched at once where no setting and no free memory says how many."""


class StageModule(lightning.LightningModule):
    """A thin shell around a fitter, for ``Trainer.predict``: one stage of a survey.

    It is given a list of batches, and returns their results, each of which becomes a file of its
    own: an accelerator takes several of the survey's batches at once, and a processor computes
    several side by side.

    Args:
        fitter: On the CPU; it stays there, its copy goes to the device.
        at_once: Most stars that are computed at once; ``None`` for as many as the free memory of
            an accelerator allows.
    """

    def __init__(self, fitter: BatchFitter, at_once: int | None = None) -> None:
        super().__init__()
        self.fitter, self.at_once = fitter, at_once
        self.on_device = fitter
        self.portions = Portions()

    def most(self, device: torch.device) -> int | None:
        """Most stars that a device computes at once; ``None`` for one batch of the survey."""
        if self.at_once is not None:
            return self.at_once
        return stars_that_fit(device, bytes_per_star(self.fitter))

    def together(self, device: torch.device, largest: int) -> int | None:
        """How many batches are handed over at once.

        Args:
            device: Who computes them.
            largest: Stars of the largest.

        Returns:
            A number; ``None`` for all that there are.
        """
        return None if device.type == "cpu" else 1

    def transfer_batch_to_device(
        self, batch: Sequence[Any], device: torch.device, dataloader_idx: int
    ) -> list[Any]:
        """Leave the stars where they are: the device may have room for a portion of them."""
        return list(batch)

    def on_predict_start(self) -> None:
        """Copy the fitter to the device of the spectra.

        Raises:
            DeviceMemoryError: If the device has too little memory for it.
        """
        keep_freed_memory()
        if self.device != self.fitter.emulator.wave.device:
            try:
                self.on_device = self.fitter.to(self.device)
            except torch.OutOfMemoryError as error:
                raise DeviceMemoryError(
                    f"the emulator does not fit into the free memory of {self.device}: use "
                    "trainer.accelerator=cpu, or a device that nobody else uses"
                ) from error
        self.portions = Portions(self.most(self.device))

    def on_predict_end(self) -> None:
        """Forget the copy; modules refer to themselves, and would stay until the next stage."""
        self.on_device = self.fitter
        gc.collect()

    @property
    def is_side_by_side(self) -> bool:
        """Whether several batches are computed at the same time, each by one thread."""
        return self.device.type == "cpu"

    def predict_step(self, batch: Sequence[Unread[Any]], batch_idx: int) -> Iterable[Any]:
        """Compute the result of each batch of a list, when it is asked for or before."""
        compute = side_by_side if self.is_side_by_side else map
        return compute(lambda each: self.result(each.read()), batch)

    def result(self, batch: Any) -> Any:
        """Compute the result of one batch."""
        raise NotImplementedError

    def in_portions(
        self, function: Callable[[Any], Any], batch: Any, places: Sequence[int] | None = None
    ) -> list[Any]:
        """Call a function for all stars of a batch, on the device, as many at a time as it holds.

        Args:
            function: What is computed of some stars.
            batch: The stars, on the CPU.
            places: Where the batch may be cut; ``None`` for anywhere.

        Returns:
            A result of every portion, on the CPU.
        """
        return self.portions.compute(
            lambda stars: to_device(function(to_device(stars, self.device)), CPU),
            batch,
            range(len(batch) + 1) if places is None else places,
        )


class MatchModule(StageModule):
    """Matches stars to the library."""

    def most(self, device: torch.device) -> int:
        """See :class:`StageModule`."""
        return super().most(device) or MATCH_AT_ONCE

    def result(self, batch: StarBatch) -> Float[Tensor, "star column"]:
        """Start labels and best correlation of each star, side by side."""
        return torch.cat(self.in_portions(self._match, batch))

    def _match(self, batch: StarBatch) -> Float[Tensor, "star column"]:
        found = self.on_device.match(batch.spectra)
        return torch.cat([found.start, found.best_cfi[:, None]], dim=1)


class NoiseModule(StageModule):
    """Finds how the noise of the stars of a node runs with wavelength."""

    @property
    def is_side_by_side(self) -> bool:
        """A batch has two thousand stars, and no sum that hangs on the number of threads."""
        return False

    def result(self, batch: StarBatch) -> Float[Tensor, "level column"]:
        """The :class:`torchfit.likelihood.noise.NodeNoise` of a batch as an array."""
        (shape,) = self.in_portions(self._shape, batch, [0, len(batch)])
        return shape

    def _shape(self, batch: StarBatch) -> Float[Tensor, "level column"]:
        return NodeNoise.of(batch.spectra).to_array()


class FitModule(StageModule):
    """Measures stars; every group is measured as if it were alone."""

    def together(self, device: torch.device, largest: int) -> int | None:
        """As many as an accelerator has room for, or a setting allows."""
        if device.type == "cpu" and self.at_once is None:
            return None
        return max((self.most(device) or 0) // max(largest, 1), 1)

    @property
    def is_side_by_side(self) -> bool:
        """See :class:`StageModule`; matrices of every star take much memory, and all threads."""
        return super().is_side_by_side and self.fitter.settings.metric.sharing is not None

    def predict_step(
        self, batch: Sequence[Unread[GroupBatch]], batch_idx: int
    ) -> Iterable[Measurement]:
        """Measure the stars of all batches: side by side, or together."""
        if self.together(self.device, 1) is None:
            return super().predict_step(batch, batch_idx)
        measured = self.result(GroupBatch.joined([each.read() for each in batch]))
        rows = torch.arange(len(measured))
        return [measured[some] for some in rows.split([len(each) for each in batch])]

    def result(self, batch: GroupBatch) -> Measurement:
        """Measure the stars of one batch."""
        places = batch.ends_of_groups() if self.fitter.settings.moves_groups else None
        return Measurement.joined(self.in_portions(self.on_device.measure, batch, places))

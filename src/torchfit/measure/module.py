"""Lightning carries the fitter to the devices."""

import lightning
import torch

from torchfit.measure.allocator import keep_freed_memory
from torchfit.measure.batch import GroupBatch
from torchfit.measure.device import to_device
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.measurement import Measurement


class FitModule(lightning.LightningModule):
    """A thin shell around a fitter, for ``Trainer.predict``.

    Args:
        fitter: On the CPU; it stays there, its copy goes to the device.
    """

    def __init__(self, fitter: BatchFitter) -> None:
        super().__init__()
        self.fitter = fitter
        self._on_device = fitter

    def transfer_batch_to_device(
        self, batch: GroupBatch, device: torch.device, dataloader_idx: int
    ) -> GroupBatch:
        """Lightning moves no frozen dataclass by itself."""
        return to_device(batch, device)

    def on_predict_start(self) -> None:
        """Copy the fitter to the device of the spectra."""
        keep_freed_memory()
        if self.device != self.fitter.emulator.wave.device:
            self._on_device = self.fitter.to(self.device)

    def predict_step(self, batch: GroupBatch, batch_idx: int) -> Measurement:
        """Measure the stars of a batch; every group is measured as if it were alone."""
        return self._on_device.measure(batch)

    def on_predict_end(self) -> None:
        """Forget the copy."""
        self._on_device = self.fitter

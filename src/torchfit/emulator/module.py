"""Training of the emulator's Gaussian process: hyperparameters by marginal likelihood."""

import lightning
import torch
from jaxtyping import Float
from lightning.pytorch.callbacks import EarlyStopping
from torch import Tensor
from tqdm import tqdm

from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.progress import Bar


class EmulatorModule(lightning.LightningModule):
    r"""Maximise the log marginal likelihood of a shared-kernel Gaussian process.

    The loss is :math:`-\log p / (n k)`, nats per number of the n x k training table, logged as
    ``nll``.

    Args:
        gp: Gaussian process whose free hyperparameters are learned.
        lr: Learning rate of Adam, which works on GPyTorch's unconstrained parameters.
    """

    def __init__(self, gp: SharedKernelGP, lr: float) -> None:
        super().__init__()
        self.gp = gp
        self.lr = lr

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Float[Tensor, ""]:
        """Negative log marginal likelihood of the whole library, per number."""
        x, y = batch
        loss = -self.gp.log_marginal_likelihood(x, y) / y.numel()
        self.log("nll", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam over the hyperparameters that are not held fixed."""
        free = [parameter for parameter in self.gp.parameters() if parameter.requires_grad]
        return torch.optim.Adam(free, lr=self.lr)


class StopAtRest(EarlyStopping):
    """Early stopping that is final: a training resumed from a checkpoint at rest goes no further.

    Lightning forgets that the interrupted run had stopped, and would train on.
    """

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Stop at once where the checkpoint had stopped."""
        trainer.should_stop = self.stopped_epoch > 0


class EpochProgress(Bar):
    """One progress bar over epochs, since an epoch of the library is a single step."""

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Open the bar where training (re)starts."""
        self.bar = tqdm(
            total=trainer.max_epochs,
            initial=trainer.current_epoch,
            desc="hyperparameters",
            unit="epoch",
        )

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Advance the bar and show the loss."""
        self.bar.set_postfix(nll=f"{float(trainer.callback_metrics['nll']):.4f}", refresh=False)
        self.bar.update()

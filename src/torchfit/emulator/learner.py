"""Two ways to the hyperparameters: marginal likelihood, or the paper's cross validation."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Protocol, runtime_checkable

import lightning
import torch
from jaxtyping import Float, Int
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from torchfit.emulator.cross_validation import HyperparameterGrid, cross_validate
from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.module import EmulatorModule, EpochProgress, StopAtRest
from torchfit.exceptions import ConfigError
from torchfit.library.datamodule import LibraryDataModule

logger = logging.getLogger(__name__)

TrainerFactory = Callable[..., lightning.Trainer]
"""Builds a Lightning trainer from ``max_epochs`` and ``callbacks``."""


@dataclass(frozen=True)
class TrainingTable:
    """What the Gaussian process learns from.

    Args:
        x: Unit labels.
        y: Standardised coefficients.
        fold: Fold of each template, all visits of a star in one.
    """

    x: Float[Tensor, "template label"]
    y: Float[Tensor, "template comp"]
    fold: Int[Tensor, " template"]

    def select(self, rows: Int[Tensor, " chosen"]) -> "TrainingTable":
        """The table of some templates."""
        return TrainingTable(self.x[rows], self.y[rows], self.fold[rows])


@runtime_checkable
class Learner(Protocol):
    """Anything that finds hyperparameters."""

    def learn(
        self, gp: SharedKernelGP, table: TrainingTable, trainer: TrainerFactory, checkpoint: Path
    ) -> None:
        """Set the free hyperparameters of a Gaussian process.

        Args:
            gp: Gaussian process, changed in place; hyperparameters held fixed stay.
            table: Training data.
            trainer: Builds the trainer.
            checkpoint: Where an interrupted training is kept and taken up again.
        """
        ...


@dataclass(frozen=True)
class MarginalLikelihood:
    """Maximise the marginal likelihood with Adam under Lightning.

    Args:
        lr: Learning rate.
        max_epochs: Most epochs; one epoch is one step on the whole library.
        patience: Stop after so many epochs without improvement.
        min_delta: Least improvement of the loss that counts, in nats per number.

    Raises:
        ConfigError: If a number makes no sense.
    """

    lr: float = 0.1
    max_epochs: int = 200
    patience: int = 10
    min_delta: float = 1e-4

    def __post_init__(self) -> None:
        if self.lr <= 0 or self.max_epochs < 1 or self.patience < 1:
            raise ConfigError(
                f"emulator.learner: lr={self.lr} must be positive, max_epochs={self.max_epochs} "
                f"and patience={self.patience} at least 1"
            )

    def learn(
        self, gp: SharedKernelGP, table: TrainingTable, trainer: TrainerFactory, checkpoint: Path
    ) -> None:
        """See :class:`Learner`. A whole checkpoint of an interrupted run is resumed."""
        if not any(parameter.requires_grad for parameter in gp.parameters()):
            return
        callbacks = [
            StopAtRest("nll", min_delta=self.min_delta, patience=self.patience),
            ModelCheckpoint(checkpoint.parent, checkpoint.stem, enable_version_counter=False),
            EpochProgress(),
        ]
        trainer(max_epochs=self.max_epochs, callbacks=callbacks).fit(
            EmulatorModule(gp.train(), self.lr),
            datamodule=LibraryDataModule(table.x, table.y),
            ckpt_path=checkpoint if _is_whole(checkpoint) else None,
            weights_only=True,
        )


def _is_whole(checkpoint: Path) -> bool:
    """Whether there is a checkpoint that can be read; one that cannot is reported."""
    if not checkpoint.exists():
        return False
    try:
        torch.load(checkpoint, weights_only=True)
    except (RuntimeError, EOFError, UnpicklingError) as error:
        note = " ".join(str(error).split())[:80]
        logger.warning("%s cannot be read (%s...): training starts again", checkpoint, note)
        return False
    return True


@dataclass(frozen=True)
class CrossValidation:
    """Take the grid point of least held-out error, as the paper does.

    Args:
        grid: Candidate hyperparameters.
    """

    grid: HyperparameterGrid

    def learn(
        self, gp: SharedKernelGP, table: TrainingTable, trainer: TrainerFactory, checkpoint: Path
    ) -> None:
        """See :class:`Learner`; needs neither trainer nor checkpoint."""
        cross_validate(gp, table.x, table.y, table.fold, self.grid)

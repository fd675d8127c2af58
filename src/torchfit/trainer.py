"""The Lightning trainer as torchfit needs it."""

import logging
import warnings
from collections.abc import Sequence

import lightning
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from torchfit.exceptions import ConfigError


def build_trainer(
    accelerator: str = "cpu",
    devices: int | str = 1,
    strategy: str = "auto",
    max_epochs: int = 1,
    callbacks: Sequence[Callback] = (),
) -> lightning.Trainer:
    """Build a trainer without loggers and with our own progress bars.

    Several devices are spawned from this process: a launcher that starts the program once per
    device would pack the survey several times, and breaks Hydra's sweeps.

    Args:
        accelerator: Lightning's name of the hardware: ``cpu``, ``gpu``, ``auto``.
        devices: Number of devices.
        strategy: Lightning's strategy; ``auto`` takes ``ddp_spawn`` for several devices.
        max_epochs: Most epochs of a training.
        callbacks: Callbacks.

    Returns:
        The trainer; checkpoints are kept only by a callback.

    Raises:
        ConfigError: If there is no such hardware or strategy, or the strategy would start the
            program once per device.
    """
    _quieten()
    if strategy == "auto" and devices not in (1, "1", "auto"):
        strategy = "ddp_spawn"
    keeps = any(isinstance(c, lightning.pytorch.callbacks.ModelCheckpoint) for c in callbacks)
    try:
        trainer = lightning.Trainer(
            accelerator=accelerator,
            devices=devices,
            strategy=strategy,
            max_epochs=max_epochs,
            callbacks=list(callbacks),
            logger=False,
            enable_checkpointing=keeps,
            enable_progress_bar=False,
            enable_model_summary=False,
            # Optimisers take derivatives, which tensors made in inference mode forbid.
            inference_mode=False,
        )
    except (ValueError, ImportError, MisconfigurationException) as error:
        raise ConfigError(f"trainer: {error}") from error
    if isinstance(trainer.strategy.launcher, _SubprocessScriptLauncher):
        raise ConfigError(
            f"trainer.strategy={strategy} with trainer.devices={devices} would start the whole "
            "program once per device; say the number of devices and trainer.strategy=ddp_spawn"
        )
    return trainer


def _quieten() -> None:
    """Silence Lightning's advice on logging services, worker counts and its own internals."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")

"""The Lightning trainer as torchfit needs it."""

from collections.abc import Sequence

import lightning
from lightning.fabric.plugins.environments import (
    ClusterEnvironment,
    LightningEnvironment,
    SLURMEnvironment,
)
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from torchfit.exceptions import ConfigError
from torchfit.run.strategy import SeparateProcesses, quieten


def build_trainer(
    accelerator: str = "cpu",
    devices: int | str = 1,
    strategy: str = "auto",
    num_nodes: int = 1,
    max_epochs: int = 1,
    callbacks: Sequence[Callback] = (),
    precision: str | int | None = None,
) -> lightning.Trainer:
    """Build a trainer without loggers and with our own progress bars.

    Several devices are processes that this one starts: a launcher that starts the program once per
    device would pack the survey several times, and breaks Hydra's sweeps. On a cluster it is
    Slurm that starts one process per device (``srun``), and
    :mod:`torchfit.survey.crew` that binds them.

    Args:
        accelerator: Lightning's name of the hardware: ``cpu``, ``gpu``, ``auto``.
        devices: Number of devices, on each node.
        strategy: Lightning's strategy; ``auto`` takes ``ddp_spawn`` for several devices, which
            is :class:`~torchfit.run.strategy.SeparateProcesses`, and ``ddp`` is for processes that
            a cluster starts.
        num_nodes: Number of nodes.
        max_epochs: Most epochs of a training.
        callbacks: Callbacks.
        precision: Only ``None``: every step computes in the precision that it needs.

    Returns:
        The trainer; checkpoints are kept only by a callback.

    Raises:
        ConfigError: If there is no such hardware or strategy, the strategy would start the
            program once per device, or a precision is asked for.
    """
    _demand_own_precision(precision)
    quieten()
    if strategy == "auto" and devices not in (1, "1", "auto"):
        strategy = "ddp_spawn"
    keeps = any(isinstance(c, lightning.pytorch.callbacks.ModelCheckpoint) for c in callbacks)
    try:
        trainer = lightning.Trainer(
            accelerator=accelerator,
            devices=devices,
            strategy=SeparateProcesses() if strategy == "ddp_spawn" else strategy,
            num_nodes=num_nodes,
            plugins=[*_cluster(strategy)],
            max_epochs=max_epochs,
            callbacks=list(callbacks),
            # Data modules deal out their batches themselves.
            use_distributed_sampler=False,
            logger=False,
            enable_checkpointing=keeps,
            enable_progress_bar=False,
            enable_model_summary=False,
            # Optimisers take derivatives, which tensors made in inference mode forbid.
            inference_mode=False,
        )
    except (ValueError, TypeError, ImportError, MisconfigurationException) as error:
        raise ConfigError(
            f"trainer: {error} (trainer.accelerator={accelerator} trainer.devices={devices})"
        ) from error
    if isinstance(trainer.strategy.launcher, _SubprocessScriptLauncher):
        _demand_started(trainer)
    return trainer


def _demand_own_precision(precision: str | int | None) -> None:
    if precision is not None:
        raise ConfigError(
            f"trainer.precision={precision} cannot be honoured: sums over pixels and Cholesky "
            "factors need double precision, and what does not is in single already; leave it out"
        )


def _demand_started(trainer: lightning.Trainer) -> None:
    """Demand that a cluster has started the program once per device, or that nobody does."""
    cluster = getattr(trainer.strategy, "cluster_environment", None)
    if cluster is None or not cluster.creates_processes_externally:
        raise ConfigError(
            f"trainer.num_nodes={trainer.num_nodes} trainer.devices={trainer.num_devices} would "
            "start the whole program once per device; use several devices of one machine with "
            "trainer.strategy=ddp_spawn, and those of a cluster with srun and trainer=slurm"
        )


def _cluster(strategy: str) -> list[ClusterEnvironment]:
    """What has started this process; empty where Lightning is to find out."""
    if strategy != "ddp":
        # A Slurm job around a single process, or around spawned ones, is none of their business.
        return [LightningEnvironment()]
    # Slurm itself puts a preempted job back into the queue, and it goes on from its folder.
    return [SLURMEnvironment(auto_requeue=False)] if SLURMEnvironment.detect() else []

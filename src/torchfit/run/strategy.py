"""Several devices of one machine for Lightning: a process each."""

import logging
import warnings
from typing import Any

import lightning
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.strategies.launchers import _MultiProcessingLauncher

from torchfit.survey.children import begin_child
from torchfit.survey.processes import fresh_processes, started_processes


class Launcher(_MultiProcessingLauncher):
    """Says in a line that a process was killed as it started."""

    def launch(self, *arguments: Any, **settings: Any) -> Any:
        """Run a function in every process."""
        with started_processes("work on the devices"):
            return super().launch(*arguments, **settings)


class SeparateProcesses(DDPStrategy):
    """Processes of one machine that exchange nothing: each has the model and writes its own files.

    Without a group there is no port and no meeting that a killed process would keep the others
    waiting in. Training, one step on the whole library at a time, is for one device.
    """

    def _configure_launcher(self) -> None:
        # A forked process cannot use CUDA once its parent has.
        fork = isinstance(self.accelerator, CPUAccelerator)
        method = fresh_processes().get_start_method() if fork else "spawn"
        self._launcher = Launcher(self, method)  # type: ignore[arg-type]

    def setup_environment(self) -> None:
        """Take a device."""
        begin_child()
        quieten()
        assert self.accelerator is not None
        self.set_world_ranks()
        self.accelerator.setup_device(self.root_device)

    def setup(self, trainer: lightning.Trainer) -> None:
        """Move the model to the device."""
        assert self.accelerator is not None and self.model is not None
        self.accelerator.setup(trainer)
        self.model = self.precision_plugin.convert_module(self.model)
        self.model_to_device()
        self.setup_precision_plugin()


def quieten() -> None:
    """Silence Lightning's advice on logging services, worker counts and its own internals."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")

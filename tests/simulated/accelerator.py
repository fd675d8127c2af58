"""The simulated device as Lightning wants it: ``trainer.accelerator=sim``."""

from typing import Any

import lightning
import torch
from lightning.pytorch.accelerators import Accelerator, AcceleratorRegistry
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies import SingleDeviceStrategy, StrategyRegistry
from tests.simulated.device import NAME

from torchfit.run import trainer

ONE = "one_sim"


class SimAccelerator(Accelerator):
    """As many simulated devices as are asked for."""

    def setup_device(self, device: torch.device) -> None:
        if device.type != NAME:
            raise ValueError(f"the device should be {NAME}, got {device}")
        torch.sim.set_device(device)

    def teardown(self) -> None:
        pass

    def get_device_stats(self, device: Any) -> dict[str, Any]:
        return {}

    @staticmethod
    def parse_devices(devices: int | str) -> int:
        return int(devices)

    @staticmethod
    def get_parallel_devices(devices: int) -> list[torch.device]:
        return [torch.device(NAME, number) for number in range(devices)]

    @staticmethod
    def auto_device_count() -> int:
        return torch.sim.device_count()

    @staticmethod
    def is_available() -> bool:
        return True

    @staticmethod
    def name() -> str:
        return NAME


class Whereabouts(Callback):
    """Holds that the fitter that is used is on the device, and that the caller's is not."""

    def on_predict_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, *_):
        root = trainer.strategy.root_device
        assert root.type == NAME
        assert pl_module.on_device.emulator.wave.device == root
        assert pl_module.fitter.emulator.wave.device.type == "cpu"

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, *_):
        assert batch[0].device.type == pl_module.device.type == NAME


if NAME not in AcceleratorRegistry:
    AcceleratorRegistry.register(NAME, SimAccelerator)
    # Lightning's own choice for one device of an accelerator that it does not know is the CPU.
    StrategyRegistry.register(ONE, SingleDeviceStrategy, device=torch.device(NAME, 0))


def build_trainer(callbacks=(), devices=1, **settings) -> lightning.Trainer:
    """The trainer of torchfit on simulated devices."""
    one = {"strategy": ONE} if devices == 1 else {}
    settings |= {"accelerator": NAME, "devices": devices, **one}
    return trainer.build_trainer(callbacks=[*callbacks, Whereabouts()], **settings)

"""The configurations that benchmarks compare, composed from conf/ as the commands do."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig

from torchfit.emulator.emulator import Emulator
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.settings import FitSettings
from torchfit.survey.devices import Devices

CONF = Path(__file__).resolve().parents[1] / "conf"


def composed(overrides: Sequence[str] = ()) -> DictConfig:
    """Compose the configuration of ``train.yaml``.

    Args:
        overrides: As on the command line.

    Returns:
        The configuration.
    """
    with initialize_config_dir(str(CONF), version_base=None):
        return compose("train", overrides=list(overrides))


def build(cfg: DictConfig) -> Any:
    """Instantiate a node as the commands do."""
    return instantiate(cfg, _convert_="all")


def fit_settings(cfg: DictConfig) -> FitSettings:
    """How the configuration measures."""
    return FitSettings(
        build(cfg.match),
        build(cfg.group),
        build(cfg.metric),
        build(cfg.optimise),
        build(cfg.flags),
    )


def fitter(cfg: DictConfig, emulator: Emulator) -> BatchFitter:
    """The measurement that a configuration describes."""
    return BatchFitter(emulator, fit_settings(cfg))


def devices(cfg: DictConfig, accelerator: str = "cpu", n_devices: int = 1) -> Devices:
    """The devices that share a survey."""
    cfg.trainer.accelerator, cfg.trainer.devices = accelerator, n_devices
    return Devices(build(cfg.trainer))


def artefact_of(path: Path, accelerator: str = "cpu") -> Path:
    """An emulator's folder; trained first if it is not there, by the name of its run.

    Args:
        path: ``outputs/train/NAME/emulator``, NAME a word of ``emulator=NAME``.
        accelerator: What trains it.

    Returns:
        The folder.
    """
    if not path.exists():
        root = CONF.parent
        command = [sys.executable, str(root / "train.py"), f"emulator={path.parent.name}"]
        command += [f"trainer.accelerator={accelerator}", f"hydra.run.dir={path.parent}"]
        subprocess.run(command, check=True, cwd=root)
    return path

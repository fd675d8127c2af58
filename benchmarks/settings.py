"""The configurations that benchmarks compare, composed from conf/ as the commands do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig

from torchfit.emulator.emulator import Emulator
from torchfit.measure.fitting import Fitting
from torchfit.measure.module import Inference

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


def inference(cfg: DictConfig, emulator: Emulator) -> Inference:
    """The measurement that a configuration describes."""
    fitting = Fitting(build(cfg.metric), build(cfg.optimise))
    return Inference(emulator, build(cfg.match), build(cfg.group), fitting, build(cfg.flags))

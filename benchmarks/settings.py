"""The configurations that benchmarks compare, composed from conf/ as the commands do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig

from torchfit.emulator.emulator import Emulator
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.settings import FitSettings

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

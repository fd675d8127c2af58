"""From the configuration to the objects that a task works with."""

from omegaconf import DictConfig

from torchfit.emulator.emulator import Emulator
from torchfit.exceptions import ConfigError
from torchfit.measure.fitting import Fitting
from torchfit.measure.module import Inference
from torchfit.run.build import build
from torchfit.run.finish import Finishing


def demand_least(cfg: DictConfig, **least: int) -> None:
    """Demand whole numbers that are not below their least values."""
    for name, low in least.items():
        if not isinstance(cfg[name], int) or cfg[name] < low:
            raise ConfigError(f"{name}={cfg[name]} must be a whole number, at least {low}")


def build_inference(cfg: DictConfig, emulator: Emulator) -> Inference:
    """Everything that measures with an emulator.

    Args:
        cfg: Composed configuration.
        emulator: At the resolution of the survey.

    Returns:
        The inference.
    """
    fitting = Fitting(build(cfg.metric), build(cfg.optimise))
    return Inference(emulator, build(cfg.match), build(cfg.group), fitting, build(cfg.flags))


def build_finishing(cfg: DictConfig) -> Finishing:
    """What is done with the fits; the files that it needs are looked for at once."""
    sources, references = build(cfg.crossmatch), build(cfg.compare)
    finishing = Finishing(build(cfg.flags).survey, build(cfg.catalogue), sources, references)
    finishing.check()
    return finishing

"""From the configuration to the objects that a task works with."""

import logging

from omegaconf import DictConfig, OmegaConf

from torchfit.exceptions import ConfigError
from torchfit.measure.settings import FitSettings
from torchfit.run.build import build
from torchfit.run.finish import Finishing
from torchfit.surveys.reader import SurveyReader
from torchfit.uncertainty.sampling import PosteriorSampling

logger = logging.getLogger(__name__)


def demand_least(cfg: DictConfig, **least: int) -> None:
    """Demand whole numbers that are not below their least values."""
    for name, low in least.items():
        if not isinstance(cfg[name], int) or cfg[name] < low:
            raise ConfigError(f"{name}={cfg[name]} must be a whole number, at least {low}")


JOINT = "joint"
"""The only setting of a survey that is not its reader's."""


def build_survey(data: DictConfig) -> tuple[SurveyReader, bool]:
    """The reader of a survey, and whether exposures of one star are fitted together.

    Args:
        data: Node of the survey.

    Raises:
        ConfigError: If a value is of another type, or the reader refuses it.
    """
    joint = data.get(JOINT, False)
    if not isinstance(joint, bool):
        raise ConfigError(f"data.{JOINT}={joint} must be true or false")
    of_reader = OmegaConf.masked_copy(data, [str(key) for key in data if key != JOINT])
    of_reader._set_parent(data._get_parent())
    of_reader._set_key(data._key())
    return build(of_reader), joint


def build_fit_settings(cfg: DictConfig, sampling: PosteriorSampling | None = None) -> FitSettings:
    """How spectra are measured.

    Args:
        cfg: Composed configuration.
        sampling: How posteriors are sampled; ``None`` for no posterior.

    Returns:
        The settings.
    """
    return FitSettings(
        matching=build(cfg.match),
        grouping=build(cfg.group),
        metric=build(cfg.metric),
        optimisers=build(cfg.optimise),
        flagging=build(cfg.flags),
        sampling=sampling,
    )


def build_finishing(cfg: DictConfig, wanted: bool = True) -> Finishing:
    """What is done with the fits; the files that it needs are looked for at once.

    Args:
        cfg: Composed configuration.
        wanted: Whether a user has chosen the catalogues, and is warned of those without a file.

    Returns:
        The joins, rules, comparisons and files.
    """
    sources, references = build(cfg.crossmatch), build(cfg.compare)
    finishing = Finishing(build(cfg.flags).survey, build(cfg.catalogue), sources, references)
    finishing.check()
    for key in finishing.without_file() if wanted else ():
        logger.warning("%s=FILE is not given: nothing is joined", key)
    return finishing

"""Settings on the command line that change nothing of the run they are given to."""

import logging
from collections.abc import Iterable, Iterator

from omegaconf import DictConfig

from torchfit.run.build import build

OF_THE_SEARCH_OF_GROUPS = ("group", "match.t", "match.prior")
"""What only an optimiser that moves groups looks at."""

logger = logging.getLogger(__name__)


def warn_of_idle_settings(cfg: DictConfig, foreign: Iterable[str]) -> None:
    """Log a warning for each setting that was typed and changes nothing.

    Args:
        cfg: Composed configuration.
        foreign: Groups of settings whose keys another program reads.
    """
    moves_groups = any(each.moves_groups for each in build(cfg.optimise).values())
    for line in idle_settings(cfg.overrides, foreign, moves_groups):
        logger.warning(line)


def idle_settings(
    overrides: Iterable[str], foreign: Iterable[str], moves_groups: bool
) -> Iterator[str]:
    """Say of each setting that was typed and changes nothing why that is so.

    Args:
        overrides: What was typed, in Hydra's syntax.
        foreign: Groups of settings whose keys another program reads.
        moves_groups: Whether an optimiser moves whole groups.

    Yields:
        A line each.
    """
    foreign = tuple(foreign)
    for text in overrides:
        key = text.lstrip("+~").partition("=")[0]
        if key.partition(".")[0] in foreign and "." in key:
            yield f"{key} changes nothing here: it is a setting of another program of torchfit"
        elif not moves_groups and _is_within(key, OF_THE_SEARCH_OF_GROUPS):
            yield (
                f"{key} changes nothing here: no optimiser moves groups; "
                "add one, as in 'optimise=[bo,lm]'"
            )


def _is_within(key: str, names: Iterable[str]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in names)

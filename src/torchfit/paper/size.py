"""How much is done for the figures: what one can wait for, or all of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from torchfit.exceptions import ConfigError


@dataclass(frozen=True)
class Size:
    """Sizes that several figures share.

    Args:
        n_library: Most spectra of the library; ``None`` for all.
        n_survey: Most spectra of the survey; ``None`` for all.
        n_trial: Most held-out stars that the grouped search is tried on, and most survey stars that
            are measured without groups; ``None`` for all.
        t: Numbers of matched label sets.
        n_group: Sizes of groups.

    Raises:
        ConfigError: If a number is too small to show anything.
    """

    n_library: int | None = 1200
    n_survey: int | None = 1500
    n_trial: int | None = 400
    t: Sequence[int] = (5, 10, 20, 50, 100, 200, 400)
    n_group: Sequence[int] = (1, 5, 20, 50, 100, 200)

    def __post_init__(self) -> None:
        for name in ("n_library", "n_survey", "n_trial"):
            value = getattr(self, name)
            if value is not None and value < 10:
                raise ConfigError(f"size.{name}={value} must be at least 10, or null")
        if min(self.t, default=0) < 2 or min(self.n_group, default=0) < 1:
            raise ConfigError(f"size: t={self.t} from 2, n_group={self.n_group} from 1")

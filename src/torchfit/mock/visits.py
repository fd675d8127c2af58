"""Which star an observation is of: some stars are observed on several nights."""

from dataclasses import dataclass

from torchfit.exceptions import ConfigError

_CELL = 20


@dataclass(frozen=True)
class Visits:
    """Repeat visits in a fixed pattern, so that a larger survey begins with the smaller one.

    Of every twenty observations in a row the last ones go back to the first stars.

    Args:
        repeats: Share of the observations that repeat an earlier one, rounded to a twentieth.

    Raises:
        ConfigError: If it is negative or above 0.6.
    """

    repeats: float

    def __post_init__(self) -> None:
        if not 0 <= self.repeats <= 0.6:
            raise ConfigError(f"repeats={self.repeats} must lie within 0 and 0.6")

    def star(self, observation: int) -> tuple[int, int]:
        """Star and visit of an observation.

        Args:
            observation: Number of the observation.

        Returns:
            Number of the star, which is that of its first observation, and of the visit, from 0.
        """
        cell, slot = divmod(observation, _CELL)
        n_repeats = round(_CELL * self.repeats)
        again = slot - (_CELL - n_repeats)
        if again < 0:
            return observation, 0
        n_repeated = (2 * n_repeats + 2) // 3
        return cell * _CELL + again % n_repeated, 1 + again // n_repeated

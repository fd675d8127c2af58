"""The stars of a matched survey: what is known of them lies in its shards until it is needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int, Shaped

from torchfit.survey.packed_survey import PackedSurvey


@dataclass(frozen=True)
class SurveyStars:
    """The stars of a survey: 21 bytes each in memory, and what their files say on disk.

    Args:
        packed: The shards.
        number: Running number of each star.
        n_exposures: Number of its exposures.
        spectral_class: Its coarse class, text.
        in_library: Whether the library has a star of its name.
    """

    packed: PackedSurvey
    number: Int[np.ndarray, " star"]
    n_exposures: Int[np.ndarray, " star"]
    spectral_class: Shaped[np.ndarray, " star"]
    in_library: Bool[np.ndarray, " star"]

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.number)

    def rows(self, place: Int[np.ndarray, " chosen"]) -> pd.DataFrame:
        """What is known of some stars.

        Args:
            place: Places of the stars among all of the survey, in any order.

        Returns:
            Columns of :func:`torchfit.survey.shards.star_row` without the checksum,
            ``n_exposures``, ``spectral_class`` and ``in_library``.
        """
        return self.packed.known(place).to_pandas().assign(
            n_exposures=self.n_exposures[place].astype(np.int64),
            spectral_class=self.spectral_class[place],
            in_library=self.in_library[place],
        )  # fmt: skip

    def places(self, number: Int[np.ndarray, " chosen"]) -> Int[np.ndarray, " chosen"]:
        """Places of some stars.

        Args:
            number: Their running numbers.
        """
        order = np.argsort(self.number, kind="stable")
        return order[np.searchsorted(self.number, number, sorter=order)]

    def pieces(self, names: Sequence[str]) -> Iterator[pd.DataFrame]:
        """What the files say of all stars; see :meth:`PackedSurvey.pieces`.

        Args:
            names: Columns that are wanted.
        """
        return self.packed.pieces(names)

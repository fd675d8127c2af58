"""Errors of the labels: what is learned of them, where it is kept, and how it is applied."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError, DataError
from torchfit.files.table_pieces import Table, rows_of, with_computed
from torchfit.library.library import Library
from torchfit.uncertainty.added_noise import learn_noise
from torchfit.uncertainty.calibrated_survey import CalibratedSurvey, read_error_model
from torchfit.uncertainty.calibration import Calibrated
from torchfit.uncertainty.error_learning import ErrorLearning, folds_of
from torchfit.uncertainty.error_model import ErrorModel
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels
from torchfit.uncertainty.library_errors import LibraryErrors
from torchfit.uncertainty.repeats import learn_random, visits_of
from torchfit.uncertainty.sampling import PosteriorSampling
from torchfit.uncertainty.systematic import learn_systematic

logger = logging.getLogger(__name__)

REPEATS = "repeats"
"""The word that stands for learning random errors from the survey itself."""
_EXPECTED = ("{}", "e_{}_sys", "e_{}_ran")
_PERCENTILES = {2.5: "{}_lower95", 16.0: "{}_lower68", 84.0: "{}_upper68", 97.5: "{}_upper95"}
"""Columns of the intervals, by percentile."""


@dataclass(frozen=True)
class Uncertainty:
    """Settings of the errors.

    Args:
        learning: How error models are learned.
        library: Whether what the library teaches is learned and applied: the systematic errors of
            its held-out stars, and what noise added to their spectra does.
        random: ``repeats`` learns random errors from the repeat observations of the survey; the
            path of a file that such a run has written applies them to another; ``None`` does
            neither.
        posterior: Which posteriors are sampled; ``None`` for none.
        intervals: Whether the catalogue has the ends of the intervals that hold 68 % and 95 %, with
            the tails that errors were seen to have; 16 bytes a label and star.
    """

    learning: ErrorLearning = field(default_factory=ErrorLearning)
    library: bool = True
    random: str | None = REPEATS
    posterior: PosteriorSampling | None = None
    intervals: bool = False

    @property
    def n_noisy(self) -> int:
        """How many library stars are measured once more with noise."""
        return 0 if self.learning.plain or not self.library else self.learning.n_noisy

    def check(self) -> None:
        """Read every file that will be needed, before the work.

        Raises:
            ConfigError: If a file is not there.
            DataError: If it is no model of random errors.
        """
        if self.random not in (None, REPEATS):
            read_error_model(Path(self.random))
        self.wanted()

    def wanted(self) -> list[str] | None:
        """Stars that are listed for sampling; ``None`` without a list.

        Raises:
            ConfigError: If the list is not there.
        """
        listed = None if self.posterior is None else self.posterior.selection.listed
        if listed is None:
            return None
        try:
            return Path(listed).expanduser().read_text(encoding="utf-8").split("\n")
        except OSError as error:
            raise ConfigError(f"the list of stars {listed} cannot be read: {error}") from error

    def chosen(self, stars: Iterable[pd.DataFrame]) -> Int[Tensor, " chosen"] | None:
        """The stars of a survey that are sampled.

        Args:
            stars: The survey's table, some rows at a time: the columns of
                :data:`~torchfit.uncertainty.selection.LISTED_BY`; not looked at without need.

        Returns:
            Their numbers; ``None`` when no posterior is asked for.
        """
        if self.posterior is None:
            return None
        numbers = self.posterior.selection.choose(stars, self.wanted())
        return torch.from_numpy(numbers.astype(np.int64))

    def learn(
        self, library: Library, quiet: MeasuredLabels, noisy: MeasuredLabels
    ) -> LibraryErrors:
        """Learn models of the errors that measurements with an emulator of a library have.

        Args:
            library: It has the published labels.
            quiet: Its stars as measured by emulators that had not seen them; NaN for those that
                were not held out.
            noisy: The same with noise added.

        Returns:
            The models; none when they are not wanted.
        """
        if not self.library:
            return LibraryErrors()
        names, fold = library.label_names, folds_of(library.star_names)
        systematic = learn_systematic(self.learning, quiet, library.labels, fold, names)
        noise = None
        if self.n_noisy and bool(noisy.errors.noise.isfinite().any()):
            noise = learn_noise(self.learning, quiet.labels, noisy, fold, names)
        return LibraryErrors(systematic, noise)

    def calibrate(
        self,
        table: Table,
        label_names: Sequence[str],
        errors: LibraryErrors,
        snr: Float[np.ndarray, " star"],
    ) -> CalibratedSurvey:
        """Turn the errors that the fits expect into those of the catalogue.

        Args:
            table: The fits of the whole survey, ``e_*_sys`` and ``e_*_ran`` as expected.
            label_names: Labels.
            errors: Error models of the emulator.
            snr: Signal-to-noise ratio of every star; NaN where not known.

        Returns:
            The survey with its errors.
        """
        own, known = self._wanted_models(errors), np.isfinite(snr)
        random = self._random(table, snr.astype(np.float64), own, label_names)
        models = () if random is None else (random,)
        # NaN in all of a piece would say that no ratio of the survey is known; 0 is not known.
        ratio = torch.from_numpy(np.where(known | ~known.any(), snr, 0.0).astype(np.float64))

        def final(piece: pd.DataFrame, rows: slice) -> dict[str, np.ndarray]:
            """Calibrated columns of some rows."""
            measured = measured_labels(piece, label_names)
            found = own.calibrate(measured, ratio[rows], models)
            ends = found.percentiles(measured.labels) if self.intervals else {}
            return _columns(found, ends, label_names)

        return CalibratedSurvey(with_computed(table, _expected(label_names), final), random)

    def _wanted_models(self, errors: LibraryErrors) -> LibraryErrors:
        """The emulator's models as far as they are to be used."""
        if not self.library:
            return LibraryErrors()
        if errors == LibraryErrors():
            logger.warning(
                "the emulator has no model of its errors: they stay as the fit expects them; "
                "train it again for calibrated ones"
            )
        return replace(errors, noise=None) if self.learning.plain else errors

    def _random(
        self,
        table: Table,
        snr: Float[np.ndarray, " star"],
        own: LibraryErrors,
        label_names: Sequence[str],
    ) -> ErrorModel | None:
        """The survey's model of random errors."""
        if self.random is None:
            return None
        if self.random == REPEATS:
            visits = visits_of(table, snr)
            rows = rows_of(table, visits.row, _expected(label_names))
            measured = measured_labels(rows, label_names)
            measured = own.with_noise(measured, torch.from_numpy(visits.snr))
            return learn_random(self.learning, visits, measured, label_names)
        model = read_error_model(Path(self.random))
        if len(model.gps) != len(label_names) or len(model.centre) != len(label_names) + 1:
            raise DataError(
                f"{self.random} is of {len(model.gps)} labels; this emulator has {len(label_names)}"
            )
        return model


def _expected(label_names: Sequence[str]) -> list[str]:
    """Columns of labels and of the errors that their fits expect."""
    return [kind.format(name) for kind in _EXPECTED for name in label_names]


def measured_labels(table: pd.DataFrame, label_names: Sequence[str]) -> MeasuredLabels:
    """What the fits have measured, with the errors that they expect.

    Args:
        table: Result table before the calibration.
        label_names: Labels.

    Returns:
        Labels and errors.
    """
    labels, model, noise = (
        torch.from_numpy(
            table[[kind.format(name) for name in label_names]].to_numpy(dtype=float, copy=True)
        )
        for kind in _EXPECTED
    )
    return MeasuredLabels(labels, LabelErrors(model, noise))


def _columns(
    found: Calibrated, ends: Mapping[float, Tensor], label_names: Sequence[str]
) -> dict[str, np.ndarray]:
    kinds = {"e_{}": found.total, "e_{}_sys": found.systematic, "e_{}_ran": found.random}
    kinds |= {_PERCENTILES[percentile]: values for percentile, values in ends.items()}
    return {
        kind.format(name): values[:, place].numpy()
        for kind, values in kinds.items()
        for place, name in enumerate(label_names)
    }

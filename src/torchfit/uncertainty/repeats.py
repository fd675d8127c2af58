"""Random errors: how far repeat observations of a star are from each other."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int

from torchfit.files.table_pieces import Table, rows_of
from torchfit.uncertainty.error_learning import ErrorLearning, KnownErrors, folds_of
from torchfit.uncertainty.error_model import ErrorModel, inputs_of, level_of
from torchfit.uncertainty.fisher import MeasuredLabels

logger = logging.getLogger(__name__)

_EXPOSURES = ("mjd", "obsid", "source")
"""Columns that tell visits apart, the best first; the last has no missing value."""


@dataclass(frozen=True)
class Visits:
    """Observations of stars, some of them repeated.

    Args:
        star: Name of the star of each observation; observations without a name are of no star.
        exposure: What tells two observations apart, at best the night; equal ones are no repeats.
        snr: Signal-to-noise ratio; NaN where not known.
        row: Row of each observation in the catalogue.
    """

    star: np.ndarray
    exposure: np.ndarray
    snr: Float[np.ndarray, " visit"]
    row: Int[np.ndarray, " visit"]


def visits_of(table: Table, snr: Float[np.ndarray, " star"]) -> Visits:
    """Say which rows of a catalogue are visits of which star, for the stars seen more than once.

    Args:
        table: The catalogue: the star is ``uid``, or ``name`` where that is empty; the exposure is
            the night, or the observation, or the file.
        snr: Signal-to-noise ratio of every row; NaN where unknown.

    Returns:
        The visits whose ratio is known; all if none is. Two rows of one night, or of one
        observation, are no repeat.
    """
    uid, known = table["uid"], np.isfinite(snr)
    star = uid.where(uid != "", table["name"])
    number = pd.factorize(star)[0]
    is_visit = (np.bincount(number)[number] > 1) & (star != "").to_numpy()
    row = np.flatnonzero(is_visit & known if known.any() else is_visit)
    return Visits(star.iloc[row].to_numpy(dtype=str), _exposures(table, row), snr[row], row)


def _exposures(table: Table, row: Int[np.ndarray, " visit"]) -> Int[np.ndarray, " visit"]:
    """A number of the night of each visit, or of the observation, or of the file."""
    exposure = np.full(len(row), -1)
    for kind, name in enumerate(_EXPOSURES):
        rest = np.flatnonzero(exposure < 0)
        if rest.size:
            codes = pd.factorize(rows_of(table, row[rest], [name])[name])[0]
            exposure[rest] = np.where(codes < 0, -1, len(_EXPOSURES) * codes + kind)
    return exposure


def pair_repeats(visits: Visits, tolerance: float) -> Int[np.ndarray, "pair two"]:
    """Pair observations of one star at different exposures and of like signal-to-noise ratio.

    The observations of a star are put in order of their ratio, and neighbours are paired, so that
    every observation is in one pair at most and pairs are independent.

    Args:
        visits: The observations.
        tolerance: Largest difference of the ratios, as a share of their mean. A pair of which a
            ratio is not known is a pair only when no ratio is known at all.

    Returns:
        Places of both observations of each pair.
    """
    known = np.isfinite(visits.snr)
    snr = visits.snr if known.any() else np.ones_like(visits.snr)
    named = np.flatnonzero((visits.star != "") & np.isfinite(snr))
    order = named[np.lexsort((snr[named], visits.star[named]))]
    first, second = order[:-1], order[1:]
    alike = np.abs(snr[first] - snr[second]) <= tolerance * (snr[first] + snr[second]) / 2
    same = visits.star[first] == visits.star[second]
    linked = alike & same & (visits.exposure[first] != visits.exposure[second])
    # Of neighbouring links every other one is taken.
    place = np.arange(len(linked))
    last_gap = np.maximum.accumulate(np.where(linked, -1, place))
    taken = linked & ((place - last_gap) % 2 == 1)
    return np.stack([first[taken], second[taken]], axis=1)


def learn_random(
    learning: ErrorLearning,
    visits: Visits,
    measured: MeasuredLabels,
    label_names: Sequence[str],
) -> ErrorModel | None:
    r"""Learn the factor of the noise's part of the errors.

    The difference of two observations has twice the variance of one: :math:`|d|/\sqrt 2` stands
    for the error at the mean labels and the mean level of a pair (see
    :func:`torchfit.uncertainty.error_model.level_of`), and what was expected is the root mean
    square of the two.

    Args:
        learning: How to learn.
        visits: The observations.
        measured: What was measured.
        label_names: Names of the labels.

    Returns:
        The model, of labels and level; ``None`` when there are too few pairs.
    """
    first, second = torch.from_numpy(pair_repeats(visits, learning.snr_tolerance)).unbind(dim=1)
    if len(first) < learning.min_stars:
        logger.warning(
            "random errors are not learned: there are %d pairs of repeat observations, and at "
            "least %d are needed", len(first), learning.min_stars,
        )  # fmt: skip
        return None
    labels, noise = measured.labels, measured.errors.noise
    level = level_of(learning.plain, measured.errors, torch.from_numpy(visits.snr))
    known = KnownErrors(
        inputs_of((labels[first] + labels[second]) / 2, (level[first] * level[second]).sqrt()),
        (labels[first] - labels[second]).abs() / 2**0.5,
        ((noise[first].square() + noise[second].square()) / 2).sqrt(),
        folds_of(visits.star[first.numpy()].tolist()),
    )
    return learning.learn(known, label_names, "random")

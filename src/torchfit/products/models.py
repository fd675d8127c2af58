"""Model spectra of a survey: observed flux, model and continuum of every star, in parts."""

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from torchfit.exceptions import CatalogueError, ConfigError, DataError
from torchfit.files.atomic import atomic
from torchfit.files.model_reader import stars_of
from torchfit.files.model_spectra import ModelSpectra
from torchfit.files.model_writers import WRITERS
from torchfit.products.measured import MeasuredSurvey
from torchfit.spectra import slices
from torchfit.survey.crew import ALONE, Crew
from torchfit.survey.workers import run_jobs

logger = logging.getLogger(__name__)

FOLDERS = {"parquet": "models", "fits": "models_fits"}
"""Names under which the user finds the parts of a format."""
_AT_ONCE = 256
"""Stars whose arrays are in memory in double precision."""


@dataclass(frozen=True)
class ModelProduct:
    """Spectra with their models, a row a star, in the order of the catalogue.

    Args:
        formats: ``parquet``, ``fits``, or both.
        rows: Stars of a part.

    Raises:
        ConfigError: If there is no such format, or no star in a part.
    """

    formats: Sequence[str] = ("parquet",)
    rows: int = 1024

    def __post_init__(self) -> None:
        unknown = [format for format in self.formats if format not in WRITERS]
        if unknown or not self.formats or self.rows < 1:
            raise ConfigError(
                f"products.models: formats={list(self.formats)} must hold some of "
                f"{', '.join(WRITERS)}, and rows={self.rows} be at least 1"
            )

    def write(
        self,
        survey: MeasuredSurvey,
        folder: Path,
        provenance: Mapping[str, str],
        crew: Crew = ALONE,
    ) -> None:
        """Write this process's share of the parts; a part that is there is kept.

        Args:
            survey: The measured survey.
            folder: Where parts go, in one folder per format.
            provenance: How they came about.
            crew: Who writes which parts.
        """
        jobs = (
            (survey, folder, number, *part, provenance)
            for number, part in enumerate(survey.parts(self.rows))
            if crew.takes(number)
        )
        for _ in run_jobs(self._write_part, jobs, 1):
            pass

    def folders(self, folder: Path) -> dict[str, Path]:
        """The folders of a product by the names that the user finds: ``models``, ``models_fits``.

        Args:
            folder: That of :meth:`write`.
        """
        return {FOLDERS[format]: folder / format for format in self.formats}

    def demand_all(self, survey: MeasuredSurvey, folder: Path) -> None:
        """Demand that the parts hold every star once, in order.

        Args:
            survey: The measured survey.
            folder: That of :meth:`write`.

        Raises:
            CatalogueError: If they do not.
        """
        for format in self.formats:
            for number, place in enumerate(slices(len(survey.star), self.rows)):
                path = _part(folder, format, number)
                if not _holds(path, survey.star[place]):
                    raise CatalogueError(f"{path} does not hold its stars; run again")

    def _write_part(
        self,
        survey: MeasuredSurvey,
        folder: Path,
        number: int,
        place: slice,
        found: pd.DataFrame,
        provenance: Mapping[str, str],
    ) -> None:
        paths = {format: _part(folder, format, number) for format in self.formats}
        if all(_holds(path, survey.star[place]) for path in paths.values()):
            return
        pieces = [
            survey.models(slice(place.start + low, place.start + low + len(rows)), rows)
            for low in range(0, len(found), _AT_ONCE)
            for rows in (found.iloc[low : low + _AT_ONCE],)
        ]
        spectra = ModelSpectra.join(pieces)
        for format, path in paths.items():
            with atomic(path) as temp:
                WRITERS[format](temp, spectra, provenance)


def _part(folder: Path, format: str, number: int) -> Path:
    return folder / format / f"part-{number:06d}.{format}"


def _holds(path: Path, star: np.ndarray) -> bool:
    """Whether a part is there, sound, and of these stars."""
    if not path.exists():
        return False
    try:
        return np.array_equal(stars_of(path), star)
    except DataError as error:
        logger.warning("%s: it is made again", error)
        return False


def folder_writer(source: Path) -> partial[None]:
    """What puts a folder of finished parts where the results go, without copying if it can be."""
    return partial(_link_tree, source)


def _link_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)

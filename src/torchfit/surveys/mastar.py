"""The MaNGA Stellar Library, MaStar, of the seventeenth data release."""

import logging
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from torchfit.exceptions import DataError, SpectrumError
from torchfit.files.fits_stream import TableLayout, open_table
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.mastar_files import MastarFiles, find_files, parameter_file
from torchfit.surveys.mastar_findings import LayoutFindings
from torchfit.surveys.mastar_labels import MastarLabels
from torchfit.surveys.mastar_visits import KEY, MastarRecipe, MastarVisits, join_key, read_visits
from torchfit.surveys.plausible import measured_ivar, sky_position
from torchfit.surveys.reader import Outcome, SurveyReader, attempt

logger = logging.getLogger(__name__)

_PIXELS = ("WAVE", "FLUX", "IVAR", "DISP", "MASK")
RECIPE = MastarRecipe()


class MastarReader(SurveyReader):
    """MaStar visits with stellar parameters: 3622-10354 Angstrom in vacuum, at rest, R of 1800.

    Spectra, summary and parameters are joined by (MANGAID, PLATE, IFUDESIGN, MJD). The 5 GB of
    spectra are decoded in a stream that keeps one block of rows in memory; ask for them all at
    once with :meth:`spectra`, since :meth:`read` starts the stream again.

    A source is ``MANGAID:PLATE:IFUDESIGN:MJD``. The line-spread function of every pixel
    (``DISP``, pixel included) comes with the spectrum.

    Args:
        root: Folder of the files; ``mastar`` in the cache of downloads if ``None``.
        parameters: Which parameter catalogue: goodvisits-v2, goodvisits-v1, goodstars-v2 or
            goodstars-v1.
        labels: ``median``, or one group: JI, DL, LH, YC.
        logg_source: Group whose gravity replaces that of ``labels``; ``None`` for no change.
        recipe: Which visits.
        download: Whether missing files may be fetched from SDSS.

    Raises:
        ConfigError: If a choice is unknown.

    References:
        Yan et al. 2019, ApJ 883, 175; Abdurro'uf et al. 2022, ApJS 259, 35.
    """

    name = "mastar"
    lsf_fwhm = 3.06
    sequential = True

    def __init__(
        self,
        root: str | None = None,
        parameters: str = "goodvisits-v2",
        labels: str = "median",
        logg_source: str | None = None,
        recipe: MastarRecipe = RECIPE,
        download: bool = False,
    ) -> None:
        self.root, self.recipe, self.download = root, recipe, download
        self.labels = MastarLabels(labels, logg_source)
        self.parameters = parameters
        parameter_file(parameters)

    @cached_property
    def files(self) -> MastarFiles:
        """The files, fetched if need be.

        Raises:
            DataError: If they are not there and may not or cannot be fetched.
        """
        return find_files(self.root, self.parameters, self.download)

    @cached_property
    def visits(self) -> MastarVisits:
        """All good visits with their labels."""
        return read_visits(self.files, self.labels)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row in :attr:`visits` of every source, sorted by source."""
        chosen = self.recipe.chosen(self.visits)
        if not len(chosen):
            raise DataError("no visit of MaStar passes the recipe; lower min_snr or reject less")
        return {str(self.visits.key[row]): int(row) for row in chosen}

    def sources(self) -> list[str]:
        """List the visits that the recipe takes, sorted.

        Raises:
            DataError: If files are missing or do not fit together, or no visit is taken.
        """
        return list(self.rows)

    def read(self, source: str) -> Spectrum:
        """Read one spectrum, by decoding the file up to it.

        Args:
            source: One of :meth:`sources`.

        Raises:
            SpectrumError: If there is no such visit, or it has no good pixel.
        """
        _, outcome = next(self.spectra([source]))
        if isinstance(outcome, SpectrumError):
            raise outcome
        return outcome

    def spectra(self, sources: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
        """Read many spectra in one pass over the file.

        Args:
            sources: Some of :meth:`sources`.

        Yields:
            Source and spectrum, or why there is none: first those that are no source, then in
            the order of the file, and last those that the file does not hold.

        Raises:
            DataError: If the file is damaged, lacks a column, or holds a visit twice.
        """
        wanted = set(sources)
        for source in sorted(wanted - self.rows.keys()):
            yield source, SpectrumError(f"{source}: no such visit of MaStar")
        wanted &= self.rows.keys()
        missing = set(wanted)
        path, findings = self.files.spectra, LayoutFindings(self.files.spectra)
        if wanted:
            for source, row, layout in _rows(path, wanted):
                if source not in missing:
                    raise DataError(f"{path}: visit {source} stands twice")
                missing.remove(source)
                findings.note(layout, row)
                yield source, attempt(partial(self._spectrum, source, row, layout), source)
        findings.log()
        for source in sorted(missing):
            yield source, SpectrumError(f"{source}: no such row in {path}")

    def shared_files(self) -> Sequence[Path]:
        """Name the three files."""
        return (self.files.summary, self.files.parameters, self.files.spectra)

    def provenance(self) -> dict[str, str]:
        """Release, files and choices."""
        return {
            "reader": self.name,
            "release": "SDSS DR17, MaStar v3_1_1 v1_7_7",
            "files": ", ".join(path.name for path in vars(self.files).values()),
            "labels": f"{self.labels.label_set}, logg {self.labels.logg_source or 'the same'}",
            "recipe": f"{self.recipe.visits} visits, S2N > {self.recipe.min_snr:g}, "
            f"none of {' '.join(self.recipe.reject)}",
        }

    def _spectrum(self, source: str, row: np.void, layout: TableLayout) -> Spectrum:
        wave, flux, ivar, disp, mask = (
            layout.values(row, column).astype(np.float64) for column in _PIXELS
        )
        ivar = measured_ivar(flux, ivar, mask == 0, source)
        return Spectrum(wave, flux, ivar, self._info(source), lsf_sigma=disp)

    def _info(self, source: str) -> StarInfo:
        visits, row = self.visits, self.rows[source]
        labels = {name: float(values[row]) for name, values in visits.labels.items()}
        ra, dec = sky_position(float(visits.ra[row]), float(visits.dec[row]))
        return StarInfo(
            source,
            name=str(visits.mangaid[row]),
            ra=ra,
            dec=dec,
            mjd=int(visits.mjd[row]),
            snr={"median": float(visits.s2n[row])},
            labels={name: value for name, value in labels.items() if np.isfinite(value)},
        )


def _rows(path: Path, wanted: set[str]) -> Iterator[tuple[str, np.void, TableLayout]]:
    """The wanted rows as they come, until the end of the file or the one row that was wanted."""
    with open_table(path) as table:
        table.layout.demand([*KEY, *_PIXELS], path)
        for block in table.blocks():
            for row, source in zip(block, join_key(block, KEY).tolist(), strict=True):
                if source in wanted:
                    yield source, row, table.layout
                    if len(wanted) == 1:
                        return

"""A library of one's own: labels of a table, spectra in its cells or in the files it names."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from operator import itemgetter
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.names import FE_H, LOGG, TEFF
from torchfit.spectra import Spectrum
from torchfit.surveys.desi import DesiReader
from torchfit.surveys.files import FilesReader
from torchfit.surveys.label_table import LabelTable, StarLabels
from torchfit.surveys.lamost import LamostReader
from torchfit.surveys.lamost_mrs import LamostMrsReader
from torchfit.surveys.library_columns import DEFAULT, LibraryColumns, table_at
from torchfit.surveys.plausible import demand_stellar_redshift
from torchfit.surveys.reader import Outcome, SurveyReader, attempt
from torchfit.surveys.sdss import SdssReader
from torchfit.surveys.stated_resolution import StatedResolution
from torchfit.surveys.table import ARRAYS, MEDIA, WIDTHS, TableReader

SURVEYS = {
    "desi": DesiReader,
    "lamost": LamostReader,
    "lamost_mrs": LamostMrsReader,
    "sdss": SdssReader,
}
"""Surveys whose files a table may name, by the name of the reader."""
FILES = "files"
"""Files of any format that specutils reads."""
LABELS = {TEFF: TEFF, LOGG: LOGG, FE_H: FE_H}
NOT_STATED = StatedResolution()


class LibraryTableReader(SurveyReader):
    """The stars of a table, which has their labels; docs/libraries.md has the layout.

    Their spectra are array columns of the same table (:class:`~torchfit.surveys.table.TableReader`;
    a source is the name of the table, a colon, and the row), or lie in files that a column names
    (a source is what the column says: a path below ``root``, with ``:0003`` for the fourth spectrum
    of a file of several).

    Args:
        path: The table (FITS, Parquet, CSV, ECSV, VOTable), or a folder with one table
            ``library.*`` in it.
        medium: Whether wavelengths are in ``air`` or in ``vacuum``. It must be stated of array
            columns, and of files whose format does not define it.
        labels: Columns of the labels, by label.
        errors: Columns of the errors of labels, by label.
        columns: Columns by what they hold: ``name`` (of the star, shared by its spectra, which are
            then never on both sides of a fold); ``file``, or the array columns ``wave``, ``flux``,
            ``ivar`` or ``error``, ``mask``; ``lsf_fwhm`` (Angstrom) or ``resolving_power``, of
            the star or of every pixel; ``z``, where the spectra are not at rest; ``None`` for a
            column that is not there.
            ``ivar`` and ``lsf_fwhm`` need not be there under these names.
        survey: What the files are: ``files`` (whatever specutils reads), desi, lamost, lamost_mrs
            or sdss, whose own masks, resolution and redshifts then hold.
        root: Folder from which the paths of files count; that of the table if ``None``.
        resolution: Resolution of all spectra, before what their files say.

    Raises:
        ConfigError: If no spectrum is named, the medium of array columns is not stated, the
            resolution is stated twice, or a choice is unknown.
    """

    name = "table"

    def __init__(
        self,
        path: str,
        medium: str | None = None,
        labels: Mapping[str, str] = LABELS,
        errors: Mapping[str, str | None] | None = None,
        columns: Mapping[str, str | None] = DEFAULT,
        survey: str = FILES,
        root: str | None = None,
        resolution: StatedResolution = NOT_STATED,
    ) -> None:
        self.path, self.medium, self.survey, self.root = path, medium, survey, root
        self.labels, self.resolution = dict(labels), resolution
        self.errors = {key: name for key, name in (errors or {}).items() if name is not None}
        given = {key: name for key, name in columns.items() if name is not None}
        self.columns = LibraryColumns(given)
        self._demand_sense()

    def _demand_sense(self) -> None:
        at, known = "library.reader", (FILES, *SURVEYS)
        if self.medium not in (None, *MEDIA):
            raise ConfigError(f"{at}.medium={self.medium}: use {' or '.join(MEDIA)}")
        if self.survey not in known:
            raise ConfigError(f"{at}.survey={self.survey}: use one of {', '.join(known)}")
        if not self.in_files and self.medium is None:
            raise ConfigError(f"air or vacuum? Give {at}.medium=air or {at}.medium=vacuum")

    @property
    def in_files(self) -> bool:
        """Whether the spectra lie in files."""
        return self.columns.in_files

    @property
    def lsf_fwhm(self) -> float | None:  # type: ignore[override]
        """Resolution of all spectra in Angstrom, where it is one number."""
        stated = self.resolution.lsf_fwhm
        return self.spectra_of.lsf_fwhm if stated is None and self.survey in SURVEYS else stated

    @property
    def sequential(self) -> bool:  # type: ignore[override]
        """Whether the spectra lie in the table."""
        return not self.in_files

    @cached_property
    def file(self) -> Path:
        """The table.

        Raises:
            DataError: If a folder holds none of the name, or several.
        """
        return table_at(Path(self.path).expanduser())

    @cached_property
    def there(self) -> dict[str, str]:
        """The columns that the table has, by what they hold.

        Raises:
            DataError: If the table cannot be read.
            ConfigError: If the resolution is stated twice.
        """
        return self.columns.there(self.file, self.resolution != NOT_STATED)

    @cached_property
    def stars(self) -> dict[str, StarLabels]:
        """What the table says of each star, by source, sorted.

        Raises:
            DataError: If the table cannot be read, lacks a column, or names a spectrum twice.
        """
        single = ("name", "file", *(WIDTHS if self.in_files else ()), "z")
        wanted = {key: self.there[key] for key in single if key in self.there}
        rows = LabelTable(self.labels, self.errors, wanted).read(self.file)
        if not self.in_files and (n_spectra := self.arrays.n_rows) != len(rows):
            raise DataError(f"{self.file} has {n_spectra} spectra and {len(rows)} rows of labels")
        named = [(self._source(number, row), row) for number, row in enumerate(rows)]
        counts = Counter(source for source, _ in named if source)
        twice = [source for source, count in counts.items() if count > 1]
        if twice:
            raise DataError(f"{self.file} names the spectrum {twice[0]} more than once")
        if not (stars := {key: row for key, row in sorted(named, key=itemgetter(0)) if key}):
            raise DataError(f"{self.file} has no row with a spectrum")
        return stars

    def _source(self, number: int, row: StarLabels) -> str:
        return row.file if self.in_files else f"{self.file.name}:{number:09d}"

    @cached_property
    def arrays(self) -> TableReader:
        """The reader of the array columns alone."""
        wanted = {key: self.there[key] for key in (*ARRAYS, "z") if key in self.there}
        return TableReader(str(self.file), str(self.medium), wanted, default_z=0.0)

    @cached_property
    def spectra_of(self) -> SurveyReader:
        """The reader of the spectra alone."""
        if not self.in_files:
            return self.arrays
        root = str(self.file.parent if self.root is None else self.root)
        if self.survey == FILES:
            return FilesReader(root, medium=self.medium)
        return SURVEYS[self.survey](root)

    def sources(self) -> list[str]:
        """List the spectra that the table names, sorted.

        Raises:
            DataError: If the table cannot be read or names none.
        """
        return list(self.stars)

    def read(self, source: str) -> Spectrum:
        """Read one spectrum with the labels of its star.

        Raises:
            SpectrumError: If there is no such spectrum, or it cannot be used.
        """
        if source not in self.stars:
            raise SpectrumError(f"{source}: no such spectrum in {self.file}")
        return self._labelled(self.spectra_of.read(source), source)

    def spectra(self, sources: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
        """Read many spectra, as the reader of the spectra does."""
        for source, outcome in self.spectra_of.spectra(sources):
            if isinstance(outcome, SpectrumError):
                yield source, outcome
            elif source not in self.stars:
                yield source, SpectrumError(f"{source}: no such spectrum in {self.file}")
            else:
                yield source, attempt(partial(self._labelled, outcome, source), source)

    def _labelled(self, spectrum: Spectrum, source: str) -> Spectrum:
        star, info = self.stars[source], spectrum.info
        z = self._redshift(star.z if np.isfinite(star.z) else info.z, source)
        info = replace(
            info, name=star.name or info.name, labels=star.labels, label_errors=star.errors, z=z
        )
        width = star.resolution.sigma(spectrum.wave)
        width = self.resolution.sigma(spectrum.wave) if width is None else width
        return replace(
            spectrum, info=info, lsf_sigma=spectrum.lsf_sigma if width is None else width
        )

    def _redshift(self, z: float, source: str) -> float:
        """A redshift; spectra for which nobody states one are at rest, but those of a survey."""
        if np.isfinite(z):
            return demand_stellar_redshift(z, source)
        if self.in_files and self.survey in SURVEYS:
            raise SpectrumError(f"{source}: no redshift; name its column, library.reader.columns.z")
        return 0.0

    def lsf_fwhm_at(self, wave: Float[Tensor, " pix"]) -> Float[Tensor, " pix"] | None:
        """Resolution that is stated of all spectra, or that of their survey."""
        fwhm = self.resolution.fwhm(wave.double().numpy())
        return self.spectra_of.lsf_fwhm_at(wave) if fwhm is None else torch.from_numpy(fwhm)

    def file_of(self, source: str) -> Path | None:
        """Name the file of a spectrum; ``None`` for a row of the table."""
        return self.spectra_of.file_of(source) if self.in_files else None

    def shared_files(self) -> Sequence[Path]:
        """Name the table."""
        return (self.file,)

    def provenance(self) -> dict[str, str]:
        """Name and content of the table, and what was stated of it."""
        with self.file.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return {
            "reader": self.name,
            "table": self.file.name,
            "sha256": content,
            "spectra": self.survey if self.in_files else "array columns",
            "medium": self.medium or "as the format of the files defines",
        }

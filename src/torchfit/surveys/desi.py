"""Spectra of DESI: files of some hundred targets in three arms."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path

import numpy as np

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.files.file_name import is_fits_name
from torchfit.files.fits_stream import find_tables
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.band_snr import band_snr
from torchfit.surveys.desi_file import DesiFile, combine, read_desi_file
from torchfit.surveys.desi_redshift import DesiRedshift, redshift_files, redshifts_beside
from torchfit.surveys.mask_bits import mask_of, names_in
from torchfit.surveys.plausible import (
    demand_noise,
    demand_stellar_redshift,
    is_measured,
    name_by_position,
    night,
    sky_position,
)
from torchfit.surveys.reader import Outcome, attempt
from torchfit.surveys.tree_reader import TreeReader

PIXEL_BITS = {
    "SOMEBADPIX": 0, "ALLBADPIX": 1, "COSMIC": 2, "LOWFLAT": 3, "BADFIBERFLAT": 4, "BRIGHTSKY": 5,
    "BADSKY": 6, "BAD2DFIT": 7, "NODATA": 8, "BADFIBER": 9, "BADCOLUMN": 10,
}  # fmt: skip
"""specmask of desispec: bits of ``*_MASK``."""
FIBER_BITS = {
    "UNASSIGNED": 0, "STUCKPOSITIONER": 1, "BROKENFIBER": 2, "RESTRICTED": 3, "MISSINGPOSITION": 8,
    "BADPOSITION": 9, "POORPOSITION": 10, "BADFIBER": 16, "BADTRACE": 17, "BADFLAT": 18,
    "BADARC": 19, "MANYBADCOL": 20, "MANYREJECTED": 21,
}  # fmt: skip
"""fibermask of desispec: bits of FIBERSTATUS; a RESTRICTED fibre observes well."""
CHOICES = ("target", "mws", "star")
_GAIA = ("G2", "G3")
_FILES = ("coadd-", "spectra-")
_HARMLESS = 1 << FIBER_BITS["RESTRICTED"]


class DesiReader(TreeReader):
    """The ``coadd-*`` and ``spectra-*`` files of DESI: vacuum, heliocentric, not at rest.

    A source is a file and a row, ``coadd-sv3-bright-100.fits:0017``. Arms are combined by their
    inverse variances, and the resolution is that of the resolution matrix: R of 2500 to 5000. It
    comes with the redshift of the ``rvtab_*`` or else the ``redrock-*`` file of the same name
    beside it.

    Args:
        root: Folder of the files.
        pattern: Only the files whose path below ``root`` matches this shell pattern: ``*coadd-*``
            where single exposures lie there too.
        listed: A text file with one path a line, instead of all that lies below the folder.
        only: Which targets: ``target`` (no sky: OBJTYPE is TGT), ``mws`` (of the Milky Way Survey:
            a MWS_TARGET bit), ``star`` (not GALAXY or QSO for redrock, where it is known).
        masked: Bits of the mask (:data:`PIXEL_BITS`) that make a pixel bad.
        default_z: Redshift of targets of which none is known; ``None`` rejects them.

    Raises:
        ConfigError: If there is no folder and no list, no such choice, or no such bit.
    """

    name = "desi"
    lsf_fwhm = None
    wanted = "coadd-*.fits or spectra-*.fits file"

    def __init__(
        self,
        root: str | None = None,
        pattern: str | None = None,
        listed: str | None = None,
        only: Sequence[str] = ("target", "star"),
        masked: Sequence[str] = tuple(PIXEL_BITS),
        default_z: float | None = None,
    ) -> None:
        super().__init__(root, pattern, listed)
        if unknown := [each for each in only if each not in CHOICES]:
            raise ConfigError(f"data.only: no {', '.join(unknown)}; use {', '.join(CHOICES)}")
        self.only, self.default_z = tuple(only), default_z
        self.masked = mask_of(masked, PIXEL_BITS, "data.masked")

    def takes(self, name: str) -> bool:
        """Whether a file holds spectra, by its name."""
        return is_fits_name(name) and name.startswith(_FILES)

    def sources(self) -> list[str]:
        """List the rows of all files, sorted.

        Raises:
            DataError: If there is no file.
        """
        return self.rows

    @cached_property
    def rows(self) -> list[str]:
        """The rows of all files, sorted."""
        return sorted(
            f"{file}:{row:04d}" for file in self.files for row in range(_n_rows(self.folder / file))
        )

    def file_of(self, source: str) -> Path:
        """Name the file of a source."""
        return self.folder / _split(source)[0]

    def shared_files(self) -> Sequence[Path]:
        """Name the files with redshifts."""
        return [path for file in self.files for path in redshift_files(self.folder / file)]

    def read(self, source: str) -> Spectrum:
        """Read one spectrum.

        Args:
            source: Path of the file, colon, number of the row.

        Raises:
            SpectrumError: If the file cannot be read or has no such row, or the target is not
                wanted, has no redshift, or no good pixel.
        """
        return self._spectrum(self._open(_split(source)[0]), source)

    def spectra(self, sources: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
        """Read many spectra, each file once.

        Args:
            sources: Some of :meth:`sources`; those of a file stand together.

        Yields:
            As :meth:`SurveyReader.spectra`.
        """
        for file, here in groupby(sources, key=lambda source: _split(source)[0]):
            opened = attempt(partial(self._open, file), file, self.time_limit)
            for source in here:
                if isinstance(opened, SpectrumError):
                    yield source, opened
                else:
                    read = partial(self._spectrum, opened, source)
                    yield source, attempt(read, source, self.time_limit)

    def _open(self, file: str) -> tuple[DesiFile, dict[int, DesiRedshift]]:
        path = self.folder / file
        try:
            return read_desi_file(path, file), redshifts_beside(path)
        except DataError as error:
            raise SpectrumError(f"{file}: its redshifts cannot be read ({error})") from error

    def _spectrum(self, opened: tuple[DesiFile, dict[int, DesiRedshift]], source: str) -> Spectrum:
        file, redshifts = opened
        row = _split(source)[1]
        if not 0 <= row < len(file):
            raise SpectrumError(f"{source}: no such row, the file has {len(file)}")
        known = redshifts.get(file.whole(row, "TARGETID"), DesiRedshift())
        self._demand_wanted(file, row, known, source)
        z = known.z if math.isfinite(known.z) else self.default_z
        if z is None:
            raise SpectrumError(
                f"{source}: no redshift (no redrock-* or rvtab_* file beside it has one; "
                "data.default_z=0 takes it as at rest)"
            )
        arms = combine(file.arms, row, self.masked)
        good = is_measured(arms.flux, arms.ivar)
        demand_noise(arms.flux[good], arms.ivar[good], source)
        ivar = np.where(good, arms.ivar, 0.0)
        info = replace(
            _info(file, row, source, known, demand_stellar_redshift(z, source)),
            snr=band_snr(arms.wave, arms.flux, ivar),
            n_bad=int((~good).sum()),
        )
        return Spectrum(arms.wave, arms.flux, ivar, info, True, arms.sigma)

    def _demand_wanted(self, file: DesiFile, row: int, known: DesiRedshift, source: str) -> None:
        status = file.whole(row, "COADD_FIBERSTATUS", "FIBERSTATUS") & ~_HARMLESS
        kind = file.text(row, "OBJTYPE")
        if "target" in self.only and kind != "TGT":
            raise SpectrumError(f"{source}: no target (OBJTYPE is {kind or 'missing'})")
        if status:
            raise SpectrumError(f"{source}: its fibre is bad ({names_in(status, FIBER_BITS)})")
        if "mws" in self.only and not any(
            file.whole(row, name) for name in file.fibermap if name.endswith("MWS_TARGET")
        ):
            raise SpectrumError(f"{source}: no target of the Milky Way Survey")
        if "star" in self.only and known.kind not in ("", "STAR"):
            raise SpectrumError(f"{source}: not a star (SPECTYPE is {known.kind})")
        if known.warning:
            raise SpectrumError(f"{source}: no usable redshift (ZWARN is {known.warning})")


def _info(file: DesiFile, row: int, source: str, known: DesiRedshift, z: float) -> StarInfo:
    target, gaia = file.whole(row, "TARGETID"), file.whole(row, "REF_ID")
    ra, dec = sky_position(file.number(row, "TARGET_RA"), file.number(row, "TARGET_DEC"))
    columns = (("MEAN_FIBER_RA", "FIBER_RA"), ("MEAN_FIBER_DEC", "FIBER_DEC"))
    ra_obs, dec_obs = sky_position(*(file.number(row, *names) for names in columns))
    in_gaia = file.text(row, "REF_CAT") in _GAIA and gaia > 0
    return StarInfo(
        source,
        obsid=target if target > 0 else None,
        name=name_by_position(ra, dec),
        ra=ra,
        dec=dec,
        subclass=known.subclass,
        z=z,
        labels=known.labels,
        z_err=known.error if known.error > 0 else math.nan,
        ra_obs=ra_obs,
        dec_obs=dec_obs,
        mjd=night(file.nights.get(target, file.number(row, "MJD", "MEAN_MJD"))),
        uid=str(target) if target > 0 else "",
        gaia_source_id=str(gaia) if in_gaia else "",
    )


def _split(source: str) -> tuple[str, int]:
    """File and row of a source; a source without a row is a file, and its row is -1."""
    file, colon, row = source.rpartition(":")
    return (file, int(row)) if colon and row.isdecimal() else (source, -1)


def _n_rows(path: Path) -> int:
    """Number of spectra; 1 of a file that cannot be read, which will be a reject."""
    try:
        tables = find_tables(path)
        return next(h.whole("NAXIS2") for _, h in tables if h.text("EXTNAME") == "FIBERMAP")
    except (DataError, StopIteration):
        return 1

"""Spectra of DESI: files of some hundred targets in three arms."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.files.file_name import is_fits_name
from torchfit.files.fits_stream import find_tables
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.band_snr import band_snr
from torchfit.surveys.desi_file import DesiFile, combine, read_desi_file
from torchfit.surveys.desi_redshift import DesiRedshift, redshift_files, redshifts_beside
from torchfit.surveys.mask_bits import mask_of, names_in
from torchfit.surveys.plausible import (
    demand_stellar_redshift,
    measured_ivar,
    name_by_position,
    night,
    sky_position,
)
from torchfit.surveys.row_reader import RowReader

PIXEL_BITS = {
    "SOMEBADPIX": 0, "ALLBADPIX": 1, "COSMIC": 2, "LOWFLAT": 3, "BADFIBERFLAT": 4, "BRIGHTSKY": 5,
    "BADSKY": 6, "BAD2DFIT": 7, "NODATA": 8, "BADFIBER": 9, "BADCOLUMN": 10,
}  # fmt: skip
"""specmask of desispec: bits of ``*_MASK``; 0 to 9 as of version 0.55, the last of later ones."""
FIBER_BITS = {
    "UNASSIGNED": 0, "STUCKPOSITIONER": 1, "BROKENFIBER": 2, "RESTRICTED": 3, "MISSINGPOSITION": 8,
    "BADPOSITION": 9, "POORPOSITION": 10, "LOWTRANSMISSION": 12, "LOWEFFTIME": 15, "BADFIBER": 16,
    "BADTRACE": 17, "BADFLAT": 18, "BADARC": 19, "MANYBADCOL": 20, "MANYREJECTED": 21,
    "BADAMPB": 22, "BADAMPR": 23, "BADAMPZ": 24, "BADPETALPOS": 25, "BADPETALSKY": 26,
    "BADPETALSTDSTAR": 27, "BADPETALFLUXCAL": 28, "BADPETALSNR": 29, "BADREADNOISE": 30,
}  # fmt: skip
"""fibermask of desispec 0.55: bits of FIBERSTATUS. A RESTRICTED fibre observes well, and one of
LOWTRANSMISSION is only no measure of the sky."""
CHOICES = ("target", "mws", "star")
_GAIA = ("G2", "G3")
_FILES = ("coadd-", "spectra-")
_HARMLESS = 1 << FIBER_BITS["RESTRICTED"] | 1 << FIBER_BITS["LOWTRANSMISSION"]

Opened = tuple[DesiFile, dict[int, DesiRedshift]]
"""Spectra, and redshifts by TARGETID."""


class DesiReader(RowReader[Opened]):
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
        default_z: Redshift of targets of which none is known; ``None`` leaves it to be measured.

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

    def parts(self, path: Path) -> Sequence[int]:
        """Numbers of the rows of a file."""
        try:
            tables = find_tables(path)
            n = next(h.whole("NAXIS2") for _, h in tables if h.text("EXTNAME") == "FIBERMAP")
        except (DataError, StopIteration):
            n = 1
        return range(n)

    def shared_files(self) -> Sequence[Path]:
        """Name the files with redshifts."""
        return [path for file in self.files for path in redshift_files(self.folder / file)]

    def open(self, file: str) -> Opened:
        """Read a file and the redshifts beside it."""
        path = self.folder / file
        try:
            return read_desi_file(path, file), redshifts_beside(path)
        except DataError as error:
            raise SpectrumError(f"{file}: its redshifts cannot be read ({error})") from error

    def row(self, opened: Opened, row: int, source: str) -> Spectrum:
        """Make the spectrum of a target.

        Raises:
            SpectrumError: If there is no such row, or the target is not wanted, or has no good
                pixel.
        """
        file, redshifts = opened
        if not 0 <= row < len(file):
            raise SpectrumError(f"{source}: no such row, the file has {len(file)}")
        known = redshifts.get(file.whole(row, "TARGETID"), DesiRedshift())
        self._demand_wanted(file, row, known, source)
        default = math.nan if self.default_z is None else self.default_z
        z = known.z if math.isfinite(known.z) else default
        arms = combine(file.arms, row, self.masked)
        ivar = measured_ivar(arms.flux, arms.ivar, arms.ivar > 0, source)
        info = replace(
            _info(file, row, source, known, demand_stellar_redshift(z, source)),
            snr=band_snr(arms.wave, arms.flux, ivar),
            n_bad=int((ivar == 0).sum()),
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

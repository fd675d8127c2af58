"""Spectra of SDSS, BOSS and SDSS-V: one ``spec-*.fits`` file an object."""

import math
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_bytes import read_bytes
from torchfit.files.fits_file import FitsUnit, read_fits
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.band_snr import band_snr
from torchfit.surveys.mask_bits import has_bits, mask_of, names_in
from torchfit.surveys.medium import air_to_vacuum
from torchfit.surveys.plausible import (
    demand_stellar_redshift,
    measured_ivar,
    name_by_position,
    night,
    sky_position,
)
from torchfit.surveys.tree_reader import TreeReader

PIXEL_BITS = {
    "NOPLUG": 0, "BADTRACE": 1, "BADFLAT": 2, "BADARC": 3, "MANYBADCOLUMNS": 4, "MANYREJECTED": 5,
    "LARGESHIFT": 6, "BADSKYFIBER": 7, "NEARWHOPPER": 8, "WHOPPER": 9, "SMEARIMAGE": 10,
    "SMEARHIGHSN": 11, "SMEARMEDSN": 12, "NEARBADPIXEL": 16, "LOWFLAT": 17, "FULLREJECT": 18,
    "PARTIALREJECT": 19, "SCATTEREDLIGHT": 20, "CROSSTALK": 21, "NOSKY": 22, "BRIGHTSKY": 23,
    "NODATA": 24, "COMBINEREJ": 25, "BADFLUXFACTOR": 26, "BADSKYCHI": 27, "REDMONSTER": 28,
}  # fmt: skip
"""SPPIXMASK of idlutils (sdssMaskbits.par): bits of ``and_mask``, set where all exposures have
them."""
REDSHIFT_BITS = {
    "SKY": 0, "LITTLE_COVERAGE": 1, "SMALL_DELTA_CHI2": 2, "NEGATIVE_MODEL": 3, "MANY_OUTLIERS": 4,
    "Z_FITLIMIT": 5, "NEGATIVE_EMISSION": 6, "UNPLUGGED": 7, "BAD_TARGET": 8, "NODATA": 9,
}  # fmt: skip
"""ZWARNING: what may be wrong with the redshift; MANY_OUTLIERS is common among bright stars."""
_PIXELS = ("LOGLAM", "FLUX", "IVAR", "AND_MASK")
_BANDS = "ugriz"
_PIXEL_STEP = 1e-4 * math.log(10)
"""Width of a pixel of ``wdisp`` as a share of its wavelength."""
MASKED = (
    "BADTRACE", "BADFLAT", "BADARC", "FULLREJECT", "NOSKY", "BRIGHTSKY", "NODATA", "BADFLUXFACTOR",
    "BADSKYCHI", "REDMONSTER",
)  # fmt: skip
REFUSED = ("SKY", "Z_FITLIMIT", "UNPLUGGED", "NODATA")


class SdssReader(TreeReader):
    """The ``spec-*.fits`` files of SDSS, BOSS and SDSS-V: vacuum, heliocentric, not at rest.

    A spectrum is used if the pipeline's CLASS is STAR. Its resolution is that of ``wdisp``, which
    differs by a third from fibre to fibre: a sharper one is brought to ``lsf_fwhm``.

    Args:
        root: Folder of the files.
        pattern: Only the files whose path below ``root`` matches this shell pattern.
        listed: A text file with one path a line, instead of all that lies below the folder.
        lsf_fwhm: Resolution at which all are measured, full width at half maximum in Angstrom.
        masked: Bits of ``and_mask`` (:data:`PIXEL_BITS`) that make a pixel bad.
        refused: Bits of ZWARNING (:data:`REDSHIFT_BITS`) for which a spectrum is rejected.

    Raises:
        ConfigError: If there is no folder and no list, or no such bit.

    References:
        Smee et al. 2013, AJ 146, 32; https://www.sdss4.org/dr17/algorithms/bitmasks.
    """

    name = "sdss"

    def __init__(
        self,
        root: str | None = None,
        pattern: str | None = None,
        listed: str | None = None,
        lsf_fwhm: float = 3.8,
        masked: Sequence[str] = MASKED,
        refused: Sequence[str] = REFUSED,
    ) -> None:
        super().__init__(root, pattern, listed)
        self.lsf_fwhm = lsf_fwhm
        self.masked = mask_of(masked, PIXEL_BITS, "data.masked")
        self.refused = mask_of(refused, REDSHIFT_BITS, "data.refused")

    def read(self, source: str) -> Spectrum:
        """Read one spectrum.

        Args:
            source: Path below the folder.

        Raises:
            SpectrumError: If the file cannot be read or is none of these, or has no star, no
                usable redshift, or no good pixel.
        """
        return read_sdss(self.file_of(source), source, self.masked, self.refused)


def read_sdss(file: Path, source: str, masked: int, refused: int) -> Spectrum:
    """Read one ``spec-*.fits`` file.

    Args:
        file: Its path.
        source: What to call it.
        masked: Bits of ``and_mask`` that make a pixel bad.
        refused: Bits of ZWARNING for which it is rejected.

    Raises:
        SpectrumError: As :meth:`SdssReader.read`.
    """
    content = read_bytes(file, source)
    units = read_fits(content, source)
    pixels = next((unit for unit in units if set(_PIXELS) <= unit.columns.keys()), None)
    row = next((unit for unit in units if _is_row(unit)), None)
    if pixels is None or row is None:
        raise SpectrumError(f"{source}: no spectrum of SDSS (no table of {', '.join(_PIXELS)}, "
                            "or none of CLASS and Z)")  # fmt: skip
    z = _redshift(row, source, refused)
    wave, flux, ivar = _arrays(units[0], pixels, source, masked)
    snr = _snr(row) or band_snr(wave, flux, ivar)
    info = _info(units[0], row, source, z, snr, int((ivar == 0).sum()), zlib.adler32(content))
    sigma = pixels.columns.get("WDISP")
    return Spectrum(wave, flux, ivar, info, True, None if sigma is None else _sigma(sigma, wave))


def _is_row(unit: FitsUnit) -> bool:
    names = set() if unit.layout is None else set(unit.layout.names)
    return {"CLASS", "Z"} <= names and unit.rows is not None and len(unit.rows) == 1


def _arrays(
    primary: FitsUnit, unit: FitsUnit, source: str, masked: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vacuum wavelength, flux, and inverse variance with 0 in bad pixels."""
    columns = [unit.columns[name] for name in _PIXELS]
    # SDSS-V has a row for every pixel too, but other surveys may hold arrays of one row.
    loglam, flux, ivar, mask = (np.ravel(column) for column in columns)
    if not (np.isfinite(loglam).all() and (np.abs(loglam) < 6).all()):
        raise SpectrumError(f"{source}: the wavelengths are no logarithms of Angstrom")
    wave = 10.0**loglam
    if primary.header.logical("VACUUM") is False:
        wave = air_to_vacuum(wave)
    return wave, flux, measured_ivar(flux, ivar, ~has_bits(mask, masked, source), source)


def _sigma(wdisp: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """Standard deviation of the line-spread function in Angstrom."""
    return np.ravel(wdisp) * wave * _PIXEL_STEP


def _redshift(row: FitsUnit, source: str, refused: int) -> float:
    found = _text(row, "CLASS")
    if found.upper() != "STAR":
        raise SpectrumError(f"{source}: not a star (CLASS is {found or 'missing'})")
    warning = _whole(row, "ZWARNING") or 0
    if warning & refused:
        names = names_in(warning & refused, REDSHIFT_BITS)
        raise SpectrumError(f"{source}: no usable redshift (ZWARNING is {names})")
    return demand_stellar_redshift(_number(row, "Z"), source)


def _info(
    primary: FitsUnit, row: FitsUnit, source: str, z: float, snr: dict[str, float], n_bad: int,
    checksum: int,
) -> StarInfo:  # fmt: skip
    ra, dec = sky_position(_number(row, "RA", "RACAT"), _number(row, "DEC", "DECCAT"))
    ra_obs, dec_obs = sky_position(
        _number(row, "PLUG_RA", "FIBER_RA"), _number(row, "PLUG_DEC", "FIBER_DEC")
    )
    if math.isnan(ra):
        ra, dec = ra_obs, dec_obs
    error, mjd = _number(row, "Z_ERR"), _number(row, "MJD")
    return StarInfo(
        source,
        obsid=_whole(row, "SPECOBJID"),
        name=name_by_position(ra, dec),
        ra=ra,
        dec=dec,
        subclass=_text(row, "SUBCLASS").partition("(")[0].strip(),
        z=z,
        snr=snr,
        z_err=error if 0 < error < 1 else math.nan,
        ra_obs=ra_obs,
        dec_obs=dec_obs,
        mjd=night(primary.number("MJD") if math.isnan(mjd) else mjd),
        uid=str(_whole(row, "THING_ID", "CATALOGID") or ""),
        gaia_source_id=str(_whole(row, "GAIA_DR3_SOURCE_ID") or ""),
        n_bad=n_bad,
        checksum=checksum,
    )


def _snr(row: FitsUnit) -> dict[str, float]:
    """The pipeline's median ratios, where the file has them."""
    values = row.columns.get("SN_MEDIAN")
    if values is None or values.size != len(_BANDS):
        return {}
    known = {band: float(value) for band, value in zip(_BANDS, values.ravel(), strict=True)}
    return {band: max(0.0, value) for band, value in known.items() if math.isfinite(value)}


def _number(row: FitsUnit, *names: str) -> float:
    """The first of some columns that is there; NaN without one."""
    values = (row.columns[name] for name in names if name in row.columns)
    return next((float(value.flat[0]) for value in values if value.size), math.nan)


def _whole(row: FitsUnit, *names: str) -> int | None:
    """A positive whole number of 64 bits, which may stand as text; ``None`` without one."""
    for name in names:
        values = row.exact(name)
        if values is None or values.size != 1:
            continue
        text = values.flat[0]
        text = text.decode("latin-1").strip() if isinstance(text, bytes) else str(text)
        if text.isdecimal() and 0 < int(text) < 2**63:
            return int(text)
    return None


def _text(row: FitsUnit, name: str) -> str:
    values = row.exact(name)
    if values is None or values.dtype.kind != "S" or values.size != 1:
        return ""
    return bytes(values.flat[0]).decode("latin-1").strip()

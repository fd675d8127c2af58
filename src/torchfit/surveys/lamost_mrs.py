"""Spectra of LAMOST at medium resolution: two arms, coadded or exposure by exposure."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.polynomial.legendre import legfit, legval

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_file import FitsUnit, read_fits
from torchfit.names import FWHM_PER_SIGMA
from torchfit.spectra import Spectrum
from torchfit.surveys.band_snr import band_snr
from torchfit.surveys.lamost_header import Known, identity
from torchfit.surveys.medium import air_to_vacuum
from torchfit.surveys.plausible import (
    demand_noise,
    demand_stellar_redshift,
    is_measured,
)
from torchfit.surveys.row_reader import RowReader

_RESOLVING_POWER = 7500.0
_MASKS = ("ORMASK", "PIXMASK")
_OPTICAL = (4000.0, 8000.0)
_DEGREE, _ROUNDS, _MIN_PIXELS, _LOWEST = 5, 5, 200, 0.05
"""Of the shape of an arm: degree of the polynomial, rounds of clipping, least number of pixels, and
least value as a share of the median."""


class LamostMrsReader(RowReader[list[FitsUnit]]):
    """The ``med-*.fits`` files of LAMOST: vacuum, heliocentric, R of 7500 in two arms.

    A file holds coadded arms (``COADD_B``, ``COADD_R``) and single exposures (``B-<minute>``,
    ``R-<minute>``), with a row a pixel (until release 7) or one row of arrays (since). A pixel is
    bad if any exposure flags it. Fluxes are not calibrated: the broad shape of each arm is divided
    out. The files give no redshift.

    Args:
        root: Folder of the files.
        pattern: Only the files whose path below ``root`` matches this shell pattern.
        listed: A text file with one path a line, instead of all that lies below the folder.
        single: Whether to take the single exposures, each a source ``med-1.fits:83555758``, instead
            of the coadded spectrum.
        default_z: Redshift of all; ``None`` leaves it to be measured.

    Raises:
        ConfigError: If there is no folder and no list.

    References:
        Liu et al. 2020, arXiv:2005.07210.
    """

    name = "lamost_mrs"
    lsf_fwhm = 5500.0 / _RESOLVING_POWER

    def __init__(
        self,
        root: str | None = None,
        pattern: str | None = None,
        listed: str | None = None,
        single: bool = False,
        default_z: float | None = None,
    ) -> None:
        super().__init__(root, pattern, listed)
        self.single, self.default_z = single, default_z

    def parts(self, path: Path) -> Sequence[int] | None:
        """Minutes of the single exposures, where these are wanted; a bad file counts as one."""
        if not self.single:
            return None
        try:
            return sorted(_minutes(read_fits(path, path.name))) or None
        except SpectrumError:
            return None

    def open(self, file: str) -> list[FitsUnit]:
        """Read a file."""
        return read_fits(self.folder / file, file)

    def row(self, opened: list[FitsUnit], row: int, source: str) -> Spectrum:
        """Make the spectrum of an exposure, or the coadded one."""
        wanted = {f"{arm}-{row}" for arm in "BR"} if self.single else {"COADD_B", "COADD_R"}
        units = [unit for unit in opened if unit.text("EXTNAME") in wanted]
        if not units:
            kind = "exposure" if self.single else "coadded arm"
            raise SpectrumError(f"{source}: no such {kind} in the file")
        known = Known(opened[0])
        z = math.nan if self.default_z is None else self.default_z
        z = demand_stellar_redshift(z, source)
        in_air = known.unit.header.logical("VACUUM") is False
        arms = sorted((_arm(unit, source, in_air) for unit in units), key=lambda arm: arm[0][0])
        wave, flux, ivar = (np.concatenate(rows) for rows in zip(*arms, strict=True))
        good = ivar > 0
        demand_noise(flux[good], ivar[good], source)
        snr = {
            band: value
            for band, value in zip("gr", (_snr(units, arm) for arm in "BR"), strict=True)
            if value > 0
        }
        snr, n_bad = snr or band_snr(wave, flux, ivar), int((~good).sum())
        info = replace(identity(known, source), z=z, snr=snr, n_bad=n_bad)
        sigma = wave / (_RESOLVING_POWER * FWHM_PER_SIGMA)
        return Spectrum(wave, flux, ivar, info, True, sigma)


def _minutes(units: Sequence[FitsUnit]) -> set[int]:
    """Minutes of the exposures of either arm."""
    names = (unit.text("EXTNAME").partition("-") for unit in units)
    return {int(minute) for arm, _, minute in names if arm in ("B", "R") and minute.isdecimal()}


def _arm(unit: FitsUnit, source: str, in_air: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vacuum wavelength, flux, and inverse variance with 0 in bad pixels, by wavelength."""
    columns = unit.columns
    mask = next((columns[name] for name in _MASKS if name in columns), None)
    if not {"FLUX", "IVAR"} <= columns.keys() or not {"LOGLAM", "WAVELENGTH"} & columns.keys():
        name = unit.text("EXTNAME")
        raise SpectrumError(f"{source}: {name} has no FLUX, IVAR, and LOGLAM or WAVELENGTH")
    flux, ivar = np.ravel(columns["FLUX"]), np.ravel(columns["IVAR"])
    with np.errstate(over="ignore", invalid="ignore"):
        stored = columns.get("WAVELENGTH")
        wave = 10.0 ** np.ravel(columns["LOGLAM"]) if stored is None else np.ravel(stored)
    order = np.argsort(wave)
    low, high = wave[order[[0, -1]]] if wave.size else (math.nan, math.nan)
    if not (_OPTICAL[0] < low < high < _OPTICAL[1]) or not flux.size == ivar.size == wave.size:
        raise SpectrumError(f"{source}: an arm has no wavelengths within the optical")
    good = is_measured(flux, ivar)
    if mask is not None:
        good &= np.ravel(mask) == 0
    # So that nothing is interpolated from one arm to the other.
    good[order[[0, -1]]] = False
    wave = air_to_vacuum(wave) if in_air else wave
    wave, flux, ivar = wave[order], flux[order], np.where(good, ivar, 0.0)[order]
    response = _response(wave, flux, ivar)
    return wave, flux / response, ivar * response**2


def _response(wave: np.ndarray, flux: np.ndarray, ivar: np.ndarray) -> np.ndarray:
    """Broad shape of an arm, whose flux is not calibrated: it falls to half at both ends.

    A polynomial of the good pixels, lines clipped; 1 where it makes no sense.
    """
    good = ivar > 0
    if np.count_nonzero(good) < _MIN_PIXELS:
        return np.ones_like(wave)
    x = 2 * (wave - wave[0]) / (wave[-1] - wave[0]) - 1
    for _ in range(_ROUNDS):
        shape = legval(x, legfit(x[good], flux[good], _DEGREE))
        scatter = 1.4826 * np.median(np.abs(flux - shape)[good])
        kept = (ivar > 0) & (flux - shape > -scatter) & (flux - shape < 3 * scatter)
        good = kept if np.count_nonzero(kept) >= _MIN_PIXELS else good
    level = np.median(shape)
    return shape if level > 0 and (shape > _LOWEST * level).all() else np.ones_like(wave)


def _snr(units: Sequence[FitsUnit], arm: str) -> float:
    names = (f"COADD_{arm}", f"{arm}-")
    found = [u.number("SNR") for u in units if u.text("EXTNAME").startswith(names)]
    return found[0] if found and 0 < found[0] < 1e4 else 0.0

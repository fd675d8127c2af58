"""One DESI file of spectra: what its fibres saw in three arms, combined."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_astropy import open_fits

_ARMS = "BRZ"
_DECIMALS = 3
"""Of an Angstrom: arms that share a grid have the same wavelengths then."""


@dataclass(frozen=True)
class Arm:
    """The spectra of one arm.

    Args:
        wave: Vacuum wavelength in Angstrom, of all targets.
        flux: Flux of each target.
        ivar: Its inverse variance.
        mask: Its mask; ``None`` where there is none.
        resolution: Its resolution matrix by diagonals; ``None`` where there is none.
    """

    wave: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    mask: np.ndarray | None
    resolution: np.ndarray | None


@dataclass(frozen=True)
class DesiFile:
    """A ``coadd-*`` or ``spectra-*`` file in memory.

    Args:
        fibermap: A row per spectrum, columns by name.
        arms: The arms that are there.
        nights: Modified Julian Dates by TARGETID, of the exposures of coadded spectra.
    """

    fibermap: Mapping[str, np.ndarray]
    arms: Mapping[str, Arm]
    nights: Mapping[int, float] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of spectra."""
        return len(self.fibermap["TARGETID"])

    def number(self, row: int, *names: str) -> float:
        """The first of some columns of the fibermap that is there; NaN without one."""
        values = (self.fibermap[name][row] for name in names if name in self.fibermap)
        return next((float(value) for value in values), float("nan"))

    def text(self, row: int, name: str) -> str:
        """A text of the fibermap; empty without one."""
        return str(self.fibermap[name][row]).strip() if name in self.fibermap else ""

    def whole(self, row: int, *names: str) -> int:
        """A whole number of the fibermap, exact; 0 without one."""
        values = (self.fibermap[name][row] for name in names if name in self.fibermap)
        return next((int(value) for value in values), 0)


def read_desi_file(path: Path, source: str) -> DesiFile:
    """Read a file of up to some hundred spectra.

    Args:
        path: The file.
        source: What to call it.

    Raises:
        SpectrumError: If it is missing, damaged, or holds no spectra of DESI.
    """
    if not path.is_file():
        raise SpectrumError(f"{source}: no such file")
    try:
        with open_fits(path) as units:
            fibermap = {
                name: units["FIBERMAP"].data[name] for name in units["FIBERMAP"].columns.names
            }
            arms = {arm: _arm(units, arm) for arm in _ARMS if f"{arm}_FLUX" in units}
            nights = _nights(units["EXP_FIBERMAP"]) if "EXP_FIBERMAP" in units else {}
    except Exception as error:  # Damage can raise anything in astropy.
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise SpectrumError(f"{source}: not a readable file of DESI spectra ({why})") from error
    if not arms or "TARGETID" not in fibermap:
        raise SpectrumError(f"{source}: no file of DESI spectra (no arm, or no TARGETID)")
    return DesiFile(fibermap, arms, nights)


def _arm(units: Any, arm: str) -> Arm:
    optional = [f"{arm}_{name}" for name in ("MASK", "RESOLUTION")]
    more = [units[name].data if name in units else None for name in optional]
    wave, flux, ivar = (units[f"{arm}_{name}"].data for name in ("WAVELENGTH", "FLUX", "IVAR"))
    shapes = {flux.shape, ivar.shape, *(() if more[0] is None else (more[0].shape,))}
    if shapes != {(flux.shape[0], *wave.shape)}:
        raise ValueError(f"the arrays of arm {arm} differ in shape")
    return Arm(wave.astype(np.float64), flux, ivar, *more)


def _nights(exposures: Any) -> dict[int, float]:
    """Median date of the exposures of every target; none where it is not in the table."""
    if not {"TARGETID", "MJD"} <= set(exposures.columns.names):
        return {}
    target, date = (np.asarray(exposures.data[name]) for name in ("TARGETID", "MJD"))
    known = np.isfinite(date)
    target, date = target[known], date[known]
    return {int(each): float(np.median(date[target == each])) for each in np.unique(target)}


@dataclass(frozen=True)
class Combined:
    """The arms of one spectrum on one grid.

    Args:
        wave: Vacuum wavelength in Angstrom.
        flux: Mean of the arms, weighted by inverse variance.
        ivar: Its inverse variance, 0 in bad pixels.
        sigma: Standard deviation of the line-spread function in Angstrom, NaN where unknown.
    """

    wave: Float64[np.ndarray, " pix"]
    flux: Float64[np.ndarray, " pix"]
    ivar: Float64[np.ndarray, " pix"]
    sigma: Float64[np.ndarray, " pix"]


def combine(arms: Mapping[str, Arm], row: int, masked: int) -> Combined:
    """Combine the arms of one spectrum, pixel by pixel where they overlap.

    Args:
        arms: The arms.
        row: Number of the spectrum.
        masked: Bits that make a pixel bad.

    Returns:
        The spectrum on all wavelengths that any arm has.
    """
    wave = np.unique(np.concatenate([arm.wave for arm in arms.values()]).round(_DECIMALS))
    total, weight, width = np.zeros((3, wave.size))
    for arm in arms.values():
        place = np.searchsorted(wave, arm.wave.round(_DECIMALS))
        flux, ivar = (values[row].astype(np.float64) for values in (arm.flux, arm.ivar))
        good = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0)
        if arm.mask is not None:
            good &= (arm.mask[row].astype(np.int64) & masked) == 0
        total[place[good]] += (flux * ivar)[good]
        weight[place[good]] += ivar[good]
        width[place[good]] += (_variance(arm, row) * ivar)[good]
    with np.errstate(invalid="ignore", divide="ignore"):
        return Combined(
            wave, np.where(weight > 0, total / weight, 0.0), weight, np.sqrt(width / weight)
        )


def _variance(arm: Arm, row: int) -> np.ndarray:
    r"""Second moment of the columns of the resolution matrix in square Angstrom, NaN if unknown.

    A column is what one true pixel becomes: the line-spread function.
    """
    if arm.resolution is None or arm.resolution.ndim != 3:
        return np.full_like(arm.wave, np.nan)
    matrix = arm.resolution[row].astype(np.float64)
    offset = np.arange(len(matrix))[:, None] - len(matrix) // 2
    with np.errstate(invalid="ignore", divide="ignore"):
        norm = matrix.sum(axis=0)
        mean = (matrix * offset).sum(axis=0) / norm
        variance = (matrix * (offset - mean) ** 2).sum(axis=0) / norm
    return np.where(variance > 0, variance, np.nan) * np.gradient(arm.wave) ** 2

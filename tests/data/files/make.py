"""Small spectra as specutils writes them, in several formats and units."""

from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.nddata import StdDevUncertainty
from astropy.table import Table
from specutils import Spectrum

H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the one line that every made spectrum has."""
N_PIX = 1400
FLAM = "erg / (s cm2 AA)"
BAD = 300
"""A pixel whose flux is NaN."""


def spectrum(wave_unit: str = "AA", flux_unit: str = FLAM, errors: bool = True) -> Spectrum:
    """A spectrum with H beta."""
    wave = np.linspace(4300.0, 5700.0, N_PIX)
    flux = 30 - 15 * np.exp(-0.5 * ((wave - H_BETA) / 4) ** 2)
    flux[BAD] = np.nan
    return Spectrum(
        flux=flux * u.Unit(flux_unit),
        spectral_axis=(wave * u.AA).to(wave_unit, u.spectral()),
        uncertainty=StdDevUncertainty(np.full(N_PIX, 0.5)) if errors else None,
    )


def make(path: Path, wave_unit: str = "AA", flux_unit: str = FLAM, errors: bool = True) -> Path:
    """Write a FITS or ECSV table; FITS images of one row if the name says ``wcs1d``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = spectrum(wave_unit, flux_unit, errors)
    if "wcs1d" in path.name:
        header = {"CRVAL1": 4300.0, "CDELT1": 1400 / (N_PIX - 1), "CRPIX1": 1, "CUNIT1": "Angstrom"}
        header |= {"CTYPE1": "WAVE", "BUNIT": flux_unit, "OBJECT": "my star"}
        header |= {"RA": 10.5, "DEC": -3.25, "MJD": 57000.7}
        fits.PrimaryHDU(made.flux.value.astype("f4"), fits.Header(header)).writeto(path)
    elif path.suffix == ".ecsv":
        columns = {"wave": made.spectral_axis, "flux": made.flux}
        columns |= {"uncertainty": made.uncertainty.quantity} if errors else {}
        Table(columns).write(path)
    else:
        made.write(str(path), format="tabular-fits")
    return path


def make_several(path: Path, n: int = 3) -> Path:
    """Write a file of several spectra on one grid."""
    one = spectrum()
    rows = np.tile(one.flux.value, (n, 1)) * one.flux.unit
    sigma = StdDevUncertainty(np.full(rows.shape, 0.5))
    several = Spectrum(flux=rows, spectral_axis=one.spectral_axis, uncertainty=sigma)
    several.write(str(path), format="tabular-fits")
    return path

"""Small synthetic grids in the layouts of their makers: file names, columns, axes, units."""

import gzip
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

H_BETA, H_BETA_AIR = 4862.691, 4861.333
"""Wavelengths in Angstrom of the one line that every made spectrum has."""
PHOENIX = "PHOENIX-ACES-AGSS-COND-2011"


def axis(step: float = 0.5) -> np.ndarray:
    """Wavelengths in Angstrom."""
    return np.arange(4300.0, 5700.0, step)


def flux_of(wave: np.ndarray, line: float = H_BETA) -> np.ndarray:
    """Flux per wavelength."""
    return 30 - 15 * np.exp(-0.5 * ((wave - line) / 4) ** 2)


def npz(root: Path) -> None:
    """A file a model, named by its labels, and one file of three models."""
    wave = axis()
    for teff in (5000, 5500):
        np.savez(root / f"t{teff}_g4.50_m-0.50.npz", wave=wave, flux=flux_of(wave))


def npz_of_many(root: Path) -> None:
    """All models in one file, labels as arrays."""
    wave = axis()
    labels = {"T": [5000.0, 5500.0, 6000.0], "G": [4.0, 4.5, 5.0], "M": [-1.0, 0.0, 0.5]}
    np.savez(root / "all.npz", wave=wave, flux=np.tile(flux_of(wave), (3, 1)), **labels)


def images(root: Path) -> None:
    """FITS images with a linear axis, one with a logarithmic one, labels in cards."""
    wave, log = axis(), np.linspace(np.log10(4300), np.log10(5700), 2000)
    for number, (first, step, flux) in enumerate(
        [(4300.0, 0.5, flux_of(wave)), (log[0], log[1] - log[0], flux_of(10**log))]
    ):
        cards = {"CRVAL1": first, "CDELT1": step, "CRPIX1": 1.0, "TEFF": 5000.0 + number}
        cards |= {"LOG_G": 4.5, "M_H": -0.5}
        fits.PrimaryHDU(flux, fits.Header(cards)).writeto(root / f"model{number}.fits")


def phoenix(root: Path) -> None:
    """Flux and wavelengths in separate files; the labels in names, alpha in some."""
    wave = axis(0.05)
    fits.PrimaryHDU(wave).writeto(root / f"WAVE_{PHOENIX}.fits")
    for name in ("lte05700-4.50-0.0", "lte05700-4.50+0.5.Alpha=+0.20"):
        header = fits.Header({"BUNIT": "erg/s/cm^2/cm", "PHXTEFF": 5700.0})
        path = root / f"{name}.{PHOENIX}-HiRes.fits"
        fits.PrimaryHDU(flux_of(wave).astype("f4"), header).writeto(path)


def bosz(root: Path) -> None:
    """Tables of wavelength, intensity and continuum."""
    wave = axis(0.1)
    for name in (
        "amp03cp00op00t5000g45v20modrt0b50000rs",
        "amm05cp00op03t6000g40v20modrt0b50000rs",
    ):
        columns = {"Wavelength": wave, "SpecificIntensity": flux_of(wave), "Continuum": wave}
        Table(columns).write(root / f"{name}.fits")


def tlusty(root: Path) -> None:
    """Text of Fortran: air wavelength and flux per frequency, exponents without a letter."""
    wave = axis(0.2)
    flux = flux_of(wave, H_BETA_AIR) * wave**2 * 1e-110
    rows = [f"{x:10.3f} {y:.5E}".replace("E-", "-") for x, y in zip(wave, flux, strict=True)]
    text = "\n".join([rows[0], *rows])  # A wavelength stands twice, at an edge.
    for name in ("BG20000g400v2.vis.7", "BL15000g325v2.vis.7.gz"):
        raw = text.encode()
        (root / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)

"""A small wheel with averages of MaStar stars and one star: paths and cards of the real one."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
from astropy.io import fits

FOLDER = "mangadap/data/spectral_templates/mastarhc_v2/"
STAR = "examples/mastar-8047-9101-tpl.fits"
LICENCE = "sdss_mangadap-4.5.0.dist-info/licenses/LICENSE.md"
CLUSTERS = ("00", "42")
H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the one line that every made spectrum has."""


def axis(n_pix: int, start: float) -> tuple[np.ndarray, fits.Header]:
    """Wavelengths and the cards of a logarithmic axis."""
    cards = {"CRPIX1": 1, "CRVAL1": start, "CDELT1": 1e-4, "CD1_1": 1e-4}
    return 10.0 ** (start + 1e-4 * np.arange(n_pix)), fits.Header(cards)


def flux_of(wave: np.ndarray) -> np.ndarray:
    """Flux with one line, of the noise that :func:`make` states."""
    noise = 0.01 * np.random.default_rng(0).standard_normal(wave.size)
    return 1 - 0.5 * np.exp(-0.5 * ((wave - H_BETA) / 3) ** 2) + noise


def sres_of(wave: np.ndarray) -> np.ndarray:
    """Resolving power, rising from blue to red as it does there."""
    return 1400 + 0.15 * (wave - 3600)


def average() -> fits.HDUList:
    """An average: flux, IVAR and SRES; noise below zero is at its blue end, and one dead pixel."""
    wave, header = axis(4538, 3.5601)
    header["CTYPE1"] = "WAVE-LOG"
    flux, ivar = flux_of(wave), np.full(wave.shape, 1e4)
    flux[:3] = -0.005
    ivar[100] = 0
    return fits.HDUList(
        [
            fits.PrimaryHDU(flux, header),
            fits.ImageHDU(ivar, name="IVAR"),
            fits.ImageHDU(sres_of(wave), name="SRES"),
        ]
    )


def star() -> fits.HDUList:
    """The single star: flux and SPECRES, no errors; what was not observed is 0."""
    wave, header = axis(4563, 3.5589)
    flux = 400 * flux_of(wave).astype("f4")
    flux[-10:] = 0
    resolution = fits.ImageHDU(1.1 * sres_of(wave), name="SPECRES")
    return fits.HDUList([fits.PrimaryHDU(flux, header), resolution])


def content(units: fits.HDUList) -> bytes:
    """The bytes of a FITS file."""
    buffer = io.BytesIO()
    units.writeto(buffer)
    return buffer.getvalue()


def make(path: Path) -> Path:
    """Write the wheel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for number in CLUSTERS:
            member = f"{FOLDER}MaStarHC_{number}.fits.gz"
            wheel.writestr(member, gzip.compress(content(average()), mtime=0))
        wheel.writestr(STAR, content(star()))
        wheel.writestr(f"{FOLDER}README", "MaStar Hierarchically Clustered Library (v2)")
        wheel.writestr(LICENCE, "BSD 3-Clause License")
    return path

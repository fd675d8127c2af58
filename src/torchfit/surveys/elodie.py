"""The ELODIE stellar library, version 3.1, at its lower resolution."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64
from scipy.ndimage import gaussian_filter1d

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.files.fetch import default_cache
from torchfit.files.fits_file import FitsUnit, read_fits
from torchfit.names import FWHM_PER_SIGMA
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.elodie_table import ElodieStar, read_stars
from torchfit.surveys.medium import air_to_vacuum
from torchfit.surveys.reader import SurveyReader

_OWN_FWHM = 0.55
"""R of 10,000 at 5500 Angstrom."""
_FOLDER = "ll"
_WAVES = (3500.0, 7500.0)
_NOISE_UNIT = 2
_NO_STAR = ElodieStar("", "", {})


class ElodieReader(SurveyReader):
    """The 1959 spectra of ELODIE 3.1: 3900-6800 Angstrom in air, at rest, R of 10,000.

    The spectra are smoothed to the resolution wanted, since pixels of 1 Angstrom do not hold
    theirs. The inverse variance stays that of the single pixels: smoothing neither adds nor takes
    information per Angstrom.

    The layout of the files follows descriptions, not a look at one: the wavelength axis from the
    primary header, the noise in the extension that is named so or else the second, NaN where
    nothing was observed. What differs is refused with the reason.

    Args:
        root: Folder with ``ReadMe``, ``table1.dat`` and ``ll/`` of VizieR III/251; ``elodie`` in
            the cache of downloads if ``None``.
        fwhm: Full width at half maximum to smooth to, in Angstrom.

    Raises:
        ConfigError: If ``fwhm`` is below that of the spectra.

    References:
        Prugniel & Soubiran 2001, A&A 369, 1048; Prugniel et al. 2007, astro-ph/0703658.
    """

    name = "elodie"
    lsf_fwhm: float

    def __init__(self, root: str | None = None, fwhm: float = 2.5) -> None:
        if fwhm < _OWN_FWHM:
            raise ConfigError(f"fwhm={fwhm:g} is below that of ELODIE, {_OWN_FWHM} Angstrom")
        self.root = root
        self.lsf_fwhm = fwhm

    @cached_property
    def stars(self) -> dict[str, ElodieStar]:
        """The parameter table by source."""
        stems = {_stem(source): source for source in self.sources()}
        folder = self._folder()
        found = read_stars(folder / "table1.dat", folder / "ReadMe", list(stems))
        return {stems[stem]: star for stem, star in found.items()}

    def sources(self) -> list[str]:
        """List the files of ``ll``, sorted.

        Raises:
            DataError: If there are none.
        """
        folder = self._folder()
        found = sorted(
            f"{_FOLDER}/{path.name}"
            for path in (folder / _FOLDER).glob("*")
            if path.name.endswith((".fits", ".fits.gz"))
        )
        if not found:
            raise DataError(
                f"no spectrum of ELODIE in {folder / _FOLDER}: put ReadMe, table1.dat and the "
                "folder ll of VizieR III/251 (https://cdsarc.cds.unistra.fr/ftp/III/251) there, "
                "or set library.reader.root"
            )
        return found

    def read(self, source: str) -> Spectrum:
        """Read one spectrum.

        Args:
            source: One of :meth:`sources`.

        Raises:
            SpectrumError: If the file is missing, damaged, laid out otherwise, or has no good
                pixel.
        """
        units = read_fits(self._folder() / source, source)
        star = self.stars.get(source, _NO_STAR)
        info = StarInfo(source, name=star.name, subclass=star.subclass, labels=star.labels)
        return elodie_spectrum(units, info, self.lsf_fwhm)

    def file_of(self, source: str) -> Path:
        """Name the file of a source."""
        return self._folder() / source

    def shared_files(self) -> Sequence[Path]:
        """Name the parameter table."""
        return (self._folder() / "table1.dat",)

    def provenance(self) -> dict[str, str]:
        """Release and resolution."""
        return {"reader": self.name, "release": "3.1 (VizieR III/251)", "fwhm": f"{self.lsf_fwhm}"}

    def _folder(self) -> Path:
        return default_cache() / "elodie" if self.root is None else Path(self.root).expanduser()


def elodie_spectrum(units: list[FitsUnit], info: StarInfo, fwhm: float) -> Spectrum:
    """Make a smoothed vacuum spectrum of a file.

    Args:
        units: Units of the file.
        info: What is known of the star.
        fwhm: Resolution to smooth to, in Angstrom.

    Raises:
        SpectrumError: If the flux is not one row, the axis is missing or in another unit, the
            noise is of another length, or no pixel is good.
    """
    flux = units[0].image
    if flux is None or flux.ndim != 1:
        raise SpectrumError(f"{info.source}: the first unit is no one-dimensional image")
    wave = _wave(units[0], flux.size, info.source)
    noise = _noise(units, info.source)
    good = np.isfinite(flux) & (flux > 0)
    if noise is not None:
        good &= np.isfinite(noise) & (noise > 0)
        ivar = np.where(good, 1 / np.where(good, noise, 1.0) ** 2, 0.0)
    else:
        ivar = good.astype(np.float64)
    sigma = np.sqrt(fwhm**2 - _OWN_FWHM**2) / FWHM_PER_SIGMA / (wave[1] - wave[0])
    flux = np.where(good, smooth(flux, good, float(sigma)), 0.0)
    return Spectrum(air_to_vacuum(wave), flux, ivar, info, has_ivar=noise is not None)


def smooth(
    flux: Float64[np.ndarray, " pix"], good: Bool[np.ndarray, " pix"], sigma: float
) -> Float64[np.ndarray, " pix"]:
    """Convolve with a Gaussian, leaving bad pixels out.

    Args:
        flux: Flux; what stands in a bad pixel has no weight.
        good: Pixels that count.
        sigma: Standard deviation in pixels; 0 smoothes nothing.

    Returns:
        The weighted mean of the good pixels around each.
    """
    if sigma == 0:
        return flux
    total = gaussian_filter1d(np.where(good, flux, 0.0), sigma)
    weight = gaussian_filter1d(good.astype(np.float64), sigma)
    return total / np.maximum(weight, 1e-12)


def _wave(unit: FitsUnit, n_pix: int, source: str) -> np.ndarray:
    first, step = unit.number("CRVAL1"), unit.number("CDELT1")
    wave = first + step * (1.0 + np.arange(n_pix) - unit.number("CRPIX1"))
    low, high = _WAVES
    if n_pix < 2 or not (low < wave[0] < wave[-1] < high):
        raise SpectrumError(
            f"{source}: CRVAL1={first:g}, CDELT1={step:g} is no axis in Angstrom within "
            f"{low:g}-{high:g}"
        )
    return wave


def _noise(units: list[FitsUnit], source: str) -> np.ndarray | None:
    """The errors: of the unit with NOISE in its name, else of the second extension."""
    named = [unit.image for unit in units[1:] if "NOISE" in unit.text("EXTNAME").upper()]
    noise = (named or [unit.image for unit in units[_NOISE_UNIT : _NOISE_UNIT + 1]] or [None])[0]
    flux = units[0].image
    if noise is not None and flux is not None and noise.shape != flux.shape:
        raise SpectrumError(f"{source}: flux has shape {flux.shape}, its noise {noise.shape}")
    return noise


def _stem(source: str) -> str:
    return source.rpartition("/")[2].removesuffix(".gz").removesuffix(".fits")

"""Spectra as data: one spectrum as its file has it, and a batch on one common grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.exceptions import SpectrumError


@dataclass(frozen=True)
class StarInfo:
    """What is known of a spectrum beside its flux.

    Args:
        source: Where it came from: a path, or ``archive:member``.
        obsid: Survey identifier of the observation; ``None`` where there is none.
        name: Name of the star; repeat visits share it. Empty when unknown.
        ra: Right ascension in degrees, NaN when unknown.
        dec: Declination in degrees, NaN when unknown.
        subclass: Spectral type as the survey gives it ("G5", "dM1"); empty when unknown.
        z: Redshift still in the spectrum; 0 for a spectrum at rest, NaN where none is stated.
        snr: Signal-to-noise ratio by band ("u g r i z"), those that are known.
        labels: Published labels by name, those that are known.
        z_err: Error of ``z``, NaN when unknown.
        ra_obs: Right ascension that the fibre was put at, in degrees, NaN when unknown.
        dec_obs: Declination that the fibre was put at, in degrees, NaN when unknown.
        mjd: Modified Julian Date of the night; visits of one star differ in it.
        uid: Survey identifier of the star, shared by its visits; empty when unknown.
        gaia_source_id: Gaia DR3 identifier; text, since its 19 digits do not fit a float.
        sum_ormask: Sum of the mask of pixels flagged in any exposure, where there is one.
        n_bad: Number of bad pixels in the file, where the reader counts them.
        checksum: Of the content of its file, by which copies of one file are known.
        label_errors: Errors of the published labels by name, those that are known.
    """

    source: str
    obsid: int | None = None
    name: str = ""
    ra: float = float("nan")
    dec: float = float("nan")
    subclass: str = ""
    z: float = 0.0
    snr: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)
    z_err: float = float("nan")
    ra_obs: float = float("nan")
    dec_obs: float = float("nan")
    mjd: int | None = None
    uid: str = ""
    gaia_source_id: str = ""
    sum_ormask: int | None = None
    n_bad: int | None = None
    checksum: int | None = None
    label_errors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Spectrum:
    """One spectrum on the pixels of its file.

    Args:
        wave: Vacuum wavelength in Angstrom, strictly increasing, float64.
        flux: Flux density in any unit, float64.
        ivar: Inverse variance of ``flux``, float64; 0 marks a bad pixel. All ones times the
            good-pixel mask when the survey publishes no errors (``has_ivar`` is then False).
        info: What is known of the star.
        has_ivar: Whether ``ivar`` is an inverse variance or only a mask.
        lsf_sigma: Standard deviation of the line-spread function at every pixel in Angstrom,
            float64, not finite or not positive where it is not known; ``None`` when the file has
            none, and the reader's ``lsf_fwhm`` holds everywhere.

    Raises:
        SpectrumError: If the arrays differ in length, the wavelengths do not increase, or no
            pixel is good.
    """

    wave: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    info: StarInfo
    has_ivar: bool = True
    lsf_sigma: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not self.wave.shape == self.flux.shape == self.ivar.shape or self.wave.ndim != 1:
            raise SpectrumError(
                f"{self.info.source}: wave, flux and ivar have shapes {self.wave.shape}, "
                f"{self.flux.shape}, {self.ivar.shape}; they must be one row of equal length"
            )
        if self.lsf_sigma is not None and self.lsf_sigma.shape != self.wave.shape:
            raise SpectrumError(
                f"{self.info.source}: lsf_sigma has shape {self.lsf_sigma.shape}, wave "
                f"{self.wave.shape}"
            )
        if not (np.isfinite(self.wave).all() and (np.diff(self.wave) > 0).all()):
            raise SpectrumError(f"{self.info.source}: wavelengths do not increase")
        if not self.good.any():
            raise SpectrumError(f"{self.info.source}: no good pixel (flux not finite or ivar 0)")

    @property
    def good(self) -> np.ndarray:
        """Pixels with finite flux and finite, positive inverse variance."""
        return np.isfinite(self.flux) & np.isfinite(self.ivar) & (self.ivar > 0)


@dataclass(frozen=True)
class Spectra:
    """A batch of spectra on one grid.

    Args:
        wave: Vacuum rest wavelength of every pixel in Angstrom, strictly increasing.
        flux: Flux of every star, finite everywhere; meaningless where ``ivar`` is 0.
        ivar: Inverse variance of ``flux``, finite and not negative; 0 marks a bad pixel.
        has_ivar: Stars whose ``ivar`` is an inverse variance; for the others it is 1 in good
            pixels.

    Raises:
        SpectrumError: If the shapes disagree.
    """

    wave: Float[Tensor, " pix"]
    flux: Float[Tensor, "star pix"]
    ivar: Float[Tensor, "star pix"]
    has_ivar: Bool[Tensor, " star"]

    def __post_init__(self) -> None:
        if self.flux.shape != self.ivar.shape or self.flux.shape[-1:] != self.wave.shape:
            raise SpectrumError(
                f"a batch has wave {tuple(self.wave.shape)}, flux {tuple(self.flux.shape)}, "
                f"ivar {tuple(self.ivar.shape)}; expected (pix,), (star, pix), (star, pix)"
            )

    def __len__(self) -> int:
        """Number of stars."""
        return self.flux.shape[0]

    @cached_property
    def good(self) -> Bool[Tensor, "star pix"]:
        """Good pixels: those with weight."""
        return self.ivar > 0

    @property
    def n_exposures(self) -> Int[Tensor, " star"]:
        """Number of exposures of each star that are fitted together."""
        return torch.ones_like(self.has_ivar, dtype=torch.long)

    @property
    def is_usable(self) -> Bool[Tensor, " star"]:
        """Stars with a good pixel, and no good pixel without a finite flux."""
        return self.good.any(dim=1) & self.is_finite

    @property
    def is_finite(self) -> Bool[Tensor, " star"]:
        """Stars without a good pixel whose flux or weight is not finite."""
        # 0 times a number that is not finite is not 0.
        return torch.where(self.good, 0 * self.flux + 0 * self.ivar, 0.0).sum(dim=1) == 0

    def finite(self) -> "Spectra":
        """The same spectra, 0 instead of a flux or weight that is not a finite number."""
        flux, ivar = (each.nan_to_num(0.0, 0.0, 0.0) for each in (self.flux, self.ivar))
        return replace(self, flux=flux, ivar=ivar)

    def coverage(self, known: Bool[Tensor, " pix"]) -> Float[Tensor, " star"]:
        """Share of some pixels that are good.

        Args:
            known: The pixels that count.

        Returns:
            A share per star.
        """
        return (self.good & known).sum(dim=1, dtype=torch.int32) / known.sum()

    def without(self, pixels: Bool[Tensor, "star pix"]) -> "Spectra":
        """The same spectra, some pixels masked."""
        return replace(self, ivar=torch.where(pixels, 0.0, self.ivar))

    def to(self, dtype: torch.dtype) -> "Spectra":
        """The same spectra in another precision; the grid keeps its own."""
        return replace(self, flux=self.flux.to(dtype), ivar=self.ivar.to(dtype))

    def __getitem__(self, star: Tensor | slice) -> "Spectra":
        """The batch of the chosen stars."""
        flux, ivar = (_rows(pixels, star) for pixels in (self.flux, self.ivar))
        return Spectra(self.wave, flux, ivar, self.has_ivar[star])

    @classmethod
    def joined(cls, batches: Sequence["Spectra"]) -> "Spectra":
        """Batches on the same grid as one, the stars one after the other."""
        columns = [
            torch.cat([getattr(each, name) for each in batches])
            for name in ("flux", "ivar", "has_ivar")
        ]
        return cls(batches[0].wave, *columns)


def _rows(pixels: Float[Tensor, "star pix"], star: Tensor | slice) -> Float[Tensor, "chosen pix"]:
    """Some rows; of those given by number, four times as fast as by indexing."""
    if isinstance(star, Tensor) and star.dtype == torch.long and star.ndim == 1:
        return pixels.index_select(0, star)
    return pixels[star]


def evenly(places: Int[np.ndarray, " place"], at_most: int) -> Int[np.ndarray, " chosen"]:
    """All of some places, or as many as wanted, evenly spread.

    Args:
        places: Places in order.
        at_most: How many to take at most.

    Returns:
        The chosen places.
    """
    if places.size <= at_most:
        return places
    return places[np.linspace(0, places.size - 1, at_most).astype(int)]


def slices(n_rows: int, at_once: int) -> list[slice]:
    """Rows a few at a time.

    Args:
        n_rows: Number of rows.
        at_once: Most rows of a slice.

    Returns:
        Slices in order; none without a row.
    """
    return [slice(low, low + at_once) for low in range(0, n_rows, at_once)]

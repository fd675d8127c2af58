"""Spectra that a user wants measured, at their redshifts; or stars, with all their exposures."""

from collections.abc import Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable
from jaxtyping import Bool, Float, Int

from torchfit.exceptions import SpectrumError
from torchfit.face.spectrum import Spectrum
from torchfit.likelihood.joint_spectra import JointSpectra
from torchfit.velocity.search import Velocities

SAME_WIDTH = 1.1
"""Largest ratio of the resolutions of two exposures that are fitted together."""


@dataclass(frozen=True)
class Observed:
    """What is known of stars before their fit.

    Args:
        names: Names.
        redshifts: Redshifts that they were brought to rest with.
        velocities: Velocities by cross-correlation; NaN where the redshift was given.
        widths: Resolution at the pixels of the emulator, at rest: full width at half maximum in
            Angstrom; ``None`` for that of the emulator.
    """

    names: tuple[str, ...]
    redshifts: Float[np.ndarray, " star"]
    velocities: Velocities
    widths: Sequence[np.ndarray | None]

    @classmethod
    def of(
        cls, spectra: Sequence[Spectrum], velocities: Velocities, wave: np.ndarray
    ) -> "Observed":
        """Spectra that are stars each.

        Args:
            spectra: The spectra, with their redshifts.
            velocities: What was measured of these.
            wave: Pixels of the emulator in Angstrom.
        """
        names = tuple(spectrum.name for spectrum in spectra)
        redshifts = np.array([spectrum.z for spectrum in spectra])
        return cls(names, redshifts, velocities, [_width(each, wave) for each in spectra])

    def table(
        self, star: Int[np.ndarray, " exposure"], v_rad: Float[np.ndarray, " exposure"]
    ) -> QTable:
        """A row for every exposure.

        Args:
            star: Number of the star of each.
            v_rad: Its residual velocity in km/s, beyond ``z``.
        """
        table, speed = QTable(), u.km / u.s
        table["star"], table["name"] = star, list(self.names)
        table["z"], table["v_rad"] = self.redshifts, v_rad * speed
        table["v_ccf"] = self.velocities.v.numpy() * speed
        table["e_v_ccf"] = self.velocities.error.numpy() * speed
        table["ccf_ratio"] = self.velocities.ratio.numpy()
        return table

    def joined(
        self,
        star: Int[np.ndarray, " exposure"],
        spectra: JointSpectra,
        own: Float[np.ndarray, " pix"],
    ) -> "Observed":
        """The stars whose exposures these are; redshift and velocity of the best exposure of each.

        Args:
            star: Number of the star of each exposure, ascending from 0.
            spectra: The stars.
            own: Resolution of the emulator, which no exposure is sharper than.

        Raises:
            SpectrumError: If the resolutions of exposures of one star differ.
        """
        weight = spectra.exposures.ivar.sum(dim=1).numpy()
        rows = [np.flatnonzero(star == number) for number in range(len(spectra))]
        best = [here[weight[here].argmax()] for here in rows]
        names = [next(filter(None, (self.names[row] for row in here)), "") for here in rows]
        velocities = Velocities(*(part[best] for part in vars(self.velocities).values()))
        good = spectra.exposures.good.numpy()
        widths = [
            _common([self.widths[int(row)] for row in here], good[here], own, name)
            for here, name in zip(rows, names, strict=True)
        ]
        return Observed(tuple(names), self.redshifts[best], velocities, widths)


def _width(spectrum: Spectrum, wave: np.ndarray) -> np.ndarray | None:
    """Resolution of a spectrum at the pixels of the emulator, at rest."""
    if spectrum.lsf_fwhm is None:
        return None
    at_rest, width = spectrum.wave / (1 + spectrum.z), spectrum.lsf_fwhm / (1 + spectrum.z)
    return np.interp(wave, at_rest, np.broadcast_to(width, at_rest.shape))


def _common(
    widths: Sequence[np.ndarray | None],
    good: Bool[np.ndarray, "exposure pix"],
    own: Float[np.ndarray, " pix"],
    name: str,
) -> np.ndarray | None:
    """The resolution of all exposures of a star, each where it has good pixels."""
    if all(width is None for width in widths):
        return None
    each = np.stack([own if width is None else np.maximum(width, own) for width in widths])
    most = np.where(good, each, 0.0).max(axis=0)
    least = np.where(good, each, np.inf).min(axis=0)
    if (most > SAME_WIDTH * least).any():
        raise SpectrumError(
            f"{name or 'star'}: its exposures differ in resolution where they overlap: bring them "
            "to one, or fit them one by one"
        )
    return np.where(good.any(axis=0), most, each.max(axis=0))

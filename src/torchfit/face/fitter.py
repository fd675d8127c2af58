"""Labels of single spectra, for notebooks: the survey's fit without a survey."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from torchfit.exceptions import ConfigError, OutsideLibraryWarning, SpectrumError
from torchfit.face.by_resolution import FittersByResolution
from torchfit.face.emulator import Emulator
from torchfit.face.observed import Observed
from torchfit.face.result import FitResult
from torchfit.face.spectrum import Spectrum
from torchfit.flags.bits import ResultFlag
from torchfit.likelihood.joint_spectra import JointSpectra
from torchfit.likelihood.metric import Metric, Sharing
from torchfit.match.matching import Matching
from torchfit.measure.measurement import Measurement
from torchfit.measure.settings import FitSettings
from torchfit.spectra import Spectra
from torchfit.survey.piece import LEAST_PIXELS
from torchfit.uncertainty.fisher import MeasuredLabels
from torchfit.velocity.redshifts import Redshifts, VelocityMeasurement
from torchfit.velocity.search import Velocities

SURVEY = FitSettings(matching=Matching(space="components"), metric=Metric(sharing=Sharing()))
"""The presets of a survey, metric=common and match=components."""

_PRESETS = {"default": FitSettings(), "survey": SURVEY}


class Fitter:
    """Measures the labels of spectra with an emulator.

    Args:
        emulator: The emulator.
        settings: How to measure. The default is that of ``torchfit infer`` without its search of
            groups, which single spectra do not form: a hundred spectra a second and core;
            ``survey`` that of ``torchfit infer`` with ``metric=common`` and ``match=components``,
            five times faster: spectra of like temperature and noise share matrices.
        velocity: How velocities are measured; by default those of spectra whose ``z`` is not given.

    Raises:
        ConfigError: If there are no such settings.

    Examples:
        >>> import torchfit as tf
        >>> emulator = tf.load_emulator("miles")
        >>> sun = emulator.predict(teff=5777, logg=4.44, fe_h=0.0)
        >>> spectrum = tf.Spectrum(emulator.wave, sun, medium="vacuum", z=0.0)
        >>> result = tf.Fitter(emulator).fit(spectrum)
        >>> abs(result.teff - 5777) < 3 * result.e_teff
        True
    """

    def __init__(
        self,
        emulator: Emulator,
        settings: FitSettings | str = "default",
        velocity: VelocityMeasurement | None = None,
    ) -> None:
        if isinstance(settings, str) and settings not in _PRESETS:
            raise ConfigError(f"settings={settings!r} must be one of {', '.join(_PRESETS)}")
        self.emulator = emulator
        self.velocity = VelocityMeasurement(when="missing") if velocity is None else velocity
        self.settings = _PRESETS[settings] if isinstance(settings, str) else settings
        self._fitters = FittersByResolution(emulator.trained, self.settings)

    def __repr__(self) -> str:
        """A line."""
        optimisers = ", ".join(self.settings.optimisers) or "no optimiser"
        return f"<Fitter with {optimisers}, {self.emulator!r}>"

    def fit(self, spectra: Any) -> FitResult:
        """Measure one spectrum or several.

        Args:
            spectra: A :class:`torchfit.Spectrum`, a ``specutils.Spectrum`` in vacuum whose ``meta``
                says ``medium``, or a list of such.

        Returns:
            One result; its values are numbers for one spectrum, arrays for a list. Errors are
            calibrated on held-out stars of the library, where the emulator has learned them.

        Raises:
            SpectrumError: If one of them cannot be used, or has too few good pixels within the
                emulator's range.

        Warns:
            OutsideLibraryWarning: If too few library stars are near the labels of one.

        Examples:
            >>> several = tf.Fitter(emulator, "survey").fit([spectrum, spectrum])
            >>> several.teff.shape
            (2,)
        """
        one = not isinstance(spectra, Sequence)
        observed, velocities = self._settle(_spectra([spectra] if one else spectra))
        stars = Observed.of(observed, velocities, self.emulator.wave)
        result = self._fit(stars, self._normalise(stars, observed))
        return result[0] if one else result

    def fit_joint(self, exposures: Any) -> FitResult:
        """Measure one star or several, each from all its exposures together.

        A star has one set of labels; every exposure has its own continuum, velocity and noise. What
        the emulator does not know of a star is the same in all its exposures, and is not averaged
        away.

        Args:
            exposures: Exposures of one star, each as for :meth:`fit`; or a list of such lists, one
                a star.

        Returns:
            One result; its values are numbers for one star, arrays for several. ``flux`` is the
            coadd, ``n_pix`` counts the pixels of all exposures, ``z`` is of the best exposure;
            ``exposures`` is a table with ``z`` and ``v_rad`` of every exposure.

        Raises:
            SpectrumError: If one of them cannot be used, a star has no exposure, or exposures of a
                star differ in resolution.

        Warns:
            OutsideLibraryWarning: If too few library stars are near the labels of one.

        Examples:
            >>> both = tf.Fitter(emulator).fit_joint([spectrum, spectrum])
            >>> len(both.exposures)
            2
        """
        if not isinstance(exposures, Sequence):
            raise SpectrumError("fit_joint takes a list of exposures; fit measures one spectrum")
        one = not any(isinstance(each, Sequence) for each in exposures)
        given = [_spectra(star) for star in ([exposures] if one else exposures)]
        star = np.repeat(np.arange(len(given)), [len(each) for each in given])
        observed, velocities = self._settle([each for several in given for each in several])
        alone = Observed.of(observed, velocities, self.emulator.wave)
        spectra = JointSpectra.of(self._normalise(alone, observed), torch.from_numpy(star))
        own = self.emulator.trained.library.lsf_fwhm.numpy()
        stars = alone.joined(star, spectra, own)
        result = self._fit(stars, spectra)
        v_rad = self._fitters.velocities(stars, spectra, result.measured)
        result = replace(result, exposures=alone.table(star, v_rad))
        return result[0] if one else result

    def _fit(self, stars: Observed, spectra: Spectra) -> FitResult:
        """Measure normalised spectra."""
        result = self._result(stars, spectra, self._fitters.measure(stars, spectra))
        if (result.flags & ResultFlag.OUTSIDE_SUPPORT).any():
            warnings.warn(
                "a fit ended where too few library stars are: see the flag OUTSIDE_SUPPORT",
                OutsideLibraryWarning,
                stacklevel=3,
            )
        return result

    @cached_property
    def _redshifts(self) -> Redshifts:
        return self.velocity.redshifts(self.emulator.trained)

    def _settle(self, given: Sequence[Spectrum]) -> tuple[list[Spectrum], Velocities]:
        """Spectra with the redshifts that bring them to rest, and what was measured for them."""
        windows = self.emulator.trained.preprocessor.masked_windows
        settled, velocities = self._redshifts.settle([each.read() for each in given], windows)
        for spectrum, found in zip(given, settled, strict=True):
            if not np.isfinite(found.info.z):
                low, high = self.emulator.wave[[0, -1]]
                raise SpectrumError(
                    f"{spectrum!r} has no good pixel within {low:.0f}-{high:.0f} Angstrom that a "
                    "template correlates with: use another emulator, check units, or give z"
                )
        pairs = zip(given, settled, strict=True)
        return [spectrum.at_redshift(found.info.z) for spectrum, found in pairs], velocities

    def _normalise(self, stars: Observed, observed: Sequence[Spectrum]) -> Spectra:
        """On the emulator's grid, at rest, divided by the running median."""
        trained = self.emulator.trained
        spectra = self._fitters.normalise(stars, [spectrum.read() for spectrum in observed])
        n_good = (spectra.good & trained.flux_pca.good).sum(dim=1)
        if int(n_good.min()) < LEAST_PIXELS:
            low, high = self.emulator.wave[[0, -1]]
            raise SpectrumError(
                f"{observed[int(n_good.argmin())]!r} has {int(n_good.min()) or 'no'} good pixel "
                f"within {low:.0f}-{high:.0f} Angstrom, the range of the emulator at rest, and a "
                f"fit needs {LEAST_PIXELS}: use another emulator, or check units and redshift"
            )
        return spectra

    def _result(self, stars: Observed, spectra: Spectra, measured: Measurement) -> FitResult:
        """Calibrated errors, models, and everything as numpy."""
        unknown = torch.full_like(measured.chi2, torch.nan)
        labels = MeasuredLabels(measured.labels, measured.errors)
        errors = self.emulator.errors.calibrate(labels, unknown)
        good = spectra.good & self.emulator.trained.flux_pca.good
        flux = torch.where(good, spectra.flux, torch.nan)
        velocities = stars.velocities
        unsure = self.settings.flagging.survey.velocity.is_beyond(
            velocities.error.numpy(), velocities.ratio.numpy()
        )
        flags = measured.flags | torch.from_numpy(unsure) * int(ResultFlag.UNSURE_VELOCITY)
        return FitResult(
            label_names=self.emulator.label_names,
            names=stars.names,
            measured=replace(measured, flags=flags),
            redshifts=stars.redshifts,
            velocities=velocities,
            errors=errors,
            wave=self.emulator.wave,
            flux=flux.numpy(),
            ivar=torch.where(good, spectra.ivar, 0.0).numpy(),
            model=self._fitters.models(stars, measured).numpy(),
        )


def _spectra(given: Sequence[Any]) -> list[Spectrum]:
    """Spectra of ours.

    Raises:
        SpectrumError: If there is none, or one is no spectrum.
    """
    if not given:
        raise SpectrumError("there is no spectrum to fit: the list is empty")
    return [_spectrum(each) for each in given]


def _spectrum(given: Any) -> Spectrum:
    """A spectrum of ours, or one of specutils that says its medium."""
    if isinstance(given, Spectrum):
        return given
    if hasattr(given, "spectral_axis"):
        return Spectrum(given, medium=given.meta.get("medium"))
    raise SpectrumError(
        f"{type(given).__name__} is no spectrum: give torchfit.Spectrum(wave, flux, ivar, "
        'medium="vacuum")'
    )
